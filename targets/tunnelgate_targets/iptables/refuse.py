"""What iptables cannot do for a plan."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics import targets as rules
from tunnelgate.plan import Feature, Origin, Plan, Snat
from tunnelgate.target import Layout, Setup, is_older, release
from tunnelgate_targets.iptables.quote import MAX_PREFIX, plain

#: The oldest that was tried: it takes all rules but those below, and means the same by them.
_TRIED = "1.6.0"
#: `--hashlimit-upto` counts in parts of a second, so many of which older ones have room for.
_FASTER = "1.6.1"
_MOST_A_SECOND = 10_000
#: `iptables-restore --wait`, without which two programs load at once.
_WAITS = "1.6.2"


def refuse(plan: Plan, setup: Setup) -> list[Diagnostic]:
    """Findings of the group TG4xx, each once."""
    found = [*_tracking(plan), *_prefixes(plan), *_by_interface(plan)]
    if setup.version is not None:
        found += _too_old(plan, setup.layout, setup.version)
    return list({(one.rule.code, one.primary.span): one for one in found}.values())


def _tracking(plan: Plan) -> Iterator[Diagnostic]:
    for feature, word in ((Feature.TRACKING, "tracking"), (Feature.SPI, "spi")):
        for origin in plan.features.get(feature, ()):
            yield Diagnostic(
                rules.TRACKING,
                f"`{word}` cannot be done with iptables",
                Label(origin.span),
                help="let ESP be encapsulated in UDP with `ipsec-nat-t`, or allow one claimant "
                "for each peer with `single`",
            )


def _prefixes(plan: Plan) -> Iterator[Diagnostic]:
    for pair in plan.pairs:
        for rule in (*pair.denials, *pair.permissions):
            length = len(plain(rule.log or ""))
            if length > MAX_PREFIX:
                yield Diagnostic(
                    rules.TOO_LONG,
                    f"a log prefix of {length} characters; iptables takes {MAX_PREFIX}",
                    Label(rule.origin.span),
                    help="shorten it",
                )


def _by_interface(plan: Plan) -> Iterator[Diagnostic]:
    origins = list(plan.features.get(Feature.NAT_BY_INTERFACE, ()))
    origins += [snat.origin for snat in plan.snats if snat.hairpin and not _has_sources(plan, snat)]
    for origin in origins:
        yield Diagnostic(
            rules.NAT_NEEDS_NETWORK,
            "iptables cannot tell the zone of a source where it translates it",
            Label(origin.span),
            help="give the zone a `network`, and leave `antispoof` on",
        )


def oldest(plan: Plan, layout: Layout) -> str:
    """The oldest version that takes the rules of a plan."""
    return max((since for since, _, _ in _needs(plan, layout)), key=lambda one: release(one) or ())


def _too_old(plan: Plan, layout: Layout, stated: str) -> Iterator[Diagnostic]:
    for since, what, origin in _needs(plan, layout):
        if is_older(stated, since):
            span = plan.links[0].origin.span if origin is None else origin.span
            yield rules.too_old("iptables", stated, what, since, span)


def _needs(plan: Plan, layout: Layout) -> list[tuple[str, str, Origin | None]]:
    """What each version has first. A ruleset as a whole is there for the first zone."""
    needs: list[tuple[str, str, Origin | None]] = [(_TRIED, "these rules need", None)]
    needs += [(_FASTER, "limits beyond 10,000 a second need", one) for one in _fast(plan)]
    if layout == "shared":
        needs.append((_WAITS, "the layout `shared` needs", None))
    return needs


def _fast(plan: Plan) -> Iterator[Origin]:
    seconds = {"second": 1, "minute": 60}
    for pair in plan.pairs:
        for rule in pair.permissions:
            if rule.limit and rule.limit.count > _MOST_A_SECOND * seconds[rule.limit.unit]:
                yield rule.origin


def _has_sources(plan: Plan, snat: Snat) -> bool:
    """Whether the source addresses of a hairpin are of its link and of no other."""
    own = snat.source.sources
    others = (link.sources for link in plan.links if link is not snat.source)
    return own is not None and not any(one is not None and own.overlaps(one) for one in others)
