"""Every test ends with the question whether anything protected was ever seen in clear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest
from lab import Wire
from tunnels import LOADERS, Tunnel, TunnelLab

WIRES = (
    Wire("eth0", ("203.0.113.1/32",), ("0.0.0.0/0",)),
    Wire("eth1", ("192.168.1.1/24",)),
)
Opened = Callable[..., TunnelLab]
Labs = dict[tuple[tuple[Wire, ...], tuple[Tunnel, ...]], TunnelLab]
WIDTH = 76


@pytest.fixture(params=LOADERS)
def loader(request: pytest.FixtureRequest) -> str:
    """Who loads the ruleset."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def labs() -> Iterator[Labs]:
    """One laboratory for all tests with the same wires and tunnels."""
    made: Labs = {}
    yield made
    for lab in made.values():
        lab.close()


@pytest.fixture
def opened(labs: Labs, loader: str) -> Iterator[Opened]:
    """Makes the gateway of a policy with its tunnels down; nothing leaks until the test ends."""
    used: list[TunnelLab] = []

    def open_one(
        policy: str, *tunnels: Tunnel, wires: tuple[Wire, ...] = WIRES, layout: str = "whole"
    ) -> TunnelLab:
        key = wires, tunnels
        lab = labs[key] = labs.get(key) or TunnelLab(wires, *tunnels)
        lab.load(policy, loader, layout)
        used.append(lab)
        return lab

    yield open_one
    for lab in used:
        lab.down()
        assert not lab.leaks()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A table: what was shown, with which loader."""
    cells: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            file, _, name = report.nodeid.partition("::")
            function, _, case = name.partition("[")
            loader = next((one for one in LOADERS if case.startswith(one)), LOADERS[0])
            row = cells[file.removeprefix("test_").removesuffix(".py"), function]
            row[loader] = row.get(loader, True) and outcome == "passed"
    terminalreporter.section("what was shown")
    terminalreporter.line(" " * WIDTH + "  ".join(LOADERS))
    for (file, function), row in cells.items():
        words = f"{file}: {function.removeprefix('test_')}".replace("_", " ")
        marks = [{None: "", True: "yes", False: "NO"}[row.get(one)] for one in LOADERS]
        line = "  ".join(mark.ljust(len(one)) for mark, one in zip(marks, LOADERS, strict=True))
        terminalreporter.line(f"{words:{WIDTH}}{line}".rstrip())
