"""Names, zones and places: what they mean, and what is said where they mean nothing."""

from __future__ import annotations

import pytest

import tunnelgate
from tunnelgate.diagnostics import resolving
from tunnelgate.flows import Intervals, axes
from tunnelgate.policy import Policy, Zone, resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
  host  hq = 192.0.2.10, 2001:db8:51::10
}
zone lan {
  interface eth1
  network   192.168.0.0/16
  host box  = 192.168.1.10
  group all = box, few
  group few = 192.168.1.20-192.168.1.29
}
zone guests {
  interface eth2
  network   192.168.7.0/24
}
zone site {
  ipsec over wan
  network   10.20.0.0/16
}
"""


def policy(text: str) -> Policy:
    parsed = parse(SourceFile(text, "test.tg"))
    made, findings = resolve(parsed.policy)
    assert not parsed.diagnostics and not findings, [*parsed.diagnostics, *findings]
    return made


def findings(text: str) -> list[tuple[str, str, str]]:
    """Code, underlined text and message of each finding."""
    parsed = parse(SourceFile(text, "test.tg"))
    assert not parsed.diagnostics
    return [
        (one.rule.code, one.primary.span.text, one.message) for one in resolve(parsed.policy)[1]
    ]


def zone(made: Policy, name: str) -> Zone:
    return next(one for one in made.zones if one.name == name)


def network(*texts: str) -> Intervals:
    import ipaddress

    return Intervals.of(axes.network(ipaddress.ip_network(text)) for text in texts)


def test_the_most_specific_network_holds_an_address() -> None:
    made = policy(ZONES)
    assert zone(made, "guests").holds == network("192.168.7.0/24")
    assert zone(made, "lan").holds == network("192.168.0.0/16") - network("192.168.7.0/24")
    claimed = network("192.168.0.0/16", "10.20.0.0/16")
    assert zone(made, "wan").holds == axes.ANY_ADDRESS - claimed - axes.UNKNOWN


def test_no_tunnel_holds_what_is_not_routed() -> None:
    """Or a tunnel of everything would stop neighbour discovery, DHCP and multicast."""
    made = policy(
        "zone wan {\n  interface eth0\n}\n"
        "zone lan {\n  interface eth1\n  network 192.168.0.0/16\n}\n"
        "zone far {\n  ipsec over wan\n  network 0.0.0.0/0, ::/0\n}\n"
    )
    here = network("0.0.0.0/32", "224.0.0.0/4", "255.255.255.255/32")
    here |= network("::/128", "fe80::/10", "ff00::/8")
    assert zone(made, "wan").holds == here
    known = axes.ANY_ADDRESS - axes.UNKNOWN
    assert zone(made, "far").holds == known - network("192.168.0.0/16") - here


def test_a_zone_without_addresses_has_one_unknown_a_family() -> None:
    lan = zone(policy(ZONES), "lan")
    assert [axes.family(value) for value in lan.addresses] == [4, 6]
    assert lan.is_dynamic
    assert not zone(policy(ZONES), "wan").is_dynamic
    assert zone(policy(ZONES), "site").addresses == ()


@pytest.mark.parametrize(
    ("network", "without"),
    [
        ("192.168.0.0/17, 192.168.128.0/17", {"lan", "guests"}),
        ("192.168.7.0/24", {"guests"}),
        ("192.168.7.0/25", set()),
    ],
)
def test_an_unknown_address_is_excepted_with_all_of_its_network(
    network: str, without: set[str]
) -> None:
    made = policy(ZONES + f"allow ssh from wan to gateway except {network}\n")
    ((_, own),) = made.rules[0].destination
    unknown = {one.name: one.primary(4) for one in made.zones[1:] if one.is_dynamic}
    assert {name for name, place in unknown.items() if place not in own} == without


def test_groups_may_name_each_other_in_any_order() -> None:
    made = policy(ZONES)
    groups = {group.name: group.addresses for group in made.groups}
    assert groups["all"] == groups["few"] | Intervals.single(axes.address_of("192.168.1.10"))


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ("lan", {"lan": axes.ANY_ADDRESS}),
        ("box", {"lan": network("192.168.1.10/32")}),
        ("site", {"site": network("10.20.0.0/16")}),
        (
            "any",
            {
                "wan": axes.ANY_ADDRESS,
                "lan": axes.ANY_ADDRESS,
                "guests": axes.ANY_ADDRESS,
                "site": network("10.20.0.0/16"),
            },
        ),
        ("any except wan, site", {"lan": axes.ANY_ADDRESS, "guests": axes.ANY_ADDRESS}),
        ("lan except box", {"lan": axes.ANY_ADDRESS - network("192.168.1.10/32")}),
        (
            "box, few except 192.168.1.21-192.168.1.29",
            {"lan": network("192.168.1.10/32", "192.168.1.20/32")},
        ),
        ("wan except 192.0.0.0/8", {"wan": axes.ANY_ADDRESS - network("192.0.0.0/8")}),
        ("box except lan", {}),
        ("203.0.113.1", {"gateway": network("203.0.113.1/32")}),
        ("192.168.7.9", {"guests": network("192.168.7.9/32")}),
        ("gateway", {"gateway": axes.ANY_ADDRESS}),
    ],
)
def test_what_places_mean(places: str, expected: dict[str, Intervals]) -> None:
    (rule,) = policy(ZONES + f"allow ssh from {places} to any\n").rules
    assert {one.name: addresses for one, addresses in rule.source} == expected


@pytest.mark.parametrize(
    ("protocols", "expected"),
    [
        ("ssh", [axes.l4(6, 22, 22)]),
        ("ipsec except esp", [axes.l4(17, 500, 500), axes.l4(17, 4500, 4500)]),
        ("wireguard port 51821", [axes.l4(17, 51821, 51821)]),
        ("tcp/80,443, ip/89", [axes.l4(6, 80, 80), axes.l4(6, 443, 443), axes.l4(89)]),
        ("icmp/echo-request", [axes.l4(1, 8 << 8, 8 << 8 | 255)]),
        ("corp", [axes.l4(17, 8443, 8443), axes.l4(6, 8443, 8443)]),
        ("any except ah", [(0, axes.l4(51)[0] - 1), (axes.l4(51)[1] + 1, (256 << 16) - 1)]),
    ],
)
def test_what_protocols_mean(protocols: str, expected: list[tuple[int, int]]) -> None:
    text = (
        ZONES
        + "protocol corp = udp/8443 + more\nprotocol more = tcp/8443\n"
        + f"allow {protocols} from lan to wan\n"
    )
    (rule,) = policy(text).rules
    assert rule.l4 == Intervals.of(expected)


def test_any_names_no_protocol() -> None:
    (rule,) = policy(ZONES + "allow any, esp from lan to wan\n").rules
    assert rule.protocols.named == Intervals.of([axes.l4(axes.ESP)])


def test_a_helpers_data_is_announced_and_not_started() -> None:
    with_helper, without, both = policy(
        ZONES
        + "allow pptp from lan to wan with helper\nallow pptp from lan to wan\n"
        + "allow pptp, gre from lan to wan with helper\n"
    ).rules
    gre = Intervals.of([axes.l4(axes.GRE)])
    assert not with_helper.l4.overlaps(gre)
    assert gre <= without.l4
    assert gre <= both.l4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ZONES + "allow ssh from lann to wan\n", ("TG006", "lann", "unknown place `lann`")),
        (ZONES + "allow sssh from lan to wan\n", ("TG006", "sssh", "unknown protocol `sssh`")),
        (
            ZONES + "allow udp/70000 from lan to wan\n",
            ("TG007", "udp/70000", "port 70000 does not exist"),
        ),
        (
            ZONES + "allow tpc/80 from lan to wan\n",
            ("TG007", "tpc/80", "`tpc/` begins no protocol"),
        ),
        (
            ZONES + "allow ssh from 192.168.0.0/15 to wan\n",
            (
                "TG011",
                "192.168.0.0/15",
                "`192.168.0.0/15` is in several zones: `wan`, `lan`, `guests`",
            ),
        ),
        (
            ZONES + "nat from gateway to wan\n",
            (
                "TG015",
                "gateway",
                "`nat` is about what crosses the gateway, not about its own traffic",
            ),
        ),
        (ZONES + "forward ssh from wan to lan\n", ("TG008", "lan", "`lan` is a zone, not a host")),
        (
            ZONES + "forward ipv6 ssh from wan to box\n",
            ("TG015", "box", "`box` has no IPv6 address"),
        ),
        (
            ZONES + "allow ssh from lan to wan with helper\n",
            ("TG012", "helper", "option `helper` does nothing for these protocols"),
        ),
        (
            ZONES + "allow ssh from lan to wan with limit\n",
            ("TG012", "limit", "option `limit` needs a value"),
        ),
        (
            ZONES + "deny ssh from lan to wan with limit 3/second\n",
            ("TG012", "limit 3/second", "`deny` has no option `limit`"),
        ),
        (
            ZONES + "forward esp from wan to box with single\n",
            ("TG012", "single", "`forward` has no option `single`"),
        ),
        (
            ZONES + "allow ssh from lan to wan with log, log\n",
            ("TG012", "log", "option `log` stands twice"),
        ),
        (
            ZONES + "set log-denied maybe\n",
            ("TG013", "maybe", "`maybe` is no value of `log-denied`"),
        ),
        (
            ZONES + "set log-denied 10001/second\n",
            ("TG007", "10001/second", "`10001/second` is more than a log is written at"),
        ),
        (
            ZONES + 'allow ssh from lan to wan with log "in $zone"\n',
            (
                "TG007",
                '"in $zone"',
                "a log prefix is printable ASCII without a backslash or a dollar sign",
            ),
        ),
        (ZONES + "set antispoof\n", ("TG013", "antispoof", "`antispoof` needs one value")),
        (ZONES + "protocol esp = ip/50\n", ("TG005", "esp", "`esp` is a built-in protocol")),
        (
            ZONES + "protocol a = ssh\nprotocol a = dns\n",
            ("TG005", "a", "there are two protocols named `a`"),
        ),
        (ZONES + "gateway a\ngateway b\n", ("TG005", "gateway b", "a policy has one gateway")),
        ("zone any {\n interface eth0\n}\n", ("TG005", "any", "`any` is a built-in place")),
        ("zone x {\n network 10.0.0.0/8\n}\n", ("TG009", "x", "zone `x` has no interface")),
        (
            "zone x {\n interface eth0\n network 10.0.0.1/8\n}\n",
            ("TG007", "10.0.0.1/8", "`10.0.0.1/8` has bits set behind its prefix"),
        ),
        (
            "zone x {\n interface eth0\n address 10.0.0.1/8\n}\n",
            ("TG007", "10.0.0.1/8", "`10.0.0.1/8` is not a single address"),
        ),
    ],
)
def test_what_is_said(text: str, expected: tuple[str, str, str]) -> None:
    assert findings(text) == [expected]


def test_each_example_of_a_rule_has_its_finding_and_no_other() -> None:
    for rule in resolving.RULES:
        assert [code for code, _, _ in findings(rule.bad)] == [rule.code], rule.code
        assert findings(rule.good) == [], rule.code


def test_the_name_of_the_gateway() -> None:
    assert policy(ZONES).name == "test"
    assert policy(ZONES + "gateway branch\n").name == "branch"
    parsed = parse(SourceFile(ZONES, "/some/where/10 strange name.tg"))
    assert resolve(parsed.policy)[0].name == "gateway"


@pytest.mark.parametrize(
    ("written", "message", "help"),
    [
        ("allow tcp from lan to wan", "unknown protocol `tcp`", "all of them are `tcp/1-65535`"),
        ("allow ikev2 from lan to wan", "unknown protocol `ikev2`", "did you mean `ike`?"),
        ("allow all from lan to wan", "unknown protocol `all`", "did you mean `any`?"),
        ("allow ip/esp from lan to wan", "`esp` is no protocol number", "is enough: `esp`"),
        ("allow tcp/443-80 from lan to wan", "`443-80` ends before it begins", "lower end first"),
        (
            "allow wireguard/51821 from lan to wan",
            "`wireguard/` begins no protocol",
            "write `wireguard port 51821`",
        ),
        (
            "zone dmz {\n  interface eth2\n  address 10.0.0.1/8\n}",
            "`10.0.0.1/8` is not a single address",
            "without a length",
        ),
    ],
)
def test_what_is_meant_is_told_with_what_is_wrong(written: str, message: str, help: str) -> None:
    text = (
        "zone wan { interface eth0 }\nzone lan {\n  interface eth1\n  network 192.168.1.0/24\n}\n"
    )
    found = [one for one in tunnelgate.check(text + written + "\n") if one.is_error]
    assert [one.message for one in found] == [message]
    assert help in found[0].help


@pytest.mark.parametrize("line", ["interfaces eth2", "interface: eth2", "interface eth2;"])
def test_what_a_zone_lacks_may_stand_in_a_line_that_cannot_be_read(line: str) -> None:
    found = tunnelgate.check(f"zone dmz {{\n  {line}\n}}\nzone wan {{\n  mss clamp\n}}\n")
    assert [one.rule.code for one in found if one.is_error] == ["TG001", "TG009"]


@pytest.mark.parametrize("asked", ["esp/0x1000", "esp/4096-8191"])
@pytest.mark.parametrize(
    "statement", ["allow {} from lan to wan", "deny {} from lan to wan", "protocol one = {}"]
)
def test_no_statement_is_about_an_spi(statement: str, asked: str) -> None:
    parsed = parse(SourceFile(f"{ZONES}{statement.format(asked)}\n"))
    assert not parsed.diagnostics
    (finding,) = resolve(parsed.policy)[1]
    assert finding.rule is resolving.BAD_VALUE
    assert finding.primary.span.text == asked
    assert "with spi" in (finding.help or "")
