"""Sets of the plan as words of nft: addresses, channels, interfaces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.intervals import Interval
from tunnelgate.plan import Channel, Kind, Link, Match, Plan, channels
from tunnelgate_targets.nftables.quote import quote

FAMILY_WORD = {4: "ip", 6: "ip6"}
FAMILY_TYPE = {4: "ipv4_addr", 6: "ipv6_addr"}


@lru_cache(maxsize=65536)
def addresses(interval: Interval) -> str:
    """An address, a prefix where the interval is one, or a range."""
    low, high = interval
    if low == high:
        return str(axes.to_address(low))
    first, last = axes.to_address(low), axes.to_address(high)
    size = high - low + 1
    if size & (size - 1) == 0 and int(first) % size == 0:
        return f"{first}/{first.max_prefixlen - size.bit_length() + 1}"
    return f"{first}-{last}"


def interface(name: str) -> str:
    """The name of an interface, a final `*` for a wildcard (IFNAMSIZ 16)."""
    return quote(name, 16)


def numbers(low: int, high: int) -> str:
    """`500` or `500-600`."""
    return str(low) if low == high else f"{low}-{high}"


def spis(low: int, high: int) -> str:
    """`0x1000` or `0x1000-0x1fff`, as policies and IPsec write SPIs."""
    return f"{low:#x}" if low == high else f"{low:#x}-{high:#x}"


def one_of(words: Sequence[str]) -> str:
    """A word, or an anonymous set of several."""
    return words[0] if len(words) == 1 else f"{{ {', '.join(words)} }}"


def compare(words: Sequence[str], *, negated: bool) -> str:
    """`x`, `{ x, y }`, `!= x` or `!= { x, y }`."""
    return f"!= {one_of(words)}" if negated else one_of(words)


def address_match(family: int, side: str, wanted: Intervals) -> str:
    """`ip saddr …` for a set of addresses of one family; "" where any will do.

    A set whose complement has fewer intervals is written as what it is not.
    """
    axis = axes.family_axis(family) - axes.UNKNOWN
    wanted &= axis
    rest = axis - wanted
    if not rest:
        return ""
    negated = len(rest.items) < len(wanted.items)
    words = [addresses(interval) for interval in (rest if negated else wanted)]
    return f"{FAMILY_WORD[family]} {side} {compare(words, negated=negated)}"


def where(family: int | None, match: Match) -> str:
    """The matches of source and destination, or of the family alone; None for either family."""
    if family is None:
        return ""
    sides = (("saddr", match.source), ("daddr", match.destination))
    addressed = join(*(address_match(family, side, wanted) for side, wanted in sides))
    return addressed or f"meta nfproto ipv{family}"


def channel_matches(l4: Intervals) -> list[str]:
    """The fewest matches that make up a set of channels; `[""]` for all of them."""
    found: list[str] = []
    by_kind: dict[Kind, list[Channel]] = {}
    for channel in channels(l4):
        by_kind.setdefault(channel.kind, []).append(channel)
    for kind, some in by_kind.items():
        words = [numbers(channel.low, channel.high) for channel in some]
        match kind:
            case Kind.ANY:
                found.append("")
            case Kind.PROTOCOL:
                found.append(f"meta l4proto {one_of(words)}")
            case Kind.ICMP:
                found.append(f"icmp type {one_of(words)}")
            case Kind.ICMPV6:
                found.append(f"icmpv6 type {one_of(words)}")
            case Kind.PORT:
                found.append(_ports(some))
    return found


def _ports(some: list[Channel]) -> str:
    names = {axes.TCP: "tcp dport", axes.UDP: "udp dport"}
    protocols = {channel.protocol for channel in some}
    if len(protocols) == 1 and (name := names.get(some[0].protocol)):
        return f"{name} {one_of([numbers(channel.low, channel.high) for channel in some])}"
    keys = [f"{channel.protocol} . {numbers(channel.low, channel.high)}" for channel in some]
    return f"meta l4proto . th dport {{ {', '.join(keys)} }}"


def matches(match: Match, family: int | None = None) -> list[str]:
    """All matches of addresses and channels, each ready to stand before a verdict.

    `family` restricts to one; None takes each family that the match can meet.
    """
    found: list[str] = []
    for one, part in match.families():
        if family is not None and one not in (0, family):
            continue
        addressed = where(one or family, part)
        found += [join(addressed, words) for words in channel_matches(part.l4)]
    return found


def join(*parts: str) -> str:
    """Parts of a rule with one blank between them, the empty ones left out."""
    return " ".join(part for part in parts if part)


def digest(text: str) -> str:
    """Eight hexadecimal digits that stand for a statement in a name."""
    return sha256(text.encode()).hexdigest()[:8]


class Interfaces:
    """How the interfaces of a plan's links are told apart: the longest name wins."""

    def __init__(self, plan: Plan) -> None:
        carriers = [link for link in plan.links if link.over is None]
        self._exact = [(name, link) for link in carriers for name in link.interfaces]
        self._wild = [(prefix, link) for link in carriers for prefix in link.wildcards]
        self._all = plan.interfaces()

    def matches(self, selector: str, link: Link) -> list[str]:
        """Matches on `iifname` or `oifname` that only packets of a link (its carrier) meet."""
        carrier = link.carrier
        found = []
        if carrier.interfaces:
            found.append(f"{selector} {one_of([interface(name) for name in carrier.interfaces])}")
        for prefix in carrier.wildcards:
            others = [
                interface(name)
                for name, owner in self._exact
                if owner is not carrier and name.startswith(prefix)
            ]
            others += [
                interface(f"{longer}*")
                for longer, owner in self._wild
                if owner is not carrier and longer.startswith(prefix) and longer != prefix
            ]
            excluded = [f"{selector} != {other}" for other in others]
            found.append(join(*excluded, f"{selector} {interface(f'{prefix}*')}"))
        return found

    def foreign(self, selector: str) -> str:
        """A match on packets of interfaces that no link names."""
        names, prefixes = self._all
        found = [compare([interface(name) for name in names], negated=True)] if names else []
        found += [f"!= {interface(f'{prefix}*')}" for prefix in prefixes]
        return join(*(f"{selector} {one}" for one in found))

    def dispatch(self, selector: str, goto: Iterable[tuple[Link, str]]) -> list[str]:
        """Lines that send the packets of each link to its chain.

        One verdict map of the exact names, then the wildcards, longest first: nft refuses a map
        that holds both `ppp0` and `ppp*` (targets page, Text in a ruleset).
        """
        chains = list(goto)
        exact = [
            f"{interface(name)} : goto {chain}"
            for link, chain in chains
            for name in link.interfaces
        ]
        wild = [(prefix, chain) for link, chain in chains for prefix in link.wildcards]
        lines = [f"{selector} vmap {{ {', '.join(exact)} }}"] if exact else []
        for prefix, chain in sorted(wild, key=lambda one: (-len(one[0]), one[0])):
            lines.append(f"{selector} {interface(f'{prefix}*')} goto {chain}")
        return lines
