"""What pf cannot do for a plan."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics import targets as rules
from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import Feature, Link, Origin, Pair, Plan, Rule
from tunnelgate.target import Setup
from tunnelgate_targets.pf.helping import spared
from tunnelgate_targets.pf.links import (
    BOOTPS,
    UNSPECIFIED,
    is_group,
    leases,
    named_icmp,
    ports_of,
    uses_enc,
)
from tunnelgate_targets.pf.versions import SYSTEMS, serves
from tunnelgate_targets.pf.words import Unmatchable, ways

_TCP = Intervals.of([axes.l4(axes.TCP)])
_UDP = Intervals.of([axes.l4(axes.UDP)])
#: `set log-denied on`: the one rate that a policy need not name, and that no pf keeps to.
_ON = 10
_ENCAPSULATED = (
    "let ESP be encapsulated in UDP with `ipsec-nat-t`, or allow one claimant for each peer with "
    "`single`"
)


def refuse(plan: Plan, setup: Setup, target: str) -> list[Diagnostic]:
    """Findings of the group TG4xx, each once."""
    found = [
        *_features(plan),
        *_limits(plan),
        *_logs(plan),
        *_wildcards(plan),
        *_addresses(plan),
        *_channels(plan, target),
        *_leases(plan),
    ]
    if setup.version is not None:
        found += _versions(plan, setup.version, target)
    return list({(one.rule.code, one.primary.span): one for one in found}.values())


def _features(plan: Plan) -> Iterator[Diagnostic]:
    asked = (
        (Feature.TRACKING, rules.TRACKING, "`tracking` cannot be done with pf", _ENCAPSULATED),
        (Feature.SPI, rules.TRACKING, "`spi` cannot be done with pf", _ENCAPSULATED),
        (
            Feature.HELPER,
            rules.NO_HELPER,
            "pf has no connection-tracking helpers",
            "use a protocol that needs none, as `ipsec-nat-t`; or let one host alone use PPTP",
        ),
        (
            Feature.AH,
            rules.AH_UNSEEN,
            "pf does not see AH: it looks through it",
            "use ESP with `ipsec`, which vouches for its contents too, or name what AH encloses",
        ),
    )
    for feature, about, message, help in asked:
        spare = spared(plan) if feature is Feature.HELPER else ()
        for origin in plan.features.get(feature, ()):
            if origin in spare:
                continue
            yield Diagnostic(about, message, Label(origin.span), help=help)


def _versions(plan: Plan, stated: str, target: str) -> Iterator[Diagnostic]:
    """A system that has another dialect, or lacks an interface. The first zone stands for all."""
    zone = Label(plan.links[0].origin.span)
    if not serves(target, stated):
        yield Diagnostic(
            rules.TOO_OLD,
            f"{stated} does not take the dialect of {target}",
            zone,
            help="; ".join(f"{name} is for {systems}" for name, systems in SYSTEMS.items()),
        )
    elif stated.startswith("macos") and uses_enc(plan):
        yield Diagnostic(
            rules.TOO_OLD,
            "macOS has no enc0, by which pf tells what IPsec protects",
            zone,
            help="terminate IPsec elsewhere, or state a release of FreeBSD",
        )


# -- limits and logs


def _limits(plan: Plan) -> Iterator[Diagnostic]:
    for origin in plan.features.get(Feature.LIMIT, ()):
        yield _limit(origin, "pf counts the connections of each source, and no others")
    for pair in plan.pairs:
        limited = [rule for rule in pair.permissions if rule.limit and rule.limit.per_source]
        for rule in limited:
            if not rule.match.l4 <= _TCP:
                yield _limit(rule.origin, "pf counts connections of TCP only")
            elif not rule.translated and _is_translated(plan, pair, rule):
                yield _limit(rule.origin, "pf counts by the translated source, which all share")
        for one, other in combinations(limited, 2):
            if one.origin != other.origin and _meet(one, other):
                yield _limit(
                    one.origin, f"a packet may meet the limit of `{other.origin.text}` too"
                )


def _limit(origin: Origin, message: str) -> Diagnostic:
    help = "leave the limit out, or limit `tcp/…` `per source` where no `nat` translates it"
    return Diagnostic(rules.LIMIT_OR_LOG, message, Label(origin.span), help=help)


def _is_translated(plan: Plan, pair: Pair, rule: Rule) -> bool:
    return any(
        snat.source is pair.source
        and snat.destination is pair.destination
        and not snat.hairpin
        and (snat.match.source & axes.family_axis(snat.family)).overlaps(rule.match.source)
        for snat in plan.snats
    )


def _meet(one: Rule, other: Rule) -> bool:
    return (
        one.match.source.overlaps(other.match.source)
        and one.match.destination.overlaps(other.match.destination)
        and one.match.l4.overlaps(other.match.l4)
    )


def _logs(plan: Plan) -> Iterator[Diagnostic]:
    for pair in plan.pairs:
        for rule in (*pair.denials, *pair.permissions):
            if rule.log:
                yield Diagnostic(
                    rules.LIMIT_OR_LOG,
                    "a log of pf has no prefix",
                    Label(rule.origin.span),
                    help="say `log` alone: the label of the rule, which the log names by its "
                    "number, is the statement",
                )
    if plan.log_denied not in {0, _ON}:
        for origin in plan.features[Feature.LOG_DENIED]:
            yield Diagnostic(
                rules.LIMIT_OR_LOG,
                "a log of pf has no rate",
                Label(origin.span),
                help="say `set log-denied on`",
            )


# -- interfaces


def _wildcards(plan: Plan) -> Iterator[Diagnostic]:
    for origin, link in _wild(plan):
        for prefix in link.wildcards:
            if not is_group(prefix):
                yield _wildcard(
                    origin,
                    f"`{prefix}*` is no group of interfaces, and pf knows no wildcards",
                    "name the interfaces, or put them into a group whose name has no digit: `vpn*`",
                )
            for other in plan.links:
                names = [*other.interfaces, *other.wildcards]
                if other is not link and any(name.startswith(prefix) for name in names):
                    yield _wildcard(
                        origin,
                        f"the group `{prefix}` holds interfaces of zone `{other.name}` too",
                        "give the zones interfaces whose names begin differently",
                    )
        if any(snat.destination is link and snat.address is None for snat in plan.snats):
            yield _wildcard(
                origin,
                "a masquerade to a group of interfaces would take the address of any of them",
                "name the interface, or say which address with `as`",
            )


def _addresses(plan: Plan) -> Iterator[Diagnostic]:
    """Interfaces whose address is asked for."""
    masquerades = [(snat.destination, snat.origin) for snat in plan.snats if snat.address is None]
    arrivals = [(dnat.link, dnat.origin) for dnat in plan.dnats if dnat.dynamic == "arrival"]
    for link, origin in (*masquerades, *arrivals):
        for name in ports_of(link):
            if not name[0].isalpha():
                yield _wildcard(
                    origin,
                    f"pf has no word for the address of interface `{name}`",
                    "an interface whose address matters has a name that begins with a letter",
                )


def _wild(plan: Plan) -> Iterator[tuple[Origin, Link]]:
    """Links with wildcards, and where their zone stands."""
    by_text = {origin.text: origin for origin in plan.features.get(Feature.WILDCARD, ())}
    for link in plan.links:
        if link.wildcards:
            yield by_text[f"zone {link.name}"], link


def _wildcard(origin: Origin, message: str, help: str) -> Diagnostic:
    return Diagnostic(rules.WILDCARD, message, Label(origin.span), help=help)


# -- channels


def _channels(plan: Plan, target: str) -> Iterator[Diagnostic]:
    matched = [
        (rule.match.l4, rule.origin)
        for pair in plan.pairs
        for rule in (*pair.denials, *pair.permissions)
    ]
    for l4, origin in matched:
        try:
            ways(l4)
        except Unmatchable as error:
            number = error.channel.protocol
            about = f"ports of protocol {number}" if number else "protocol 0"
            yield _channel(origin, f"pf cannot match {about}")
    if target == "pf-classic":
        for dnat in plan.dnats:
            if named_icmp(dnat.match.l4, dnat.family):
                yield _channel(dnat.origin, "`rdr` takes all of ICMP, and not some types of it")


def _leases(plan: Plan) -> Iterator[Diagnostic]:
    """Forwards after which no rule tells who asks for a lease: the filter sees the new port."""
    for dnat in plan.dnats:
        if dnat.port is None or not leases(dnat.link) or UNSPECIFIED not in dnat.match.source:
            continue
        channels = dnat.match.l4
        if channels.overlaps(BOOTPS) or (dnat.port == 67 and channels.overlaps(_UDP)):
            yield Diagnostic(
                rules.CHANNEL,
                "pf sees the new port alone, and cannot tell who asks for a lease",
                Label(dnat.origin.span),
                help="leave `hairpin` out, or forward udp/67 to the port that it has",
            )


def _channel(origin: Origin, message: str) -> Diagnostic:
    help = "name the whole protocol, as `ip/132` or `icmp`"
    return Diagnostic(rules.CHANNEL, message, Label(origin.span), help=help)
