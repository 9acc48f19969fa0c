"""What pf refuses, and what stands just beside it."""

from __future__ import annotations

import pytest
from emitted import SITE, ZONES, lines, output, refused

from tunnelgate.target import Setup
from tunnelgate_targets.pf import CLASSIC, MODERN

NAT = ZONES + "nat from lan to wan\n"
DIAL_IN = "zone dial-in {{\n  interface {0}\n  network   10.99.0.0/24\n}}\n"


def codes(text: str, target: str = "pf", version: str | None = None) -> list[str]:
    return [one.rule.code for one in refused(text, target, Setup(version=version))]


@pytest.mark.parametrize(
    ("code", "statement"),
    [
        ("TG401", "allow ftp from lan to wan with helper"),
        ("TG401", "allow pptp from lan to wan with helper"),
        ("TG401", "allow pptp from gateway to wan with helper"),
        ("TG402", "allow esp from lan to hq with tracking"),
        ("TG406", "allow ah from lan to wan"),
        ("TG406", "deny ip/50-52 from lan to wan"),
        ("TG406", "forward ah from wan to box"),
        ("TG407", "allow ssh from wan to gateway with limit 6/minute"),
        ("TG407", "allow udp/53 from wan to gateway with limit 6/minute per source"),
        ("TG407", 'allow ssh from wan to gateway with log "ssh: "'),
        ("TG407", 'deny ssh from wan to gateway with log "ssh: "'),
        ("TG407", "set log-denied 3/minute"),
        ("TG408", DIAL_IN.format("ppp1*")),
        ("TG408", DIAL_IN.format("vpn-*")),
        ("TG408", DIAL_IN.format("em*")),
        ("TG410", "allow sctp/99 from lan to wan"),
        ("TG410", "deny udplite/1-9 from lan to wan"),
        ("TG410", "allow ip/0 from lan to wan"),
    ],
)
def test_is_refused(code: str, statement: str, target: str) -> None:
    found = refused(f"{ZONES}{statement}\n", target)
    assert [one.rule.code for one in found] == [code]
    assert found[0].help
    assert found[0].primary.span.text in f"{ZONES}{statement}"


@pytest.mark.parametrize(
    "statement",
    [
        "allow ipsec from lan to wan",
        "allow any from lan to wan",
        "allow any except ah, ssh from lan to wan",
        "allow esp from lan to hq with single, counter",
        "allow ssh from wan to gateway with limit 6/minute per source, log",
        "deny ssh from wan to gateway with log",
        "set log-denied on",
        "set log-denied 10/minute",
        DIAL_IN.format("ppp*"),
        DIAL_IN.format("ppp*, ppp0"),
        "allow ip/132 from lan to wan",
        "set reject on",
        "set gateway-output deny",
    ],
)
def test_is_not_refused(statement: str, target: str) -> None:
    assert not codes(f"{ZONES}{statement}\n", target)


def test_a_limit_behind_translation_counts_the_address_that_all_share() -> None:
    statement = "allow ssh from lan to wan with limit 6/minute per source\n"
    assert codes(NAT + statement) == ["TG407"]
    assert not codes(ZONES + statement)
    assert not codes(ZONES + "nat from box to wan\n" + statement.replace("lan", "alice"))


def test_a_limit_of_a_forward_counts_the_source_itself() -> None:
    assert not codes(NAT + "forward ssh from wan to box with limit 6/minute per source\n")


def test_two_limits_that_one_packet_may_meet() -> None:
    limits = (
        "allow ssh from hq to gateway with limit 6/minute per source\n"
        "allow {0} from wan to gateway with limit 9/minute per source\n"
    )
    assert codes(ZONES + limits.format("ssh")) == ["TG407"]
    assert not codes(ZONES + limits.format("tcp/80"))


def test_a_group_that_holds_an_interface_of_another_zone() -> None:
    other = "zone other {\n  interface ppp0\n  network 10.98.0.0/24\n}\n"
    assert codes(ZONES + DIAL_IN.format("ppp*") + other) == ["TG408"]
    assert not codes(ZONES + DIAL_IN.format("tun*") + other)


