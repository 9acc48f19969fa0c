"""The cases: small policies, each about one thing that a target can do or refuse.

A case is a file in `policies/`. Its first line says what it is about. A line

    # without: STATEMENT

stands above the line that asks for the thing, and says what stands there where nobody asks for it
(nothing, for a line of its own). A line `# layout: shared` asks for that layout, and is compared
with the layout `whole`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tunnelgate.plan import Feature, Plan, build
from tunnelgate.reading import read
from tunnelgate.source import SourceFile
from tunnelgate.target import WHOLE, Layout, Setup

_POLICIES = Path(__file__).with_name("policies")
_WITHOUT = re.compile(r"^( *)# without: *(.*)\n(.*)\n", re.MULTILINE)
_LAYOUT = re.compile(r"^# layout: (whole|shared)$", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        name: of its file, and of the folder of its goldens.
        text: the policy.
    """

    name: str
    text: str

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """What it is about."""
        return self.text.partition("\n")[0].lstrip("# ")

    @property
    def feature(self) -> Feature | None:
        """The feature of the plan that has its name, None where it is about something else."""
        return Feature.__members__.get(self.name.upper().replace("-", "_"))

    @property
    def setup(self) -> Setup:
        """What the ruleset finds on its gateway."""
        found = _LAYOUT.search(self.text)
        layout: Layout = "shared" if found and found[1] == "shared" else "whole"
        return Setup(layout)

    @cached_property
    def plan(self) -> Plan:
        """Its plan."""
        return _plan(self.name, self.text)

    @cached_property
    def before(self) -> tuple[Plan, Setup] | None:
        """The plan and the setup where nobody asks for the thing; None where it is all there is."""
        if self.setup != WHOLE:
            return self.plan, WHOLE
        if not self.changes:
            return None
        return _plan(self.name, _WITHOUT.sub(r"\1\2\n", self.text)), WHOLE

    @cached_property
    def changes(self) -> tuple[tuple[str, str], ...]:
        """The statements that ask, each with the one that does not, as a ruleset calls them."""
        found = _WITHOUT.findall(self.text)
        return tuple((" ".join(line.split()), " ".join(other.split())) for _, other, line in found)


def _plan(name: str, text: str) -> Plan:
    reading = read(SourceFile(text, f"{name}.tg"))
    if reading.policy is None or not reading.is_whole:
        raise ValueError(f"{name}: {', '.join(map(str, reading.diagnostics))}")
    return build(reading.policy)


def _cases() -> Iterator[Case]:
    for path in sorted(_POLICIES.glob("*.tg")):
        yield Case(path.stem, path.read_text("utf-8"))


CASES = tuple(_cases())
