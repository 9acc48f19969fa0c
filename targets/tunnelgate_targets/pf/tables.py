"""Sets of addresses as pf writes them: one prefix, or a table.

A list in a rule is a rule for each entry, and `{ net, !host }` passes everything (pf.conf(5),
TABLES): more than one prefix is a table, and what is cheaper to say by its complement is `! <…>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tunnelgate.flows import Intervals, axes
from tunnelgate_targets.pf.quote import table

_WIDTH = 96


class Tables:
    """The tables of a ruleset, made as rules ask for them."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, ...], str] = {}

    def host(self, word: str, addresses: Intervals, family: int) -> str | None:
        """What stands behind `from` or `to`: `any`, a prefix, a table; None for no address.

        Args:
            word: what the table is about, for its name.
            addresses: of any family.
            family: 4 or 6: what is asked for; 0 where the addresses are all there are.
        """
        if addresses == axes.ANY_ADDRESS or not family:
            return "any"
        axis = axes.family_axis(family) - axes.UNKNOWN
        wanted = addresses & axis
        rest = axis - wanted
        if not rest:
            return "any"
        if not wanted:
            return None
        inside = prefixes(wanted)
        outside = prefixes(rest) if len(inside) > 1 else inside
        if len(outside) < len(inside):
            return f"! {self._one(word, outside)}"
        return self._one(word, inside)

    def name(self, word: str, entries: Iterable[str]) -> str:
        """The table of these prefixes, whatever their number; one for each content."""
        found = tuple(entries)
        return self._names.setdefault(found, table(word, " ".join(found)))

    def _one(self, word: str, entries: tuple[str, ...]) -> str:
        return entries[0] if len(entries) == 1 else self.name(word, entries)

    @property
    def size(self) -> int:
        """How many prefixes there are in all tables."""
        return sum(len(entries) for entries in self._names)

    def lines(self) -> Iterator[str]:
        """The definitions, by name."""
        for entries, name in sorted(self._names.items(), key=lambda item: item[1]):
            yield from _definition(name, entries)


def prefixes(addresses: Intervals) -> tuple[str, ...]:
    """The fewest prefixes of a set without unknown addresses; a single address has no length."""
    found = []
    for interval in addresses:
        for network in axes.to_networks(interval):
            single = network.prefixlen == network.max_prefixlen
            found.append(str(network.network_address if single else network))
    return tuple(found)


def _definition(name: str, entries: tuple[str, ...]) -> Iterator[str]:
    whole = f"table {name} const {{ {' '.join(entries)} }}"
    if len(whole) <= _WIDTH:
        yield whole
        return
    yield f"table {name} const {{"
    line = ""
    for entry in entries:
        if line and len(line) + len(entry) + 3 > _WIDTH:
            yield f"  {line}"
            line = ""
        line = f"{line} {entry}".lstrip()
    yield f"  {line}"
    yield "}"
