"""A statement in canonical form, on one line: what rulesets, manifests and reports call it."""

from __future__ import annotations

from collections.abc import Iterable

from tunnelgate.syntax import ast


def atom_text(atom: ast.Atom) -> str:
    """An atom as it is written."""
    if atom.kind is ast.AtomKind.STRING:
        return f'"{atom.text}"'
    return f"${atom.text}" if atom.kind is ast.AtomKind.PARAM else atom.text


def statement_text(node: ast.Rule | ast.Forward | ast.Nat | ast.Expect) -> str:
    """The canonical text of a statement about traffic, without comments."""
    match node:
        case ast.Allow():
            return f"allow {_rule(node)}"
        case ast.Deny():
            return f"deny {_rule(node)}"
        case ast.Nat():
            address = f" as {atom_text(node.address)}" if node.address else ""
            ends = f"from {_places(node.source)} to {_places(node.destination)}"
            return f"nat {_ipv6(node)}{ends}{address}"
        case ast.Forward():
            at = f" at {atom_text(node.at)}" if node.at else ""
            port = f" port {atom_text(node.port)}" if node.port else ""
            return (
                f"forward {_ipv6(node)}{_protocols(node.protocols)} from {_places(node.source)}{at}"
                f" to {atom_text(node.host)}{port}{_options(node.options)}"
            )
        case ast.ExpectVerdict():
            return f"expect {'allow' if node.allow else 'deny'} {flow_text(node.flow)}"
        case ast.ExpectReaches():
            return f"expect {flow_text(node.flow)} reaches {atom_text(node.host)}"
        case ast.ExpectLeaves():
            address = atom_text(node.address) if node.address else "untranslated"
            return f"expect {flow_text(node.flow)} leaves as {address}"


def flow_text(flow: ast.Flow) -> str:
    """The canonical text of a question."""
    source, destination = atom_text(flow.source), atom_text(flow.destination)
    return f"{use_text(flow.protocol)} from {source} to {destination}"


def _rule(node: ast.Allow | ast.Deny) -> str:
    return (
        f"{_protocols(node.protocols)} from {_places(node.source)} to {_places(node.destination)}"
        f"{_options(node.options)}"
    )


def _ipv6(node: ast.Nat | ast.Forward) -> str:
    return "ipv6 " if node.ipv6 else ""


def use_text(use: ast.ProtocolUse) -> str:
    """The canonical text of a protocol."""
    return f"{atom_text(use.atom)} port {atom_text(use.port)}" if use.port else atom_text(use.atom)


def _with_except(items: Iterable[str], excepted: Iterable[str]) -> str:
    less = ", ".join(excepted)
    return ", ".join(items) + (f" except {less}" if less else "")


def _protocols(node: ast.Protocols) -> str:
    return _with_except(map(use_text, node.items), map(use_text, node.excepted))


def _places(node: ast.Places) -> str:
    return _with_except(map(atom_text, node.items), map(atom_text, node.excepted))


def _options(options: tuple[ast.Option, ...]) -> str:
    if not options:
        return ""
    return " with " + ", ".join(map(option_text, options))


def option_text(option: ast.Option) -> str:
    """The canonical text of an option."""
    words = [option.name.text]
    if option.argument is not None:
        words.append(atom_text(option.argument))
    if option.per_source:
        words.append("per source")
    return " ".join(words)
