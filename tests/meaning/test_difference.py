"""What differs between two policies is exactly what `decide` decides otherwise."""

from __future__ import annotations

import pytest
from points import decide, points
from sample_policies import MIXTURE, TWO_WANS

import tunnelgate
from tunnelgate.flows import axes
from tunnelgate.flows.fields import DESTINATION, L4, SOURCE
from tunnelgate.flows.firstmatch import BudgetExceeded
from tunnelgate.meaning import Decider, Outcome
from tunnelgate.meaning.difference import Change, Kind, Report, compare
from tunnelgate.meaning.flatten import flatten
from tunnelgate.meaning.members import NOBODY
from tunnelgate.policy import Policy
from tunnelgate.policy.model import MULTICAST

ZONES = """gateway g
zone wan {
  interface eth0
  address 203.0.113.1
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  host a = 192.168.1.10
  host b = 192.168.1.11
}
"""


def without(text: str) -> list[tuple[str, str]]:
    """A policy with each of its statements about traffic left out once."""
    lines = text.splitlines(keepends=True)
    return [
        ("".join(lines), "".join(lines[:at] + lines[at + 1 :]))
        for at, line in enumerate(lines)
        if line.startswith(("allow", "deny", "forward", "nat", "set antispoof", "set gateway"))
    ]


def holds(change: Change, point: tuple[int, ...]) -> bool:
    return all(value in axis for value, axis in zip(point, change.box, strict=True))


def is_of_fate(change: Change) -> bool:
    """Whether more than a limit or a helper changes: `decide` knows neither."""
    one, other = (
        fate._replace(rates=frozenset(), helper=None) for fate in (change.before, change.after)
    )
    return one != other


def fate(outcome: Outcome) -> object:
    """What `compare` compares of an outcome, limits and helpers aside."""
    if not outcome.delivered or outcome.egress is None:
        return None
    return (
        outcome.egress.name,
        outcome.destination,
        outcome.l4,
        outcome.source,
        outcome.ports,
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [*without(MIXTURE), *without(TWO_WANS)],
    ids=lambda text: None,
)
@pytest.mark.parametrize("turned", [False, True])
def test_changes_are_what_decide_decides_otherwise(old: str, new: str, turned: bool) -> None:
    if turned:
        old, new = new, old
    before, after = tunnelgate.load(old), tunnelgate.load(new)
    report = compare(before, after)
    one, other = Decider(before), Decider(after)
    numbers = {zone.name: zone.index for zone in before.zones}
    rest = [zone.index for zone in before.zones if zone.is_rest]
    both = flatten(before, numbers), flatten(after, numbers)
    for arrival in both[0]:
        rows = [row for made in both if arrival in made for stage in made[arrival] for row in stage]
        mine = [change for change in report.changes if change.arrival == arrival]
        for point in points(rows, rest, arrival.zone, 120):
            was, now = decide(one, arrival, point), decide(other, arrival, point)
            if was is None or now is None:
                continue
            found = [change for change in mine if holds(change, point) and is_of_fate(change)]
            differs = exists(before, point) and fate(was) != fate(now)
            assert len(found) == differs, (point, was, now)
            for change in found:
                assert (was.delivered, now.delivered) == (
                    change.before.passes,
                    change.after.passes,
                ), (point, was, now)


def exists(policy: Policy, point: tuple[int, ...]) -> bool:
    """Whether there is such a packet: addresses of machines (RFC 6890), ICMP of its own family."""
    other = axes.ICMPV6 if axes.family(point[SOURCE]) == 4 else axes.ICMP
    nobody = NOBODY | (axes.UNKNOWN - policy.own_addresses)
    strange = point[SOURCE] in nobody or point[DESTINATION] in nobody - MULTICAST
    return point[L4] >> 16 != other and not strange


def report(old: str, new: str) -> Report:
    return compare(tunnelgate.load(ZONES + old), tunnelgate.load(ZONES + new))


def test_order_names_and_logs_are_no_change() -> None:
    old = "nat from lan to wan\nallow ssh from a to wan\nallow dns from lan to wan\n"
    new = (
        "allow dns from lan to wan with log\nallow ssh from 192.168.1.10 to wan\n"
        "nat from lan to wan as 203.0.113.1\nallow dns from a to wan\n"
    )
    assert report(old, new).is_empty


def test_a_limit_counts_only_where_every_statement_has_one() -> None:
    limited = "allow ssh from lan to wan with limit 5/minute\n"
    (change,) = report("allow ssh from lan to wan\n", limited).changes
    assert change.kind is Kind.CHANGED
    assert change.after.rates
    assert not report(
        "allow ssh from lan to wan\n", limited + "allow ssh from lan to wan\n"
    ).changes


def test_a_helper_that_follows_is_a_change() -> None:
    (change,) = report(
        "allow ftp from lan to wan\n", "allow ftp from lan to wan with helper\n"
    ).changes
    assert (change.before.helper, change.after.helper) == (None, "helper")


def test_zones_are_the_same_by_name_wherever_they_stand() -> None:
    dynamic = "zone dsl {\n  interface ppp0\n}\n"
    statements = "allow ssh from lan to gateway\nforward https from dsl to a\nnat from lan to dsl\n"
    zones = ZONES.partition("zone")
    moved = f"{zones[0]}{dynamic}{zones[1]}{zones[2]}{statements}"
    assert compare(tunnelgate.load(ZONES + dynamic + statements), tunnelgate.load(moved)).is_empty


def test_what_is_said_otherwise_of_zones() -> None:
    old = tunnelgate.load(ZONES + "zone dmz {\n  interface eth2\n  network 10.0.0.0/8\n}\n")
    new = tunnelgate.load(ZONES.replace("eth1", "br0, wlan0"))
    assert compare(old, new).environment == (
        "zone `dmz` is gone",
        "zone `lan` is interface br0, wlan0, was interface eth1",
    )


def test_large_policies_are_compared_in_few_boxes() -> None:
    def policy(count: int) -> Policy:
        pairs = "".join(
            f"allow ike, nat-t, esp from 192.168.1.{i % 250} to 10.{i >> 8}.{i & 255}.1\n"
            for i in range(count)
        )
        return tunnelgate.load(ZONES + pairs)

    one, other = policy(1000), policy(1003)
    found = compare(one, other, budget=200_000).changes
    assert [change.kind for change in found] == [Kind.ALLOWED] * 3
    with pytest.raises(BudgetExceeded):
        compare(one, other, budget=100)
