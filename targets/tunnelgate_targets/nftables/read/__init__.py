"""Reads a ruleset of nft(8) back: text to the chains of `tunnelgate.flows.netfilter`.

It shares no code with the emitter, so that neither can hide the other's mistake. What it has no
word for it refuses, with the line.

>>> text = '''table inet t {
... chain input {
... type filter hook input priority filter; policy drop;
... tcp dport 22 accept
... }
... }
... '''
>>> chain = read(text).chains["input"]
>>> chain.hook.priority, chain.rules[0].cases[0].action
(0, Accept(rate=None))
"""

from __future__ import annotations

from functools import cache
from typing import cast

from lark import Lark
from lark.exceptions import UnexpectedInput, VisitError

from tunnelgate.flows.netfilter import Ruleset, Unmodelled
from tunnelgate_grammar import open_grammar
from tunnelgate_targets.nftables.read.build import Builder, Declaration
from tunnelgate_targets.nftables.read.chains import ruleset

__all__ = ["read"]


def read(text: str) -> Ruleset:
    """The chains of a ruleset.

    Raises:
        Unmodelled: it is no ruleset, or says what is not modelled.
    """
    try:
        tables = _parser().parse(text)
    except UnexpectedInput as error:
        raise Unmodelled("this is not modelled", getattr(error, "line", 0)) from error
    except VisitError as error:
        if isinstance(error.orig_exc, Unmodelled):
            raise error.orig_exc from error
        raise
    return ruleset(cast("dict[str, list[Declaration]]", tables))


@cache
def _parser() -> Lark:
    """The builder remembers nothing, so one parser is enough."""
    return open_grammar("nftables", Builder())
