"""What nftables cannot do for a plan, or this version does not emit."""

from __future__ import annotations

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics import targets as rules
from tunnelgate.plan import Feature, Origin, Plan
from tunnelgate_targets.nftables.quote import MAX_PREFIX


def refuse(plan: Plan) -> list[Diagnostic]:
    """Findings of the group TG4xx."""
    found = []
    for origin in plan.features.get(Feature.SPI, ()):
        found.append(
            Diagnostic(
                rules.TRACKING,
                "`spi` is not yet built for nftables",
                Label(origin.span),
                help="let ESP be encapsulated in UDP with `ipsec-nat-t`, or allow one claimant "
                "for each peer with `single`",
            )
        )
    for one in plan.trackings:
        if one.family == 6:
            found += [_translated_ipv6(origin) for origin in one.origins]
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
