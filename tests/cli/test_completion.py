"""Completion, asked for by the shells themselves."""

import subprocess
import sys

import pytest

from tunnelgate.cli.commands.completion import SHELLS
from tunnelgate.policy.table import TABLE
from tunnelgate.target import BUILT_IN

#: How a shell is made to complete a line, without a person at its terminal.
BASH = """
source "$1"
read -ra COMP_WORDS <<< "$2"
[ "${2: -1}" != " " ] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_tunnelgate_completion tunnelgate
printf '%s\\n' "${COMPREPLY[@]}"
"""
#: The completion system of zsh needs a terminal: what would be handed to it is printed.
ZSH = """
compdef() { : }
_describe() { print -l -- ${${(P)3}%%:*} }
compadd() { print -l -- ${(P)5} }
_path_files() { print -- files }
source "$1"
words=("${(@s: :)2}")
CURRENT=$#words
_tunnelgate_completion
"""
FISH = """
source $argv[1]
complete --do-complete $argv[2]
"""
RUNS = {
    "bash": ["bash", "--norc", "-c", BASH, "bash"],
    "zsh": ["zsh", "-f", "-c", ZSH, "zsh"],
    "fish": ["fish", "--no-config", "-c", FISH],
}


@pytest.fixture(params=SHELLS)
def complete(request, need, run, tmp_path, environment):
    """What a shell offers for a line."""
    shell = request.param
    need(shell)
    script = tmp_path / "script"
    script.write_text(run("completion", shell).out)
    program = tmp_path / "bin" / "tunnelgate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tunnelgate "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{environment['PATH']}"

    def offered(line: str) -> set[str]:
        done = subprocess.run(
            [*RUNS[shell], str(script), line],
            env=environment | {"PATH": path, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stderr == ""
        words = (word.partition("\t")[0].strip() for word in done.stdout.splitlines())
        return set(filter(None, words))

    return offered


def test_shells_complete_what_there_is(complete):
    assert complete("tunnelgate com") == {"compile", "completion"}
    assert complete("tunnelgate rule TG20") >= {"TG201", "TG202"}
    assert complete("tunnelgate compile -t ") == set(BUILT_IN)
    assert "--unsafe-fixes" in complete("tunnelgate check --un")


@pytest.mark.parametrize(
    ("words", "current", "offered"),
    [
        ("tunnelgate protocols wire", 2, {"wireguard"}),
        ("tunnelgate protocols ", 2, {row.name for row in TABLE}),
        ("tunnelgate rule tg30", 2, {"TG301", "TG302", "TG303"}),
        ("tunnelgate check --ignore TG50", 3, {"TG501", "TG505"}),
        ("tunnelgate check --format gi", 3, {"github", "gitlab"}),
        ("tunnelgate expl", 1, {"explain"}),
        ("tunnelgate te", 1, {"test"}),
        ("tunnelgate explain g.tg 'esp from a to b' -t ipt", 5, {"iptables"}),
        ("tunnelgate completion ", 2, set(SHELLS)),
    ],
)
def test_what_is_offered(spawn, words, current, offered):
    asked = {
        "_TUNNELGATE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(current)
    }  # fmt: skip
    result = spawn(env=asked)
    found = {line.partition(",")[2] for line in result.out.splitlines()}
    assert offered <= found
    assert all(name.lower().startswith(words.split(" ")[-1].lower()) for name in found)
