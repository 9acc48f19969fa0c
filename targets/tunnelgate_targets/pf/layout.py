"""What stands around the rules: the whole ruleset, or an anchor in the ruleset of others.

In an anchor every rule of ours that decides is `quick`, and so final for the main ruleset too
(pf.conf(5), Anchors); what it does not match goes on to the rules of others. So there each rule
names the interfaces of the policy's zones, and nothing is refused elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import Plan
from tunnelgate.target import Setup
from tunnelgate_targets.pf.dialect import Dialect
from tunnelgate_targets.pf.helping import spared
from tunnelgate_targets.pf.links import ports_of, uses_enc

RULES, ANCHOR_FILE, ANCHOR = "pf.conf", "tunnelgate.anchor", "tunnelgate"

_AH = (
    "pf looks through AH: a packet of AH passes where what it encloses would, and where that is "
    "translated it is too, which its receiver drops"
)
_ENC = (
    "what IPsec protects is told by the interface enc0: FreeBSD needs `kldload if_enc`, `ifconfig "
    "enc0 up` and the sysctl net.enc.in.ipsec_filter_mask=2; macOS has no such interface"
)
_CLAMP = (
    "pf knows no path MTU, so `mss clamp` is 1360 octets with IPv4 and 1340 with IPv6, which fits "
    "through ESP in UDP over PPPoE"
)
_IKE = (
    "where a second host behind NAT begins IKE with a peer within a minute of the first, it waits: "
    "IKE keeps its port 500, and every other port is chosen by pf"
)
_GRE = (
    "pf has no helper of PPTP: the GRE of the one host that may use it passes by a state of its "
    "own, and may begin before the control connection does"
)
_SECOND = (
    "the second host behind NAT that claims a peer's protocol without ports is dropped and not "
    "logged; pfctl -si counts it among the failed state insertions"
)
_OPTIONS = "packets with IP options are dropped, but for those of multicast listeners"
_SHARED = (
    (
        "what stands before the anchor and is quick is asked first, and what stands behind it is "
        "not asked about what the anchor decides; a forward of others needs a quick rule before it"
    ),
    (
        "what goes from a zone to an interface of no zone is let in without a state: the rules of "
        "others must let it out there, and let its answers out to the zone"
    ),
)
_MAIN_OPTIONS = (
    "options are those of the main ruleset: fragments must be put together there, `set skip` must "
    "name no interface of a zone, and an idle ESP tunnel is known for 60 seconds unless `set "
    "timeout` says otherwise"
)


def file_name(setup: Setup) -> str:
    """The file that holds the rules."""
    return ANCHOR_FILE if setup.layout == "shared" else RULES


def load(setup: Setup) -> tuple[str, ...]:
    """The commands that load it."""
    if setup.layout == "shared":
        return (f"pfctl -a {ANCHOR} -f {ANCHOR_FILE}",)
    return (f"pfctl -f {RULES}",)


def unload(setup: Setup) -> tuple[str, ...]:
    """The commands that take away what is ours alone."""
    return (f"pfctl -a {ANCHOR} -F all",) if setup.layout == "shared" else ()


def main_lines(setup: Setup, dialect: Dialect, normalization: list[str]) -> list[str]:
    """What the main ruleset needs besides, in its order; normalization is not for anchors."""
    if setup.layout != "shared":
        return []
    before = [*dialect.options, *normalization] if dialect.anchors else [*dialect.options]
    anchors = [f'{word} "{ANCHOR}"' for word in (*dialect.anchors, "anchor")]
    return [*before, *anchors, f'load anchor "{ANCHOR}" from "/etc/{ANCHOR_FILE}"']


def caveats(plan: Plan, setup: Setup) -> Iterator[str]:
    """What pf cannot promise for a plan."""
    yield _AH
    if uses_enc(plan):
        yield _ENC
    if any(mss.value == "clamp" for mss in plan.mss):
        yield _CLAMP
    if any(snat.match.l4.overlaps(_UDP_500) and not snat.hairpin for snat in plan.snats):
        yield _IKE
    if spared(plan):
        yield _GRE
    if any(pair.guards for pair in plan.pairs):
        yield _SECOND
    yield _OPTIONS
    if setup.layout == "shared":
        yield from _SHARED
        yield _MAIN_OPTIONS


_UDP_500 = Intervals.of([axes.l4(axes.UDP, 500, 500)])


def zone_interfaces(plan: Plan) -> tuple[str, ...]:
    """The interfaces and groups of every zone."""
    return tuple(dict.fromkeys(name for link in plan.links for name in ports_of(link)))
