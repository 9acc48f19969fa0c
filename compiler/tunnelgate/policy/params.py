"""Parameters: `param NAME : TYPE`, the values given for them, and `$NAME` where one is used.

A value is read once, as what its type says, and stands in a statement as one atom. So it can be
wrong, but never more or less than the one word that it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field

from tunnelgate.diagnostics import Label
from tunnelgate.diagnostics import resolving as rules
from tunnelgate.policy.model import Parameter
from tunnelgate.policy.reporter import Reporter
from tunnelgate.policy.values import (
    BadValue,
    parse_address,
    parse_interface,
    parse_name,
    parse_number,
    parse_port,
)
from tunnelgate.records import record
from tunnelgate.source import Span
from tunnelgate.syntax import ast
from tunnelgate.syntax.ast import Atom, AtomKind
from tunnelgate.variables import Value, Variables

#: So many members of a list are shown.
_SHOWN = 4
_MAX_NUMBER = 2**32 - 1


@record
class Type:
    """A type of parameters.

    Attributes:
        name: as a policy says it.
        kind: of the atom that a value becomes.
        read: checks a text; raises BadValue.
        is_number: whether a file of variables gives it as a number, not as text.
    """

    name: str
    kind: AtomKind
    read: Callable[[str], object]
    is_number: bool = False


def _address(text: str) -> None:
    if not parse_address(text).is_single or not re.fullmatch(r"[^/-]+", text):
        raise BadValue(f"`{text}` is not a single address", "write it as `192.0.2.1`")


def _prefix(text: str) -> None:
    parse_address(text)
    if "/" not in text:
        raise BadValue(f"`{text}` is no prefix", "write it with its length, as `192.0.2.0/24`")


def _range(text: str) -> None:
    parse_address(text)
    if "-" not in text:
        raise BadValue(f"`{text}` is no range", "write both ends, as `192.0.2.5-192.0.2.9`")


def _number(text: str) -> None:
    parse_number(text, 0, _MAX_NUMBER, "number")


TYPES = {
    one.name: one
    for one in (
        Type("name", AtomKind.NAME, parse_name),
        Type("address", AtomKind.ADDRESS, _address),
        Type("prefix", AtomKind.ADDRESS, _prefix),
        Type("range", AtomKind.ADDRESS, _range),
        Type("interface", AtomKind.IFNAME, parse_interface),
        Type("port", AtomKind.INT, parse_port, is_number=True),
        Type("number", AtomKind.INT, _number, is_number=True),
    )
}


@record
class Slot:
    """What may stand at a place of a statement: the types that fit, and how the place is called."""

    what: str
    types: frozenset[str]


def _slot(what: str, *types: str) -> Slot:
    return Slot(what, frozenset(types))


PLACE = _slot("a place", "name", "address", "prefix", "range")
NETWORK = _slot("a network", "address", "prefix")
ADDRESS = _slot("an address", "address")
INTERFACE = _slot("an interface", "interface")
PROTOCOL = _slot("a protocol", "name")
PORT = _slot("a port", "port")
NUMBER = _slot("a number", "number")
NAME = _slot("a name", "name")
MSS = _slot("an MSS", "number", "name")
WORD = _slot("a word", "name")


@dataclass
class _Bound:
    """A parameter while the policy is read; `values` is None where it has none that is right."""

    node: ast.Param
    type: Type
    values: tuple[tuple[str, Span], ...] | None = None
    uses: list[Span] = field(default_factory=list)


class Params:
    """The parameters of a policy, each with its value."""

    def __init__(self, reporter: Reporter, nodes: list[ast.Param], given: Variables) -> None:
        self.reporter = reporter
        self._bound: dict[str, _Bound] = {}
        self._broken: set[str] = set()
        self._is_all_given = not given.diagnostics
        for node in nodes:
            self._declare(node)
        for name, value in given.values.items():
            self._give(name, value)
        for bound in self._bound.values():
            self._default(bound, is_given=bound.node.name.text in given.values)

    def telling(self, reporter: Reporter) -> Params:
        """The same parameters, with findings going elsewhere."""
        other = copy(self)
        other.reporter = reporter
        return other

    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters, in the order of the policy."""
        return tuple(
            Parameter(
                bound.node.name.text,
                bound.type.name,
                bound.node.many,
                tuple(text for text, _ in bound.values or ()),
                bound.node.span,
                bool(bound.uses),
            )
            for bound in self._bound.values()
        )

    # -- use

    def all(self, atoms: Iterable[Atom], slot: Slot) -> list[Atom] | None:
        """The atoms with the values of parameters in their place; None, and a finding, where a
        parameter has no value that may stand there.
        """
        found: list[Atom] = []
        good = True
        for atom in atoms:
            if atom.kind is not AtomKind.PARAM:
                found.append(atom)
                continue
            values = self._use(atom.text, atom.span, slot)
            good &= values is not None
            found += values or ()
        return found if good else None

    def one(self, atom: Atom, slot: Slot) -> Atom | None:
        """The atom, or the value of a parameter where it is one; None, and a finding, without."""
        if atom.kind is not AtomKind.PARAM:
            return atom
        bound = self._bound.get(atom.text)
        if bound is not None and bound.node.many:
            bound.uses.append(atom.span)
            self._misfit(bound, atom.span, f"`${atom.text}` is a list, here stands one value")
            return None
        values = self._use(atom.text, atom.span, slot)
        return values[0] if values else None

    def literal(self, atom: Atom, slot: Slot) -> list[Atom] | None:
        """`tcp/$p` as a literal protocol with the numbers that the parameter stands for."""
        word, _, name = atom.text.partition("/$")
        where = atom.span._replace(start=atom.span.start + len(word) + 1)
        values = self._use(name, where, slot)
        if values is None:
            return None
        self.reporter.stands_for(atom.span, self._origin(name))
        numbers = ",".join(str(int(value.text)) for value in values)
        return [Atom(AtomKind.LITERAL, f"{word}/{numbers}", atom.span)]

    def _use(self, name: str, span: Span, slot: Slot) -> list[Atom] | None:
        bound = self._bound.get(name)
        if bound is None:
            if name not in self._broken:
                self.reporter.unknown(
                    rules.BAD_PARAMETER,
                    span,
                    name,
                    "parameter",
                    self._bound,
                    f"declare it: `param {name} : TYPE`",
                )
            return None
        bound.uses.append(span)
        if bound.values is None:
            return None
        if bound.type.name not in slot.types:
            article = "an" if bound.type.name[0] in "aeiou" else "a"
            message = f"`${name}` is {article} {bound.type.name}, here stands {slot.what}"
            self._misfit(bound, span, message)
            return None
        self.reporter.stands_for(span, self._origin(name))
        return [Atom(bound.type.kind, text, span) for text, _ in bound.values]

    def _origin(self, name: str) -> Label:
        """What a parameter that has a value stands for, and where that was said."""
        values = self._bound[name].values or ()
        text = ", ".join(text for text, _ in values[:_SHOWN])
        more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
        return Label(values[0][1], f"`${name}` is {text}{more}")

    def _misfit(self, bound: _Bound, span: Span, message: str) -> None:
        self.reporter.say(
            rules.BAD_PARAMETER,
            span,
            message,
            "use another parameter, or change the type where it is declared",
            labels=[Label(bound.node.span, "declared here")],
        )

    # -- values

    def _declare(self, node: ast.Param) -> None:
        name, type_ = node.name.text, TYPES.get(node.type.text)
        if name in self._bound:
            self.reporter.say(
                rules.DUPLICATE_NAME,
                node.name.span,
                f"there are two parameters named `{name}`",
                "give one of them another name",
                text="again here",
                labels=[Label(self._bound[name].node.name.span, "first here")],
            )
        elif type_ is None:
            self._broken.add(name)
            self.reporter.unknown(
                rules.BAD_PARAMETER,
                node.type.span,
                node.type.text,
                "type",
                TYPES,
                f"types are {', '.join(TYPES)}, and lists of them, as `address...`",
            )
        else:
            self._bound[name] = _Bound(node, type_)

    def _give(self, name: str, value: Value) -> None:
        """Take a value from outside."""
        bound = self._bound.get(name)
        if bound is not None:
            bound.values = self._given(bound, value)
        elif name not in self._broken:
            known = ", ".join(f"`{one}`" for one in self._bound)
            self.reporter.unknown(
                rules.BAD_PARAMETER,
                value.name,
                name,
                "parameter",
                self._bound,
                f"the policy has {known}" if known else "the policy has no parameters",
                mends=False,
            )

    def _given(self, bound: _Bound, value: Value) -> tuple[tuple[str, Span], ...] | None:
        if value.is_text:
            words = _split(value) if bound.node.many else [(str(value.plain), value.span)]
            return self._read(bound, words, mends=False)
        from tunnelgate.variables.shape import misfits

        wrong = misfits(value, is_number=bound.type.is_number, is_list=bound.node.many)
        for span, message, help in wrong:
            self.reporter.say(
                rules.BAD_PARAMETER,
                span,
                f"`{bound.node.name.text}`: {message}",
                help,
                labels=[Label(bound.node.span, "declared here")],
            )
        if wrong:
            return None
        if isinstance(value.plain, list):
            texts = map(str, value.plain)
            return self._read(bound, zip(texts, value.items, strict=True), mends=False)
        return self._read(bound, [(str(value.plain), value.span)], mends=False)

    def _default(self, bound: _Bound, *, is_given: bool) -> None:
        """Read the default, which has to be right even where it is not used."""
        node = bound.node
        words: list[tuple[str, Span]] = []
        for atom in node.default:
            if atom.kind is AtomKind.STRING and bound.type.kind is not AtomKind.IFNAME:
                self.reporter.say(
                    rules.BAD_PARAMETER,
                    atom.span,
                    f"{atom.span.text} is a string",
                    "write it without quotes",
                    replace=atom.text,
                )
                words = []
                break
            words.append((atom.text, atom.span))
        if len(words) > 1 and not node.many:
            self.reporter.say(
                rules.BAD_PARAMETER,
                node.span,
                f"`{node.name.text}` is one {bound.type.name} and has {len(words)} values",
                f"make it a list: `param {node.name.text} : {bound.type.name}...`",
            )
            return
        default = self._read(bound, words) if words else None
        if not is_given:
            bound.values = default
            if not node.default and self._is_all_given:
                self.reporter.say(
                    rules.BAD_PARAMETER,
                    node.span,
                    f"parameter `{node.name.text}` has no value",
                    f"give it one with `--set {node.name.text}=…` or `--vars FILE`, or a default: "
                    f"`param {node.name.text} : {bound.type.name}{'...' * node.many} = …`",
                )

    def _read(
        self, bound: _Bound, words: Iterable[tuple[str, Span]], *, mends: bool = True
    ) -> tuple[tuple[str, Span], ...] | None:
        """The values that words are; None, and a finding for each wrong one, where one is wrong.

        Without `mends` none has a fix: what stands around a value outside is not known here.
        """
        found, good = [], True
        for text, span in words:
            try:
                bound.type.read(text)
            except BadValue as error:
                good = False
                told = error
                if error.fix and not mends:
                    told = BadValue(error.message, f"{error.help}: `{error.fix}`")
                self.reporter.bad_value(
                    rules.BAD_VALUE, span, told, labels=[Label(bound.node.span, "declared here")]
                )
            found.append((text, span))
        return tuple(found) if good else None


def _split(value: Value) -> list[tuple[str, Span]]:
    """The members of a list that is given as text, `a,b`."""
    found, start = [], value.span.start
    for part in str(value.plain).split(","):
        found.append((part.strip(), value.span._replace(start=start, end=start + len(part))))
        start += len(part) + 1
    return found
