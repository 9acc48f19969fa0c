"""What pf really does, as far as rulesets of ours lean on it, asked of both models.

Measured with packets on FreeBSD 15.1, or with the parsers of OpenBSD 7.7 and FreeBSD 12.1; what
is about states alone is asked in `test_firewall.py`, and what a text may say in
`tests/targets/pf/read/`. No test here holds a model to a kernel.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from asking import (
    ACROSS,
    ALICE,
    BACK,
    BOB,
    CLASSIC,
    HOST,
    HQ,
    IN,
    MODELS,
    MODERN,
    OTHER,
    OUT,
    PUBLIC,
    SECOND,
    WEB,
    Model,
    Way,
    at,
    of_all_packets,
    packet,
    pf,
)
from firewall import Packet

from tunnelgate.flows import axes
from tunnelgate.flows.crossings import WHICHEVER, Fate
from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate_targets.pf.read import Dialect, read
from tunnelgate_targets.pf.read.ruleset import OfInterface, Rule, Span

PORTLESS = [axes.ESP, axes.GRE]
ARRIVES: tuple[Way, ...] = ((IN, "em0"),)
LEAVES: tuple[Way, ...] = ((OUT, "em0"),)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Model:
    return MODELS[request.param]


def nat(dialect: Dialect, pool: str, asked: str = "", rest: str = "pass") -> str:
    """A source translation where packets leave, and rules behind it."""
    if dialect is CLASSIC:
        return f"nat on em0 inet {asked} -> {pool}\n{rest}".replace("  ", " from any to any ")
    return f"match out on em0 inet {asked} nat-to {pool}\n{rest}".replace("  ", " ")


def rdr(dialect: Dialect, goal: str, asked: str = "", rest: str = "pass") -> str:
    """A destination translation where packets arrive, and rules behind it."""
    if dialect is CLASSIC:
        return f"rdr on em0 inet {asked} to (em0) -> {goal}\n{rest}".replace("  ", " ")
    return f"match in on em0 inet {asked} to (em0) rdr-to {goal}\n{rest}".replace("  ", " ")


# -- VPN protocols

AH_AROUND = [
    replace(packet(ALICE, HQ, axes.ESP), ah=True),
    replace(packet(ALICE, HQ, axes.UDP), ah=True),
    replace(packet("fd00:1::20", "2001:db8:51::10", axes.ESP), ah=True),
    replace(packet("fd00:1::20", "2001:db8:51::10", axes.UDP), ah=True),
]


@pytest.mark.parametrize("enclosed", AH_AROUND, ids=str)
@pytest.mark.parametrize("dialect", Dialect)
def test_ah_is_looked_through(model: Model, dialect: Dialect, enclosed: Packet) -> None:
    assert model("block\npass proto ah", dialect, enclosed, LEAVES) is None
    assert model("pass\nblock quick proto ah", dialect, enclosed, LEAVES) is not None
    assert model(f"block\npass proto {enclosed.protocol}", dialect, enclosed, LEAVES) is not None


def test_no_packet_is_of_ah() -> None:
    """A rule about it never fires, so a proof may lean on none."""
    seen = packet(ALICE, HQ, axes.AH)
    assert of_all_packets("block\npass proto ah", MODERN, seen, LEAVES) is None
    assert of_all_packets("pass\nblock proto ah", MODERN, seen, LEAVES) is not None


@pytest.mark.parametrize("dialect", Dialect)
def test_what_translates_the_inside_of_ah_translates_its_header(
    model: Model, dialect: Dialect
) -> None:
    seen = model(nat(dialect, "(em0:0)"), dialect, AH_AROUND[0], LEAVES)
    assert seen is not None
    assert seen.source == at(PUBLIC)


@pytest.mark.parametrize("protocol", PORTLESS)
@pytest.mark.parametrize("dialect", Dialect)
def test_protocols_without_ports_are_translated(
    model: Model, dialect: Dialect, protocol: int
) -> None:
    seen = model(nat(dialect, "(em0:0)"), dialect, packet(ALICE, HQ, protocol), ACROSS)
    assert seen is not None
    assert seen.source == at(PUBLIC)
    sent = packet(HQ, PUBLIC, protocol)
    seen = model(rdr(dialect, WEB, f"proto {protocol}"), dialect, sent, BACK)
    assert seen is not None
    assert seen.destination == at(WEB)


@pytest.mark.parametrize("protocol", PORTLESS)
def test_a_port_of_a_new_destination_is_ignored_where_there_are_none(
    model: Model, protocol: int
) -> None:
    text = rdr(MODERN, f"{WEB} port 80", f"proto {protocol}")
    seen = model(text, MODERN, packet(HQ, PUBLIC, protocol), BACK)
    assert seen is not None
    assert (seen.destination, seen.low) == (at(WEB), 0)


# -- translation


@pytest.mark.parametrize("dialect", Dialect)
def test_a_pool_of_an_interface_is_all_its_addresses_in_turn(dialect: Dialect) -> None:
    text, sent = nat(dialect, "(em0)"), packet(ALICE, HQ)
    one, every = (model(text, dialect, sent, ACROSS) for model in MODELS.values())
    assert one is not None
    assert one.source == at(SECOND)  # the last one stands for any of them
    assert every is not None
    assert every.source == WHICHEVER


@pytest.mark.parametrize("dialect", Dialect)
def test_its_primary_address_is_one(model: Model, dialect: Dialect) -> None:
    seen = model(nat(dialect, "(em0:0)"), dialect, packet(ALICE, HQ), ACROSS)
    assert seen is not None
    assert seen.source == at(PUBLIC)


@pytest.mark.parametrize("dialect", Dialect)
def test_without_parentheses_it_is_what_the_interface_had_at_load(dialect: Dialect) -> None:
    moved = replace(HOST, addresses={**HOST.addresses, "em0": (at(OTHER),)})
    for pool, expected in (("em0:0", PUBLIC), ("(em0:0)", OTHER)):
        firewall = pf(nat(dialect, pool), dialect)
        firewall.host = moved
        passed = firewall.test(packet(ALICE, HQ), OUT, "em0")
        assert passed is not None
        assert passed.packet.source == at(expected)
    with pytest.raises(Unmodelled, match="em0 had when the rules were loaded"):
        of_all_packets(nat(dialect, "em0:0"), dialect, packet(ALICE, HQ), LEAVES)


@pytest.mark.parametrize("dialect", Dialect)
def test_a_source_port_is_replaced_unless_it_is_static(model: Model, dialect: Dialect) -> None:
    sent = packet(ALICE, HQ, low=500, port=500)
    for pool, keeps in (("(em0:0)", False), ("(em0:0) static-port", True)):
        seen = model(nat(dialect, pool), dialect, sent, ACROSS)
        assert seen is not None
        assert seen.keeps_port == keeps


@pytest.mark.parametrize("kind", ["nat", "rdr"])
def test_of_classic_translations_the_first_counts(model: Model, kind: str) -> None:
    if kind == "nat":
        text = nat(CLASSIC, PUBLIC, rest=nat(CLASSIC, SECOND))
        sent, way, expected = packet(ALICE, HQ), LEAVES, at(PUBLIC)
    else:
        text = rdr(CLASSIC, WEB, rest=rdr(CLASSIC, BOB))
        sent, way, expected = packet(HQ, PUBLIC), ARRIVES, at(WEB)
    seen = model(text, CLASSIC, sent, way)
    assert seen is not None
    assert expected in (seen.source, seen.destination)


def test_a_match_translates_at_once(model: Model) -> None:
    """A later one is asked about the new address, and translates it again."""
    for asked, expected in ((f"from {PUBLIC}", SECOND), (f"from {ALICE}", PUBLIC)):
        text = nat(MODERN, PUBLIC, rest=nat(MODERN, SECOND, asked))
        seen = model(text, MODERN, packet(ALICE, HQ), ACROSS)
        assert seen is not None
        assert seen.source == at(expected)


def test_a_pass_translates_as_the_last_match_and_asks_for_the_original(model: Model) -> None:
    text = f"pass out inet from {ALICE} nat-to {{0}}"
    both = f"pass in\n{text.format(PUBLIC)}\n{text.format(SECOND)}"
    seen = model(both, MODERN, packet(ALICE, HQ), ACROSS)
    assert seen is not None
    assert seen.source == at(SECOND)
    asked = f"block\npass in\npass out inet from {PUBLIC} nat-to {SECOND}"
    assert model(asked, MODERN, packet(ALICE, HQ), ACROSS) is None


@pytest.mark.parametrize("dialect", Dialect)
def test_the_filter_asks_for_a_source_as_it_was_translated(model: Model, dialect: Dialect) -> None:
    for asked, passes in ((PUBLIC, True), (ALICE, False)):
        text = nat(dialect, PUBLIC, rest=f"block\npass in\npass out from {asked}")
        assert (model(text, dialect, packet(ALICE, HQ), ACROSS) is not None) == passes


@pytest.mark.parametrize(
    ("text", "dialect", "passes"),
    [
        (rdr(CLASSIC, WEB, rest=f"block\npass in to {WEB}"), CLASSIC, True),
        (rdr(CLASSIC, WEB, rest="block\npass in to (em0)"), CLASSIC, False),
        (rdr(MODERN, WEB, rest=f"block\npass in to {WEB}"), MODERN, True),
        (rdr(MODERN, WEB, rest="block\npass in to (em0)"), MODERN, False),
        (f"block\npass in on em0 inet to (em0) rdr-to {WEB}", MODERN, True),
        (f"block\npass in on em0 inet to {WEB} rdr-to {WEB}", MODERN, False),
    ],
)
def test_the_filter_asks_for_a_destination_as_it_was_translated_but_a_pass_that_does_it(
    model: Model, text: str, dialect: Dialect, passes: bool
) -> None:
    seen = model(text, dialect, packet(HQ, PUBLIC), ARRIVES)
    assert (seen is not None and seen.destination == at(WEB)) == passes


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        (f"no nat on em0 inet from any to {HQ}\n{nat(CLASSIC, PUBLIC)}", CLASSIC),
        (f"table <hq> {{ {HQ} }}\n{nat(MODERN, PUBLIC, 'to ! <hq>')}", MODERN),
        (f"pass in\npass out quick to {HQ}\npass out inet nat-to {PUBLIC}", MODERN),
    ],
)
def test_exemptions_from_a_translation(model: Model, text: str, dialect: Dialect) -> None:
    for peer, expected in ((HQ, ALICE), (OTHER, PUBLIC)):
        seen = model(text, dialect, packet(ALICE, peer), ACROSS)
        assert seen is not None
        assert seen.source == at(expected)


def test_an_exemption_from_rdr(model: Model) -> None:
    text = f"no rdr on em0 inet from {HQ} to any\n{rdr(CLASSIC, WEB)}"
    for peer, expected in ((HQ, PUBLIC), (OTHER, WEB)):
        seen = model(text, CLASSIC, packet(peer, PUBLIC), ARRIVES)
        assert seen is not None
        assert seen.destination == at(expected)


@pytest.mark.parametrize("dialect", Dialect)
def test_a_redirection_alone_passes_nothing(model: Model, dialect: Dialect) -> None:
    text = rdr(dialect, WEB, rest="block" if dialect is CLASSIC else "")
    text = f"block\n{text}" if dialect is MODERN else text
    assert model(text, dialect, packet(HQ, PUBLIC), ARRIVES) is None


def test_rdr_pass_skips_the_filter_of_one_interface() -> None:
    text = rdr(CLASSIC, WEB, rest="block").replace("rdr on", "rdr pass on")
    of_a_packet = MODELS["a packet"]
    assert of_a_packet(text, CLASSIC, packet(HQ, PUBLIC), ARRIVES) is not None
    assert of_a_packet(text, CLASSIC, packet(HQ, PUBLIC), BACK) is None
    assert of_a_packet(f"{text}\npass out", CLASSIC, packet(HQ, PUBLIC), BACK) is not None
    with pytest.raises(Unmodelled, match="a translation that passes"):
        of_all_packets(text, CLASSIC, packet(HQ, PUBLIC), ARRIVES)


@pytest.mark.parametrize("dialect", Dialect)
def test_a_forwarded_packet_needs_a_pass_on_both_interfaces(model: Model, dialect: Dialect) -> None:
    for text, passes in (("in", False), ("out", False), ("in\npass out", True)):
        seen = model(f"block\npass {text}", dialect, packet(ALICE, HQ), ACROSS)
        assert (seen is not None) == passes


@pytest.mark.parametrize("protocol", [axes.UDP, axes.ESP, axes.GRE])
@pytest.mark.parametrize("dialect", Dialect)
def test_tags_tell_pairs_of_zones(model: Model, dialect: Dialect, protocol: int) -> None:
    text = "block\npass in on em1 tag LAN\npass in on ppp3\npass out on em0 tagged LAN"
    sent = packet(ALICE, HQ, protocol)
    assert model(text, dialect, sent, ACROSS) is not None
    assert model(text, dialect, sent, ((IN, "ppp3"), (OUT, "em0"))) is None
    assert model(text, dialect, sent, LEAVES) is None


@pytest.mark.parametrize(
    ("text", "dialect", "source"),
    [
        (f"nat on em0 inet from any to any -> {{ {PUBLIC} 2001:db8::1 }}", CLASSIC, PUBLIC),
        (f"nat on em0 inet6 from any to any -> {{ {PUBLIC} 2001:db8::1 }}", CLASSIC, "2001:db8::1"),
        (f"nat on em0 from any to any -> {{ {PUBLIC} 2001:db8::1 }}", CLASSIC, PUBLIC),
        (f"match out on em0 inet nat-to {{ {PUBLIC} 2001:db8::1 }}", MODERN, PUBLIC),
    ],
)
def test_an_address_of_another_family_is_left_out_of_a_pool(
    text: str, dialect: Dialect, source: str
) -> None:
    found = read(text + "\n", dialect)
    rules = [one for one in found.rules if isinstance(one, Rule)]
    pools = [one.nat for one in rules] + [one.pool for one in found.translations]
    (pool,) = pools
    assert pool is not None
    assert (pool.addresses, pool.choice) == ((Span((at(source), at(source))),), "")


@pytest.mark.parametrize("dialect", Dialect)
def test_an_address_of_another_family_is_left_out_of_a_list(model: Model, dialect: Dialect) -> None:
    text = f"block\npass inet from {{ {ALICE} fd00:1::20 }}"
    assert model(text, dialect, packet(ALICE, HQ), LEAVES) is not None
    six = packet("fd00:1::20", "2001:db8:51::10")
    assert model(text, dialect, six, LEAVES) is None


# -- IPsec on the gateway


@pytest.mark.parametrize("dialect", Dialect)
def test_states_float_unless_they_are_bound(model: Model, dialect: Dialect) -> None:
    """What passes on enc0 would pass in the clear, were its state not bound to enc0."""
    way: tuple[Way, ...] = ((OUT, "enc0"),)
    for option, fate in (("", Fate.KEPT), (" keep state (if-bound)", Fate.BOUND)):
        seen = model(f"block\npass out on enc0{option}", dialect, packet(PUBLIC, HQ), way)
        assert seen is not None
        assert seen.fate is fate


@pytest.mark.parametrize(
    ("name", "passes"),
    [("ppp", True), ("ppp3", True), ("pp", False), ("ppp*", False), ("pppoe", False)],
)
def test_interfaces_have_groups_and_no_wildcards(model: Model, name: str, passes: bool) -> None:
    seen = model(f"block\npass on {name}", MODERN, packet(ALICE, HQ), ((IN, "ppp3"),))
    assert (seen is not None) == passes


# -- options


@pytest.mark.parametrize("dialect", Dialect)
def test_skipped_interfaces_are_not_filtered(model: Model, dialect: Dialect) -> None:
    text = "set skip on lo\nblock"
    assert model(text, dialect, packet(PUBLIC, PUBLIC), ((OUT, "lo0"),)) is not None
    assert model(text, dialect, packet(PUBLIC, HQ), LEAVES) is None


def test_antispoof_of_a_missing_interface_stops_nothing() -> None:
    of_a_packet = MODELS["a packet"]
    text = "antispoof quick for {0}\npass"
    sent = packet("192.168.1.1", HQ)
    for name, passes in (("em1", False), ("em7", True), ("(em7)", True)):
        seen = of_a_packet(text.format(name), MODERN, sent, ARRIVES)
        assert (seen is not None) == passes


# -- words


def test_a_list_of_an_exclusion_excludes_nothing(model: Model) -> None:
    """`{ net, !host }` is two rules, and what one leaves out the other lets in."""
    alice, bob = packet(ALICE, HQ), packet(BOB, HQ)
    text = f"block\npass from {{ 192.168.1.0/24, !{ALICE} }}"
    assert model(text, MODERN, alice, LEAVES) is not None
    text = f"table <t> {{ 192.168.1.0/24 !{ALICE} }}\nblock\npass from <t>"
    assert model(text, MODERN, alice, LEAVES) is None
    assert model(text, MODERN, bob, LEAVES) is not None


def test_an_undefined_table_holds_nothing_and_is_no_error(model: Model) -> None:
    assert model("block\npass from <nowhere>", MODERN, packet(ALICE, HQ), LEAVES) is None
    assert model("block\npass from ! <nowhere>", MODERN, packet(ALICE, HQ), LEAVES) is not None


def test_host_bits_are_masked(model: Model) -> None:
    text = "block\npass from 192.168.1.77/24"
    assert model(text, MODERN, packet(ALICE, HQ), LEAVES) is not None
    assert model(text, MODERN, packet(OTHER, HQ), LEAVES) is None


def test_a_comment_that_ends_in_a_backslash_swallows_the_next_line(model: Model) -> None:
    assert model("pass # all \\\nblock", MODERN, packet(ALICE, HQ), LEAVES) is not None
    assert model("pass # all\nblock", MODERN, packet(ALICE, HQ), LEAVES) is None


def test_what_is_in_parentheses_is_asked_when_a_packet_comes() -> None:
    for text, dynamic in (("(em0)", True), ("em0", False)):
        (rule,) = read(f"pass to {text}\n", MODERN).rules
        assert rule.criteria.destination.address == OfInterface("em0", dynamic=dynamic)