def test_a_masquerade_to_a_group_would_take_the_address_of_any_member() -> None:
    text = ZONES.replace("interface em0", "interface ppp*")
    assert codes(text + "nat from lan to wan\n") == ["TG408"]
    assert not codes(text + "nat from lan to wan as 203.0.113.1\n")


def test_an_address_is_asked_for_by_a_name_that_begins_with_a_letter() -> None:
    text = NAT.replace("em0", '"6in4"')
    assert codes(text) == ["TG408"]
    assert not codes(text.replace("to wan\n", "to wan as 203.0.113.1\n"))


def test_the_classic_dialect_translates_icmp_as_a_whole() -> None:
    text = NAT + "forward ping from wan to box\n"
    assert codes(text, "pf-classic") == ["TG410"]
    assert not codes(text, "pf")
    assert not codes(NAT + "forward icmp from wan to box\n", "pf-classic")


@pytest.mark.parametrize(
    ("forward", "refuses"),
    [
        ("udp/67 from wan to box port 6767 with hairpin", True),
        ("udp/6767 from wan to box port 67 with hairpin", True),
        ("tcp/6767 from wan to box port 67 with hairpin", False),
        ("udp/67 from wan to box with hairpin", False),
        ("udp/67 from wan to box port 6767", False),
    ],
)
def test_who_asks_for_a_lease_is_told_by_a_port_that_stays(
    target: str, forward: str, refuses: bool
) -> None:
    assert codes(f"{NAT}forward {forward}\n", target) == (["TG410"] if refuses else [])


# -- PPTP of one host


def test_one_host_may_use_pptp(target: str) -> None:
    text = NAT + "allow pptp from alice to hq with helper\n"
    assert not codes(text, target)
    made = [line for line in lines(text, target) if "proto 47" in line]
    assert len(made) == 1
    assert "tagged tg:lan:192.168.1.20 keep state" in made[0]
    assert any("GRE" in one for one in output(text, target).requirements.caveats)


def test_a_forward_to_that_host_hands_it_gre(target: str) -> None:
    text = NAT + "forward pptp from hq to alice with helper\n"
    made = [line for line in lines(text, target) if "proto 47" in line]
    assert len(made) == 2
    assert ("rdr" in made[0]) and "192.168.1.20" in made[0]
    assert "tagged tg:wan:forward keep state" in made[1]


@pytest.mark.parametrize(
    "statements",
    [
        "allow pptp from alice to hq with helper\nallow pptp from box to hq with helper\n",
        "allow pptp from alice to hq with helper\nforward pptp from hq to box with helper\n",
        "allow pptp, ftp from alice to hq with helper\n",
    ],
)
def test_two_hosts_or_another_helper(statements: str) -> None:
    assert set(codes(NAT + statements)) == {"TG401"}


# -- versions


@pytest.mark.parametrize(
    ("target", "version", "taken"),
    [
        ("pf", "openbsd-7.6", True),
        ("pf", "freebsd-15", True),
        ("pf", "freebsd-14.3", False),
        ("pf", "macos-15", False),
        ("pf-classic", "freebsd-12.1", True),
        ("pf-classic", "freebsd-15", True),
        ("pf-classic", "macos-15", True),
        ("pf-classic", "openbsd-7.6", False),
        ("pf-classic", "freebsd-11", False),
    ],
)
def test_systems_and_their_dialects(target: str, version: str, taken: bool) -> None:
    assert codes(ZONES, target, version) == ([] if taken else ["TG405"])


def test_macos_has_no_enc0() -> None:
    assert codes(ZONES + SITE, "pf-classic", "macos-15") == ["TG405"]
    assert not codes(ZONES + SITE, "pf-classic", "freebsd-14")


@pytest.mark.parametrize("text", ["15", "linux-6.1", "freebsd", "freebsd-x", "openbsd7"])
def test_what_is_no_version(text: str) -> None:
    assert not MODERN.is_version(text)
    assert not CLASSIC.is_version(text)
