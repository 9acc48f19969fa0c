"""TG307: a forward for an address that the gateway does not have."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Severity
from tunnelgate.flows import axes
from tunnelgate.policy import Forward, Zone
from tunnelgate.policy.model import Entry

RULE = Rule(
    code="TG307",
    name="forward-at-foreign-address",
    severity=Severity.ERROR,
    summary="a forward takes packets for no address of the gateway",
    why="A forward takes what arrives for the gateway's own address, of its own family. For "
    "another address nothing arrives that it could take.",
    source="language reference, forward",
    bad=NAT + "forward https from wan at 203.0.113.7 to alice\n",
    good=NAT + "forward https from wan at 203.0.113.1 to alice\n",
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each forward whose `at`, or whose zone, has no address to take packets for."""
    for forward in context.policy.forwards:
        if forward.at is None:
            yield from _zones_without(forward)
        elif not forward.entries:
            if any(found & axes.family_axis(forward.family) for _, found in forward.source):
                yield _at(forward, f"`{forward.at.text}` {_lacks(forward)}")
        elif any(not one.addresses <= context.policy.own_addresses for one in forward.entries):
            yield _at(forward, f"`{forward.at.text}` is no address of the gateway")
        else:
            yield from _not_told_apart(context, forward)


def _lacks(forward: Forward) -> str:
    """What is wrong with an `at` without an address of the family: a zone, or an address."""
    assert forward.at is not None
    is_zone = forward.at.text[0].isalpha() and ":" not in forward.at.text
    return f"{'has' if is_zone else 'is'} no IPv{forward.family} address"


def _at(forward: Forward, message: str) -> Diagnostic:
    assert forward.at is not None
    return Diagnostic(
        RULE,
        message,
        Label(forward.at),
        help="name an address from the `address` line of a zone, or leave `at` out for the "
        "addresses of the zone it comes from",
    )


def _not_told_apart(context: Context, forward: Forward) -> Iterator[Diagnostic]:
    """An unknown address that is meant, where a third zone outside has an unknown one as well.

    That of the zone of arrival can be told by its interface, those inside by their networks.
    """
    for entry in forward.entries:
        if not entry.addresses.overlaps(axes.UNKNOWN):
            continue
        arrival = entry.zone.carrier
        if _means(entry, arrival.primary(forward.family)):
            continue
        for zone in context.policy.zones:
            other = zone.primary(forward.family)
            is_unknown = other is not None and axes.is_unknown(other)
            if is_unknown and not _means(entry, other) and zone.is_rest and zone is not arrival:
                yield _mistaken(forward, zone)
                return


def _means(entry: Entry, address: int | None) -> bool:
    return address is not None and address in entry.addresses


def _mistaken(forward: Forward, zone: Zone) -> Diagnostic:
    assert forward.at is not None
    return Diagnostic(
        RULE,
        f"the addresses of `{forward.at.text}` and of `{zone.name}` are both unknown",
        Label(forward.at, "what arrives for one cannot be told from the other's"),
        (Label(zone.span, "its `address` line would say it"),),
        help="give one of the two an `address` line",
    )


def _zones_without(forward: Forward) -> Iterator[Diagnostic]:
    """The zones of the source in which the gateway has no address of the family."""
    entered = {entry.zone for entry in forward.entries}
    for zone, found in forward.source:
        if zone not in entered and found & axes.family_axis(forward.family):
            yield Diagnostic(
                RULE,
                f"the gateway has no IPv{forward.family} address in `{zone.name}`",
                Label(forward.source.span),
                (Label(zone.carrier.span, "its `address` line would say it"),),
                help="add the address to the zone, or say which one is meant with `at`",
            )
