"""The table of protocols: complete, as the language says it, and the same as its page."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy.protocol import Encryption, NatBehaviour, ProtocolRow
from tunnelgate.policy.protocol_page import channels_text, listing, markdown, text
from tunnelgate.policy.table import BY_NAME, ICMP_TYPES, ICMPV6_TYPES, IP_PROTOCOL_TITLES, TABLE

PAGE = Path(__file__).parents[2] / "docs" / "protocols.md"

# The names of the language: a letter, then letters, digits, `_`, and `-` between letters or digits.
NAME = re.compile(
    r"(?!(?:from|to|with|as|at|over)$)[A-Za-z](?:[A-Za-z0-9_]|-(?=[A-Za-z0-9])){0,30}"
)

# Copied by hand from the language page, and in the words in which channels are printed.
LANGUAGE = {
    "ike": "udp/500",
    "nat-t": "udp/4500",
    "ipsec-tcp": "tcp/4500",
    "esp": "ip/50",
    "ah": "ip/51",
    "ipcomp": "ip/108",
    "ipsec": "udp/500,4500 + ip/50",
    "ipsec-nat-t": "udp/500,4500",
    "ipsec-ah": "udp/500 + ip/51",
    "gre": "ip/47",
    "pptp": "tcp/1723 + ip/47",
    "l2tp": "udp/1701",
    "l2tp-ipsec": "udp/500,4500 + ip/50",
    "wireguard": "udp/51820",
    "openvpn": "udp/1194",
    "openvpn-tcp": "tcp/1194",
    "sstp": "tcp/443",
    "openconnect": "tcp/443 + udp/443",
    "softether": "tcp/443,992,1194,5555 + udp/500,1194,4500",
    "ipip": "ip/4",
    "ipv6-in-ipv4": "ip/41",
    "etherip": "ip/97",
    "vxlan": "udp/4789",
    "geneve": "udp/6081",
    "tinc": "tcp/655 + udp/655",
    "tailscale": "udp/3478,41641",
    "zerotier": "udp/9993",
    "nebula": "udp/4242",
    "any": "any",
    "icmp": "ip/1,58",
    "ping": "icmp/echo-request + icmpv6/echo-request",
    "ssh": "tcp/22",
    "dns": "tcp/53 + udp/53",
    "ntp": "udp/123",
    "http": "tcp/80",
    "https": "tcp/443 + udp/443",
    "dhcp": "udp/67,68,546,547",
    "ftp": "tcp/21",
    "tftp": "udp/69",
    "sip": "tcp/5060 + udp/5060",
    "irc": "tcp/6667",
    "h323": "tcp/1720 + udp/1719",
    "rtsp": "tcp/554",
}

NUMBERS = {"tcp": 6, "udp": 17}


def read_literals(literals: str) -> Intervals:
    """Ports and whole protocols of the list above; by hand, so that no code tests itself."""
    found = []
    for literal in literals.split(" + "):
        word, _, rest = literal.partition("/")
        for number in map(int, rest.split(",")):
            if word == "ip":
                found.append((number * 65536, number * 65536 + 65535))
            else:
                found.append((NUMBERS[word] * 65536 + number,) * 2)
    return Intervals.of(found)


def parts_of(row: ProtocolRow) -> list[ProtocolRow]:
    return [BY_NAME[part] for part in row.parts]


COMPOSITES = [row for row in TABLE if row.parts]


def test_every_row_is_of_its_type() -> None:
    TypeAdapter(tuple[ProtocolRow, ...]).validate_python([asdict(row) for row in TABLE])


def test_validation_would_notice_a_wrong_row() -> None:
    wrong = {**asdict(BY_NAME["esp"]), "channels": ((50, "all"),)}
    with pytest.raises(ValidationError):
        TypeAdapter(ProtocolRow).validate_python(wrong)


def test_every_protocol_of_the_language_is_there_once_and_no_other() -> None:
    assert sorted(row.name for row in TABLE) == sorted(LANGUAGE)
    assert {name: row.name for name, row in BY_NAME.items()} == {name: name for name in LANGUAGE}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_row_is_complete(row: ProtocolRow) -> None:
    assert NAME.fullmatch(row.name)
    assert row.title
    assert row.source
    assert row.channels
    assert row.l4 <= axes.ANY_L4
    assert "|" not in row.title + row.source + row.note, "would split a cell of the page"


@pytest.mark.parametrize("name", LANGUAGE)
def test_channels_are_those_of_the_language(name: str) -> None:
    assert channels_text(BY_NAME[name].l4) == LANGUAGE[name]


@pytest.mark.parametrize("name", sorted(LANGUAGE.keys() - {"any", "ping"}))
def test_channels_are_those_places_on_the_axis(name: str) -> None:
    assert BY_NAME[name].l4 == read_literals(LANGUAGE[name])


def test_any_is_the_whole_axis() -> None:
    assert BY_NAME["any"].channels == ((0, 256 * 65536 - 1),)


def test_ping_is_the_two_echo_requests_whatever_their_code() -> None:
    places = (1 * 65536 + 8 * 256, 58 * 65536 + 128 * 256)
    assert BY_NAME["ping"].channels == tuple((place, place + 255) for place in places)


@pytest.mark.parametrize("row", COMPOSITES, ids=lambda row: row.name)
def test_a_composite_is_the_union_of_its_parts(row: ProtocolRow) -> None:
    own = {"pptp": "tcp/1723", "softether": "tcp/992,5555"}
    union = Intervals.union_of(part.l4 for part in parts_of(row))
    if row.name in own:
        union |= read_literals(own[row.name])
    assert row.l4 == union


def test_what_the_composites_are_made_of() -> None:
    assert {row.name: row.parts for row in COMPOSITES} == {
        "ipsec": ("ike", "nat-t", "esp"),
        "ipsec-nat-t": ("ike", "nat-t"),
        "ipsec-ah": ("ike", "ah"),
        "pptp": ("gre",),
        "l2tp-ipsec": ("ipsec",),
        "softether": ("ike", "nat-t", "openvpn", "openvpn-tcp", "sstp"),
    }


def test_nat_behaviour() -> None:
    def named(behaviour: NatBehaviour) -> set[str]:
        return {row.name for row in TABLE if row.nat is behaviour}

    assert named(NatBehaviour.NEVER) == {"ah", "ipsec-ah"}
    assert named(NatBehaviour.SINGLE) == {
        *("esp", "ipsec", "l2tp-ipsec", "ipcomp", "gre", "ipip", "ipv6-in-ipv4", "etherip")
    }
    assert named(NatBehaviour.HELPER) == {"pptp", "ftp", "tftp", "sip", "irc", "h323", "rtsp"}


def test_only_a_portless_channel_makes_a_protocol_single_or_never() -> None:
    distinguishable = axes.WITH_PORTS | axes.WITH_TYPES
    for row in TABLE:
        if row.name == "any" or row.helper:
            continue
        portless = {low >> 16 for low, _ in row.channels} - distinguishable
        worse = row.nat in {NatBehaviour.SINGLE, NatBehaviour.NEVER}
        assert bool(portless) == worse, row.name


def test_helpers_have_the_names_of_the_kernel() -> None:
    assert {row.name: row.helper for row in TABLE if row.helper} == {
        "pptp": "pptp",
        "ftp": "ftp",
        "tftp": "tftp",
        "sip": "sip",
        "irc": "irc",
        "h323": "Q.931",
    }
    assert all(row.nat is NatBehaviour.HELPER for row in TABLE if row.helper)


def test_tunnels_that_can_be_read_on_the_way() -> None:
    def tunnels(encryption: Encryption) -> set[str]:
        return {row.name for row in TABLE if row.tunnel and row.encryption is encryption}

    assert tunnels(Encryption.NONE) == {
        *("gre", "l2tp", "ipip", "ipv6-in-ipv4", "etherip", "vxlan", "geneve", "ipcomp")
    }
    assert tunnels(Encryption.BROKEN) == {"pptp"}
    assert tunnels(Encryption.INTEGRITY) == {"ah", "ipsec-ah"}
    assert tunnels(Encryption.CONTENT) == set()


@pytest.mark.parametrize("types", [ICMP_TYPES, ICMPV6_TYPES])
def test_icmp_types_are_names_and_numbers(types: dict[str, int]) -> None:
    for name, number in types.items():
        assert NAME.fullmatch(name)
        assert 0 <= number <= 255
    assert types["echo-request"] == (8 if types is ICMP_TYPES else 128)


def test_titles_of_ip_protocols() -> None:
    assert all(0 <= number <= 255 for number in IP_PROTOCOL_TITLES)
    assert len(set(IP_PROTOCOL_TITLES.values())) == len(IP_PROTOCOL_TITLES)
    assert (IP_PROTOCOL_TITLES[4], IP_PROTOCOL_TITLES[51]) == ("IP-in-IP", "AH")


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (Intervals.EMPTY, "none"),
        (axes.ANY_L4, "any"),
        (axes.ANY_L4 - Intervals.of([axes.l4(50)]), "ip/0-49,51-255"),
        (
            axes.ANY_L4 - Intervals.of([axes.l4(6, 25, 25)]),
            "tcp/0-24,26-65535 + ip/0-5,7-255",
        ),
        (Intervals.of([axes.l4(17, 5000, 5010), axes.l4(17, 53, 53)]), "udp/53,5000-5010"),
        (Intervals.of([axes.l4(17, 65535, 65535), axes.l4(18)]), "udp/65535 + ip/18"),
        (Intervals.of([axes.l4(132, 80, 80), axes.l4(6)]), "sctp/80 + ip/6"),
        (Intervals.of([axes.l4(50, 7, 9)]), "ip/50"),
        (
            Intervals.of([axes.l4(1, 3 << 8, (5 << 8) + 255)]),
            "icmp/destination-unreachable + icmp/source-quench + icmp/redirect",
        ),
        (Intervals.of([axes.l4(1, 40 << 8, (43 << 8) + 255)]), "icmp/40-43"),
        (Intervals.of([axes.l4(1, 8 << 8, (8 << 8) + 255)]), "icmp/echo-request"),
        (Intervals.of([axes.l4(58, 132 << 8, (132 << 8) + 255)]), "icmpv6/mld-listener-done"),
        (Intervals.of([axes.l4(1, (3 << 8) + 4, (3 << 8) + 4)]), "icmp/3 code 4"),
    ],
)
def test_channels_text(channels: Intervals, expected: str) -> None:
    assert channels_text(channels) == expected


def test_text_says_all_that_a_row_knows() -> None:
    assert text(BY_NAME["h323"]) == (
        "h323: H.323: call signalling and RAS\n"
        "\n"
        "  channels    tcp/1720 + udp/1719\n"
        "  NAT         needs its connection-tracking helper\n"
        "  helper      Q.931\n"
        "  encryption  up to what it carries\n"
        "  source      ITU-T H.323, IANA port registry (h323hostcall, h323gatestat), RFC 3027\n"
        "              section 4.7 (NAT)\n"
        "  note        Two helpers of the kernel serve it: `Q.931` on tcp/1720 and `RAS` on\n"
        "              udp/1719.\n"
    )
    assert "  includes    ike, nat-t, esp\n" in text(BY_NAME["ipsec"])


def test_listing_is_one_aligned_line_a_protocol() -> None:
    lines = listing([BY_NAME["esp"], BY_NAME["pptp"]]).splitlines()
    assert [line.split()[0] for line in lines] == ["name", "esp", "pptp"]
    words = ("NAT", "one host", "needs its")
    assert len({line.index(word) for line, word in zip(lines, words, strict=True)}) == 1
    assert all(line == line.rstrip() for line in lines)


def test_page_is_in_step_with_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(TABLE), (
        "run: python -m tunnelgate.policy.protocol_page > docs/protocols.md"
    )
