"""The policy of the language page, the order of findings, and what many statements cost."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from tunnelgate.check import check
from tunnelgate.diagnostics import Severity
from tunnelgate.policy import Policy

BRANCH = Path(__file__).parents[2] / "examples" / "branch-office" / "branch.tg"
ZONES = """\
zone wan {
  interface eth0
  address   203.0.113.1
}
zone lan {
  interface eth1
  network   10.0.0.0/8
  address   10.0.0.1
}
nat from lan to wan
allow ssh from lan to gateway
"""
FEW, MANY = 200, 800
#: Four times the statements are about four times the work; pairs of them would be sixteen.
GROWTH = 8


def test_the_sample_policy_has_no_error_and_one_warning_that_is_meant(check_text) -> None:
    found = [(one.rule.code, one.severity) for one in check_text(BRANCH.read_text())]
    assert found == [("TG501", Severity.WARNING)]


def test_findings_stand_in_reading_order(check_text) -> None:
    found = check_text(ZONES + "allow gre, esp, ah from lan to wan\nallow ipip from lan to wan\n")
    assert [one.rule.code for one in found if one.severity is Severity.ERROR] == [
        "TG203",
        "TG201",
        "TG101",
        "TG204",
    ]


def host(number: int) -> str:
    """An address of the LAN."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def peer(number: int) -> str:
    """An address outside."""
    return f"60.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def work(policy: Policy) -> int:
    """How many functions a check calls: what no load of the machine changes."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        check(policy)
    finally:
        sys.setprofile(None)
    return calls


SHAPES: dict[str, Callable[[int], str]] = {
    "ipsec": lambda one: f"allow ipsec from {host(one)} to {peer(one)}",
    "one peer": lambda one: f"allow esp from {host(one)} to {peer(10)}",
    "forwards": lambda one: f"forward tcp/{one} from wan to {host(one)}",
    "half of IKE": lambda one: f"allow nat-t from {host(one)} to {peer(one)}",
    "to the gateway": lambda one: f"allow ipsec, vxlan from {peer(one)} to gateway",
    "denials": lambda one: f"deny esp from {host(one)} to {peer(one)}",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_many_statements_are_never_paired(policy_of: Callable[[str], Policy], shape: str) -> None:
    def of(count: int) -> Policy:
        lines = [SHAPES[shape](one) for one in range(10, count + 10)]
        more = ["allow ipsec from lan to wan"] if shape == "denials" else []
        return policy_of(ZONES + "\n".join([*lines, *more]) + "\n")

    assert work(of(MANY)) < GROWTH * work(of(FEW))
