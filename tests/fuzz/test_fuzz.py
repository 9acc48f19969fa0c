"""Policies that went wrong on the way: whatever they say, there is an answer and never a fault.

The examples are mutated: lines, words and characters lost, doubled, swapped, taken from others. So
are the files that they include, their groups and their variables. `TUNNELGATE_FUZZ=100000 pytest
tests/fuzz` does more than the 2,000 of a usual run; a failure names its seed.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

import tunnelgate
from tunnelgate.diagnostics import catalogue
from tunnelgate.source import SourceError, SourceFile

EXAMPLES = Path(__file__).parents[2] / "examples"
RUNS = int(os.environ.get("TUNNELGATE_FUZZ", "2000"))
#: In so many tests, so that several processes share them.
PARTS = 20
#: Seconds of processor time for one policy; it takes milliseconds.
TOO_LONG = 20

FILES = {
    "part.tg": "deny tcp/25 from lan to wan\nparam extra : port... = 80, 443\n",
    "group": "# entries\n192.168.1.0/28\n10.0.0.1-10.0.0.9\n2001:db8::/64\nbox\n",
}
PARAMETERS = """param site : name = wan
param peer : address = 192.0.2.10
param port : port = 500
zone vars {
  interface eth9
  network   10.99.0.0/16
  group g from "group"
}
include "part.tg"
allow udp/$port, tcp/$extra from $site to $peer
"""
VALUES = 'site = "wan"\npeer = "192.0.2.1"\nport = 4500\nextra = [80, 443]\n'
STRANGE = ["\u202e", "\x00", "\r\n", "\ufeff", "\t", "é", "٣", "'", '"', "\\", "$", "{", "}", ","]
WORDS = """
allow deny forward nat zone host group network interface address ipsec over from to with as at port
except any gateway helper single log limit per source hairpin expect reaches leaves untranslated
param include set protocol 0 1 65536 4294967296 0.0.0.0/0 ::/0 fe80::1%eth0 255.255.255.255
10.0.0.1-10.0.0.0 ip/50 ip/51 icmp/8 tcp/0 udp/1-65535 $site $port 10/minute "x" "../x" ... = : + #
## ipv6 esp ah pptp l2tp-ipsec 0x100-0x1ff
""".split()  # noqa: SIM905  # a list of so many words is read best as text


class Memory:
    """A library of texts."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = {name: SourceFile(text, name, name, self) for name, text in files.items()}

    @property
    def asked(self) -> Mapping[str, SourceFile]:
        return self._files

    def read(self, name: str) -> SourceFile:
        if name not in self._files:
            raise SourceError(name, "is not there", "write it")
        return self._files[name]


def texts() -> list[str]:
    """What is mutated: the examples, those that are wrong already, and those of the rules."""
    paths = sorted(EXAMPLES.rglob("*.tg"))
    found = [path.read_text("utf-8") for path in paths if not path.stem.startswith("TG002")]
    found += [text for rule in catalogue.rules().values() for text in (rule.bad, rule.good) if text]
    return found + [text + PARAMETERS for text in found[:8]]


TEXTS = texts()


def _lines(change: Callable[[Random, list[str]], None]) -> Callable[[Random, str], str]:
    def mutate(random: Random, text: str) -> str:
        lines = text.split("\n")
        change(random, lines)
        return "\n".join(lines)

    return mutate


def _drop(random: Random, lines: list[str]) -> None:
    del lines[random.randrange(len(lines))]


def _double(random: Random, lines: list[str]) -> None:
    lines.insert(random.randrange(len(lines)), random.choice(lines))


def _foreign(random: Random, lines: list[str]) -> None:
    lines.insert(random.randrange(len(lines)), random.choice(random.choice(TEXTS).split("\n")))


def _join(random: Random, lines: list[str]) -> None:
    if len(lines) > 1:
        at = random.randrange(len(lines) - 1)
        lines[at : at + 2] = [lines[at] + random.choice(["", " ", ", ", " #"]) + lines[at + 1]]


def _word(random: Random, text: str) -> str:
    """Put another word in the place of one: of the language, or of any example."""
    found = list(re.finditer(r"[^\s,]+", text))
    if not found:
        return random.choice(WORDS)
    match = random.choice(found)
    other = random.choice(WORDS)
    if random.random() < 0.5:
        other = random.choice(random.choice(TEXTS).split() or WORDS)
    return text[: match.start()] + other + text[match.end() :]


def _character(random: Random, text: str) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice([*STRANGE, ""]) + text[at + random.randrange(2) :]


def _cut(random: Random, text: str) -> str:
    return text[: random.randrange(len(text) + 1)]


MUTATIONS: list[Callable[[Random, str], str]] = [
    _word, _word, _word, _character, _cut, _lines(_drop), _lines(_double), _lines(_foreign),
    _lines(_join),
]  # fmt: skip


def mutated(random: Random, text: str) -> str:
    for _ in range(random.choice([1, 1, 2, 3, 8])):
        text = random.choice(MUTATIONS)(random, text)
    return text


@contextmanager
def no_longer_than(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise AssertionError(f"no answer after {seconds} seconds of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def one_run(seed: int) -> None:
    """A policy that is made of a seed has findings, or is one; without errors it compiles."""
    random = Random(seed)
    text = mutated(random, random.choice(TEXTS))
    files = {
        name: mutated(random, part) if random.random() < 0.3 else part
        for name, part in FILES.items()
    }
    file = SourceFile(text, "policy.tg", library=Memory(files))
    variables = None
    if "param " in text and random.random() < 0.5:
        values = mutated(random, VALUES) if random.random() < 0.7 else VALUES
        variables = SourceFile(values, random.choice(["v.toml", "v.yaml", "v.json"]))
    findings = tunnelgate.check(file, vars=variables)
    for finding in findings:
        assert finding.message
        assert all(0 <= label.span.start <= label.span.end for label in finding.labels)
    if not any(finding.is_error for finding in findings):
        policy = tunnelgate.load(file, vars=variables)
        assert policy.zones
        if seed % 4 == 0:
            target = random.choice(["nftables", "iptables"])
            if not any(one.is_error for one in tunnelgate.check(policy, [target])):
                assert tunnelgate.compile(policy, target).files


@pytest.mark.parametrize("part", range(PARTS))
def test_there_is_an_answer(part: int) -> None:
    for seed in range(part, RUNS, PARTS):
        try:
            with no_longer_than(TOO_LONG):
                one_run(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
