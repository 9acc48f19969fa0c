"""A statement as a row of cells: what stands in which column, and where its line may end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from tunnelgate.diagnostics.width import text_width
from tunnelgate.source import Span
from tunnelgate.syntax import ast
from tunnelgate.syntax.formatting.gaps import Gap, gap
from tunnelgate.syntax.text import atom_text, option_text, use_text

#: What `with` is set apart by, at least.
_BEFORE_OPTIONS = 3


class Kind(Enum):
    """Rows of one kind that stand in one block have their columns in common."""

    WORD = "a statement of its own shape"
    RULE = "allow, deny, forward"
    NAT = "nat"
    VERDICT = "expect allow, expect deny"
    FLOW = "expect … reaches, expect … leaves"
    VALUE = "interface, network, address, mss"
    NAMED = "host, group"
    PROTOCOL = "protocol"
    PARAM = "param"
    SETTING = "set"
    ZONE = "a zone on one line"


class Unit(NamedTuple):
    """Words that stay on one line; `gap` is what follows where the line may end behind them."""

    text: str
    gap: Gap | None = None


#: Units; a line may end behind each but the last.
Units = tuple[Unit, ...]

#: What a cell is made of: words, and lists.
Part = str | Units
Parts = list[Part]


class Cell(NamedTuple):
    """What stands in one column, and how many blanks it has before it, at least."""

    units: Units
    before: int = 1

    @property
    def width(self) -> int:
        """Its columns on one line."""
        return sum(text_width(unit.text) for unit in self.units) + len(self.units) - 1

    @property
    def must_break(self) -> bool:
        """Whether it cannot stand on one line."""
        return any(unit.gap is not None and unit.gap.must_break for unit in self.units)


class Row(NamedTuple):
    """One statement or item of a zone."""

    kind: Kind
    cells: tuple[Cell, ...]

    @property
    def is_one_a_line(self) -> bool:
        """Whether its author wrote a list of values with one on each line, to be kept so."""
        gaps = [unit.gap for cell in self.cells for unit in cell.units if unit.gap is not None]
        is_list = self.kind in (Kind.VALUE, Kind.NAMED, Kind.PROTOCOL, Kind.PARAM)
        return is_list and bool(gaps) and all(gap.is_broken for gap in gaps)


class Rows:
    """Makes rows of the statements of one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def row(self, node: ast.Node) -> Row:
        """The row of a statement or of an item of a zone."""
        match node:
            case ast.Allow() | ast.Deny() | ast.Forward():
                return self._rule(node)
            case ast.Nat():
                verb = "nat ipv6" if node.ipv6 else "nat"
                target = ("as", atom_text(node.address)) if node.address else ()
                return _row(Kind.NAT, (verb,), self._ends(node), target)
            case ast.ExpectVerdict() | ast.ExpectReaches() | ast.ExpectLeaves():
                return _expectation(node)
            case ast.Zone():
                inside = [cell.units for item in node.members for cell in self.row(item).cells]
                return _row(Kind.ZONE, ("zone",), (node.name.text,), ("{", *inside, "}"))
        return self._naming(node) or self._item(node)

    def _rule(self, node: ast.Allow | ast.Deny | ast.Forward) -> Row:
        protocols: Parts = [self._protocols(node.protocols)]
        if isinstance(node, ast.Forward):
            verb = "forward"
            protocols[:0] = ["ipv6"] if node.ipv6 else []
            ends: Parts = ["from", self._places(node.source)]
            ends += ["at", atom_text(node.at)] if node.at else []
            ends += ["to", atom_text(node.host)]
            ends += ["port", atom_text(node.port)] if node.port else []
        else:
            verb = "allow" if isinstance(node, ast.Allow) else "deny"
            ends = self._ends(node)
        row = _row(Kind.RULE, (verb,), protocols, ends)
        if not node.options:
            return row
        options = self._list((option_text(option), option.span) for option in node.options)
        return Row(row.kind, (*row.cells, Cell(_join("with", options), _BEFORE_OPTIONS)))

    def _naming(self, node: ast.Node) -> Row | None:
        """The row of a statement that gives something a name or a value."""
        match node:
            case ast.Gateway():
                return _row(Kind.WORD, ("gateway",), (atom_text(node.name),))
            case ast.Include():
                return _row(Kind.WORD, ("include",), (atom_text(node.file),))
            case ast.Protocol():
                items = self._list(((use_text(use), use.span) for use in node.items), " +")
                return _row(Kind.PROTOCOL, ("protocol",), (node.name.text,), ("=", items))
            case ast.Param():
                type_ = node.type.text + ("..." if node.many else "")
                default = ("=", self._atoms(node.default)) if node.default else ()
                return _row(Kind.PARAM, ("param",), (node.name.text,), (":", type_), default)
            case ast.Setting():
                values = [*node.names[1:], *filter(None, [node.value])]
                return _row(
                    Kind.SETTING, ("set",), (node.names[0].text,), list(map(atom_text, values))
                )
        return None

    def _item(self, node: ast.Node) -> Row:
        """The row of an item of a zone."""
        match node:
            case ast.Interfaces():
                return _row(Kind.VALUE, ("interface",), (self._atoms(node.names),))
            case ast.Networks():
                return _row(Kind.VALUE, ("network",), (self._atoms(node.addresses),))
            case ast.Addresses():
                return _row(Kind.VALUE, ("address",), (self._atoms(node.addresses),))
            case ast.Mss():
                return _row(Kind.VALUE, ("mss",), (atom_text(node.value),))
            case ast.IpsecOver():
                return _row(Kind.WORD, ("ipsec over",), (node.zone.text,))
            case ast.Host():
                values = ("=", self._atoms(node.addresses))
                return _row(Kind.NAMED, ("host",), (node.name.text,), values)
            case ast.Group():
                entries = ("=", self._atoms(node.entries))
                return _row(
                    Kind.NAMED,
                    ("group",),
                    (node.name.text,),
                    ("from", atom_text(node.file)) if node.file else entries,
                )
        raise AssertionError(f"no row for {type(node).__name__}")

    def _ends(self, node: ast.Allow | ast.Deny | ast.Nat) -> Parts:
        return ["from", self._places(node.source), "to", self._places(node.destination)]

    def _protocols(self, node: ast.Protocols) -> Units:
        items, excepted = (
            self._list((use_text(use), use.span) for use in uses)
            for uses in (node.items, node.excepted)
        )
        return _join(items, "except", excepted) if excepted else items

    def _places(self, node: ast.Places) -> Units:
        items = self._atoms(node.items)
        return _join(items, "except", self._atoms(node.excepted)) if node.excepted else items

    def _atoms(self, atoms: Iterable[ast.Atom]) -> Units:
        return self._list((atom_text(atom), atom.span) for atom in atoms)

    def _list(self, items: Iterable[tuple[str, Span]], sign: str = ",") -> Units:
        """A list; a line may end behind each of its signs."""
        items = list(items)
        units = [
            Unit(word + sign, self._gap_behind_sign(span.end, following.start))
            for (word, span), (_, following) in pairwise(items)
        ]
        return (*units, *(Unit(word) for word, _ in items[-1:]))

    def _gap_behind_sign(self, start: int, end: int) -> Gap:
        return gap(self._text[start:end].lstrip(" \t")[1:])


def _expectation(node: ast.Expect) -> Row:
    flow = node.flow
    ends = ["from", atom_text(flow.source), "to", atom_text(flow.destination)]
    protocol = (use_text(flow.protocol),)
    match node:
        case ast.ExpectVerdict():
            verdict = "allow" if node.allow else "deny"
            return _row(Kind.VERDICT, ("expect",), (verdict,), protocol, ends)
        case ast.ExpectReaches():
            answer = ["reaches", atom_text(node.host)]
        case ast.ExpectLeaves():
            answer = ["leaves as", atom_text(node.address) if node.address else "untranslated"]
    return _row(Kind.FLOW, ("expect",), protocol, [*ends, *answer])


def _row(kind: Kind, *cells: Sequence[Part]) -> Row:
    """A row of the cells that are not empty."""
    return Row(kind, tuple(Cell(_join(*parts)) for parts in cells if parts))


def _join(*parts: Part) -> Units:
    """Words and lists, one behind the other."""
    joined: list[Unit] = []
    for part in parts:
        first, *rest = (Unit(part),) if isinstance(part, str) else part
        if joined and joined[-1].gap is None:
            first = Unit(f"{joined.pop().text} {first.text}", first.gap)
        joined += [first, *rest]
    return tuple(joined)
