"""Source translation, and the AH that must not meet it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.plan import Element, Kind, Link, Plan, Shape, Snat, Taken, taken
from tunnelgate_targets.nftables.quote import comment
from tunnelgate_targets.nftables.ranked import FEW, Ending, act, goto, lookups, ranked
from tunnelgate_targets.nftables.sets import ANY_CHANNEL, Entry, NamedSet, named_sets
from tunnelgate_targets.nftables.translate import Translator
from tunnelgate_targets.nftables.verdicts import Chain, Parts, many
from tunnelgate_targets.nftables.words import (
    FAMILY_WORD,
    address_match,
    digest,
    join,
    numbers,
    one_of,
)

_AH = "AH survives no NAT"


class _Path(NamedTuple):
    """What some source translations have in common: no packet is on two paths."""

    source: Link
    destination: Link
    family: int
    hairpin: bool

    @property
    def ends(self) -> str:
        return f"{self.source.name}.{self.destination.name}"


class Sources:
    """Writes the chain of source translation, and that of AH."""

    def __init__(self, plan: Plan, translator: Translator, parts: Parts) -> None:
        self.plan = plan
        self.translator = translator
        self.parts = parts
        self._alike: dict[_Path, list[Snat]] = defaultdict(list)
        for snat in plan.snats:
            self._alike[_path(snat)].append(snat)

    def lines(self) -> Iterator[str]:
        """The rules of the postrouting hook, the most specific source first."""
        for snat in self.plan.snats:
            path = _path(snat)
            some = self._alike[path]
            if len(some) <= FEW:
                yield from self._rules(snat)
            elif snat is some[0]:
                yield from ranked(some, _effect, self._rules, partial(self._looked_up, path))

    # -- few: rules

    def _rules(self, snat: Snat) -> Iterator[str]:
        yield from self._translations(snat, self.translator.path(snat))

    def _translations(self, snat: Snat, matches: Iterable[str]) -> Iterator[str]:
        """The rules of one translation, those of the ports that have to go first."""
        clear = self._clear(_path(snat))
        moves = [
            (f"udp sport {one_of([numbers(*ports) for ports in one.ports])}", *move)
            for one in taken(snat.moved)
            for move in self._moves(snat, one)
        ]
        for match in matches:
            for ports, move, about in moves:
                yield join(match, clear, ports, move, comment(f"port kept for: {about}"))
            status = _status(snat.hairpin)
            yield join(match, clear, status, _translation(snat, ""), comment(snat.origin.text))

    def _clear(self, path: _Path) -> str:
        # a packet that the gateway's own IPsec protects does not leave by the link that carries it
        return "rt ipsec missing" if self.plan.carried(path.destination) else ""

    # -- many: sets and maps

    def _looked_up(self, path: _Path, tier: Sequence[Snat], suffix: str) -> Iterator[str]:
        plain = {_translation(snat, "") for snat in tier if not snat.moved}
        ending = partial(self._ending, are_alike=len(plain) == 1)
        found, alone = lookups(f"{path.ends}{suffix}", path.family, tier, ending)
        match = join(self._clear(path), _status(path.hairpin))
        for made, rule in found:
            self.parts.sets.append(made)
            for way in self._ways(path):
                yield join(way, match, rule, comment(many("nat", made.texts, made.kind)))
        for snat in tier:
            if snat.origin in alone:
                yield from self._rules(snat)

    def _ending(self, snat: Snat, *, are_alike: bool) -> Ending:
        if snat.moved:
            name = self.parts.name(f"nat.{_path(snat).ends}", snat.origin.text)
            return goto("ports", self.parts.chain(name, *self._translations(snat, [""])))
        if are_alike or snat.address is None:
            word = "hairpin" if snat.hairpin else "nat" if snat.address else "masquerade"
            return act(word, _translation(snat, ""))
        word = FAMILY_WORD[snat.family]
        to = f"snat {word} to {{key}} map @{{name}}"
        return Ending("nat", to, str(axes.to_address(snat.address)), f"{word} saddr")

    def _ways(self, path: _Path) -> Iterator[str]:
        return self.translator.between(path.source, path.destination, path.family)

    # -- ports of IKE

    def _moves(self, snat: Snat, some: Taken) -> Iterator[tuple[str, str]]:
        """Towards which peers source ports have to go and how they do, and for which statement."""
        word = FAMILY_WORD[snat.family]
        moved = _translation(snat, ":4501-65535")
        if len(some.keepers) <= FEW:
            for one in some.keepers:
                peers = address_match(snat.family, "daddr", one.peers)
                host = axes.to_address(one.host)
                yield join(peers, f"{word} saddr != {host}", moved), one.origins[0].text
            return
        name = f"{_path(snat).ends}.{digest(f'{snat.origin.text} {some.ports.items}')}"
        lines = [
            join(made.key, f"@{made.name}", _translation(snat, ""))
            for made in self._peers(f"keep.{name}", snat.family, some, paired=True)
        ]
        # nft wants to be told of a protocol with ports in each rule that translates them
        last = join(f"meta l4proto {axes.UDP}", moved)
        chain = self.parts.chain(f"ports.{name}", *lines, last)
        for made in self._peers(f"taken.{name}", snat.family, some, paired=False):
            yield join(made.key, f"@{made.name}", f"goto {chain}"), "statements as in the set"

    def _peers(self, name: str, family: int, some: Taken, *, paired: bool) -> list[NamedSet]:
        """Sets of peers that ports are taken from, paired with the hosts that keep them or not."""
        axis = axes.family_axis(family) - axes.UNKNOWN
        entries = [
            Entry(
                Element((one.host, one.host) if paired else None, peer, ANY_CHANNEL),
                "",
                one.origins[0].text,
            )
            for one in some.keepers
            for peer in one.peers & axis
        ]
        shape = Shape(family, paired, destination=True, kind=Kind.ANY, translated=False)
        made = named_sets(name, shape, entries)
        self.parts.sets += made
        return made

    # -- AH

    @cached_property
    def ah_chain(self) -> Chain | None:
        """AH on a translated path: dropped, or it would leave with its private source."""
        lines = [
            line
            for path, some in self._alike.items()
            if not path.hairpin
            for line in ranked(
                some, lambda _: "drop", self._ah_rules, partial(self._ah_looked_up, path)
            )
        ]
        return Chain("no-ah", tuple(dict.fromkeys(lines))) if lines else None

    def _ah_rules(self, snat: Snat) -> Iterator[str]:
        for match in self.translator.path(snat):
            yield join(match, "counter drop", comment(f"{_AH}: {snat.origin.text}"))

    def _ah_looked_up(self, path: _Path, tier: Sequence[Snat], suffix: str) -> Iterator[str]:
        ending = act("no-ah", "counter drop")
        found, alone = lookups(f"{path.ends}{suffix}", path.family, tier, lambda _: ending)
        for made, rule in found:
            self.parts.sets.append(made)
            for way in self._ways(path):
                yield join(way, rule, comment(f"{_AH}: {many('nat', made.texts)}"))
        for snat in tier:
            if snat.origin in alone:
                yield from self._ah_rules(snat)


def _path(snat: Snat) -> _Path:
    return _Path(snat.source, snat.destination, snat.family, snat.hairpin)


def _effect(snat: Snat) -> tuple[object, ...]:
    return (snat.address, snat.moved)


def _status(hairpin: bool) -> str:
    return "ct status dnat" if hairpin else ""


def _translation(snat: Snat, ports: str) -> str:
    if snat.address is None:
        return join("masquerade", f"to {ports}" if ports else "")
    address = str(axes.to_address(snat.address))
    if ports and snat.family == 6:
        address = f"[{address}]"
    return f"snat {FAMILY_WORD[snat.family]} to {address}{ports}"
