"""What a proof says when it succeeds, and when it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import DESTINATION, DROP, L4, SOURCE, SOURCE_PORT, Delivered
from tunnelgate.flows.firstmatch import BudgetExceeded, Row
from tunnelgate.flows.netfilter import ACCEPT, Unmodelled
from tunnelgate.meaning.decide import Reason
from tunnelgate.meaning.flatten import Cause
from tunnelgate.policy import Policy, Statement
from tunnelgate.proof.prove import MODEL, left_out_of_pf, refutations
from tunnelgate.proof.refuted import Refuted
from tunnelgate.syntax.uncollected import uncollected
from tunnelgate.target import Readable, Setup

OBLIGATIONS = (
    "O1: established packets pass, except text that IPsec has to protect, and AH that meets NAT",
    "O2: what begins a connection has the verdict, translation, limit and helper of the policy",
    "O3: invalid packets are dropped, except ICMPv6 errors",
    "O4: related packets are ICMP errors, or were announced to a helper of the policy",
    "O5: ESP that is told apart by SPI is in a conntrack zone of its host, and no other is",
)

_ROUTE = "answers to it and errors about it leave where it came from"
_STATE = "on every interface, or on enc0 alone where IPsec protects it"
OF_PF = (
    f"O1: what passes makes a state, which is good {_STATE}; {_ROUTE}",
    "O1: nothing leaves in clear text for a tunnel, whether its connection is known or not",
    "O2: what begins a connection has the verdict, translation and limit of the policy",
    "O3: TCP of no known connection is dropped",
)
"""What is shown of a ruleset of pf. A state of pf lets its connection pass, and asks no rule."""

#: More packets than this are not shown of one failure.
_MOST = 3


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was shown of a ruleset, for all packets at once.

    Attributes:
        model: the version of the packet model under which it was shown.
        obligations: what was shown, a sentence each without its full stop.
        caveats: which packets were left out, in the same form.
    """

    model: int
    obligations: tuple[str, ...]
    caveats: tuple[str, ...] = ()


def shown(policy: Policy, target: Readable) -> Certificate:
    """What is shown of each ruleset of a target that is proved."""
    if target.model == "pf":
        return Certificate(MODEL, OF_PF, left_out_of_pf(policy))
    return Certificate(MODEL, OBLIGATIONS)


class NotProved(Exception):
    """A ruleset does not mean its policy, or says what cannot be read: a fault of ours."""


def prove(policy: Policy, target: Readable, files: Mapping[str, str], setup: Setup) -> Certificate:
    """Show that the files of a target mean a policy.

    Raises:
        NotProved: they do not, or the proof is more than can be done; the text says where.
    """
    about = f"the {target.name} ruleset of {policy.name}"
    try:
        with uncollected():
            rulesets = target.read(files)
            whole = setup.layout == "whole"
            found = list(islice(refutations(policy, rulesets, whole=whole), _MOST))
    except Unmodelled as error:
        raise NotProved(f"{about} cannot be read back: {error}") from error
    except BudgetExceeded as error:
        raise NotProved(f"{about} is too large to be proved") from error
    if found:
        packets = "\n".join(line for one in found for line in _shown(policy, one))
        raise NotProved(f"{about} does not mean what the policy means:\n{packets}")
    return shown(policy, target)


def _shown(policy: Policy, refuted: Refuted) -> Iterator[str]:
    way, box = refuted.way, refuted.difference.box
    place = f"arrives on {way.interface}" if way.interface else "is sent by the gateway"
    inside = ", decrypted" if way.decrypted else ""
    yield f"  a packet that {refuted.situation} ({refuted.obligation}) and {place}{inside}"
    yield f"    {_packet(policy, box)}"
    yield f"    policy: {_fate(policy, refuted.difference.one)}"
    yield f"    ruleset: {_fate(policy, refuted.difference.other)}"


def _packet(policy: Policy, box: Box) -> str:
    """One packet of a box."""
    l4, port = box[L4].first(), box[SOURCE_PORT].first()
    source, destination = (_address(policy, box[axis].first()) for axis in (SOURCE, DESTINATION))
    ports = f" {port} to {l4 & 0xFFFF}" if l4 >> 16 in axes.WITH_PORTS else ""
    kind = f" {l4 >> 8 & 0xFF}" if l4 >> 16 in axes.WITH_TYPES else ""
    spi = f" SPI {port:#x}" if l4 >> 16 == axes.ESP else ""
    return f"{source} to {destination}, protocol {l4 >> 16}{ports}{kind}{spi}"


def _address(policy: Policy, place: int) -> str:
    if not axes.is_unknown(place):
        return str(axes.to_address(place))
    return f"the address of {policy.zones[axes.unknown_index(place)].name}"


def _fate(policy: Policy, rows: tuple[Row, ...]) -> str:
    """What the rows say, and where they stand."""
    words = [_verdict(policy, rows[0])]
    if len(rows) > 1 and isinstance(rows[1].label, int):
        words.append(f"as {_address(policy, rows[1].label)}")
    words += [str(row.label) for row in rows[2:] if row.label is not None]
    places = dict.fromkeys(filter(None, (_cause(row) for row in rows)))
    return f"{', '.join(words)} ({', '.join(places) or 'nothing decides'})"


def _verdict(policy: Policy, row: Row) -> str:
    label = row.label
    if label in (DROP, ACCEPT) or not isinstance(label, Delivered):
        return str(label)
    to = "" if label.destination is None else f", sent to {_address(policy, label.destination)}"
    port = "" if label.port is None else f" port {label.port}"
    return f"passes to {label.egress}{to}{port}"


def _cause(row: Row) -> str:
    cause = row.cause
    if isinstance(cause, Cause):
        if isinstance(cause.statement, Statement):
            return f"`{cause.statement.text}`"
        return "" if cause.reason is Reason.ALLOWED else str(cause.reason.value)
    return f"line {cause}" if isinstance(cause, int) and cause else ""
