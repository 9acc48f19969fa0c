"""TG602 and TG603: statements that do nothing, since others do all of it or deny it."""

from __future__ import annotations

from itertools import accumulate, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelgate import load
from tunnelgate.meaning.difference import compare

ZONES = """\
zone wan {
  interface eth0
  address   203.0.113.1
  host  hq       = 192.0.2.10
  host  hq-again = 192.0.2.10
  group partners = 198.51.100.0/24
}
zone lan {
  interface eth1
  network   192.168.1.0/24, 2001:db8:1::/64
  address   192.168.1.1
  host alice = 192.168.1.10
  host bob   = 192.168.1.20
}
zone dmz {
  interface eth2
  network   172.16.5.0/24
  host box = 172.16.5.10
}
nat from lan, dmz to wan
"""
COVERED = [
    ("allow https from alice to hq\nallow tcp/443, udp/443 from lan to wan", "alice to hq"),
    ("allow https from alice to hq\nallow any from lan to any", "alice to hq"),
    ("allow ssh from 192.168.1.0/24 to dmz\nallow ssh from lan to dmz", "192.168.1.0/24 to dmz"),
    ("allow ssh from alice, dmz to hq\nallow ssh from any to hq-again", "alice, dmz to hq"),
    ("allow ssh from alice to hq\nallow ssh from lan to wan with log", "alice to hq"),
    ("allow ipsec from hq to gateway\nallow l2tp-ipsec from wan to gateway", "hq to gateway"),
    (
        "allow ssh from alice to hq\nallow ssh from lan to wan\ndeny ssh from bob to wan",
        "alice to hq",
    ),
    # by several
    (
        "allow tcp/80-81 from alice to hq\nallow http from lan to hq\nallow tcp/81 from lan to hq",
        "alice to hq",
    ),
    (
        "allow ssh from alice, box to hq\nallow ssh from lan to wan\nallow ssh from box to wan",
        "alice, box to hq",
    ),
    # a part is left
    (
        "allow ssh from alice, box to hq\nallow ssh from lan to wan\nallow ssh from dmz to lan",
        None,
    ),
    ("allow https from alice to hq\nallow tcp/443 from lan to wan", None),
    ("allow https from alice to hq\nallow https from lan to partners", None),
    ("allow ssh from alice, box to hq\nallow ssh from lan to wan", None),
    ("allow ssh from lan to dmz\nallow ssh from 192.168.1.0/24 to any", None),
    ("allow l2tp-ipsec from hq to gateway\nallow ipsec from wan to gateway", None),
    (
        "allow tcp/80-82 from alice to hq\nallow http from lan to hq\nallow tcp/81 from lan to hq",
        None,
    ),
    # something besides is said
    ("allow ssh from alice to hq with log\nallow ssh from lan to wan", None),
    ("allow ssh from alice to hq with limit 5/minute\nallow ssh from lan to wan", None),
    ("allow ssh from alice to hq\nallow ssh from lan to wan with limit 5/minute", None),
    ("allow pptp from alice to hq\nallow pptp from lan to hq with helper", None),
    # the very same is TG601's
    ("allow ssh from alice to hq\nallow tcp/22 from alice to hq-again", None),
    ("deny ssh from alice to hq\ndeny ssh from lan to wan", None),
]


@pytest.mark.parametrize(("statements", "covered"), COVERED)
def test_covered(statements: str, covered: str | None, check_text) -> None:
    found = [one for one in check_text(ZONES + statements + "\n") if one.rule.code == "TG602"]
    told = [one.primary.span.text.partition(" from ")[2] for one in found]
    assert told == ([] if covered is None else [covered])


