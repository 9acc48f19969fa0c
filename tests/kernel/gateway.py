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

import pytest
from generator import packets
from lab import Lab, LoadError, Observation, Probe, Wire

from tunnelgate.flows import Intervals, axes
from tunnelgate.meaning import Decider, Outcome, Packet, Ports
from tunnelgate.meaning.decide import NEIGHBOUR_DISCOVERY
from tunnelgate.plan import build
from tunnelgate.policy import Policy, Zone, resolve
from tunnelgate.policy.options import PORTLESS
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse_with_includes
from tunnelgate.target import Layout, Output, Setup, find

LOADERS = ("nftables", "iptables-nft", "iptables-legacy")
#: Seconds; two jiffies of the slowest kernel (CONFIG_HZ=100).
_JIFFIES = 0.02
_PROBE_NAMES = {6: "tcp", 17: "udp", 47: "gre", 50: "esp", 51: "ah", 1: "icmp", 58: "icmpv6"}


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


class Gateway:
    """One policy on one gateway: interfaces, addresses and routes made up from its zones.

    lab: the laboratory of a gateway with the same zones, which goes on there; else one of its own.
    """

    def __init__(self, policy: Policy, lab: Lab | None = None) -> None:
        self.policy = policy
        self.decider = Decider(policy)
        self.plan = build(policy)
        self._counted = any(pair.guards for pair in self.plan.pairs)
        self._actual: dict[int, int] = {}
        self.wires = [
            wire for zone in policy.zones[1:] if zone.over is None for wire in self._wires(zone)
        ]
        self.zone_of = {
            wire: zone
            for zone in policy.zones[1:]
            if zone.over is None
            for wire in self._names(zone)
        }
        assert lab is None or lab.wires == tuple(self.wires)
        self.lab = lab or Lab(self.wires)

    def close(self) -> None:
        """Give the namespaces back."""
        self.lab.close()

    @staticmethod
    def _names(zone: Zone) -> list[str]:
        return [name.replace("*", "7") for name in zone.interfaces]

    def _wires(self, zone: Zone) -> Iterator[Wire]:
        own = []
        for value in (*zone.addresses, *self._unmentioned(zone)):
            actual = self._actual[value] = self._address(zone, value)
            own.append(f"{axes.to_address(actual)}/{32 if axes.family(value) == 4 else 128}")
        if zone.is_rest:
            networks = ["0.0.0.0/0", "::/0"]
        else:
            networks = [str(net) for part in zone.networks for net in axes.to_networks(part)]
        for number, name in enumerate(self._names(zone)):
            # further interfaces of a zone have no route: packets may arrive there, none leaves
            yield Wire(
                name, tuple(own) if number == 0 else (), tuple(networks) if number == 0 else ()
            )

    @staticmethod
    def _unmentioned(zone: Zone) -> Iterator[int]:
        """What a zone outside has besides, so that there is an address to masquerade with."""
        for family in (4, 6) if zone.is_rest else ():
            if zone.primary(family) is None:
                yield axes.unknown_address(zone.index, family)

    def _address(self, zone: Zone, value: int) -> int:
        """The address that stands for an unknown one."""
        if not axes.is_unknown(value):
            return value
        family = axes.family(value)
        inside = zone.networks & axes.family_axis(family)
        if inside:
            taken = Intervals.union_of(host.addresses for host in self.policy.hosts)
            return (inside - taken - Intervals.single(inside.first())).first()
        text = f"100.64.{zone.index}.1" if family == 4 else f"2001:db8:ffff:{zone.index}::1"
        return axes.address_of(text)

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
                pytest.skip("a ruleset of this size needs root")
            raise

    # -- packets

    def check(self, packet: Packet) -> Mismatch | None:
        """Send a packet and compare what happens with what the model says; if it gets through to
        another machine, the answer has to find who asked.
        """
        outcome = self.decider.decide(packet)
        self.lab.flush_conntrack()
        if packet.l4 in PORTLESS:
            self.settle()
        seen = self.lab.send(self.probe(packet))
        if not self._agrees(outcome, seen):
            return Mismatch(outcome, seen)
        is_routed = packet.ingress in self.policy.zones_of(packet.source)[:1]
        if not (seen.arrivals and is_routed and _has_answer(packet)):
            return None
        answer = self.lab.reply(seen)
        there = [
            (one.wire, one.source, one.destination) for one in (*answer.arrivals, *answer.local)
        ]
        ends = (seen.probe.destination, seen.probe.source)
        return None if there == [(seen.probe.wire, *ends)] else Mismatch(outcome, answer)

    def settle(self) -> None:
        """Let counts forget connections that are gone: they look once a jiffy (nf_conncount)."""
        if self._counted:
            time.sleep(_JIFFIES)

    def probe(self, packet: Packet) -> Probe:
        """The packet of the model as one that can be sent."""
        protocol, low = packet.l4 >> 16, packet.l4 & 0xFFFF
        wires = [name for name, zone in self.zone_of.items() if zone is packet.ingress]
        return Probe(
            wires[0] if wires else None,
            str(axes.to_address(self.actual(packet.source))),
            str(axes.to_address(self.actual(packet.destination))),
            _PROBE_NAMES.get(protocol, protocol),
            sport=packet.source_port,
            dport=low if protocol in axes.WITH_PORTS else 500,
            icmp_type=low >> 8 if protocol in axes.WITH_TYPES else None,
            icmp_code=low & 0xFF if protocol in axes.WITH_TYPES else 0,
            ttl=255 if packet.l4 in NEIGHBOUR_DISCOVERY else 64,
        )

    def actual(self, value: int) -> int:
        """An address as it is on this gateway."""
        return self._actual.get(value, value)

    def _agrees(self, outcome: Outcome, seen: Observation) -> bool:
        egress = outcome.egress
        if not outcome.delivered or egress is None or egress.over is not None:
            # no security association is loaded here: nothing may leave for a protected network
            return seen.dropped
        if egress.is_gateway:
            return bool(seen.local)
        if len(seen.arrivals) != 1:
            return False
        found = seen.arrivals[0]
        protocol = outcome.l4 >> 16
        expected = (self.actual(outcome.source), self.actual(outcome.destination))
        if (axes.address_of(found.source), axes.address_of(found.destination)) != expected:
            return False
        if self.zone_of[str(found.wire)] is not egress:
            return False
        if protocol not in {axes.TCP, axes.UDP}:
            return True
        if outcome.ports is Ports.MOVED:
            return found.dport == outcome.l4 & 0xFFFF and (found.sport or 0) > 4500
        return (found.sport, found.dport) == (outcome.packet.source_port, outcome.l4 & 0xFFFF)

    # -- which packets

    def packets(self, count: int, seed: int, *, own: bool = False) -> Iterator[Packet]:
        """Packets biased to the policy (generator/packets.py)."""
        choose = random.Random(seed)
        return packets(self.policy, choose, count, own=own, actual=self.actual)


def _has_answer(packet: Packet) -> bool:
    """Whether there is a packet that answers this one: not to an ICMP error or announcement."""
    protocol, low = packet.l4 >> 16, packet.l4 & 0xFFFF
    return protocol not in axes.WITH_TYPES or low >> 8 in {8, 128}


@contextmanager
def loaded(text: str, loader: str) -> Iterator[Gateway]:
    """A gateway of its own with the ruleset of a policy, for one test."""
    made = Gateway(read(text))
    try:
        made.load(loader)
        yield made
    finally:
        made.close()
