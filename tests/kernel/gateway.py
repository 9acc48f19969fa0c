"""A policy's gateway in the packet laboratory, and `decide` as the oracle of its packets."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from exchange import Exchange, Mismatch
from fate import JIFFIES
from generator import packets
from lab import Lab, LoadError
from machine import absent
from wiring import Wiring

from tunnelgate.meaning import Packet
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
        for program, found in _programs(flavour).items():
            (folder / program).symlink_to(found)
        path = f"PATH={folder}:{os.environ['PATH']}"
        script = " && ".join((f"cd {folder}", *commands))
        done = lab.run(["env", path, "sh", "-c", script])
        if done.returncode:
            raise LoadError(done.stderr or done.stdout)


def _programs(flavour: str) -> dict[str, str]:
    """The programs of a flavour of iptables by the names that scripts use; none without one."""
    found = {}
    for family, suffix in product(("iptables", "ip6tables"), ("", "-restore")) if flavour else ():
        path = shutil.which(f"{family}-{flavour}{suffix}")
        assert path is not None, f"no {family}-{flavour}{suffix}"
        found[family + suffix] = path
    return found


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
        """Send a packet and what may follow it; what differs from what the model says."""
        self.lab.flush_conntrack()
        return Exchange(self, packet).mismatch()

    def settle(self) -> None:
        """Let counts forget connections that are gone."""
        if self.is_counted:
            time.sleep(JIFFIES)

    # -- which packets

    def packets(self, count: int, seed: int | str, *, own: bool = False) -> Iterator[Packet]:
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
