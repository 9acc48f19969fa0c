"""What follows `with`, and what follows `set`: two tables, and how they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from tunnelgate.diagnostics import Label, Safety
from tunnelgate.diagnostics import resolving as rules
from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy.model import ESP as ESP
from tunnelgate.policy.model import Limit, Options, ProtocolSet, Settings
from tunnelgate.policy.params import WORD, Params
from tunnelgate.policy.reporter import Reporter
from tunnelgate.policy.values import BadValue, parse_rate, parse_spi
from tunnelgate.records import record, replace
from tunnelgate.source import Span
from tunnelgate.syntax import ast

Kind = Literal["allow", "deny", "forward"]
_PASSING: frozenset[Kind] = frozenset({"allow", "forward"})
_ALL: frozenset[Kind] = frozenset({"allow", "deny", "forward"})

#: Protocols that tell two connections between the same two addresses apart.
_TELLS_APART = axes.WITH_PORTS | axes.WITH_TYPES
PORTLESS = Intervals.of(
    axes.l4(protocol) for protocol in range(256) if protocol not in {*_TELLS_APART, axes.AH}
)
"""The channels of which one address behind NAT can have one for each peer; AH has none at all."""


@record
class OptionRow:
    """Where an option may stand, and what has to be true of the protocols.

    `elsewhere` says why it would do nothing on other statements, where that is no matter of course.
    """

    name: str
    on: frozenset[Kind]
    argument: ast.AtomKind | None
    required: bool
    fits: Callable[[ProtocolSet], bool]
    fits_text: str
    elsewhere: str = ""


def _always(_: ProtocolSet) -> bool:
    return True


_ROWS = (
    OptionRow(
        "helper",
        _PASSING,
        None,
        False,
        lambda p: bool(p.helpers),
        "pptp, ftp, tftp, sip, irc or h323",
    ),
    OptionRow("tracking", frozenset({"allow"}), None, False, lambda p: p.l4.overlaps(ESP), "esp"),
    OptionRow(
        "single",
        frozenset({"allow"}),
        None,
        False,
        lambda p: p.l4.overlaps(PORTLESS),
        "a protocol without ports, as esp or gre",
        "; who comes in by a `forward` has one host in any case",
    ),
    OptionRow(
        "spi", frozenset({"forward"}), ast.AtomKind.SPI, True, lambda p: p.l4.overlaps(ESP), "esp"
    ),
    OptionRow("hairpin", frozenset({"forward"}), None, False, _always, ""),
    OptionRow("log", _ALL, ast.AtomKind.STRING, False, _always, ""),
    OptionRow("limit", _PASSING, ast.AtomKind.RATE, True, _always, ""),
    OptionRow("counter", _ALL, None, False, _always, ""),
)
OPTIONS = {row.name: row for row in _ROWS}
#: Of the statements without any, which share it.
_PLAIN = Options()

_EXAMPLES = {"limit": "limit 10/second", "log": 'log "vpn"', "spi": "spi 0x1000-0x1fff"}


class OptionReader:
    """Reads options and settings."""

    def __init__(self, reporter: Reporter, params: Params) -> None:
        self.reporter = reporter
        self._params = params

    def options(
        self, nodes: tuple[ast.Option, ...], kind: Kind, protocols: ProtocolSet
    ) -> Options | None:
        """The options of a statement; None, and findings, where one has no meaning."""
        found = _PLAIN
        seen: dict[str, Span] = {}
        good = True
        for written in nodes:
            node = self._filled(written)
            if node is None:
                good = False
                continue
            row = self._row(node, kind, protocols, seen)
            seen.setdefault(node.name.text, node.span)
            if row is None:
                good = False
                continue
            try:
                found = _apply(found, row, node)
            except BadValue as error:
                good = False
                span = node.argument.span if node.argument else node.span
                self.reporter.bad_value(rules.BAD_VALUE, span, error)
        return found if good else None

    def _filled(self, node: ast.Option) -> ast.Option | None:
        """The option with the value of a parameter as its text; None, and a finding, without."""
        if node.argument is None:
            return node
        value = self._params.one(node.argument, WORD)
        if value is node.argument or value is None:
            return node if value else None
        return replace(node, argument=replace(value, kind=ast.AtomKind.STRING))

    def _row(
        self, node: ast.Option, kind: Kind, protocols: ProtocolSet, seen: dict[str, Span]
    ) -> OptionRow | None:
        name = node.name.text
        row = OPTIONS.get(name)
        if row is None:
            self.reporter.unknown(
                rules.BAD_OPTION,
                node.name.span,
                name,
                "option",
                OPTIONS,
                f"options are {', '.join(OPTIONS)}",
            )
        elif name in seen:
            self._bad(
                node,
                f"option `{name}` stands twice",
                "leave one out",
                Label(seen[name], "first here"),
            )
        elif kind not in row.on:
            on = " and ".join(f"`{one}`" for one in sorted(row.on))
            self._bad(
                node, f"`{kind}` has no option `{name}`", f"it belongs to {on}{row.elsewhere}"
            )
        elif not row.fits(protocols):
            self._bad(
                node,
                f"option `{name}` does nothing for these protocols",
                f"it is for {row.fits_text}",
            )
        elif node.argument is None and row.required:
            self._bad(node, f"option `{name}` needs a value", f"as in `{_EXAMPLES[name]}`")
        elif node.argument is not None and node.argument.kind is not row.argument:
            example = _EXAMPLES.get(name, name)
            self._bad(
                node, f"`{node.argument.span.text}` is no value for `{name}`", f"as in `{example}`"
            )
        elif node.per_source and name != "limit":
            self._bad(node, f"option `{name}` does not go with `per source`", "only `limit` does")
        else:
            return row
        return None

    def _bad(self, node: ast.Option, message: str, help: str, *labels: Label) -> None:
        self.reporter.say(rules.BAD_OPTION, node.span, message, help, labels=labels)

    def settings(self, nodes: list[ast.Setting]) -> tuple[Settings, dict[str, Span]]:
        """All settings of a policy, and where each is set."""
        found = Settings()
        spans: dict[str, Span] = {}
        for node in nodes:
            name, *values = node.names
            choices = _SETTINGS.get(name.text)
            if choices is None:
                self.reporter.unknown(
                    rules.BAD_SETTING,
                    name.span,
                    name.text,
                    "setting",
                    _SETTINGS,
                    f"settings are {', '.join(_SETTINGS)}",
                )
                continue
            if name.text in spans:
                self.reporter.say(
                    rules.BAD_SETTING,
                    name.span,
                    f"`{name.text}` is set twice",
                    "leave one out",
                    labels=[Label(spans[name.text], "first here")],
                )
                continue
            spans[name.text] = node.span
            atoms = [*values, *([node.value] if node.value else [])]
            value = self._setting(name, choices, atoms)
            if value is not None:
                found = _set(found, name.text, value)
        return found, spans

    def _setting(
        self, name: ast.Atom, choices: dict[str, bool | int], atoms: list[ast.Atom]
    ) -> bool | int | None:
        words = ", ".join(f"`{one}`" for one in choices)
        if name.text == "log-denied":
            words += " or a rate like `10/minute`"
        if len(atoms) != 1:
            self.reporter.say(
                rules.BAD_SETTING, name.span, f"`{name.text}` needs one value", f"one of {words}"
            )
            return None
        atom = atoms[0]
        value = self._params.one(atom, WORD)
        if value is None:
            return None
        atom = value
        if name.text == "log-denied" and atom.kind is ast.AtomKind.RATE:
            try:
                count, unit = parse_rate(atom.text)
            except BadValue as error:
                self.reporter.bad_value(rules.BAD_VALUE, atom.span, error)
                return None
            messages = count if unit == "minute" else count * 60
            if messages > _MOST_MESSAGES:
                self.reporter.say(
                    rules.BAD_VALUE,
                    atom.span,
                    f"`{atom.text}` is more than a log is written at",
                    "at most 10000/second, as `10/minute`",
                )
                return None
            return messages
        if atom.text not in choices:
            self.reporter.say(
                rules.BAD_SETTING,
                atom.span,
                f"`{atom.text}` is no value of `{name.text}`",
                f"one of {words}",
                replace=nearest(atom.text, choices),
                safety=Safety.UNSAFE,
            )
            return None
        return choices[atom.text]


#: A minute: ten thousand a second, the finest that iptables counts (xt_limit, XT_LIMIT_SCALE).
_MOST_MESSAGES = 600_000
_SWITCH: dict[str, bool | int] = {"on": True, "off": False}
#: `log-denied on` is ten messages a minute: enough to see, too few to fill a disk.
_SETTINGS: dict[str, dict[str, bool | int]] = {
    "antispoof": _SWITCH,
    "log-denied": {"on": 10, "off": 0},
    "gateway-output": {"allow": True, "deny": False},
    "reject": _SWITCH,
    "icmp": {"standard": True, "none": False},
}


def _set(settings: Settings, name: str, value: bool | int) -> Settings:
    """The settings with one changed."""
    match name:
        case "antispoof":
            return replace(settings, antispoof=bool(value))
        case "log-denied":
            return replace(settings, log_denied=int(value))
        case "gateway-output":
            return replace(settings, gateway_output=bool(value))
        case "reject":
            return replace(settings, reject=bool(value))
        case _:
            return replace(settings, icmp=bool(value))


def _apply(options: Options, row: OptionRow, node: ast.Option) -> Options:
    """The options with one more. Raises BadValue."""
    argument = node.argument
    text = argument.text if argument else ""
    match row.name:
        case "limit":
            count, unit = parse_rate(text)
            limit = Limit(count, "second" if unit == "second" else "minute", node.per_source)
            return replace(options, limit=limit)
        case "spi":
            return replace(options, spi=parse_spi(text))
        case "log":
            return replace(options, log=_prefix(text))
        case "helper":
            return replace(options, helper=True)
        case "tracking":
            return replace(options, tracking=True)
        case "single":
            return replace(options, single=True)
        case "hairpin":
            return replace(options, hairpin=True)
        case _:
            return replace(options, counter=True)


#: The escape of iptables-restore, and what begins a variable in a prefix of nft (measured, 1.0.6).
_UNSAID = frozenset("\\$")


def _prefix(text: str) -> str:
    """A prefix of log messages: printable ASCII, which every log and ruleset reads alike.

    Raises BadValue.
    """
    if not text.isascii() or not text.isprintable() or not _UNSAID.isdisjoint(text):
        raise BadValue(
            "a log prefix is printable ASCII without a backslash or a dollar sign",
            "use letters, digits and spaces",
        )
    return text
