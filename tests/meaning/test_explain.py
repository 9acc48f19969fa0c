"""The cases of a question are all its packets, each once, and say of them what `decide` says."""

from __future__ import annotations

from pathlib import Path

import pytest
from points import Point, decide, points, zone_named
from sample_policies import MIXTURE, TWO_WANS

import tunnelgate
from tunnelgate import api
from tunnelgate.flows import axes
from tunnelgate.flows.fields import DESTINATION, EGRESS, Arrival
from tunnelgate.flows.firstmatch import BudgetExceeded
from tunnelgate.meaning import Decider, Reason
from tunnelgate.meaning.explain import Case, explain
from tunnelgate.meaning.flatten import flatten
from tunnelgate.meaning.members import members
from tunnelgate.policy import Zone
from tunnelgate.policy.model import BEGINS_NOTHING

EXAMPLES = Path(__file__).parents[2] / "examples"
PACKETS = 1500

BRANCH = """zone wan {
  interface eth0
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 192.168.1.0/24
}
zone far {
  ipsec over wan
  network 10.20.0.0/16
}
nat from lan to wan
allow ssh from lan to gateway
allow l2tp-ipsec from wan to gateway
allow any from lan to far
"""


@pytest.mark.parametrize(
    "source",
    [
        EXAMPLES / "branch-office" / "branch.tg",
        EXAMPLES / "hairpin" / "cottage.tg",
        EXAMPLES / "servers-by-spi" / "hub.tg",
        MIXTURE,
        TWO_WANS,
    ],
    ids=["branch", "hairpin", "spi", "mixture", "two-wans"],
)
def test_cases_say_what_decide_says(source: Path | str) -> None:
    policy = tunnelgate.load(source)
    decider = Decider(policy)
    names = [zone.name for zone in policy.zones]
    rest = [zone.index for zone in policy.zones if zone.is_rest]

    def sent_to(point: Point) -> Zone:
        """Where it leaves that goes to an address which several zones may hold."""
        holders = policy.zones_of(point[DESTINATION])
        asked = policy.zones[point[EGRESS]]
        return asked if asked in holders else (*holders, policy.gateway)[0]

    cases = [
        case
        for one in names
        for other in names
        for case in explain(policy, api.ask(policy, f"any from {one} to {other}"))
    ]
    seen = set()
    for arrival, lists in flatten(policy, {zone.name: zone.index for zone in policy.zones}).items():
        rows = [row for stage in lists for row in stage]
        for point in points(rows, rest, arrival.zone, PACKETS):
            outcome = decide(decider, arrival, point)
            _, l4, port, destination, source = point
            ends = (zone_named(policy.zones, arrival.zone), source), (sent_to(point), destination)
            if outcome is None or not all(is_member(policy, *end) for end in ends):
                continue
            if l4 >> 16 == (axes.ICMPV6 if axes.family(source) == 4 else axes.ICMP):
                continue  # each family has an ICMP of its own
            if l4 in BEGINS_NOTHING:
                continue  # `any` means what may begin
            asked = sent_to(point).index, l4, port, destination, source
            found = [one for one in cases if one.arrival == arrival and holds(one, asked)]
            assert len(found) == 1 or arrival.decrypted, (arrival, point)
            for case in found:
                seen.add(outcome.reason)
                assert case.reason == outcome.reason, (arrival, point)
                assert case.fate.passes == outcome.delivered
                assert bool(case.always) == (outcome.reason is Reason.ALWAYS)
                if outcome.delivered:
                    assert (case.fate.destination or point[DESTINATION]) == outcome.destination
                    assert case.fate.source == (outcome.source if outcome.ports else None)
                    assert case.fate.ports == outcome.ports
    assert {Reason.NOT_ALLOWED, Reason.ALLOWED} < seen


def holds(case: Case, point: Point) -> bool:
    return any(
        all(place in part for place, part in zip(point, box, strict=True)) for box in case.boxes
    )


def is_member(policy: tunnelgate.Policy, zone: Zone, address: int) -> bool:
    return address in members(policy, zone, axes.ANY_ADDRESS)


@pytest.mark.parametrize(
    ("question", "always"),
    [
        ("ssh from gateway to gateway", "loopback"),
        ("ssh from gateway to wan", "what the gateway itself sends"),
        ("icmpv6/135 from lan to gateway", "neighbour discovery"),
        ("icmpv6/2 from lan to wan", "the ICMPv6 errors of RFC 4890"),
        ("icmp/3 from gateway to wan", "ICMP errors out"),
    ],
)
def test_what_is_always_on_is_named(question: str, always: str) -> None:
    policy = tunnelgate.load(BRANCH.replace("192.168.1.0/24", "192.168.1.0/24, fd00::/64"))
    assert {case.always for case in tunnelgate.explain(policy, question)} == {always}


def test_what_begins_nothing_is_asked_about_by_itself_alone() -> None:
    policy = tunnelgate.load(BRANCH + "allow icmp from lan to wan\n")

    def reasons(question: str) -> set[Reason]:
        return {case.reason for case in tunnelgate.explain(policy, question)}

    assert reasons("icmp/echo-reply from lan to wan") == {Reason.BEGINS_NOTHING}
    assert reasons("icmp/3 from lan to wan") == {Reason.BEGINS_NOTHING}
    assert reasons("icmp from lan to wan") == {Reason.ALLOWED}
    assert reasons("icmp/timestamp-request from lan to wan") == {Reason.ALLOWED}


def test_what_is_inside_ipsec_is_a_case_of_its_own() -> None:
    tunnel, rest = BRANCH.index("zone far"), BRANCH.index("nat from")
    policy = tunnelgate.load(BRANCH[:tunnel] + BRANCH[rest : BRANCH.index("allow any")])
    found = {
        (case.arrival, case.reason)
        for case in tunnelgate.explain(policy, "udp/1701 from wan to gateway")
        if case.family == 4
    }
    assert found == {
        (Arrival("wan", decrypted=True), Reason.ALLOWED),
        (Arrival("wan"), Reason.NOT_ALLOWED),
    }


def test_packets_may_come_in_elsewhere() -> None:
    policy = tunnelgate.load(BRANCH)

    def reason(question: str, arriving: str) -> set[Reason]:
        return {case.reason for case in tunnelgate.explain(policy, question, arriving=arriving)}

    assert reason("ssh from 192.168.1.7 to gateway", "wan") == {Reason.SPOOFED}
    assert reason("ssh from 10.20.0.1 to gateway", "wan") == {Reason.NOT_PROTECTED}
    assert reason("ssh from 192.168.1.7 to gateway", "lan") == {Reason.ALLOWED}
    with pytest.raises(KeyError):
        tunnelgate.explain(policy, "ssh from hq to gateway", arriving="nowhere")


def test_no_packet_fits() -> None:
    policy = tunnelgate.load(BRANCH)
    assert tunnelgate.explain(policy, "icmpv6/128 from hq to gateway") == []


def test_a_question_has_a_budget() -> None:
    policy = tunnelgate.load(BRANCH)
    with pytest.raises(BudgetExceeded):
        explain(policy, api.ask(policy, "any from any to any"), budget=3)
