"""Text, names, channels and sets one by one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.flows import Intervals, axes
from tunnelgate_targets.iptables import names
from tunnelgate_targets.iptables.quote import (
    MAX_COMMENT,
    MAX_PREFIX,
    comment,
    cut,
    interface,
    log_prefix,
    plain,
    quote,
)
from tunnelgate_targets.iptables.sets import Sets, halved
from tunnelgate_targets.iptables.words import AH, all_prefixes, ways

ATTACKS = (
    "x\n-A INPUT -j ACCEPT",
    'x" -j ACCEPT -m comment --comment "',
    "x\\",
    'x\\" -j ACCEPT',
    "' -j ACCEPT '",
    "# no comment",
    "%s %n",
    "$(reboot) `reboot`",
    "\u202eright to left\u2066",
    "\x00\x07\x1b[2K",
    "\u2028line\u2029separators\x85",
    "é" * 300,
    "a" * 1000,
)

# -- quote


def restored(line: str) -> list[str]:
    """A line as iptables-restore takes it apart (iptables/xshared.c, add_param_to_argv)."""
    words: list[str] = []
    word, is_quoted, is_escaped = "", False, False
    for char in line:
        if is_quoted and is_escaped:
            word, is_escaped = word + char, False
        elif is_quoted and char == "\\":
            is_escaped = True
        elif char == '"':
            is_quoted = not is_quoted
        elif char in " \t" and not is_quoted:
            words, word = [*words, word], ""
        else:
            word += char
    assert not is_quoted
    return [*words, word]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_stays_one_word(attack: str) -> None:
    assert restored(f"-A x {comment(attack)} -j DROP")[-2:] == ["-j", "DROP"]
    assert len(restored(comment(attack))) == 4
    assert len(restored(log_prefix(attack))) == 2


@given(st.text())
def test_any_text_stays_one_word_of_one_line(text: str) -> None:
    quoted = quote(text, MAX_COMMENT)
    assert quoted.isascii() and quoted.isprintable()
    assert restored(f"-j LOG --log-prefix {quoted} -x") == [
        "-j",
        "LOG",
        "--log-prefix",
        cut(plain(text), MAX_COMMENT),
        "-x",
    ]


@given(st.text(min_size=250), st.sampled_from([MAX_COMMENT, MAX_PREFIX]))
def test_long_text_is_cut_to_the_limit(text: str, limit: int) -> None:
    assert len(quote(text, limit)) <= limit + 2


def test_harmless_text_is_left_alone() -> None:
    text = "allow ipsec-nat-t from lan to 192.0.2.0/24 with limit 3/minute, log 'x'"
    assert plain(text) == text


@pytest.mark.parametrize(
    ("name", "text"), [("eth0", "eth0"), ("ppp+", "ppp+"), ("-j", '"-j"'), ("@x", '"@x"')]
)
def test_names_of_interfaces(name: str, text: str) -> None:
    assert interface(name) == text


# -- names

_zone = st.from_regex(r"[a-zA-Z]([a-zA-Z0-9_]|-(?=[a-zA-Z0-9])){0,30}", fullmatch=True)
_zones = st.lists(_zone, min_size=0, max_size=2).map(tuple)
_role = st.sampled_from(
    ["", "input", "forward", "source", "pass", "deny", "ah", "ah-pass", "snat", "but-0123456789"]
)


@given(_zones, _role, _zones, _role)
def test_names_of_chains_are_injective(
    one: tuple[str, ...], role: str, other: tuple[str, ...], other_role: str
) -> None:
    is_same = (one, role) == (other, other_role)
    assert (names.chain(one, role) == names.chain(other, other_role)) is is_same


def test_a_dash_does_not_make_two_names_one() -> None:
    assert names.chain(("a-b", "c")) != names.chain(("a", "b-c"))
    assert names.chain(("lan", "wan")) == "tg-lan-wan"
    assert names.chain(("lan", "hq-net"), "pass") == "tg-lan/hq-net.pass"


@given(_zones, _role)
def test_names_of_chains_fit(zones: tuple[str, ...], role: str) -> None:
    name = names.chain(zones, role)
    assert len(name) <= names.MAX_CHAIN
    assert re.fullmatch(r"tg-[\w./-]*", name)


@given(_zone, st.sampled_from([4, 6]), st.text(), st.text())
def test_names_of_sets_fit_and_tell_contents_apart(
    label: str, family: int, content: str, other: str
) -> None:
    name = names.set_name(family, f"{label}-{label}", content)
    assert len(name) <= names.MAX_SET
    assert (name == names.set_name(family, f"{label}-{label}", other)) is (content == other)


# -- channels


def l4(*parts: tuple[int, int, int]) -> Intervals:
    return Intervals.of(axes.l4(*part) for part in parts)


_channels = st.builds(
    Intervals.of,
    st.lists(
        st.one_of(
            st.integers(0, 255).map(axes.l4),
            st.tuples(
                st.sampled_from(sorted(axes.WITH_PORTS)), st.integers(0, 65535), st.integers(0, 300)
            ).map(lambda one: axes.l4(one[0], one[1], min(65535, one[1] + one[2]))),
            st.tuples(st.sampled_from([axes.ICMP, axes.ICMPV6]), st.integers(0, 255)).map(
                lambda one: axes.l4(one[0], one[1] << 8, one[1] << 8 | 0xFF)
            ),
        ),
        max_size=40,
    ),
)


_NAMES = {
    1: "icmp",
    6: "tcp",
    17: "udp",
    50: "esp",
    51: "ah",
    58: "ipv6-icmp",
    132: "sctp",
    136: "udplite",
}


def shown(match: str, family: int) -> Intervals:
    """The channels that a match is about, read by the manual page."""
    numbers = {name: number for number, name in _NAMES.items()}
    if not match:
        return axes.ANY_L4
    if match == '-m u32 --u32 "6&0xFF=0"':
        return l4((0, 0, 65535))
    if match == '-p icmp -m u32 --u32 "0>>22&0x3C@0>>24=255"':
        return l4((1, 0xFF00, 0xFFFF))
    words = match.split()
    number = numbers.get(words[1]) or int(words[1])
    assert words[0] == "-p" and number != 0
    if len(words) == 2:
        return l4((number, 0, 65535))
    if words[2] in {"--icmp-type", "--icmpv6-type"}:
        kind = int(words[3])
        assert family == 6 or kind != 255
        return l4((number, kind << 8, kind << 8 | 0xFF))
    assert words[-2] in {"--dport", "--dports"}
    ports = words[-1].split(",")
    assert sum(2 if ":" in port else 1 for port in ports) <= 15
    ends = [port.split(":") for port in ports]
    return l4(*((number, int(one[0]), int(one[-1])) for one in ends))


@given(_channels, st.sampled_from([4, 6]))
def test_ways_match_exactly_the_channels(wanted: Intervals, family: int) -> None:
    found = Intervals.EMPTY
    for way in ways(wanted, family):
        holes = Intervals.union_of(shown(hole, family) for hole in way.holes)
        found |= shown(way.match, family) - holes
    # AH of IPv6 has a lane of its own; extension headers are no protocols there, and neither family
    # has the types of the other
    beside = [axes.l4(number) for number in ((0, 43, 44, 60) if family == 6 else ())]
    other = axes.ICMPV6 if family == 4 else axes.ICMP
    ignored = Intervals.of([*beside, axes.l4(other)]) | (AH if family == 6 else Intervals.EMPTY)
    assert found - ignored == wanted - ignored


@given(_channels, st.sampled_from([4, 6]))
def test_ways_are_few(wanted: Intervals, family: int) -> None:
    everything_but = ways(axes.ANY_L4 - wanted, family)
    assert len(everything_but) <= 24


def test_everything_is_one_way() -> None:
    assert [way.match for way in ways(axes.ANY_L4, 4)] == [""]
    assert [way.match for way in ways(axes.ANY_L4 - AH, 6)] == [""]
    assert [way.holes for way in ways(axes.ANY_L4 - AH, 4)] == [("-p ah",)]


# -- sets


def test_one_prefix_stands_in_the_rule_and_many_in_a_set() -> None:
    sets = Sets()
    one = Intervals.of([(0x0A000000, 0x0AFFFFFF)])
    assert sets.match("s", one, 4, "lan") == "-s 10.0.0.0/8"
    assert sets.match("d", axes.IPV4 - one, 4, "lan") == "! -d 10.0.0.0/8"
    assert sets.match("s", one, 6, "lan") is None
    assert sets.match("s", axes.ANY_ADDRESS, 6, "lan") == ""
    assert not sets
    two = one | Intervals.single(0xC0A80101)
    match = sets.match("s", two, 4, "lan")
    assert match is not None and re.fullmatch(r"-m set --match-set tg4-lan\.\w{10} src", match)
    assert match == sets.match("s", two, 4, "lan")
    assert [list(made.lines())[1:] for made in sets] == [
        [f"add {made.name} 10.0.0.0/8", f"add {made.name} 192.168.1.1"] for made in sets
    ]


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 5000)), min_size=1))
def test_prefixes_are_the_addresses(parts: list[tuple[int, int]]) -> None:
    wanted = Intervals.of((low, min(2**32 - 1, low + size)) for low, size in parts)
    from ipaddress import ip_network

    assert Intervals.of(axes.network(ip_network(one)) for one in all_prefixes(wanted)) == wanted


def test_the_zero_prefix_is_halved() -> None:
    assert list(halved(["0.0.0.0/0", "10.0.0.0/8", "::/0"])) == [
        "0.0.0.0/1",
        "128.0.0.0/1",
        "10.0.0.0/8",
        "::/1",
        "8000::/1",
    ]
