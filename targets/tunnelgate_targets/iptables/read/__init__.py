"""Reads rules of iptables-restore(8) and ipset(8) back: text to the chains of a packet model.

It shares no code with the emitter, so that neither can hide the other's mistake. What it has no
word for it refuses, with the line.

>>> text = '''*filter
... :INPUT DROP [0:0]
... -A INPUT -p tcp --dport 22 -j ACCEPT
... COMMIT
... '''
>>> chain = read({"rules.v4": text, "rules.v6": text})[4].chains["filter INPUT"]
>>> chain.hook.priority, chain.rules[0].cases[0].action
(0, Accept(rate=None))
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tunnelgate.flows.netfilter import Ruleset, Unmodelled
from tunnelgate_targets.iptables.read.chains import ruleset
from tunnelgate_targets.iptables.read.lines import parse
from tunnelgate_targets.iptables.read.sets import Ipset, parse_sets

__all__ = ["read"]

_RULES = {4: "rules.v4", 6: "rules.v6"}
#: What `shared.sh` puts into the tables of others: each of these gets a jump to its `tg-` chain.
_HOOKS = re.compile(r"^hooks='([a-zA-Z: ]*)'$", re.MULTILINE)


def read(files: Mapping[str, str]) -> Mapping[int, Ruleset]:
    """The chains of each family.

    Raises:
        Unmodelled: a file is not what it should be, or says what is not modelled.
    """
    sets: Mapping[str, Ipset] = {}
    if "ipset.conf" in files:
        with _In("ipset.conf"):
            sets = parse_sets(files["ipset.conf"])
    jumps = tuple(_jumps(files["shared.sh"])) if "shared.sh" in files else ()
    found = {}
    for family, name in _RULES.items():
        with _In(name):
            made = ruleset(parse(files[name], jumps), sets, family)
            found[family] = replace(made, file=name)
    return found


def _jumps(script: str) -> Iterator[tuple[str, str]]:
    """The built-in chains that a script puts a jump into, each with its table."""
    found = _HOOKS.search(script)
    if found is None:
        raise Unmodelled("shared.sh names no built-in chains")
    for word in found[1].split():
        table, _, chain = word.partition(":")
        yield table, chain


class _In:
    """Has what is refused say the file that it stands in."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if isinstance(error, Unmodelled):
            raise Unmodelled(f"{self.name}, {error}") from error
