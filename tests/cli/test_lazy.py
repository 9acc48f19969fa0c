"""What a command does not use it does not import: the time of `check` is the time of imports."""

import json
import subprocess
import sys

import pytest

#: Modules, and all below them, that checking a policy without a configuration needs none of.
NOT_FOR_CHECK = (
    "asyncio",
    "email",
    "http",
    "importlib.metadata",
    "jinja2",
    "json",
    "lark.tools",
    "pydantic",
    "socket",
    "ssl",
    "subprocess",
    "tomllib",
    "tunnelgate.cli.commands.compile",
    "tunnelgate.cli.folder",
    "tunnelgate.diagnostics.render.github",
    "tunnelgate.diagnostics.render.gitlab",
    "tunnelgate.diagnostics.render.json",
    "tunnelgate.diagnostics.render.junit",
    "tunnelgate.diagnostics.render.rdjson",
    "tunnelgate.diagnostics.render.sarif",
    "tunnelgate.diagnostics.selection",
    "tunnelgate.manifest",
    "tunnelgate.plan",
    "tunnelgate.silencing",
    "tunnelgate.target",
    "tunnelgate_targets",
    "unittest",
    "urllib.request",
)
_PROBE = """
import sys
from tunnelgate.cli.main import main
code = main(sys.argv[1:])
names = sorted(sys.modules)
import json
print(json.dumps(names))
sys.exit(code)
"""


@pytest.fixture
def python(environment):
    """Runs a piece of Python in a process of its own; what it printed."""

    def execute(code: str, *arguments: str) -> str:
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    return execute


@pytest.fixture
def imported(python):
    """The modules that a run of the program imports."""
    return lambda *arguments: set(json.loads(python(_PROBE, *arguments).splitlines()[-1]))


def test_check_imports_nothing_that_it_does_not_use(imported):
    found = imported("check", "good.tg")
    needless = {
        name for name in found for one in NOT_FOR_CHECK if name == one or name.startswith(f"{one}.")
    }
    assert not needless


def test_a_configuration_costs_no_more_than_reading_it(imported, in_folder):
    (in_folder / "tunnelgate.toml").write_text('fail-level = "warning"\npaths = ["good.tg"]\n')
    plain, found = imported("check", "good.tg"), imported("check")
    for name in ("pydantic", "json", "tunnelgate.target", "tunnelgate.silencing"):
        assert name not in found
    assert {name for name in found - plain if not name.startswith("tomllib")} == set()


def test_the_version_needs_no_room_of_the_compiler(imported):
    assert not {"lark", "tunnelgate.syntax", "tunnelgate.policy"} & imported("--version")


def test_importing_the_package_imports_nothing_of_it(python):
    code = "import sys, tunnelgate; print(*(one for one in sys.modules if 'tunnelgate' in one))"
    assert python(code) == "tunnelgate\n"
