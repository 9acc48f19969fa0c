"""TG202: ESP of one peer forwarded to two hosts."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.clashing import tell_collisions
from tunnelgate.check.collisions import Collision
from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.diagnostics import Diagnostic, Rule, Safety, Severity
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy.model import ESP
from tunnelgate.policy.spis import show_spis, strongswan

RULE = Rule(
    code="TG202",
    name="esp-to-two-hosts",
    severity=Severity.ERROR,
    summary="ESP from one peer is forwarded to two hosts",
    why="ESP has no ports: the first packet binds all ESP of a peer to one host, and the other "
    "statement is dead.",
    source="RFC 4303 section 2; Linux, measured",
    bad=NAT
    + "allow ipsec-nat-t from alice, bob to wan\n"
    + "forward esp from wan to alice\nforward esp from hq to bob\n",
    good=NAT
    + "allow ipsec-nat-t from alice, bob to wan\n"
    + "forward esp from wan except hq to alice\nforward esp from hq to bob\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)


#: SPIs below 256 are reserved (RFC 4303 section 2.1).
_USABLE = Intervals.span(256, 0xFFFFFFFF)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each forward that takes ESP which an earlier one takes too."""
    yield from tell_collisions(RULE, context, ESP, "ESP", _way_out)


def _way_out(collision: Collision) -> str:
    one, other = collision.later, collision.earlier
    mine, theirs = one.options.spi, other.options.spi
    if mine is None and theirs is None:
        return (
            "take the sources apart with `except`, so that each peer has one host, or let each "
            "host draw SPIs of its own and say which, `with spi`"
        )
    if mine is not None and theirs is not None:
        both = max(mine[0], theirs[0]), min(mine[1], theirs[1])
        return f"SPIs {show_spis(both)} are in both ranges: give each host a range of its own"
    lacking, own = (one, theirs) if mine is None else (other, mine)
    assert own is not None
    rest = list(_USABLE - Intervals.span(*own))
    if not rest:
        return f"leave SPIs for `{lacking.host.name}`, and say which"
    widest = max(rest, key=lambda spis: spis[1] - spis[0])
    return (
        f"say which SPIs `{lacking.host.name}` draws, too, as `with spi {show_spis(widest)}` "
        f"(strongSwan there: {strongswan(widest)}); a host may have several, a statement each"
    )
