"""TG208: half of IKE forwarded, or all of it away from the gateway's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.cutting import remove
from tunnelgate.check.diverted import IKE, IKE_CHANNEL, NAT_T_CHANNEL, tell_away
from tunnelgate.check.passing import handed
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import protocol_word, replace_word
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Safety, Severity
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Zone

RULE = Rule(
    code="TG208",
    name="half-of-ike-forwarded",
    severity=Severity.ERROR,
    summary="IKE is forwarded without NAT traversal, or away from the gateway's own",
    why="Behind NAT, IKE begins on port 500 and goes on, with ESP inside, on port 4500: a host "
    "that gets only the first negotiates and then hears nothing more.",
    source="RFC 7296 section 2.23; RFC 3947 section 4",
    bad=NAT + "forward ike from hq to alice\nallow ike, nat-t from alice to hq\n",
    good=NAT + "forward ipsec-nat-t from hq to alice\nallow ike, nat-t from alice to hq\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
_REPLACEABLE = frozenset({"ike", "udp/500"})

Key = tuple[Zone, int]


def check(context: Context) -> Iterator[Diagnostic]:
    """Each forward of 500 that no forwards of 4500 complete, and what is taken from the gateway."""
    complete = _entries(context, NAT_T_CHANNEL)
    indexes = {key: BoxIndex((box, None) for box, _ in found) for key, found in complete.items()}
    told: set[Forward] = set()
    for key, found in _entries(context, IKE_CHANNEL).items():
        for box, forward in found:
            cuts = [cut for _, cut, _ in indexes[key].meeting(box)] if key in indexes else []
            lacking = next(remove(box, cuts), None)
            if lacking is not None and forward not in told:
                told.add(forward)
                yield _tell(context, forward, lacking[0])
    yield from tell_away(RULE, context, IKE)


def _entries(context: Context, channel: int) -> dict[Key, list[tuple[Box, Forward]]]:
    """Who gets a channel: sources and addresses, by the zone they come from and the host."""
    found: dict[Key, list[tuple[Box, Forward]]] = defaultdict(list)
    for forward, entry, sources in handed(context, channel):
        found[entry.zone, forward.target].append(((sources, entry.addresses), forward))
    return found


def _tell(context: Context, forward: Forward, sources: Intervals) -> Diagnostic:
    word = protocol_word(forward.protocols, IKE_CHANNEL)
    return Diagnostic(
        RULE,
        "udp/500 is forwarded without udp/4500",
        Label(word),
        (Label(forward.host_span, f"gets only the one from {context.describe(sources)}"),),
        help="forward both to the same host, from the same sources",
        fix=replace_word(word, "ipsec-nat-t") if word.text in _REPLACEABLE else None,
    )
