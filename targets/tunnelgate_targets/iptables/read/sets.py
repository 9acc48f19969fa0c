"""Sets of `ipset restore` as boxes of flows (ipset(8))."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tunnelgate.flows import Intervals
from tunnelgate.flows.fields import Sets
from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate.flows.sets import merged, sets
from tunnelgate_targets.iptables.read.values import address, channel

_FAMILIES = {"inet": 4, "inet6": 6}
#: Options that say how much room a set has: what does not fit, `ipset restore` refuses.
_ROOM = {"hashsize", "maxelem"}


@dataclass(frozen=True, slots=True)
class Ipset:
    """A set: of what its elements are, and the elements as written, each with its line."""

    fields: tuple[str, ...]
    family: int
    elements: list[tuple[str, int]] = field(default_factory=list)

    def boxes(self, directions: tuple[str, ...]) -> tuple[Sets, ...]:
        """The flows that are in the set, looked up by these ends of a packet."""
        if len(directions) != len(self.fields):
            raise Unmodelled(f"{len(directions)} directions for {len(self.fields)} fields")
        for what, end in zip(self.fields, directions, strict=True):
            if end not in {"src", "dst"} or (what == "port" and end == "src"):
                raise Unmodelled(f"the {what} of `{end}`")
        return merged(self._boxes(directions))

    @property
    def has_ports(self) -> bool:
        """Whether it tells packets by protocol and port."""
        return "port" in self.fields

    def _boxes(self, directions: tuple[str, ...]) -> Iterator[Sets]:
        for text, line in self.elements:
            parts = text.split(",")
            if len(parts) != len(self.fields):
                raise Unmodelled(f"element `{text}` of another type than its set", line)
            source = destination = l4 = None
            for what, end, part in zip(self.fields, directions, parts, strict=True):
                if what == "port":
                    l4 = channel(part)
                elif end == "src":
                    source = Intervals((address(part),))
                else:
                    destination = Intervals((address(part),))
            yield sets(l4=l4, destination=destination, source=source)


def parse_sets(text: str) -> dict[str, Ipset]:
    """The sets of a text, by their names.

    Raises:
        Unmodelled: a line is not modelled.
    """
    found: dict[str, Ipset] = {}
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "create" and len(words) > 4 and words[1] not in found:
            found[words[1]] = _created(words[2:], number)
        elif words[0] == "add" and len(words) == 3 and words[1] in found:
            found[words[1]].elements.append((words[2], number))
        else:
            raise Unmodelled(f"`{line}`", number)
    return found


def _created(words: list[str], number: int) -> Ipset:
    kind, names, values = words[0], words[1::2], words[2::2]
    fields = tuple(kind.removeprefix("hash:").split(","))
    options = dict(zip(names, values, strict=False))
    family = _FAMILIES.get(options.pop("family", ""))
    directions = fields if kind.startswith("hash:") else ()
    if family is None or len(names) != len(values) or not options.keys() <= _ROOM:
        raise Unmodelled(f"options of a set `{' '.join(words)}`", number)
    if not directions or not set(fields) <= {"ip", "net", "port"} or len(fields) > 3:
        raise Unmodelled(f"set of type `{kind}`", number)
    return Ipset(fields, family)
