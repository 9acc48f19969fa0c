"""What may stand at which hook, and when: elsewhere it would do what no list asks about.

The lists know of filters at each hook behind the route, of one translation of destinations and one
of sources, and of helpers that are assigned in between. A chain in any other place is refused, and
so is one that comes too early or too late for what it asks (nf_ip_hook_priorities).
"""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.flows import axes
from tunnelgate.flows.fields import SOURCE
from tunnelgate.flows.netfilter import (
    Accept,
    Chain,
    Drop,
    HasHelper,
    Helper,
    Hook,
    HostZone,
    InState,
    Is,
    Jump,
    Rule,
    Ruleset,
    State,
    Test,
    Unmodelled,
    Within,
    Zone,
    Zoned,
)

#: When connections are known, and when destinations and sources are translated.
CONNTRACK, _DSTNAT, _SRCNAT = -200, -100, 100
#: The states of what belongs to a connection, or begins one.
_TRACKED = frozenset({State.NEW, State.ESTABLISHED, State.RELATED})
_ANY_SOURCE = (None, axes.IPV4, axes.IPV6)


def expect_places(ruleset: Ruleset) -> None:
    """Refuse what stands where no list of the model would see it.

    Raises:
        Unmodelled: a chain does.
    """
    for chain in ruleset.chains.values():
        if chain.hook is None:
            continue
        rules = list(_reachable(ruleset, chain, set()))
        if chain.hook.is_nat:
            _expect_nat(chain, chain.hook)
            continue
        _expect_connections(chain.hook, rules)
        if ruleset.asks_earlier(chain):
            continue  # it may decide about nothing (earlier.py)
        if chain.hook.hook == "prerouting":
            _expect_helpers_alone(chain.hook, rules)
        elif chain.hook.hook == "postrouting" and ruleset.has_last_filter:
            _expect_last(chain)


def _reachable(ruleset: Ruleset, chain: Chain, known: set[str]) -> Iterator[Rule]:
    """The rules of a chain and of those it calls, each once."""
    for rule in chain.rules:
        yield rule
        for case in rule.cases:
            name = case.action.chain if isinstance(case.action, Jump) else ""
            if name in ruleset.chains and name not in known:
                known.add(name)
                yield from _reachable(ruleset, ruleset.chains[name], known)


def _expect_nat(chain: Chain, hook: Hook) -> None:
    """Translation at the two hooks that are looked at; elsewhere a chain lets everything on.

    When it is made is the kernel's affair: the priority is the order among such chains alone
    (nf_nat_register_fn), and too early a one is not taken (nft_chain_parse_hook).
    """
    if hook.priority <= CONNTRACK:
        raise Unmodelled("a translation before connections are known", _line(chain))
    if hook.hook not in {"prerouting", "postrouting"} and (chain.rules or hook.policy != Accept()):
        raise Unmodelled(f"a chain that translates at {hook.hook}", _line(chain))


def _expect_connections(hook: Hook, rules: list[Rule]) -> None:
    """Connections are asked for where they are known, and get a helper where it is looked for.

    A template is given before a connection is known (xt_CT, in `raw` alone), a helper itself
    behind that.
    """
    begins = hook.hook in {"prerouting", "output"}
    is_early = begins and hook.priority <= CONNTRACK
    for rule in rules:
        if is_early and any(map(_is_about_connection, rule.tests)):
            raise Unmodelled("a question about a connection before it is known", rule.line)
        for case in rule.cases:
            done = case.action
            if isinstance(done, Helper) and not (begins and done.is_final is is_early):
                raise Unmodelled("a helper where none is assigned", rule.line)
            is_set = isinstance(done, HostZone) or (
                isinstance(done, Zone) and not _is_tracked(rule)
            )
            if is_set and not is_early:
                raise Unmodelled("a zone where connections are known", rule.line)


def _is_tracked(rule: Rule) -> bool:
    """Whether a rule is about connections alone: they keep their zone (nft_ct_set_zone_eval).

    It asks then whether a map has a key, which Linux 6.1 cannot be asked in another way.
    """
    return any(isinstance(test, InState) and test.states <= _TRACKED for test in rule.tests)


def _is_about_connection(test: Test) -> bool:
    if isinstance(test, Is):
        return test.fact in {"reply", "translated"}
    return isinstance(test, InState | HasHelper | Zoned)


def _expect_helpers_alone(hook: Hook, rules: list[Rule]) -> None:
    """Before destinations are translated, helpers are assigned and nothing is dropped."""
    drops = [rule for rule in rules if any(isinstance(one.action, Drop) for one in rule.cases)]
    if hook.policy != Accept() or drops:
        raise Unmodelled(
            "a drop before destinations are translated", *(one.line for one in drops[:1])
        )
    if rules and hook.priority >= _DSTNAT:
        raise Unmodelled("a helper behind the translation of destinations", rules[0].line)


def _expect_last(chain: Chain) -> None:
    """Refuse filters of what leaves that would see it before it is as it leaves.

    Whether IPsec protects a packet is settled when its source is translated (targets page); what a
    filter behind that asks of sources is not what arrived.
    """
    if chain.hook is None or chain.hook.priority <= _SRCNAT:
        raise Unmodelled("a filter of what leaves, before sources are translated")
    for rule in chain.rules:
        tests = (test for test in rule.tests if isinstance(test, Within))
        if any(box[SOURCE] not in _ANY_SOURCE for test in tests for box in test.boxes):
            raise Unmodelled("a source behind its translation", rule.line)


def _line(chain: Chain) -> int:
    return chain.rules[0].line if chain.rules else 0
