"""Channels and addresses as pf writes them."""

from __future__ import annotations

import re

import pytest
from emitted import ZONES, lines

from tunnelgate.flows import Intervals, axes
from tunnelgate_targets.pf.tables import Tables, prefixes
from tunnelgate_targets.pf.words import ANY, Unmatchable, Way, ways

ANY_BUT_SSH = axes.ANY_L4 - Intervals.of([axes.l4(axes.TCP, 22, 22)])
AH = Intervals.of([axes.l4(axes.AH)])


def of(*channels: tuple[int, int]) -> Intervals:
    return Intervals.of(channels)


def test_ports_and_protocols_are_numbers_and_never_stand_together(target: str) -> None:
    made = lines(ZONES + "allow ipsec, https, ping from lan to wan\n", target)
    found = [line for line in made if 'label "allow ipsec, https, ping' in line]
    assert [line.split(" tagged")[0].split("em0 ")[1] for line in found] == [
        "proto 50",
        "proto 6 to any port 443",
        "proto 17 to any port { 443 500 4500 }",
        "inet proto 1 icmp-type 8",
        "inet6 proto 58 icmp6-type 128",
    ]


def test_ah_is_in_no_set_and_out_of_none() -> None:
    assert ways(axes.ANY_L4) == ways(axes.ANY_L4 - AH) == (ANY,)
    assert ways(of(axes.l4(50), axes.l4(51), axes.l4(47))) == (Way((47, 50)),)


def test_no_rule_is_about_ah(target: str) -> None:
    """It would never fire: pf steps through the header."""
    text = "allow any except ssh from lan to wan\ndeny ip/1-50,52-255 from wan to lan\n"
    for line in lines(ZONES + text, target):
        assert not re.search(r"\bproto (\{[^}]* )?51\b", line), line
        assert not re.search(r"\bah\b", line.split(" label ")[0]), line


def test_a_wildcard_is_a_group(target: str) -> None:
    made = lines(ZONES.replace("interface em1", "interface ppp*, em1"), target)
    assert any(line.startswith('pass in quick on { em1 "ppp" } ') for line in made)
    assert not any("*" in line for line in made)


def test_any_of_a_family_needs_nothing_of_the_other() -> None:
    """What is left out of ICMPv6 leaves nothing out of IPv4."""
    errors = axes.ANY_L4 - of(axes.l4(axes.ICMPV6, 1 << 8, 4 << 8 | 255))
    assert ways(errors, 4) == (ANY,)
    assert len(ways(errors, 6)) == len(ways(errors, 0)) == 2


def test_any_but_some_ports_is_a_list_of_protocols_without_0_and_ah() -> None:
    whole, tcp = ways(ANY_BUT_SSH)
    assert set(whole.protocols) == set(range(1, 256)) - {axes.TCP, axes.AH}
    assert tcp == Way((axes.TCP,), ("0:21", "23:65535"))


def test_equal_ports_of_tcp_and_udp_are_one_rule() -> None:
    both = of(axes.l4(axes.TCP, 53, 53), axes.l4(axes.UDP, 53, 53))
    assert ways(both) == (Way((axes.TCP, axes.UDP), ("53",)),)


@pytest.mark.parametrize(
    "l4", [of(axes.l4(axes.SCTP, 99, 99)), of(axes.l4(axes.UDPLITE, 1, 2)), of(axes.l4(0))]
)
def test_what_pf_cannot_tell(l4: Intervals) -> None:
    with pytest.raises(Unmatchable):
        ways(l4)


def test_the_icmp_of_the_other_family_is_left_out() -> None:
    """pfctl: "proto icmp6 doesn't match address family inet"."""
    both = of(axes.l4(axes.ICMP), axes.l4(axes.ICMPV6))
    assert ways(both, 0) == (Way((1, 58)),)
    assert ways(both, 4) == (Way((1,)),)
    assert ways(both, 6) == (Way((58,)),)
    assert ways(of(axes.l4(axes.ICMPV6)), 4) == ()
    assert ways(of(axes.l4(axes.ICMP, 8 << 8, 8 << 8 | 255)), 6) == ()


def span(low: str, high: str) -> Intervals:
    return Intervals.span(axes.address_of(low), axes.address_of(high))


def test_a_list_of_addresses_is_a_table_and_one_prefix_is_none() -> None:
    tables = Tables()
    assert tables.host("x", span("10.0.0.0", "10.0.0.255"), 4) == "10.0.0.0/24"
    assert tables.host("x", span("10.0.0.7", "10.0.0.7"), 4) == "10.0.0.7"
    some = tables.host("x", span("10.0.0.5", "10.0.0.9"), 4)
    assert some is not None
    assert list(tables.lines()) == [f"table {some} const {{ 10.0.0.5 10.0.0.6/31 10.0.0.8/31 }}"]


def test_what_all_but_a_few_are_is_said_by_the_few() -> None:
    tables, every = Tables(), axes.IPV4 - axes.UNKNOWN
    assert tables.host("x", every - span("10.0.0.0", "10.255.255.255"), 4) == "! 10.0.0.0/8"
    few = span("10.0.0.0", "10.255.255.255") | span("192.168.0.0", "192.168.255.255")
    negated = tables.host("x", every - few, 4)
    assert negated is not None
    assert negated.startswith("! <tg.x.")
    assert next(tables.lines()).endswith("const { 10.0.0.0/8 192.168.0.0/16 }")


def test_no_address_of_a_family_is_no_rule() -> None:
    assert Tables().host("x", span("10.0.0.1", "10.0.0.1"), 6) is None
    assert Tables().host("x", axes.ANY_ADDRESS, 6) == "any"
    assert Tables().host("x", axes.IPV6, 6) == "any"


def test_one_content_is_one_table() -> None:
    tables, some = Tables(), span("10.0.0.5", "10.0.0.9")
    assert tables.host("x", some, 4) == tables.host("y", some, 4)


def test_a_long_table_goes_over_several_lines_without_commas() -> None:
    tables = Tables()
    tables.name("x", prefixes(span("10.0.0.1", "10.0.255.254")))
    made = list(tables.lines())
    assert made[0].endswith("const {")
    assert made[-1] == "}"
    assert all(line.startswith("  ") and len(line) <= 100 for line in made[1:-1])
    assert " ".join(made[1:-1]).split() == list(prefixes(span("10.0.0.1", "10.0.255.254")))


def test_no_rule_has_an_exclusion_in_a_list(target: str) -> None:
    """`{ net, !host }` passes everything."""
    text = ZONES + "allow ssh from lan except alice to wan except hq, 198.51.100.0/24\n"
    made = lines(text, target)
    assert not any("{ !" in line or ", !" in line for line in made)
    assert any("to ! <tg.wan." in line for line in made)


def test_a_rule_about_addresses_has_a_family(target: str) -> None:
    for line in lines(
        ZONES + "allow ssh, ping from box to hq\nallow ping from wan to box\n", target
    ):
        if not line.startswith("table") and re.search(r"192\.|2001:|fd00:", line):
            assert " inet " in line or " inet6 " in line, line
        if "icmp-type" in line:
            assert " inet proto 1 " in line, line
        if "icmp6-type" in line:
            assert " inet6 proto 58 " in line, line
