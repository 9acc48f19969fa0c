"""Mutants of rules.v4, rules.v6, ipset.conf and shared.sh."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sabotage.mutant import Change, Mutant, around, changed, other_of, with_lines

_PORT = around(0, 65535)
_RULE = (
    Change("verdict", r"(?<=-j )(ACCEPT|DROP|RETURN)\b", other_of("ACCEPT", "DROP", "RETURN")),
    Change("verdict", r"-j REJECT.*", "-j ACCEPT"),
    Change("port", r"(?<=port )\d+|(?<=ports )\d+|(?<=[\d][,:])\d+(?=[\d,:]* )", _PORT),
    Change("protocol", r"(?<=-p )(udp|tcp|esp|icmp|gre|ah)\b", other_of("udp", "tcp", "esp", "97")),
    Change("protocol", r"-p \S+ (?!.*port)", ""),
    Change("protocol", r"-m ah ", ""),
    Change("ICMP type", r"(?<=-type )\d+", around(0, 254)),
    Change("prefix", r"(?<=\d/)\d+(?= )", around(0, 32)),
    Change("prefix", r"(?<=:/)\d+(?= )", around(0, 128)),
    Change("address", r"(?<=\d\.)\d+(?=[ /:]|$)", around(0, 255)),
    Change("address", r"-[sd] [0-9a-f.:/]+ ", ""),
    Change("address", r"-s (?=[0-9a-f.:/]+ )", "-d "),
    Change("negation", r"! (?=-)", ""),
    Change("negation", r"(?=-[iosd] )(?<!! )", "! "),
    Change("interface in", r"(! )?-i \S+ ", ""),
    Change("interface in", r"(?<=-i )\S+", other_of("eth0", "eth1")),
    Change("interface out", r"(! )?-o \S+ ", ""),
    Change("interface out", r"(?<=-o )\S+", other_of("eth0", "eth1")),
    Change("state", r"(?<=--ctstate )[A-Z]+", other_of("NEW", "ESTABLISHED", "RELATED", "INVALID")),
    Change("state", r"-m conntrack --ctstate [A-Z]+ ", ""),
    Change("direction", r"-m conntrack --ctdir (ORIGINAL|REPLY) ", ""),
    Change("direction", r"(?<=--ctdir )[A-Z]+", other_of("ORIGINAL", "REPLY")),
    Change("exemption", r"-m policy --dir (in|out) --pol (none|ipsec) ", ""),
    Change("exemption", r"(?<=--pol )[a-z]+", other_of("none", "ipsec")),
    Change("exemption", r"-m addrtype (! )?--(src|dst)-type LOCAL ", ""),
    Change("set", r"(-m set )! (?=--match-set)", r"\1"),
    Change("set", r"-m set (! )?--match-set \S+ \S+ ", ""),
    Change("set", r" src,dst,dst", " dst,dst,src"),
    Change("set", r"(?<=\d )(src|dst)(?= )", other_of("src", "dst")),
    Change("limit", r"-m (hashlimit|connlimit) .*?(?= -[mjg])", "-m comment --comment none"),
    Change("limit", r"(?<=upto )\d+", around(1, 10**6)),
    Change("helper", r"-j CT --helper \S+", "-j LOG"),
    Change("helper", r"(?<=--helper )\S+", other_of("ftp", "tftp")),
    Change("translation", r" --to-ports 4501-65535|(?<=\d):4501-65535", ""),
    Change("translation", r"-j (DNAT|SNAT|MASQUERADE).*", "-j ACCEPT"),
    Change("goto", r"-g (?=tg-)", "-j "),
    Change("jump", r"-j (?=tg-)", "-g "),
    Change("hook", r"^-A FORWARD ", "-A INPUT "),
    Change("hook", r"^-A INPUT ", "-A FORWARD "),
)
_DECLARED = (Change("policy", r"(?<= )(ACCEPT|DROP)", other_of("ACCEPT", "DROP")),)
_ELEMENT = (
    Change("set element", r"(?<=:)\d+(?=,|$)", _PORT),
    Change("set element", r"(?<=,)\d+(?=:0)", around(0, 255)),
    Change("set element", r"(?<=,)(udp|tcp|sctp)(?=:)", other_of("udp", "tcp")),
    Change("set element", r"(?<=\d/)\d+", around(0, 32)),
    Change("set element", r"(?<=\d\.)\d+(?=[ ,/]|$)", around(0, 255)),
    Change("set element", r"(?<=::)[0-9a-f]+", "99"),
)
_JUMPS = (
    Change("table and hook", r"[a-z]+:[A-Z]+ ?(?=.*')", ""),
    Change("table and hook", r"(?<=filter:)[A-Z]+", other_of("INPUT", "FORWARD", "OUTPUT")),
    Change("table and hook", r"mangle(?=:F)", "filter"),
)


def mutants(files: Mapping[str, str]) -> Iterator[Mutant]:
    """All mutants of these files."""
    for name, text in files.items():
        plain = re.sub(r'-m comment --comment "[^"]*" ', "", text)
        if name.startswith("rules."):
            yield from _of_rules(files, name, plain.split("\n"))
        elif name == "ipset.conf":
            yield from _of_lines(files, name, plain.split("\n"), "add ", _ELEMENT, "set element")
        elif name == "shared.sh":
            yield from _of_lines(files, name, text.split("\n"), "hooks='", _JUMPS, "")


def _of_rules(files: Mapping[str, str], name: str, lines: list[str]) -> Iterator[Mutant]:
    yield from _of_lines(files, name, lines, "-A ", _RULE, "left out")
    for start in (":INPUT ", ":FORWARD ", ":OUTPUT ", ":PREROUTING ", ":POSTROUTING "):
        yield from _of_lines(files, name, lines, start, _DECLARED, "")
    for at, line in enumerate(lines[:-1]):
        if line.startswith("-A ") and lines[at + 1].split()[:2] == line.split()[:2]:
            made = with_lines(lines, at, [lines[at + 1], line], 2)
            yield Mutant("order", line, {**files, name: made})
        if line == "*filter":
            yield Mutant("table", line, {**files, name: with_lines(lines, at, ["*mangle"])})


def _of_lines(
    files: Mapping[str, str],
    name: str,
    lines: list[str],
    start: str,
    changes: tuple[Change, ...],
    left_out: str,
) -> Iterator[Mutant]:
    """Each line that begins so, changed; and without it, which is of the kind `left_out`."""
    for at, line in enumerate(lines):
        if line.startswith(start):
            for kind, made in changed(changes, line):
                yield Mutant(kind, line, {**files, name: with_lines(lines, at, [made])})
            if left_out:
                yield Mutant(left_out, line, {**files, name: with_lines(lines, at, [])})
