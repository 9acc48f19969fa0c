"""TG305: NAT traversal that nothing leads to."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.cutting import remove
from tunnelgate.check.diverted import IKE_CHANNEL, NAT_T_CHANNEL
from tunnelgate.check.passing import Handed, callers, handed, passing
from tunnelgate.check.paths import Pair
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import protocol_word, replace_word, says
from tunnelgate.diagnostics import Diagnostic, Label, Safety, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Rule
from tunnelgate.source import Span

RULE = Row(
    code="TG305",
    name="nat-t-without-ike",
    severity=Severity.WARNING,
    summary="NAT traversal without the IKE that it begins with",
    why="IKE moves to port 4500 when it has found a translation on the way, and it looks for one "
    "on port 500. Only where both ends are set to begin on 4500 does it do without.",
    source="RFC 7296 section 2.23; RFC 3947 section 4",
    bad=NAT + "allow nat-t from lan to hq\n",
    good=NAT + "allow ipsec-nat-t from lan to hq\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
_IKE, _NAT_T = Intervals.single(IKE_CHANNEL), Intervals.single(NAT_T_CHANNEL)
_REPLACEABLE = frozenset({"nat-t", "udp/4500"})

Index = dict[Pair, BoxIndex[None]]


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement that says 4500 where neither end may begin on 500."""
    saying = [rule for rule in context.allows if says(rule.protocols, NAT_T_CHANNEL)]
    handing = [one for one in context.policy.forwards if says(one.protocols, NAT_T_CHANNEL)]
    led = callers(context, (IKE_CHANNEL,)) if saying or handing else {}
    for rule in saying:
        found = next(_allowed(context, rule, led), None)
        if found is not None:
            yield _tell(rule, rule.source.span, found)
    told = set()
    for one in handed(context, NAT_T_CHANNEL, handing):
        peers = Intervals.EMPTY if one.forward in told else _forwarded(context, one, led)
        if peers:
            told.add(one.forward)
            found = f"{context.describe(peers)} may not begin there"
            yield _tell(one.forward, one.forward.source.span, found)


def _allowed(context: Context, rule: Rule, led: Index) -> Iterator[str]:
    """Who may not begin on 500 although an `allow` lets them on 4500, in words."""
    for flow in passing(context, rule, _NAT_T):
        ends = (flow.sources, flow.destinations)
        begun = [box[:2] for box in context.permitted(flow.pair, (*ends, _IKE))]
        for mine, theirs in remove(ends, [*begun, *_from_afar(context, flow.pair, ends, led)]):
            who = context.whom(flow.ingress, mine)
            yield f"{who} may not begin there towards {context.whom(flow.egress, theirs)}"


def _forwarded(context: Context, one: Handed, led: Index) -> Intervals:
    """The peers that a `forward` hands on from 4500 alone."""
    pair = (one.forward.host.zone, one.entry.zone)
    ends = (Intervals.single(one.forward.target), one.sources)
    begun = [box[:2] for box in context.permitted(pair, (*ends, _IKE))]
    left = remove(ends, [*begun, *_from_afar(context, pair, ends, led)])
    return Intervals.union_of(peers for _, peers in left)


def _from_afar(
    context: Context, pair: Pair, ends: tuple[Intervals, Intervals], led: Index
) -> Iterator[Box]:
    """What of two ends the far one may begin on 500: by an `allow` of its own, or a `forward`."""
    for far, near, _ in context.permitted(pair[::-1], (*ends[::-1], _IKE)):
        yield near, far
    if pair in led:
        for _, box, _ in led[pair].meeting(ends):
            yield box


def _tell(statement: Rule | Forward, place: Span, who: str) -> Diagnostic:
    word = protocol_word(statement.protocols, NAT_T_CHANNEL)
    return Diagnostic(
        RULE,
        f"`{word.text}` without udp/500, on which it begins",
        Label(word),
        (Label(place, who),),
        help="allow both ports, from the same sources to the same peers",
        fix=replace_word(word, "ipsec-nat-t") if word.text in _REPLACEABLE else None,
    )
