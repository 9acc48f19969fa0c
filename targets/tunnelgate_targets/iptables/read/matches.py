"""What a rule asks: matches of iptables-extensions(8) as tests of the packet model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.fields import DESTINATION, L4, SOURCE, Rate, Sets
from tunnelgate.flows.netfilter import (
    HasHelper,
    InState,
    Interface,
    Is,
    Never,
    Own,
    State,
    Test,
    Unmodelled,
    Within,
)
from tunnelgate.flows.sets import sets
from tunnelgate_targets.iptables.read.lines import Line, Match, Option
from tunnelgate_targets.iptables.read.sets import Ipset
from tunnelgate_targets.iptables.read.values import address, all_ports, ports, protocol

_AH = Intervals.of([axes.l4(axes.AH)])
_NEIGHBOURS = Intervals.of([axes.l4(axes.ICMPV6, 133 << 8, 137 << 8 | 0xFF)])
#: What the two questions about single bytes find (iptables-extensions(8), u32).
_BYTES = {
    "6&0xFF=0": Intervals.of([axes.l4(0)]),
    "0>>22&0x3C@0>>24=255": Intervals.of([axes.l4(axes.ICMP, 0xFF00, 0xFFFF)]),
}
_WHOLE = {4: "32", 6: "128"}
_ICMP = {"--icmp-type": (axes.ICMP, 4), "--icmpv6-type": (axes.ICMPV6, 6)}

LookedUp = dict[tuple[str, tuple[str, ...]], tuple[Sets, ...]]


@dataclass(slots=True)
class Asked:
    """What a line asks.

    Attributes:
        tests: all of it that flows are told by.
        beside_protocols: the same without protocols and ports.
        looks_through_ah: one flavour asks that of what an AH header protects.
        is_part: it holds for a part of the packets of a flow alone: the first, or now and then.
        rate: what it takes credit of.
        only, never: the verdicts that may and may not be given to what it asks, which no flow is
            that begins; None for any.
        is_of_neighbours: it asks the hop limit that neighbour discovery has.
    """

    tests: list[Test] = field(default_factory=list)
    beside_protocols: list[Test] = field(default_factory=list)
    looks_through_ah: bool = False
    is_part: bool = False
    rate: Rate | None = None
    only: str | None = None
    never: str | None = None
    is_of_neighbours: bool = False


def asked(line: Line, known: Mapping[str, Ipset], looked_up: LookedUp, family: int) -> Asked:
    """What a line asks.

    Args:
        line: one line.
        known: the sets there are.
        looked_up: what sets hold, remembered from one line to the next.
        family: 4 or 6.

    Raises:
        Unmodelled: it asks what flows are not told by.
    """
    reader = _Reader(line, known, looked_up, family)
    try:
        return reader.read()
    except Unmodelled as error:
        if error.line:
            raise
        raise Unmodelled(str(error), line.number) from error


class _Reader:
    def __init__(
        self, line: Line, known: Mapping[str, Ipset], looked_up: LookedUp, family: int
    ) -> None:
        self.line = line
        self.known = known
        self.looked_up = looked_up
        self.family = family
        self.axis = axes.family_axis(family)
        self.asked = Asked()
        self.protocol: int | None = None

    def read(self) -> Asked:
        kinds: Mapping[str, Callable[[Match], None]] = {
            "": self._base,
            "addrtype": self._own,
            "ah": self._ah,
            "comment": self._comment,
            "connlimit": self._crowd,
            "conntrack": self._connection,
            "hashlimit": self._credit,
            "helper": self._helper,
            "hl": self._hop_limit,
            "limit": self._now_and_then,
            "multiport": self._multiport,
            "policy": self._ipsec,
            "set": self._set,
            "u32": self._bytes,
        }
        for match in self.line.matches:
            if self.asked.rate is not None and match.name != "comment":
                raise Unmodelled("a match behind credit, which other packets spend")
            kinds[match.name](match)
        self._expect_neighbours()
        self._expect_verdict()
        return self.asked

    def _expect_neighbours(self) -> None:
        """What discovers neighbours has a hop limit of 255 (RFC 4861 sections 6.1 and 7.1)."""
        if self.asked.is_of_neighbours and not any(map(_is_of_neighbours, self.asked.tests)):
            raise Unmodelled("a hop limit of something else than neighbour discovery")

    def _expect_verdict(self) -> None:
        """Refuse a verdict that matters to packets which begin nothing."""
        done, only = self.line.verdict, self.asked.only
        if (only is not None and done != only) or done == self.asked.never:
            raise Unmodelled(f"`{done}` for what other packets have left")

    def _beside(self, test: Test) -> None:
        self.asked.tests.append(test)
        self.asked.beside_protocols.append(test)

    def _channels(self, l4: Intervals, source_port: Intervals | None = None) -> None:
        self.asked.tests.append(Within((sets(l4=l4, source_port=source_port),)))

    # -- what needs no `-m`

    def _base(self, match: Match) -> None:
        options = match.options
        for name, side in (("-i", "arrival"), ("-o", "departure")):
            if name in options:
                self._beside(_interface(side, options[name]))
        for name in ("-s", "-d"):
            if name in options:
                found = Intervals((address(options[name].words[0]),)) & self.axis
                self._beside(self._addresses(name == "-s", found, options[name].negated))
        if "-p" in options:
            self._protocol(_plain(options["-p"]))
        for name in ("--sport", "--dport"):
            if name in options:
                found = Intervals((ports(_plain(options[name])),))
                self._ports(found, is_source=name == "--sport")
        for name, (number, family) in _ICMP.items():
            if name in options:
                self._type(_plain(options[name]), number, family)
        if "--tcp-flags" in options:
            self._flags(options["--tcp-flags"])

    def _addresses(self, is_source: bool, found: Intervals, negated: bool) -> Test:
        if negated:
            found = self.axis - found
        return Within((sets(source=found) if is_source else sets(destination=found),))

    def _protocol(self, word: str) -> None:
        self.protocol = protocol(word, self.family)
        if self.family == 6:
            if self.protocol == axes.AH:
                raise Unmodelled("`-p ah`, which one flavour of ip6tables never finds")
            self.asked.looks_through_ah = True
        self._channels(Intervals.of([axes.l4(self.protocol)]))

    def _ports(self, found: Intervals, *, is_source: bool) -> None:
        number = self.protocol
        if number not in axes.WITH_PORTS or (is_source and number != axes.UDP):
            raise Unmodelled(f"ports of protocol {number}")
        if is_source:
            self._channels(Intervals.of([axes.l4(number)]), found)
        else:
            self._channels(Intervals.of(axes.l4(number, low, high) for low, high in found))

    def _type(self, word: str, number: int, family: int) -> None:
        # a type of 255 is any type for iptables (icmp_type_code_match)
        if self.protocol != number or self.family != family or not word.isdecimal():
            raise Unmodelled(f"type `{word}` of protocol {self.protocol}")
        if int(word) > 0xFF or (family, int(word)) == (4, 0xFF):
            raise Unmodelled(f"type `{word}`")
        self._channels(Intervals.of([axes.l4(number, int(word) << 8, int(word) << 8 | 0xFF)]))

    def _flags(self, option: Option) -> None:
        if self.protocol != axes.TCP or option.negated:
            raise Unmodelled("flags of something else than TCP")
        if option.words == ("RST", "RST"):
            # an answer of the machine itself, which begins nothing
            self._beside(Never("a reset"))
            self.asked.only = "ACCEPT"
        else:
            self.asked.is_part = True

    # -- matches

    def _own(self, match: Match) -> None:
        options = dict(match.options)
        of_arrival = "--limit-iface-in" in options
        if of_arrival:
            _plain(options.pop("--limit-iface-in"))
        if len(options) != 1:
            raise Unmodelled("addrtype without one side")
        ((name, option),) = options.items()
        is_source = name == "--src-type"
        if option.words != ("LOCAL",) or (is_source and of_arrival):
            raise Unmodelled(f"addresses of type `{option.words[0]}`")
        self._beside(Own("source" if is_source else "destination", of_arrival, option.negated))

    def _ah(self, _match: Match) -> None:
        if self.family == 4:
            raise Unmodelled("`-m ah` with IPv4, which needs `-p ah`")
        self._channels(_AH)

    def _crowd(self, match: Match) -> None:
        words = {name: _plain(option) for name, option in match.options.items()}
        expected = {"--connlimit-above": "1", "--connlimit-mask": _WHOLE[self.family]}
        if words != {**expected, "--connlimit-daddr": ""}:
            raise Unmodelled("another count of connections than one a peer")
        self._beside(Never("a second claimant"))
        self.asked.never = "ACCEPT"

    def _connection(self, match: Match) -> None:
        for name, option in match.options.items():
            word = _plain(option)
            if name == "--ctdir":
                self._beside(Is("reply", _one_of(word, ("ORIGINAL", "REPLY")) == "REPLY"))
            elif name == "--ctstatus":
                _one_of(word, ("CONFIRMED",))
                self._beside(Never("a packet that begins nothing"))
                self.asked.only = "RETURN"
            elif word == "DNAT":
                self._beside(Is("translated"))
            else:
                self._beside(InState(frozenset(map(_state, word.split(",")))))

    def _credit(self, match: Match) -> None:
        options = match.options
        if not {"--hashlimit-upto", "--hashlimit-name"} <= options.keys():
            raise Unmodelled("a limit without a rate")
        number, _, unit = _plain(options["--hashlimit-upto"]).partition("/")
        if not number.isdecimal() or unit not in {"second", "minute"}:
            raise Unmodelled(f"rate `{number}/{unit}`")
        mode = options.get("--hashlimit-mode")
        if mode is not None:
            _one_of(_plain(mode), ("srcip",))
        self.asked.rate = rate = Rate(int(number), unit, per_source=mode is not None)
        burst, kept = (
            _number(options, f"--hashlimit-{name}", otherwise)
            for name, otherwise in (("burst", 5), ("htable-expire", 10_000))
        )
        # what is forgotten before its credit is full again has a new burst
        full = burst * (1_000 if unit == "second" else 60_000)
        if burst != rate.burst or kept * rate.connections < full:
            raise Unmodelled(f"a burst of {burst}, forgotten after {kept} ms")

    def _comment(self, match: Match) -> None:
        for option in match.options.values():
            _plain(option)

    def _helper(self, match: Match) -> None:
        if "--helper" not in match.options:
            raise Unmodelled("no helper")
        self._beside(HasHelper(_plain(match.options["--helper"])))

    def _hop_limit(self, match: Match) -> None:
        if {name: _plain(option) for name, option in match.options.items()} != {"--hl-eq": "255"}:
            raise Unmodelled("another hop limit than 255")
        self.asked.is_of_neighbours = True

    def _now_and_then(self, match: Match) -> None:
        for option in match.options.values():
            _plain(option)
        self.asked.is_part = True

    def _multiport(self, match: Match) -> None:
        if len(match.options) != 1:
            raise Unmodelled("ports of both ends")
        ((name, option),) = match.options.items()
        self._ports(all_ports(_plain(option)), is_source=name == "--sports")

    def _ipsec(self, match: Match) -> None:
        if match.options.keys() != {"--dir", "--pol"}:
            raise Unmodelled("a policy without its direction")
        way = _one_of(_plain(match.options["--dir"]), ("in", "out"))
        is_there = _one_of(_plain(match.options["--pol"]), ("none", "ipsec")) == "ipsec"
        self._beside(Is("decrypted" if way == "in" else "protected", is_there))

    def _set(self, match: Match) -> None:
        if "--match-set" not in match.options:
            raise Unmodelled("no set")
        (name, directions), negated = match.options["--match-set"]
        found = self.known.get(name)
        if found is None or found.family != self.family:
            raise Unmodelled(f"no set `{name}` of this family")
        ends = tuple(directions.split(","))
        boxes = self._looked_up(name, found, ends)
        if negated:
            if found.has_ports or len(ends) > 1:
                raise Unmodelled("what is not in a set of several fields")
            axis = SOURCE if ends == ("src",) else DESTINATION
            held = Intervals.union_of(one[axis] or Intervals.EMPTY for one in boxes)
            self._beside(self._addresses(ends == ("src",), held, negated=True))
        elif found.has_ports and self.family == 6:
            self.asked.looks_through_ah = True
            self.asked.tests.append(Within(boxes))
        else:
            self._beside(Within(boxes))

    def _looked_up(self, name: str, found: Ipset, ends: tuple[str, ...]) -> tuple[Sets, ...]:
        boxes = self.looked_up.get((name, ends))
        if boxes is None:
            boxes = self.looked_up[name, ends] = found.boxes(ends)
            if self.family == 6 and any(_holds_ah(box) for box in boxes):
                raise Unmodelled(f"AH in the set `{name}`, which ipset never finds with IPv6")
        return boxes

    def _bytes(self, match: Match) -> None:
        word = _plain(match.options["--u32"]) if match.options else ""
        if word not in _BYTES or self.family == 6:
            raise Unmodelled(f"bytes `{word}`")
        self._channels(_BYTES[word])


def _interface(side: str, option: Option) -> Test:
    name = option.words[0]
    if "*" in name or not name:
        raise Unmodelled(f"interface `{name}`")
    if name.endswith("+"):
        name = f"{name[:-1]}*"
    return Interface("arrival" if side == "arrival" else "departure", (name,), option.negated)


def _number(options: Mapping[str, Option], name: str, otherwise: int) -> int:
    """The number of an option; what iptables takes where there is none (iptables-extensions(8))."""
    word = _plain(options[name]) if name in options else str(otherwise)
    if not word.isdecimal():
        raise Unmodelled(f"`{name} {word}`")
    return int(word)


def _is_of_neighbours(test: Test) -> bool:
    return isinstance(test, Within) and all(
        l4 is not None and l4 <= _NEIGHBOURS for l4 in (box[L4] for box in test.boxes)
    )


def _plain(option: Option) -> str:
    """The word of an option that is not negated."""
    if option.negated:
        raise Unmodelled(f"`! {' '.join(option.words)}`")
    return " ".join(option.words)


def _one_of(word: str, known: tuple[str, ...]) -> str:
    if word not in known:
        raise Unmodelled(f"`{word}` where {' or '.join(known)} is known")
    return word


def _state(word: str) -> State:
    try:
        return State(word.lower())
    except ValueError as error:
        raise Unmodelled(f"state `{word}`") from error


def _holds_ah(box: Sets) -> bool:
    l4 = box[L4]
    return l4 is not None and l4.overlaps(_AH)
