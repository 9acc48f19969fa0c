"""Mutants of pf.conf and of an anchor's file, in both dialects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from judge import Gateway
from test_judge import mismatches

from sabotage.mutant import Change, Mutant, around, changed, other_of, with_lines
from tunnelgate.policy import Policy
from tunnelgate_targets.pf.read import Dialect
from tunnelgate_targets.pf.read.walk import Walk

_PORT = around(0, 65535)
_HOST = r"(! )?(<\S+>|\d\S+|\(\S+\))"
_RULE = (
    Change("verdict", r"^pass\b", "block"),
    Change("verdict", r"^block( return\S*(?:\(.*?\))?)?(?= (in|out)\b)", "pass"),
    Change("quick", r" quick\b", ""),
    Change("direction", r"(?<= )(in|out)\b(?= (on|log|quick|all|inet|proto|from|to))", "in"),
    Change("direction", r"(?<= )(in|out)\b(?= (on|log|quick|all|inet|proto|from|to))", "out"),
    Change("interface", r" on (\{.*?\}|(! )?\S+)", ""),
    Change("interface", r"(?<= on )(eth0|eth1|enc0)\b", other_of("eth0", "eth1", "enc0")),
    Change("interface", r"(?<= on )! ", ""),
    Change("family", r" inet6? (?=from|to|tag)", " "),
    Change("protocol", r"(?<=proto )\d+", around(1, 255)),
    Change("protocol", r" proto (\d+|\{[^}]*\})(?!.*(port|type))", ""),
    Change("port", r"(?<=port )\d+|(?<=port \{ )\d+|(?<=\d )\d+(?= \})", _PORT),
    Change("port", r" port (\d+|\{[^}]*\})(?= |$)(?!.*->)", ""),
    Change("ICMP type", r"(?<=type )\d+", around(0, 254)),
    Change("ICMP type", r" icmp6?-type (\{[^}]*\}|\d+)", ""),
    Change("address", r"(?<=\d\.)\d+(?=[ /]|$)", around(0, 255)),
    Change("address", rf"(?<= from ){_HOST}", "any"),
    Change("address", rf"(?<= to ){_HOST}", "any"),
    Change("address", r" from (\S+) to (\S+)(?! port)", r" from \2 to \1"),
    Change("prefix", r"(?<=\d/)\d+(?= )", around(0, 32)),
    Change("negation", r"! (?=<|\d|\(|tagged)", ""),
    Change("negation", r"(?<=(?:from|. to) )(?=<|\d)", "! "),
    Change("tag", r" tag \S+", ""),
    Change("tag", r"(?<= tag )\S+", other_of("tg.reply", "tg.gateway", "tg:lan")),
    Change("tagged", r" (! )?tagged \S+", ""),
    Change("tagged", r" (?=tagged)", " ! "),
    Change("tagged", r"(?<= tagged )\S+", other_of("tg.reply", "tg.gateway", "tg:lan")),
    Change("state", r" keep state( \(.*?\))?", " no state"),
    Change("state", r" no state\b", " keep state"),
    Change("state", r" \(if-bound\)", ""),
    Change("state", r"(?<= keep state)(?! \()", " (if-bound)"),
    Change("flags", r" keep state", " flags any keep state"),
    Change("options", r" allow-opts", ""),
    Change("limit", r"(?<=max-src-conn-rate )\d+", around(1, 10**6)),
    Change("limit", r" \(max-src-conn-rate \d+/\d+\)", ""),
    Change("translation", r" static-port", ""),
    Change("translation", r":0\)", ")"),
    Change("translation", r" port 4501:65535", ""),
    Change("translation", r"(nat-to|->) \S+", r"\1 203.0.113.77"),
    Change("translation", r" (nat-to|rdr-to) \S+( port \S+)?( static-port)?", ""),
    Change("translation", r"^no (rdr|nat) .*", ""),
    Change("skip", r"(?<=^set skip on )lo", "eth0"),
)
_ELEMENT = (
    Change("table element", r"(?<=\d\.)\d+(?=[ /]|$)", around(0, 255)),
    Change("table element", r"(?<=\d/)\d+(?=[ ]|$)", around(0, 32)),
    Change("table element", r"(?<=[{ ])\d+\.\d+\.\d+\.\d+(/\d+)? ", ""),
)


def mutants(files: Mapping[str, str]) -> Iterator[Mutant]:
    """All mutants of the ruleset among these files."""
    (name,) = files.keys() & {"pf.conf", "tunnelgate.anchor"}
    lines = re.sub(r' label "(?:[^"\\]|\\.)*"', "", files[name]).split("\n")
    in_table = False
    for at, line in enumerate(lines):
        in_table = line.startswith("table") or (in_table and line.startswith("  "))
        if not line or line[0] in "#}":
            continue
        for kind, made in changed(_ELEMENT if in_table else _RULE, line):
            yield Mutant(kind, line, {**files, name: with_lines(lines, at, [made])})
        if in_table or line.startswith("set"):
            continue
        yield Mutant("left out", line, {**files, name: with_lines(lines, at, [])})
        if lines[at + 1] and lines[at + 1][0] != "#":
            made = with_lines(lines, at, [lines[at + 1], line], 2)
            yield Mutant("order", line, {**files, name: made})


def told_apart(
    policy: Policy, one: Mapping[int, Walk], other: Mapping[int, Walk], count: int
) -> str | None:
    """What a packet does otherwise than its policy, in a model that walks it alone.

    Not what it did before: what an anchor leaves to the rules of others, no one decides there.
    """
    before = set(_mismatches(policy, one, count))
    return next((found for found in _mismatches(policy, other, count) if found not in before), None)


def _mismatches(policy: Policy, walks: Mapping[int, Walk], count: int) -> Iterator[str]:
    ruleset = walks[4].ruleset
    gateway = Gateway(policy, "pf" if ruleset.dialect is Dialect.MODERN else "pf-classic")
    gateway.ruleset = ruleset
    gateway.start()
    return mismatches(gateway, count, 20)
