"""Plan to `ruleset.nft`: which chains there are, and what stands in them in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import wrap
from typing import Any

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import Link, Pair, Plan, connections
from tunnelgate.plan.tracking import NOTES, UNPROVED
from tunnelgate.target import Output, Requirements, Setup
from tunnelgate_targets import kernel
from tunnelgate_targets.nftables import conntrack_zones, helpers, shared
from tunnelgate_targets.nftables import needs as requirements
from tunnelgate_targets.nftables.apart import HostZones
from tunnelgate_targets.nftables.quote import comment, plain
from tunnelgate_targets.nftables.sources import Sources
from tunnelgate_targets.nftables.translate import Translator
from tunnelgate_targets.nftables.verdicts import Chain, PairWriter, Parts, final_chains, refused
from tunnelgate_targets.nftables.words import (
    FAMILY_TYPE,
    FAMILY_WORD,
    Interfaces,
    address_match,
    addresses,
    join,
    matches,
)
from tunnelgate_targets.skeleton import skeleton

TABLE = "tunnelgate"
#: Of what the header says, in characters.
_WIDTH = 95
#: RFC 4861 (discovery); RFC 2710, 3810 (listeners, without which switches that snoop lose it).
_DISCOVERY = "133, 134, 135, 136"
_LISTENERS = "130, 131, 132, 143"
#: Neighbour discovery comes from the link itself, which its hop limit proves.
_DISCOVERY_LINES = (
    f"icmpv6 type {{ {_DISCOVERY} }} ip6 hoplimit 255 accept",
    f"icmpv6 type {{ {_LISTENERS} }} accept",
)
_ERRORS = "1-4"

#: Before the zones of hosts whose SPIs are learned: the first that a packet is put into counts.
_RAW_IN = "type filter hook prerouting priority raw - 10"
_RAW_OUT = "type filter hook output priority raw - 10"
_MANGLE_IN = "type filter hook prerouting priority mangle"
_MANGLE_OUT = "type filter hook output priority mangle"
_MANGLE_FORWARD = "type filter hook forward priority mangle"
_DSTNAT = "type nat hook prerouting priority dstnat"
_SRCNAT = "type nat hook postrouting priority srcnat"
#: Behind source translation: what NAT before IPsec has rewritten is judged as it leaves.
_LAST = "type filter hook postrouting priority 110"
_WHY = {
    "keep-apart": "ESP that is told apart by SPI: each host's in a conntrack zone of its own",
    "keep-own-errors-apart": "ICMP errors of the gateway about such ESP",
    "learn-spis": "what these hosts send, for ICMP errors about it",
    "give-helpers": "who gets a connection-tracking helper",
    "give-own-helpers": "the same for what the gateway itself starts",
    "translate-destination": "forwards",
    "clamp-mss": "TCP segments that fit through",
    "input": "for the gateway itself",
    "forward": "what crosses it",
    "output": "what it sends",
    "translate-source": "the most specific source first",
    "no-clear-l2tp": "L2TP answers leave inside IPsec or not at all, whatever was established",
    "no-clear-text": "nothing of a protected network leaves unprotected, whatever was established",
}


@dataclass(frozen=True, slots=True)
class BaseChain:
    """A chain at a hook of the kernel."""

    name: str
    hook: str
    policy: str
    lines: tuple[str, ...]
    why: str


def emit(plan: Plan, setup: Setup, revision: int) -> Output:
    """The files of a plan that was not refused."""
    caveats = shared.CAVEATS if setup.layout == "shared" else ()
    shown = _Writer(plan, setup).shown()
    tables = (TABLE, conntrack_zones.TABLE) if shown["zones"].setting else (TABLE,)
    unload = tuple(f"nft delete table inet {table}" for table in tables)
    text = skeleton(Path(__file__).parent, "ruleset.nft.j2").render(
        table=TABLE,
        gateway=plain(plan.gateway),
        policy=plain(plan.policy),
        revision=revision,
        unload=unload,
        caveats=[wrap(caveat, _WIDTH) for caveat in caveats],
        **shown,
    )
    modules = tuple(sorted(kernel.helpers(plan, "nat")))
    sysctls = tuple(_sysctls(plan))
    files = {"ruleset.nft": text}
    if modules:
        files["modules.conf"] = "".join(f"{line}\n" for line in (_MODULES_HEADER, *modules))
    if sysctls:
        files["sysctl.conf"] = "".join(f"{name} = {value}\n" for name, value in sysctls)
    is_tracked = bool(plan.trackings)
    needs = Requirements(
        modules=modules,
        sysctls=sysctls,
        load=("nft -f ruleset.nft",),
        unload=unload,
        caveats=(*caveats, UNPROVED) if is_tracked else caveats,
        notes=(*(NOTES if is_tracked else ()), *(one.drawing for one in plan.apart)),
        autoloaded=requirements.autoloaded(plan, text),
        versions=requirements.versions(text),
        connections=connections(plan),
    )
    return Output(files, needs)


_MODULES_HEADER = "# for /etc/modules-load.d: nothing else loads what rewrites a helper's addresses"


def _sysctls(plan: Plan) -> Iterator[tuple[str, str]]:
    if 4 in plan.families:
        yield "net.ipv4.ip_forward", "1"
    if 6 in plan.families:
        yield "net.ipv6.conf.all.forwarding", "1"


class _Writer:
    def __init__(self, plan: Plan, setup: Setup) -> None:
        self.plan = plan
        self.is_shared = setup.layout == "shared"
        self.interfaces = Interfaces(plan)
        self.made = Parts()
        self.translator = Translator(plan, self.interfaces, self.made)
        self.sources = Sources(plan, self.translator, self.made)
        self.host_zones = HostZones(plan, self.translator, self.made)
        self.pairs = {pair.name: pair for pair in plan.pairs}

    def shown(self) -> dict[str, Any]:
        """Everything that the template shows, as finished lines."""
        for pair in self.plan.pairs:
            PairWriter(self.plan, pair, self.made).write()
        base = [one for one in self._base_chains() if one.lines or one.policy == "drop"]
        chains = [
            *self.host_zones.chains(),
            *self._link_chains(),
            *self.made.chains,
            *self._drop_chains(),
            *final_chains(self.plan),
        ]
        return {
            "networks": list(self._networks()),
            "sets": self.made.sets,
            "dynamic": sorted(self.made.dynamic.items()),
            "limits": sorted(self.made.limits.items()),
            "counters": self.made.counters,
            "helpers": helpers.objects(self.plan.helpers),
            "base_chains": base,
            "chains": chains,
            "zones": conntrack_zones.zones(self.plan, self.translator),
        }

    # -- sets of networks

    def _networks(self) -> Iterator[tuple[str, str, str]]:
        """For each ipsec link and family, what it protects; for each carrier, all of it."""
        for link in self.plan.links:
            carried = Intervals.union_of(one.network for one in self.plan.carried(link))
            for word, network in (("protected", link.network), ("tunnels", carried)):
                for family in (4, 6):
                    part = network & axes.family_axis(family)
                    if part:
                        elements = ", ".join(addresses(interval) for interval in part)
                        yield (
                            f"{word}.{link.name}.{FAMILY_WORD[family]}",
                            FAMILY_TYPE[family],
                            elements,
                        )

    def _families(self, network: Intervals) -> Iterator[tuple[int, str]]:
        for family, word in FAMILY_WORD.items():
            if network.overlaps(axes.family_axis(family)):
                yield family, word

    # -- chains at hooks

    def _base_chains(self) -> Iterator[BaseChain]:
        """The chains at hooks, in the order in which a packet meets them."""
        made = self.translator
        output = "accept" if self.plan.default_output else "drop"
        zones = self.host_zones
        rows: tuple[tuple[str, str, str, Iterable[str]], ...] = (
            ("keep-apart", _RAW_IN, "accept", zones.arriving_lines()),
            ("keep-own-errors-apart", _RAW_OUT, "accept", zones.own_lines()),
            ("learn-spis", _MANGLE_IN, "accept", zones.learning_lines()),
            ("give-helpers", _MANGLE_IN, "accept", self._helper_lines(from_gateway=False)),
            ("give-own-helpers", _MANGLE_OUT, "accept", self._helper_lines(from_gateway=True)),
            ("no-clear-l2tp", _MANGLE_OUT, "accept", self._clear_l2tp_lines()),
            ("translate-destination", _DSTNAT, "accept", made.destination_lines()),
            ("clamp-mss", _MANGLE_FORWARD, "accept", self._mss_lines()),
            ("input", "type filter hook input priority filter", "drop", self._input_lines()),
            ("forward", "type filter hook forward priority filter", "drop", self._forward_lines()),
            ("output", "type filter hook output priority filter", output, self._output_lines()),
            ("translate-source", _SRCNAT, "accept", self._source_lines()),
            ("no-clear-text", _LAST, "accept", self._clear_out_lines()),
        )
        for name, hook, policy, lines in rows:
            if name != "output" or self.plan.filter_output:
                yield self._base_chain(name, hook, policy, tuple(lines))

    def _base_chain(self, name: str, hook: str, policy: str, lines: tuple[str, ...]) -> BaseChain:
        if self.is_shared:
            hook = hook if hook in {_LAST, _RAW_IN, _RAW_OUT} else f"{hook}{shared.BEFORE}"
            policy = "accept"
        return BaseChain(name, hook, policy, lines, _WHY[name])

    def _others(self, *selectors: str) -> Iterator[str]:
        """In the shared layout: what uses an interface of no zone passes untouched."""
        if self.is_shared:
            for selector in selectors:
                yield f"{self.interfaces.foreign(selector)} accept"

    def _input_lines(self) -> Iterator[str]:
        yield 'iifname "lo" accept'
        yield from self._others("iifname")
        yield from self._clear_in_lines()
        yield from self._stray_lines("tunnel-input")
        for link in self.plan.never_clear_l2tp:
            for arrival in self.interfaces.matches("iifname", link):
                action = f"counter drop {comment('L2TP in clear')}"
                yield f"{arrival} udp dport 1701 meta ipsec missing {action}"
        yield from self._state_lines()
        yield from self._dispatch("input")
        yield from self._last()

    def _forward_lines(self) -> Iterator[str]:
        yield from self._others("iifname")
        yield from self._clear_in_lines()
        yield from self._others("oifname")
        yield from self._stray_lines("tunnel-forward")
        if self.sources.ah_chain is not None:
            yield "meta l4proto 51 ct direction original jump no-ah"
        yield from self._state_lines()
        yield from self._dispatch("forward")
        yield from self._last()

    def _output_lines(self) -> Iterator[str]:
        yield 'oifname "lo" accept'
        yield from self._others("oifname")
        yield "ct state established accept"
        yield from self._related()
        if self.plan.reject:
            yield f"tcp flags & rst == rst ct state related accept {comment('set reject on')}"
        yield f"icmpv6 type {{ {_DISCOVERY}, {_LISTENERS} }} accept"
        yield "icmp type { 3, 11, 12 } accept"
        yield f"icmpv6 type {_ERRORS} accept"
        yield from self._departures(None)
        if self.is_shared and not self.plan.default_output:
            yield "drop"

    def _source_lines(self) -> Iterator[str]:
        yield from self._others("iifname", "oifname")
        yield from self.sources.lines()
        if self.is_shared:
            yield from shared.KEEP_SOURCE

    def _last(self) -> Iterator[str]:
        if self.plan.log_denied and not self.is_shared:
            yield "goto refused"

    def _state_lines(self) -> Iterator[str]:
        yield "ct state established accept"
        yield from self._related()
        # an ICMPv6 error about a connection that is not known is invalid, and must not be dropped
        # (RFC 4890 section 4.3); below it is asked whether its source is spoofed and, with
        # `set icmp none`, whether a statement allows it
        yield "ct state invalid meta l4proto != 58 drop"
        yield f"ct state invalid icmpv6 type != {_ERRORS} drop"

    def _related(self) -> Iterator[str]:
        """ICMP errors about a known connection, and what a helper announced; nothing else."""
        yield "ct state related meta l4proto { 1, 58 } accept"
        for name in self.plan.masters():
            yield f'ct state related ct helper "{name}" accept'

    def _icmp_errors(self) -> Iterator[str]:
        if self.plan.icmp:
            yield f"icmpv6 type {_ERRORS} accept"

    def _dispatch(self, hook: str) -> Iterator[str]:
        carriers = [link for link in self.plan.links if link.over is None]
        for link in self.plan.links:
            if link.over is None:
                continue
            for arrival in self.interfaces.matches("iifname", link):
                for _, word in self._families(link.network):
                    source = f"{word} saddr @protected.{link.name}.{word}"
                    yield join(arrival, "meta ipsec exists", source, f"goto {hook}.{link.name}")
        yield from self.interfaces.dispatch(
            "iifname", [(link, f"{hook}.{link.name}") for link in carriers]
        )

    # -- chains of links

    def _link_chains(self) -> Iterator[Chain]:
        for link in self.plan.links:
            spoofed = [f"jump spoofed.{link.name}"] if link.sources is not None else []
            if spoofed:
                yield Chain(f"spoofed.{link.name}", tuple(self._spoof_lines(link)))
            last = refused(self.plan, link)
            to_gateway = self.pairs.get((link.name, "gateway"))
            goto = f"goto pair.{link.name}.gateway" if to_gateway else last
            errors = tuple(self._icmp_errors())
            yield Chain(f"input.{link.name}", (*spoofed, *_DISCOVERY_LINES, *errors, goto))
            yield Chain(f"forward.{link.name}", (*spoofed, *errors, *self._departures(link), last))

    def _spoof_lines(self, link: Link) -> Iterator[str]:
        assert link.sources is not None
        yield "ip saddr 0.0.0.0 udp dport 67 return"
        yield "ip6 saddr { ::, fe80::/10 } return"
        for family in FAMILY_WORD:
            held = link.sources & axes.family_axis(family)
            if held:
                source = address_match(family, "saddr", held) or f"meta nfproto ipv{family}"
                yield f"{source} return"
        yield join(
            "counter", refused(self.plan, link), comment(f"source is not of zone {link.name}")
        )

    def _departures(self, source: Link | None) -> Iterator[str]:
        """Lines that send packets from one link to the chain of their pair."""
        pairs: list[tuple[Link, Pair]] = [
            (pair.destination, pair)
            for pair in self.plan.pairs
            if pair.source is source and pair.destination is not None
        ]
        names = {link: f"pair.{'.'.join(pair.name)}" for link, pair in pairs}
        for link in self.plan.links:
            if link.over is None or not {link, link.over} & names.keys():
                continue
            # without a statement about the ipsec link its packets must not count as its carrier's
            goto = f"goto {names[link]}" if link in names else self._unnamed(source)
            for departure in self.interfaces.matches("oifname", link):
                for _, word in self._families(link.network):
                    yield join(departure, f"{word} daddr @protected.{link.name}.{word}", goto)
        carriers = [(link, name) for link, name in names.items() if link.over is None]
        yield from self.interfaces.dispatch("oifname", carriers)

    def _unnamed(self, source: Link | None) -> str:
        if source is None:
            return "accept" if self.plan.default_output else "drop"
        return refused(self.plan, source)

    # -- drops that hold for established connections too

    def _clear_in_lines(self) -> Iterator[str]:
        """What claims a protected source and was not decrypted."""
        for drop in self.plan.clear_drops:
            for _, word in self._families(drop.link.network):
                yield (
                    f"{word} saddr @protected.{drop.link.name}.{word} meta ipsec missing "
                    f"counter drop {comment(f'clear text from {drop.link.name}')}"
                )

    def _stray_lines(self, tunnel: str) -> Iterator[str]:
        """What was decrypted and is of no zone over its link."""
        for link in self.plan.links:
            if self.plan.carried(link):
                for arrival in self.interfaces.matches("iifname", link):
                    yield f"{arrival} meta ipsec exists jump {tunnel}.{link.name}"

    def _clear_out_lines(self) -> Iterator[str]:
        if self.plan.clear_drops:
            yield from self._others("oifname")
        elsewhere = "" if self.is_shared else 'oifname != "lo"'
        for drop in self.plan.clear_drops:
            for _, word in self._families(drop.link.network):
                yield join(
                    elsewhere,
                    f"{word} daddr @protected.{drop.link.name}.{word} rt ipsec missing",
                    "counter drop",
                    comment(f"clear text to {drop.link.name}"),
                )

    def _clear_l2tp_lines(self) -> Iterator[str]:
        """The gateway's own answers alone: an inside server's may leave as the policy says."""
        if self.plan.never_clear_l2tp:
            yield from self._others("oifname")
        for link in self.plan.never_clear_l2tp:
            for departure in self.interfaces.matches("oifname", link):
                yield (
                    f"{departure} udp sport 1701 ct direction reply rt ipsec missing counter drop "
                    f"{comment('L2TP in clear')}"
                )

    def _drop_chains(self) -> Iterator[Chain]:
        ah = self.sources.ah_chain
        if ah is not None:
            yield ah
        for link in self.plan.links:
            carried = self.plan.carried(link)
            if not carried:
                continue
            network = Intervals.union_of(one.network for one in carried)
            held = [
                f"{word} saddr @tunnels.{link.name}.{word} return"
                for _, word in self._families(network)
            ]
            stray = join("counter drop", comment(f"decrypted, but of no zone over {link.name}"))
            inside = ["udp dport 1701 return"] if link in self.plan.inside_ipsec else []
            yield Chain(f"tunnel-input.{link.name}", (*held, *inside, stray))
            yield Chain(f"tunnel-forward.{link.name}", (*held, stray))

    # -- helpers and MSS

    def _helper_lines(self, *, from_gateway: bool) -> Iterator[str]:
        for helper in self.plan.helpers:
            if (helper.link is None) is not from_gateway:
                continue
            for named in helpers.named(helper):
                setting = f'ct helper set "{named.name}" {comment(helper.origin.text)}'
                match = replace(helper.match, l4=named.watched)
                for family in helper.families:
                    arrivals = self.translator.arrives(helper.link, family) if helper.link else [""]
                    for arrival in arrivals:
                        for words in matches(match, family):
                            local = helpers.LOCAL[helper.dynamic]
                            yield join(arrival, words, local, setting)

    def _mss_lines(self) -> Iterator[str]:
        if self.plan.mss:
            yield from self._others("iifname", "oifname")
        for mss in self.plan.mss:
            value = "rt mtu" if mss.value == "clamp" else str(mss.value)
            action = join(
                f"tcp flags & (syn | rst) == syn tcp option maxseg size set {value}",
                comment(mss.origin.text),
            )
            for selector, side, key in (("iifname", "saddr", "meta"), ("oifname", "daddr", "rt")):
                for words in self.interfaces.matches(selector, mss.link):
                    for where in self._network_of(mss.link, side, key):
                        yield join(words, where, action)

    def _network_of(self, link: Link, side: str, key: str) -> list[str]:
        """What tells the packets of an ipsec link from its carrier's, and the other way round; ""
        for other links.
        """
        if link.over is None:
            return [f"{key} ipsec missing" if self.plan.carried(link) else ""]
        return [
            f"{word} {side} @protected.{link.name}.{word}"
            for _, word in self._families(link.network)
        ]
