"""A syntax tree as text again, and text as a careless hand would have written it."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from tunnelgate.syntax import ast


def render(policy: ast.Policy) -> str:
    """The statements of a tree, one a line; comments are no part of it."""
    return "".join(f"{_statement(one)}\n" for one in policy.statements)


def _atom(atom: ast.Atom) -> str:
    if atom.kind is ast.AtomKind.STRING:
        return f'"{atom.text}"'
    return f"${atom.text}" if atom.kind is ast.AtomKind.PARAM else atom.text


def _many(atoms: Iterable[ast.Atom]) -> str:
    return ", ".join(_atom(one) for one in atoms)


def _use(use: ast.ProtocolUse) -> str:
    port = f" port {_atom(use.port)}" if use.port else ""
    return f"{_atom(use.atom)}{port}"


def _protocols(node: ast.Protocols) -> str:
    less = f" except {', '.join(map(_use, node.excepted))}" if node.excepted else ""
    return f"{', '.join(map(_use, node.items))}{less}"


def _places(node: ast.Places) -> str:
    return _many(node.items) + (f" except {_many(node.excepted)}" if node.excepted else "")


def _options(nodes: tuple[ast.Option, ...]) -> str:
    found = [
        _atom(one.name)
        + (f" {_atom(one.argument)}" if one.argument else "")
        + (" per source" if one.per_source else "")
        for one in nodes
    ]
    return f" with {', '.join(found)}" if found else ""


def _flow(flow: ast.Flow) -> str:
    return f"{_use(flow.protocol)} from {_atom(flow.source)} to {_atom(flow.destination)}"


def _member(node: ast.Member) -> str:
    match node:
        case ast.Interfaces():
            return f"interface {_many(node.names)}"
        case ast.IpsecOver():
            return f"ipsec over {_atom(node.zone)}"
        case ast.Networks():
            return f"network {_many(node.addresses)}"
        case ast.Addresses():
            return f"address {_many(node.addresses)}"
        case ast.Mss():
            return f"mss {_atom(node.value)}"
        case ast.Host():
            return f"host {_atom(node.name)} = {_many(node.addresses)}"
        case ast.Group():
            entries = _many(node.entries)
            return f"group {_atom(node.name)} " + (
                f"from {_atom(node.file)}" if node.file else f"= {entries}"
            )


def _statement(node: ast.Statement) -> str:
    match node:
        case ast.Gateway():
            return f"gateway {_atom(node.name)}"
        case ast.Zone():
            members = "".join(f"\n{_member(one)}" for one in node.members)
            return f"zone {_atom(node.name)} {{{members}\n}}"
        case ast.Protocol():
            return f"protocol {_atom(node.name)} = {' + '.join(map(_use, node.items))}"
        case ast.Nat():
            ends = f"from {_places(node.source)} to {_places(node.destination)}"
            word = "ipv6 " if node.ipv6 else ""
            return f"nat {word}{ends}" + (f" as {_atom(node.address)}" if node.address else "")
        case ast.Allow() | ast.Deny():
            word = type(node).__name__.lower()
            ends = f"from {_places(node.source)} to {_places(node.destination)}"
            return f"{word} {_protocols(node.protocols)} {ends}{_options(node.options)}"
        case ast.Forward():
            return _forward(node)
        case ast.ExpectVerdict() | ast.ExpectReaches() | ast.ExpectLeaves():
            return f"expect {_expectation(node)}"
        case ast.Setting():
            return " ".join(
                ["set", *map(_atom, node.names), *([_atom(node.value)] if node.value else [])]
            )
        case ast.Param():
            many = "..." if node.many else ""
            value = f" = {_many(node.default)}" if node.default else ""
            return f"param {_atom(node.name)} : {_atom(node.type)}{many}{value}"
        case ast.Include():
            return f"include {_atom(node.file)}"


def _expectation(node: ast.Expect) -> str:
    match node:
        case ast.ExpectVerdict():
            return f"{'allow' if node.allow else 'deny'} {_flow(node.flow)}"
        case ast.ExpectReaches():
            return f"{_flow(node.flow)} reaches {_atom(node.host)}"
        case ast.ExpectLeaves():
            source = _atom(node.address) if node.address else "untranslated"
            return f"{_flow(node.flow)} leaves as {source}"


def _forward(node: ast.Forward) -> str:
    word = "ipv6 " if node.ipv6 else ""
    at = f" at {_atom(node.at)}" if node.at else ""
    port = f" port {_atom(node.port)}" if node.port else ""
    return (
        f"forward {word}{_protocols(node.protocols)} from {_places(node.source)}{at} "
        f"to {_atom(node.host)}{port}{_options(node.options)}"
    )


def untidy(text: str, choose: Random) -> str:
    """The same policy with other blanks, lines that go on, and comments."""
    return "\n".join(_untidy_line(line, choose) for line in text.split("\n"))


def _untidy_line(line: str, choose: Random) -> str:
    if '"' in line or not line.strip():
        return line
    out = []
    for word in line.split():
        out.append(word)
        if word.endswith((",", "+")) and choose.random() < 0.3:
            out.append(choose.choice(("\n", "\n\t", "  # why\n      ", "\n\n# between\n ")))
        else:
            out.append(choose.choice((" ", " ", "  ", "\t")))
    comment = choose.choice(("", "", "", "# so it is", "## not a doc", " \t"))
    return choose.choice(("", "", "  ", "\t")) + "".join(out) + comment
