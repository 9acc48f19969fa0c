"""All packets at once: what the pf targets emit is what the policy means, exactly.

Text, reader and pf's evaluation of boxes (`lists.py`) on one side, the lists of the policy on the
other; no packet is chosen by chance. What pf is known to do otherwise is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from random import Random

import pytest
from generator import policy_text
from judge import ENC, TARGETS, Gateway, policy_of, without_refused
from lists import WITH_OPTIONS, Lists
from test_judge import EXAMPLES, MIXTURE, POLICIES, SABOTAGE

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import ANY_PORT, DROP, EVERYTHING, Arrival, Delivered
from tunnelgate.flows.firstmatch import Difference, Row, differences
from tunnelgate.meaning.flatten import arrivals, flatten
from tunnelgate.plan import build
from tunnelgate.policy import Zone
from tunnelgate.policy.model import BEGINS_NOTHING, MULTICAST
from tunnelgate.source import SourceFile

#: Where nothing is ever forwarded to; pf takes it for the machine itself.
_NOWHERE = Intervals.of(
    axes.network(ip_network(text)) for text in ("0.0.0.0/32", "255.255.255.255/32", "fe80::/10")
)
#: ICMP that begins nothing, and answers of neighbour discovery; AH, which pf cannot see; protocol
#: 0, which it cannot name.
_NOT_ASKED = BEGINS_NOTHING | Intervals.of(
    [
        axes.l4(0),
        axes.l4(axes.AH),
        *(axes.l4(axes.ICMPV6, kind << 8, kind << 8 | 0xFF) for kind in (134, 136)),
    ]
)
#: Shown twice where tunnel mode encloses a packet (ipsec.conf(5)).
_IP_IN_IP = Intervals.of([axes.l4(4), axes.l4(41)])


#: What only shows where a connection goes on, or its tunnel is not there.
_NOT_OF_FIRST_PACKETS = {
    "clear text may leave",
    "a state is not kept",
    "answers are not told",
    "states of the tunnel float",
}


def unlike(gateway: Gateway, *, inside: bool = True) -> Iterator[tuple[Arrival, Difference]]:
    """Everything that a gateway's ruleset does otherwise.

    inside: also to what is decrypted and of no `ipsec over` zone.
    """
    policy = gateway.policy
    numbers = {zone.name: zone.index for zone in policy.zones}
    zones = {zone.name: zone for zone in policy.zones}
    meant = flatten(policy, numbers)
    for family in (4, 6):
        lists = Lists(gateway.ruleset, policy, gateway.places(), family)
        for arrival in arrivals(policy):
            if arrival.decrypted and not inside:
                continue
            zone, asked = zones[arrival.zone], meant[arrival]
            one = [[_plain(row) for row in asked.verdict], asked.source, asked.ports]
            other = lists.of(zone, _wire(gateway, zone, arrival))
            for domain in _domains(gateway, zone, family, arrival, helped=len(asked.helper) > 1):
                for found in differences(one, other, domain, final=[DROP]):
                    yield arrival, found


def leaving_in_clear(gateway: Gateway) -> Iterator[Difference]:
    """What would leave for the network of a tunnel that is not there."""
    nothing = [Row(EVERYTHING, DROP)]
    for family in (4, 6):
        lists = Lists(gateway.ruleset, gateway.policy, gateway.places(), family, tunnels=False)
        for zone in gateway.policy.zones:
            arrival = Arrival(zone.name)
            verdict = lists.of(zone, _wire(gateway, zone, arrival))[0]
            for *asked, goals, sources in _domains(gateway, zone, family, arrival, helped=False):
                domain = (*asked, goals & gateway.protected, sources)
                yield from differences([nothing], [verdict], domain)


def _plain(row: Row) -> Row:
    """A verdict while there is credit."""
    label = row.label
    return row._replace(label=Delivered(*label[:3])) if isinstance(label, Delivered) else row


def _wire(gateway: Gateway, zone: Zone, arrival: Arrival) -> str | None:
    if zone.is_gateway:
        return None
    inside = arrival.decrypted or zone.over is not None
    return ENC if inside else gateway.wires[zone][0]


def _domains(
    gateway: Gateway, zone: Zone, family: int, arrival: Arrival, *, helped: bool
) -> Iterator[Box]:
    """The packets that there are of a way in, but for those of which pf is known to differ."""
    policy, decrypted = gateway.policy, arrival.decrypted
    axis, own = axes.family_axis(family), policy.own_addresses
    known = axis - axes.UNKNOWN
    ends = Intervals.of((end, end) for one in policy.zones for item in one.networks for end in item)
    sources = own & axis if zone.is_gateway else known - own
    if zone.over is not None:
        sources &= zone.holds
    elif decrypted:
        sources -= gateway.protected
    elif not zone.is_gateway and family == 4 and not zone.holds & known:
        sources -= Intervals.single(0)  # nobody there asks for an IPv4 address
    goals = (known | own & axis) - ends - _NOWHERE
    unknown = own & axis & axes.UNKNOWN
    if unknown and not unknown.is_single():
        goals -= unknown  # to pf they are all its own
    if zone.is_gateway:
        goals -= own | MULTICAST
    channels = axes.ANY_L4 - _NOT_ASKED
    channels -= Intervals.of([axes.l4(axes.ICMPV6 if family == 4 else axes.ICMP)])
    if gateway.protected or decrypted:
        channels -= _IP_IN_IP
    if helped:
        channels -= Intervals.of([axes.l4(axes.GRE)])  # of PPTP; it begins by itself on pf
    ports = ANY_PORT
    if zone.is_gateway and build(policy).never_clear_l2tp:
        # pf does not tell an answer in clear from a question in clear, and lets neither out
        ports -= Intervals.single(1701)
    numbers = Intervals.of((one.index, one.index) for one in policy.zones)
    yield numbers, channels - WITH_OPTIONS, ports, goals, sources
    # messages of multicast listeners are never forwarded
    yield numbers, channels & WITH_OPTIONS, ports, goals & (own | MULTICAST), sources


def _shown(found: tuple[Arrival, Difference]) -> str:
    arrival, difference = found
    rows = [[(row.label, row.cause) for row in side] for side in (difference.one, difference.other)]
    return f"{arrival}: {[axis.items[:2] for axis in difference.box]}: {rows[0]}, pf: {rows[1]}"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path, target: str) -> None:
    gateway = Gateway(policy_of(without_refused(SourceFile.read(path), target)), target)
    assert [_shown(found) for found in unlike(gateway)] == []


@pytest.mark.parametrize("target", TARGETS)
def test_everything_at_once(target: str) -> None:
    assert [_shown(found) for found in unlike(Gateway(policy_of(MIXTURE), target))] == []


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_leaves_for_a_tunnel_that_is_not_there(target: str) -> None:
    policy = policy_of(MIXTURE)
    gateway = Gateway(policy, target)
    assert list(leaving_in_clear(gateway)) == []
    wrong = SABOTAGE["clear text may leave"](gateway.text)
    assert any(leaving_in_clear(Gateway(policy, target, wrong)))


TWO_TUNNELS = """gateway two-tunnels
zone wan {
  interface eth0
  address 203.0.113.1
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  address 192.168.1.1
}
zone site {
  ipsec over wan
  network 10.20.0.0/17
  host files = 10.20.0.5
}
zone branch {
  ipsec over wan
  network 10.20.128.0/17
}
nat from site to wan
forward https from wan at lan to files with hairpin
set antispoof off
"""


@pytest.mark.parametrize("target", TARGETS)
def test_a_forward_takes_nothing_of_another_tunnel(target: str) -> None:
    """What it took without a state would reach the gateway itself, asked by no rule (modern)."""
    gateway = Gateway(policy_of(TWO_TUNNELS), target)
    assert [_shown(one) for one in unlike(gateway) if one[0].zone == "branch"] == []
    text = gateway.text.replace(" from 10.20.0.0/17 to 192.168.1.1 ", " to 192.168.1.1 ")
    wrong = Gateway(gateway.policy, target, text)
    noticed = any(arrival.zone == "branch" for arrival, _ in unlike(wrong))
    assert noticed == (target == "pf")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(POLICIES))
def test_policies_made_up(seed: int, target: str) -> None:
    file = without_refused(policy_text(Random(seed)), target)
    # where several zones let in L2TP inside IPsec, enc0 does not tell which one it was
    found = unlike(Gateway(policy_of(file), target), inside=False)
    assert [_shown(one) for one in found] == [], file.text


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", [name for name in SABOTAGE if name not in _NOT_OF_FIRST_PACKETS])
def test_one_wrong_word_is_noticed(name: str, target: str) -> None:
    policy = policy_of(MIXTURE)
    wrong = SABOTAGE[name](Gateway(policy, target).text)
    assert any(unlike(Gateway(policy, target, wrong)))