DENIED = [
    ("allow ssh from alice to hq\ndeny ssh from lan to wan", True),
    ("allow ssh from alice to hq\ndeny any from any to hq-again", True),
    ("allow ssh from alice to hq\ndeny ssh from 192.168.1.0/28 to wan", True),
    ("allow ssh from lan to hq\ndeny ssh from 192.168.1.0/24 to 192.0.2.0/24", True),
    ("allow ssh from alice, box to hq\ndeny ssh from lan to wan\ndeny ssh from dmz to hq", True),
    (
        "allow tcp/80-81 from alice to hq\ndeny http from lan to hq\ndeny tcp/81 from alice to hq",
        True,
    ),
    ("forward http from wan to box port 8080\ndeny tcp/8080 from wan to box", True),
    ("forward http from hq to box\ndeny http from wan to dmz", True),
    # something is left
    ("allow ssh from alice to hq\ndeny tcp/23 from lan to wan", False),
    ("allow ssh from lan to hq\ndeny ssh from alice to wan", False),
    ("allow ssh from alice, box to hq\ndeny ssh from lan to wan", False),
    ("allow ssh from lan to dmz\ndeny ssh from 192.168.1.0/24 to 172.16.5.0/25", False),
    ("allow any from lan to dmz\ndeny tcp/1-65535, udp/1-65535 from lan to dmz", False),
    ("forward http from wan to box port 8080\ndeny http from wan to box", False),
    ("forward http from wan to box\ndeny http from hq to box", False),
    # l2tp inside IPsec is left
    ("allow l2tp-ipsec from hq to gateway\ndeny ipsec from wan to gateway", False),
    # nobody is there to be denied: TG607
    ("allow ssh from alice except 192.168.1.10 to hq\ndeny ssh from lan to wan", False),
]


@pytest.mark.parametrize(("statements", "denied"), DENIED)
def test_denied(statements: str, denied: bool, codes) -> None:
    found = codes(ZONES + statements + "\n").get("TG603")
    assert found == ("warning" if denied else None)


def test_statements_that_cover_each_other_do_not_all_go(check_text, apply_fix) -> None:
    text = (
        f"{ZONES}allow tcp/1-20 from alice to hq\nallow tcp/11-30 from alice to hq\n"
        "allow tcp/21-40, tcp/1-10 from alice to hq\n"
    )
    told = [one for one in check_text(text) if one.rule.code == "TG602"]
    assert [one.primary.span.text for one in told] == ["allow tcp/1-20 from alice to hq"]
    assert [label.span.text for label in told[0].labels] == [
        "allow tcp/11-30 from alice to hq",
        "allow tcp/21-40, tcp/1-10 from alice to hq",
    ]
    mended = text
    while told:
        mended = apply_fix(mended, told[0].fix)
        told = [one for one in check_text(mended) if one.rule.code == "TG602"]
    assert compare(load(text), load(mended)).is_empty


_ends = st.tuples(st.integers(1, 6), st.integers(1, 6)).map(sorted)
_parts = st.tuples(_ends, _ends, _ends, st.sampled_from(["wan", "lan"]))
_options = st.sampled_from([""] * 4 + [" with log", " with limit 5/minute"])
_allows = st.lists(st.tuples(_parts, _options), max_size=12)
Points = set[tuple[str, int, int, int]]


def points(part) -> Points:
    """Every flow of a statement of these places and ports."""
    *sides, zone = part
    sources, hosts, ports = (range(low, high + 1) for low, high in sides)
    return set(product([zone], sources, hosts, ports))


def text_of(part, options: str) -> str:
    (first, last), (low, high), (port, other), zone = part
    network = {"wan": "192.0.2", "lan": "192.168.1"}[zone]
    sources = f"{network}.10{first}-{network}.10{last}"
    hosts = f"172.16.5.{low}-172.16.5.{high}"
    return f"allow tcp/{port}-{other} from {sources} to {hosts}{options}\n"


@given(_allows)
def test_what_is_covered_is_what_others_have_every_flow_of(check_text, allows) -> None:
    texts = [text_of(*one) for one in allows]
    starts = accumulate(map(len, texts), initial=len(ZONES))
    at_start = {start: at for at, start in enumerate(starts)}
    found = {
        at_start[one.primary.span.start]: [at_start[label.span.start] for label in one.labels]
        for one in check_text(ZONES + "".join(texts))
        if one.rule.code == "TG602"
    }
    flows = [points(part) for part, _ in allows]
    covering = [at for at, (_, options) in enumerate(allows) if "limit" not in options]
    asked = [at for at, (_, options) in enumerate(allows) if not options]
    alone = {at for at in asked if any(flows[at] < flows[other] for other in covering)}
    gone = set(alone)
    for at in (one for one in asked if one not in alone):
        others = [flows[one] for one in covering if one not in gone and flows[one] != flows[at]]
        if flows[at] <= set().union(*others):
            gone.add(at)
    assert set(found) == gone
    for at, told in found.items():
        assert flows[at] <= set().union(*(flows[one] for one in told))
        assert (len(told) == 1) == (at in alone)
        for one in told:
            assert one in covering and not flows[at] <= set().union(
                *(flows[other] for other in told if other != one)
            )
