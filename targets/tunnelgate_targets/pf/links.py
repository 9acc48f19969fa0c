"""Links as pf sees them: interfaces, groups, and `enc0` for the gateway's own IPsec.

pf knows groups of interfaces and no wildcards: `ppp*` is the group `ppp` (targets page,
pf). What IPsec protects passes `enc0`, whatever interface carries it (enc(4)): decrypted on
the way in, not yet encrypted on the way out.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import Kind, Link, Plan, channels
from tunnelgate_targets.pf.quote import interface, tag
from tunnelgate_targets.pf.words import one_of

ENC = "enc0"
#: Tags of ours that are about no link. No zone has a dot in its name.
GATEWAY, REPLY, SPOOFED, LEASE = "tg.gateway", "tg.reply", "tg.spoofed", "tg.lease"
ARRIVED, ELSEWHERE = "tg.arrived", "tg.elsewhere"
UNSPECIFIED = axes.address_of("0.0.0.0")
"""Who asks for a lease (RFC 2131)."""
BOOTPS = Intervals.of([axes.l4(axes.UDP, 67, 67)])
"""Where leases are asked for."""
_TUNNELS = Intervals.of([axes.l4(axes.ESP), axes.l4(axes.UDP, 4500, 4500)])


def is_group(prefix: str) -> bool:
    """Whether a wildcard's prefix can be the name of a group: those never end in a digit."""
    return prefix.isascii() and prefix.isalpha() and prefix.islower()


def ports_of(link: Link) -> tuple[str, ...]:
    """The interfaces and groups of the link that carries a link."""
    return (*link.carrier.interfaces, *link.carrier.wildcards)


def on(link: Link) -> str:
    """What stands behind `on` for the packets of a link."""
    if link.over is not None:
        return ENC
    return one_of(tuple(interface(name) for name in ports_of(link)))


def leases(link: Link) -> bool:
    """Whether somebody without an IPv4 address is none of a link, but may ask for a lease there."""
    if link.sources is None or link.over is not None:
        return False
    return bool(link.sources & axes.IPV4 - axes.UNKNOWN) and UNSPECIFIED not in link.sources


def crossing_tag(link: Link) -> str:
    """The tag of what came in by a link and is not for the gateway."""
    return tag(f"tg:{link.name}")


def forward_tag(link: Link) -> str:
    """The tag of what a forward has translated where it came in by a link."""
    return tag(f"tg:{link.name}:forward")


def refused_tag(link: Link) -> str:
    """The tag of what a forward has translated, and whose source is not of the link."""
    return tag(f"tg:{link.name}:forward:spoofed")


def errors_tag(link: Link) -> str:
    """The tag of ICMPv6 errors that came in by a link, where those are not always on."""
    return tag(f"tg:{link.name}:errors")


def protected(plan: Plan) -> Intervals:
    """Every network of an ipsec link."""
    return Intervals.union_of(link.network for link in plan.links)


def uses_enc(plan: Plan) -> bool:
    """Whether packets of `enc0` are the policy's business."""
    return any(link.over for link in plan.links) or bool(decrypting(plan) or plan.inside_ipsec)


def decrypting(plan: Plan) -> Link | None:
    """The link to which decrypted packets belong where no ipsec link is there for them.

    `enc0` does not tell by which interface they came, so it must be the only outside one, and the
    gateway must accept tunnels there.
    """
    outside = [link for link in plan.links if not link.inside]
    if len(outside) != 1 or any(link.over for link in plan.links):
        return None
    (link,) = outside
    accepts = any(
        rule.match.l4.overlaps(_TUNNELS)
        for pair in plan.pairs
        if pair.source is link and pair.destination is None
        for rule in pair.permissions
    )
    return link if accepts else None


def uses_tunnels(plan: Plan) -> bool:
    """Whether the gateway's own IPsec may be in tunnel mode."""
    return any(link.over for link in plan.links) or decrypting(plan) is not None


def named_icmp(l4: Intervals, family: int) -> bool:
    """Whether a set holds some types of a family's ICMP and not others."""
    own = Kind.ICMP if family == 4 else Kind.ICMPV6
    return any(channel.kind is own for channel in channels(l4))


def masquerades(link: Link) -> Iterator[tuple[str, str]]:
    """For each interface that carries a link: `on` it, and its primary address whatever that is.

    `(em0)` would be all its addresses in turn, a bare `em0` what it had at load (pf.conf(5)).
    """
    for name in ports_of(link):
        where = ENC if link.over is not None else interface(name)
        yield where, f"({interface(name, ':0')})"
