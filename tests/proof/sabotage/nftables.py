"""Mutants of ruleset.nft."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sabotage.mutant import Change, Mutant, around, changed, other_of, with_lines

_FILE = "ruleset.nft"
_PORT = around(0, 65535)
_RULE = (
    Change("policy", r"(?<=policy )[a-z]+", other_of("accept", "drop")),
    Change(
        "verdict", r"(?<!policy )\b(accept|drop|return)\b", other_of("accept", "drop", "return")
    ),
    Change("verdict", r"\breject( with \S+( type)? \S+)?", "accept"),
    Change("port", r"(?<=port )\d+|(?<=port \{ )\d+", _PORT),
    Change("set element", r"(?<= \. )\d+(?=[,\s]|$)", _PORT),
    Change("set element", r", [0-9a-f.:/]+(?=[,\s])|(?<=\{ )[0-9a-f.:/]+, ", ""),
    Change("protocol", r"(?<=l4proto )\d+", around(0, 255)),
    Change("protocol", r"\b(udp|tcp)(?= [sd]port)", other_of("udp", "tcp")),
    Change("protocol", r"meta l4proto (!= )?\d+ ", ""),
    Change("ICMP type", r"(?<=type )\d+", around(0, 254)),
    Change("prefix", r"(?<=\d/)\d+(?=[ ,]|$)", around(0, 32)),
    Change("prefix", r"(?<=:/)\d+(?=[ ,]|$)", around(0, 128)),
    Change("address", r"(?<=\d\.)\d+(?=[ ,/:]|$)", around(0, 255)),
    Change("address", r"ip6? [sd]addr (!= )?(\{[^}]*\}|[0-9a-f.:/]+|@\S+) (?!\.)", ""),
    Change("address", r"ip saddr(?= [0-9@!])", "ip daddr"),
    Change("negation", r"!= ", ""),
    Change("negation", r"(?<=[a-z] )(?=@|\"eth|[0-9.]+/)", "!= "),
    Change("interface in", r'iifname "[^"]*" ', ""),
    Change("interface in", r'(?<=iifname ")eth\d', other_of("eth0", "eth1")),
    Change("interface out", r'oifname "[^"]*" ', ""),
    Change("interface out", r'(?<=oifname ")eth\d', other_of("eth0", "eth1")),
    Change("interface in a map", r'"[^"]*" : goto [^,}]*, ', ""),
    Change("interface in a map", r'"eth\d"(?= :)', other_of('"eth0"', '"eth1"', '"eth9"')),
    Change("state", r"(?<=ct state )[a-z]+", other_of("new", "established", "related", "invalid")),
    Change("state", r"ct state [a-z]+ ", ""),
    Change("direction", r"ct direction (original|reply) ", ""),
    Change("direction", r"(?<=ct direction )[a-z]+", other_of("original", "reply")),
    Change("translated", r"ct status dnat ", ""),
    Change("exemption", r"(meta|rt) ipsec (missing|exists) ?", ""),
    Change("exemption", r"(?<=ipsec )[a-z]+", other_of("missing", "exists")),
    Change("exemption", r"fib [sd]addr type (!= )?local ", ""),
    Change("limit", r"limit rate (over )?\S+ (burst \S+ packets )?(?!.*log)", ""),
    Change("translation", r":4501-65535", ""),
    Change("translation", r"\b(masquerade|[sd]nat ip6? to) .*", "accept"),
    Change(
        "priority",
        r"(?<=priority )[a-z]+( - \d+)?|(?<=priority )\d+",
        other_of("raw", "mangle", "dstnat", "filter", "srcnat", "90", "110"),
    ),
    Change("hook", r"(?<=hook )[a-z]+", other_of("input", "forward", "output", "postrouting")),
    Change("chain type", r"(?<=type )(filter|nat)(?= hook)", other_of("filter", "nat")),
    Change("goto", r"\bgoto(?= [a-z])", "jump"),
    Change("jump", r"\bjump(?= [a-z])", "goto"),
    Change("helper", r"ct helper set \S+", "counter"),
    Change("helper", r'(?<=ct helper ")[a-z]+', other_of("ftp", "tftp")),
)


def mutants(files: Mapping[str, str]) -> Iterator[Mutant]:
    """All mutants of these files."""
    lines = files[_FILE].split("\n")
    for at in range(lines.index("table inet tunnelgate {"), len(lines)):
        line = lines[at]
        if not line.strip() or line.strip().startswith("#"):
            continue
        rule, *comment = re.split("( comment | # )", line, maxsplit=1)
        for kind, made in changed(_RULE, rule):
            yield _mutant(kind, line, with_lines(lines, at, ["".join([made, *comment])]))
        if line.startswith("\t\t") and "hook" not in line and "typeof" not in line:
            yield _mutant("left out", line, with_lines(lines, at, []))
            if lines[at + 1].startswith("\t\t"):
                yield _mutant("order", line, with_lines(lines, at, [lines[at + 1], line], 2))


def _mutant(kind: str, line: str, text: str) -> Mutant:
    return Mutant(kind, line, {_FILE: text})
