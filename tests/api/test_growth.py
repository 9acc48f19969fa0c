"""Twice the statements are twice the work, and not four times: in calls, not by a clock."""

from __future__ import annotations

import sys
from collections.abc import Callable
from ipaddress import ip_address
from types import FrameType

import pytest

import tunnelgate

ENDS = """\
zone left {
  interface eth0
  network   10.0.0.0/8
}
zone right {
  interface eth1
  network   192.0.0.0/8
}
"""
OUTSIDE = """\
zone wan {
  interface eth0
  address   203.0.113.1
}
zone lan {
  interface eth1
  network   10.0.0.0/8
}
allow https from lan to wan
"""


def left(number: int) -> str:
    return str(ip_address("10.0.1.0") + number)


def statements(count: int, template: str, *, head: str = ENDS) -> str:
    """A policy of so many statements, each about a machine of its own."""
    lines = (template.format(at=left(at), n=at + 1) for at in range(count))
    return head + "\n".join(lines) + "\n"


def translations(count: int) -> str:
    nats = statements(count, "nat from {at} to wan", head=OUTSIDE)
    return nats + statements(count, "forward tcp/{n} from wan to {at}", head="")


def zones(count: int) -> str:
    """Statements from zone to zone, ten from each."""
    many = max(2, count // 10)
    found = (
        f"zone z{n} {{\n  interface eth{n}\n  network 10.{n}.0.0/16\n}}\n" for n in range(many)
    )
    lines = (f"allow tcp/{n + 1} from z{n % many} to z{(n + 1) % many}\n" for n in range(count))
    return "".join([*found, *lines])


def groups(count: int) -> str:
    """Statements about groups of addresses that lie all over a zone."""
    found = (
        f"  group g{n} = {', '.join(left(4 * n + 99 * count * k) for k in range(40))}\n"
        for n in range(count)
    )
    head = ENDS.replace("10.0.0.0/8\n", "10.0.0.0/8\n" + "".join(found))
    lines = (f"allow ike, nat-t, esp from g{n} to right\n" for n in range(count))
    return "".join([head, *lines])


SHAPES: dict[str, Callable[[int], str]] = {
    "pairs": lambda n: statements(n, "allow ssh from {at} to right"),
    "logs": lambda n: statements(n, "allow ssh from {at} to right with log"),
    "counters": lambda n: statements(n, "allow ssh from {at} to right with counter"),
    "limits": lambda n: statements(n, "allow ssh from {at} to right with limit 5/minute"),
    "alike": lambda n: statements(n, "allow ssh from left to right"),
    "translations": translations,
    "groups": groups,
    "zones": zones,
}


def calls(text: str) -> int:
    """How many calls it takes to check and compile a policy."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        tunnelgate.compile(text, prove=False)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("shape", SHAPES)
def test_work_grows_as_the_policy_does(shape: str) -> None:
    calls(SHAPES[shape](10))  # loads what it needs
    some, twice = (calls(SHAPES[shape](count)) for count in (200, 400))
    assert twice < 2.2 * some
