"""A policy's gateway in the packet laboratory, and `decide` as the oracle of its packets."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from fate import JIFFIES, unexpected
from generator import packets
from lab import Lab, LoadError, Observation
from machine import absent
from wiring import Wiring

from tunnelgate.flows import axes
from tunnelgate.meaning import Outcome, Packet
from tunnelgate.policy import Policy, resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse_with_includes
from tunnelgate.target import Layout, Output, Setup, find

LOADERS = ("nftables", "iptables-nft", "iptables-legacy")


def read(source: str | Path | SourceFile) -> Policy:
    """A policy of a file, or of text; it has no findings of reading."""
    file = source if isinstance(source, SourceFile) else read_file(source)
    parsed = parse_with_includes(file)
    policy, findings = resolve(parsed.policy)
    assert not parsed.diagnostics and not findings, (*parsed.diagnostics, *findings)
    return policy


def read_file(source: str | Path) -> SourceFile:
    """The file at a path, or one of a text."""
    return SourceFile(source) if isinstance(source, str) else SourceFile.read(source)


def run_commands(lab: Lab, output: Output, commands: Iterable[str], flavour: str = "") -> None:
    """Run commands of a target in the folder of its files; `iptables` is of the flavour, if any.

    Raises LoadError with what was said.
    """
    with TemporaryDirectory(prefix="tunnelgate-") as name:
        folder = Path(name)
        for file, text in output.files.items():
            (folder / file).write_text(text)
        for program in ("iptables", "ip6tables", "iptables-restore", "ip6tables-restore"):
            family, _, rest = program.partition("-")
            found = shutil.which("-".join(filter(None, (family, flavour, rest))))
            assert found is not None, f"no {flavour} {program}"
            (folder / program).symlink_to(found)
        path = f"PATH={folder}:{os.environ['PATH']}"
        script = " && ".join((f"cd {folder}", *commands))
        done = lab.run(["env", path, "sh", "-c", script])
        if done.returncode:
            raise LoadError(done.stderr or done.stdout)


@dataclass(frozen=True)
class Mismatch:
    """A packet that did something else than the model says."""

    outcome: Outcome
    seen: Observation

    def __str__(self) -> str:
        o, p = self.outcome, self.outcome.packet
        return (
            f"{p.ingress.name}: {_show(p.source)} -> {_show(p.destination)} "
            f"{p.l4 >> 16}/{p.l4 & 0xFFFF} sport {p.source_port}: "
            f"model {'delivers' if o.delivered else 'drops'} ({o.reason.value}, "
            f"{o.statement}) to {o.egress} as {_show(o.source)} -> {_show(o.destination)}; "
            f"seen {self.seen}"
        )


def _show(value: int) -> str:
    return "?" if axes.is_unknown(value) else str(axes.to_address(value))


class Gateway(Wiring):
    """One policy on one gateway in the packet laboratory, its IPsec down.

    lab: the laboratory of a gateway with the same zones, which goes on there; else one of its own.
    """

    def __init__(self, policy: Policy, lab: Lab | None = None) -> None:
        super().__init__(policy)
        assert lab is None or lab.wires == tuple(self.wires)
        self.lab = lab or Lab(self.wires)

    def close(self) -> None:
        """Give the namespaces back."""
        self.lab.close()

    # -- rulesets

    def load(self, loader: str, layout: Layout = "whole") -> None:
        """Put the policy's ruleset on the gateway, and nothing else."""
        self.lab.reset()
        name, _, flavour = loader.partition("-")
        target, setup = find(name), Setup(layout)
        assert not target.refuse(self.plan, setup)
        output = target.emit(self.plan, setup)
        if loader == "nftables":
            self.lab.load_nft(output.files["ruleset.nft"])
        elif layout == "shared":
            run_commands(self.lab, output, output.requirements.load, flavour)
        else:
            self._load_iptables(output.files, legacy=flavour == "legacy")

    def _load_iptables(self, files: Mapping[str, str], *, legacy: bool) -> None:
        sets = files.get("ipset.conf")
        try:
            self.lab.load_iptables(files["rules.v4"], files["rules.v6"], sets, legacy=legacy)
        except LoadError as error:
            # an ordinary user may not send so much at once (socket(7), SO_SNDBUFFORCE)
            if os.geteuid() and "Message too long" in str(error):
                absent("only root may load a ruleset of this size")
            raise

    # -- packets

    def check(self, packet: Packet) -> Mismatch | None:
        """Send a packet and compare what happens with what the model says; if it gets through to
        another machine, the answer has to find who asked.
        """
        outcome = self.decider.decide(packet)
        self.lab.flush_conntrack()
        if self.waits(packet):
            self.settle()
        probe, fate = self.probe(packet), self.fate(outcome)
        seen = unexpected(self.lab, probe, fate, is_answered=self.is_answered(outcome))
        return None if seen is None else Mismatch(outcome, seen)

    @staticmethod
    def settle() -> None:
        """Let counts forget connections that are gone."""
        time.sleep(JIFFIES)

    # -- which packets

    def packets(self, count: int, seed: int, *, own: bool = False) -> Iterator[Packet]:
        """Packets biased to the policy (generator/packets.py)."""
        choose = random.Random(seed)
        return packets(self.policy, choose, count, own=own, actual=self.actual)


@contextmanager
def loaded(text: str, loader: str) -> Iterator[Gateway]:
    """A gateway of its own with the ruleset of a policy, for one test."""
    made = Gateway(read(text))
    try:
        made.load(loader)
        yield made
    finally:
        made.close()
