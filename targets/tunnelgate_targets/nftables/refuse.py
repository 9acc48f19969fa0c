"""What nftables cannot do for a plan, or this version does not emit."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics import targets as rules
from tunnelgate.plan import LAST_APART, Origin, Plan, Tracking
from tunnelgate_targets.nftables.quote import MAX_PREFIX


def refuse(plan: Plan) -> list[Diagnostic]:
    """Findings of the group TG4xx."""
    found = []
    for one in plan.trackings:
        if one.family == 6:
            found += [_translated_ipv6(origin) for origin in one.origins]
        elif _is_mingled(one):
            found += [_mingled(one, origin) for origin in one.origins]
    found += _apart(plan)
    for pair in plan.pairs:
        for rule in (*pair.denials, *pair.permissions):
            if rule.log is not None and len(rule.log) > MAX_PREFIX:
                found.append(
                    Diagnostic(
                        rules.TOO_LONG,
                        f"a log prefix of {len(rule.log)} characters; nftables takes {MAX_PREFIX}",
                        Label(rule.origin.span),
                        help="shorten it",
                    )
                )
    return list({(one.rule.code, one.primary.span): one for one in found}.values())


def _translated_ipv6(statement: Origin) -> Diagnostic:
    return Diagnostic(
        rules.TRACKING,
        "`tracking` of IPv6 whose source is translated",
        Label(statement.span),
        help="let IPv6 be routed without `nat ipv6`: nothing has to be told apart then",
    )


def _is_mingled(tracking: Tracking) -> bool:
    """Whether addresses of the hosts may be in the zone of their peers, and the other way round."""
    is_one_rest = tracking.source in tracking.ways and tracking.source is not tracking.destination
    return is_one_rest and tracking.match.source != tracking.match.destination


def _mingled(tracking: Tracking, statement: Origin) -> Diagnostic:
    return Diagnostic(
        rules.TRACKING,
        f"nothing tells addresses of `{tracking.source.name}` from those of "
        f"`{tracking.destination.name}`",
        Label(statement.span),
        why="Connection tracking is told a zone before there is a route, by link and addresses. "
        "Neither zone has a `network`, so a packet of either may be of a host or of its peer.",
        help=f"say which `network` is in zone `{tracking.source.name}`",
    )


def _apart(plan: Plan) -> Iterator[Diagnostic]:
    """Hosts told apart by SPI that are too many, or of a family whose errors are not read."""
    for dnat in plan.dnats:
        if dnat.spis is not None and dnat.family == 6:
            yield Diagnostic(
                rules.TRACKING,
                "`spi` cannot be done for IPv6 with nftables",
                Label(dnat.origin.span),
                help="let the hosts be reached by addresses of their own, with `allow`",
            )
        elif dnat.number > LAST_APART:
            yield Diagnostic(
                rules.TRACKING,
                f"more than {LAST_APART} hosts are told apart by SPI",
                Label(dnat.origin.span),
                help="forward to fewer hosts",
            )
