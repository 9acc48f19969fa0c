"""Packets aimed at the statements of a policy, with what the model says of each: made here, sent in
the machine. A carrier has one tunnel that takes all sources, so that the ruleset judges alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from aiming import aimed
from trial import Trial, Trials
from tunnels import ANY, Tunnel
from wiring import Wiring

from tunnelgate.flows import axes
from tunnelgate.meaning import Packet
from tunnelgate.policy import Policy, Zone

#: Somebody outside, where no statement names who may speak IPsec.
_ANYBODY = axes.address_of("198.51.100.7")
_SCTP = 132
#: How many packets, with their near misses, for each statement.
_ROUNDS = 10


def made(policy: Policy) -> Trials:
    """The trials of a policy."""
    wiring = Wiring(policy)
    carriers = dict.fromkeys(zone.over for zone in policy.zones if zone.over is not None)
    tunnels = [_carried(wiring, zone) for zone in carriers if zone is not None]
    wiring.tunnels = {zone: f"in-{zone.name}" for zone in carriers if zone is not None}
    return Trials(tuple(wiring.wires), tuple(tunnels), tuple(_trials(wiring)))


def _carried(wiring: Wiring, zone: Zone) -> Tunnel:
    near = next(value for value in zone.addresses if axes.family(value) == 4)
    inside = [one for one in wiring.policy.zones if one.over is zone]
    networks = [
        str(net) for one in inside for part in one.networks for net in axes.to_networks(part)
    ]
    return Tunnel(
        f"in-{zone.name}",
        wiring.text(_peer(wiring, zone, near)),
        ANY,
        " ".join(networks),
        below=wiring.names(zone)[0],
        near=wiring.text(near),
        is_open=True,
    )


def _peer(wiring: Wiring, zone: Zone, near: int) -> int:
    """Who may begin ESP with the gateway."""
    hosts = [host.addresses.first() for host in wiring.policy.hosts if host.zone is zone]
    for value in (*hosts, _ANYBODY):
        packet = Packet(zone, value, near, axes.ESP << 16)
        if axes.family(value) == 4 and wiring.decider.decide(packet).delivered:
            return value
    raise ValueError("nobody may begin ESP with the gateway")


def _packets(wiring: Wiring) -> Iterator[Packet]:
    """Those aimed at statements; what comes out of a tunnel in clear, too, and the other way round.

    Not from the gateway or its own addresses.
    """
    own = {wiring.actual(value) for zone in wiring.policy.zones for value in zone.addresses}
    for packet in aimed(wiring.policy, random.Random(20), _ROUNDS):
        is_own = packet.ingress is wiring.policy.gateway or wiring.actual(packet.source) in own
        if is_own:
            continue
        yield packet
        if packet.ingress in wiring.tunnels:
            yield replace(packet, decrypted=not packet.decrypted)


def _trials(wiring: Wiring) -> Iterator[Trial]:
    for packet in _packets(wiring):
        probe = wiring.probe(packet)
        if probe.is_icmp_error or probe.number == _SCTP:
            continue  # invalid to connection tracking: it quotes no packet, has no checksum
        outcome = wiring.decider.decide(packet)
        is_answered = wiring.is_answered(outcome)
        yield Trial(probe, wiring.fate(outcome), is_answered, wiring.waits(packet))
