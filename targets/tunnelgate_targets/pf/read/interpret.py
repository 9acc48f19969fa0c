"""From statements to a ruleset: settings in force, the order of sections, what a dialect knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate_targets.pf.read import places
from tunnelgate_targets.pf.read.expand import NO_FLAGS, Expanded, expand
from tunnelgate_targets.pf.read.parts import Host, WrittenPool, WrittenSide, checked
from tunnelgate_targets.pf.read.refused import Refused
from tunnelgate_targets.pf.read.ruleset import (
    Action,
    Anchor,
    Criteria,
    Dialect,
    Direction,
    Flags,
    Interface,
    Kind,
    OfInterface,
    Options,
    Pool,
    Rule,
    Ruleset,
    Scrub,
    Side,
    Span,
    State,
    Table,
    Translation,
)
from tunnelgate_targets.pf.read.written import Written

#: The sections of the classic dialect, in their order (parse.y, `check_rulestate`).
_SECTION = {"set": 0, "scrub": 1, "nat": 2, "rdr": 2, "binat": 2}
_SECTION |= dict.fromkeys(("pass", "block", "match", "anchor", "antispoof"), 3)
_SECTIONS = ("options", "normalization", "translation", "filtering")
_ONLY_CLASSIC = frozenset({"nat", "rdr", "binat", "scrub"})
_TRANSLATIONS = ("nat-to", "rdr-to", "binat-to")
#: Settings that say nothing about a packet.
_SILENT = frozenset(
    {
        "timeout",
        "limit",
        "loginterface",
        "optimization",
        "ruleset-optimization",
        "hostid",
        "debug",
        "fingerprints",
        "require-order",
        "keepcounters",
    }
)
_SYN = Flags(frozenset("S"), frozenset("SA"))


class Interpreter:
    """Reads statements in their order: a setting holds for the rules after it."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._section = 0
        self._answer = "drop"
        self._bound = False
        self._options = Options()
        self._tables: dict[str, Table] = {}
        self._scrubs: list[Scrub] = []
        self._translations: list[Translation] = []
        self._states: dict[State, State] = {}

    def ruleset(self, statements: Iterable[Written], macros: Mapping[str, str]) -> Ruleset:
        """The whole. Raises Refused."""
        rules: list[Rule | Anchor] = []
        for written in statements:
            self._check_order(written)
            match written.kind:
                case "set":
                    self._set(written)
                case "scrub":
                    self._scrub(written)
                case "nat" | "rdr" | "binat":
                    self._translations += self._translate(written)
                case _:
                    rules += self._inner(written, len(rules))
        return Ruleset(
            self._dialect,
            self._options,
            self._tables,
            tuple(self._scrubs),
            tuple(self._translations),
            tuple(rules),
            macros,
        )

    def _check_order(self, written: Written) -> None:
        modern = self._dialect is Dialect.MODERN
        if written.kind.endswith("-anchor") or written.kind == "load":
            raise Refused(f"`{written.kind}` takes rules of another text", written.line)
        if modern and written.kind in _ONLY_CLASSIC:
            raise Refused(f"`{written.kind}` is of the classic dialect", written.line)
        section = _SECTION.get(written.kind, self._section)
        if not modern and section < self._section:
            later, earlier = _SECTIONS[self._section], _SECTIONS[section]
            raise Refused(f"{earlier} must come before {later}", written.line)
        self._section = section

    # -- settings and tables

    def _set(self, written: Written) -> None:
        name, *values = written.parts["words"]
        if name == "skip" and values[:1] == ["on"]:
            self._options = replace(self._options, skip=(*self._options.skip, *values[1:]))
        elif name == "reassemble" and values and values[0] in {"yes", "no"}:
            self._options = replace(self._options, reassemble=values[0] == "yes")
        elif name == "block-policy" and values in (["drop"], ["return"]):
            self._answer = values[0]
        elif name == "state-policy" and values in (["if-bound"], ["floating"]):
            self._bound = values == ["if-bound"]
        elif name in _SILENT and values:
            others = (*self._options.others, (name, *values))
            self._options = replace(self._options, others=others)
        else:
            raise Refused(f"`set {' '.join((name, *values))}` is not modelled", written.line)

    def _table(self, written: Written) -> None:
        table = written.parts["name"]
        unknown = set(written.get("flag", ())) - {"persist", "const", "counters"}
        if unknown:
            raise Refused(f"`{unknown.pop()}` is no option of a table", written.line)
        if "file" in written.parts:
            raise Refused("a table from a file takes addresses of another text", written.line)
        entries = [
            (_entry(host, written.line), host.negated)
            for hosts in written.get("entries", ())
            for host in hosts
        ]
        self._tables[table.name] = Table(written.line, table.name, tuple(entries))

    # -- the classic dialect

    def _scrub(self, written: Written) -> None:
        for one in expand(written):
            words = tuple(written.parts["words"])
            self._scrubs.append(Scrub(written.line, one.criteria, written.parts["exempt"], words))

    def _translate(self, written: Written) -> Iterator[Translation]:
        kind, pool, exempt = Kind(written.kind), written.get("name"), written.parts["exempt"]
        if (pool is None) != exempt:
            raise Refused(
                f"a `{kind.value}` without `no` needs what it translates to", written.line
            )
        for one in expand(written):
            criteria, made = one.criteria, None
            if pool is not None:
                family = criteria.family or _first_family(pool)
                made = places.pool(pool, written.line, family, criteria.destination.ports)
                _check_pool(made, kind, criteria.protocol, written.line)
                criteria = _of_one_family(criteria, made, written.line)
            yield Translation(
                written.line,
                kind,
                criteria,
                exempt,
                passes="pass" in written.parts,
                log="log" in written.parts,
                tag=_filled(one, written, "tag"),
                pool=made,
            )

    # -- filtering

    def _inner(self, written: Written, count: int) -> list[Rule | Anchor]:
        """What may stand in an anchor, too; `count` rules of it are read already."""
        match written.kind:
            case "table":
                self._table(written)
                return []
            case "anchor":
                return list(self._anchor(written, count))
            case "antispoof":
                return [rule for part in _antispoof(written) for rule in self._rules(part, count)]
            case "load":
                raise Refused("`load` takes rules of another text", written.line)
            case _:
                return list(self._rules(written, count))

    def _anchor(self, written: Written, count: int) -> Iterator[Anchor]:
        for name in ("state", *_TRANSLATIONS, "allow-opts"):
            if name in written.parts:
                raise Refused(f"`{name}` stands on rules, not on anchors", written.line)
        name = written.get("name")
        body = written.get("body")
        for part in name.text.split("/") if name else ():
            checked(name._replace(text=part), "anchor")
        if name is None and body is None:
            raise Refused("an anchor without rules needs a name", written.line)
        rules: list[Rule | Anchor] = []
        for inner in body or ():
            rules += self._inner(inner, len(rules))
        for number, one in enumerate(expand(written), start=count):
            yield Anchor(
                written.line,
                None if name is None else name.text,
                one.criteria,
                "quick" in written.parts,
                None if body is None else tuple(rules),
                _filled(one, written, "tag"),
                _filled(one, written, "label", number),
            )

    def _rules(self, written: Written, count: int) -> Iterator[Rule]:
        action = Action(written.kind)
        modern = self._dialect is Dialect.MODERN
        for name in ("match", *_TRANSLATIONS, "received-on"):
            if not modern and (name in written.parts or name == written.kind):
                raise Refused(f"`{name}` is of the modern dialect", written.line)
        state = self._state(written, action)
        self._check_translated(written, action, state)
        flags = NO_FLAGS if state is None else _SYN
        for number, one in enumerate(expand(written, flags), start=count):
            rule = Rule(
                written.line,
                action,
                one.criteria,
                quick="quick" in written.parts,
                log="log" in written.parts,
                state=_of_protocol(state, one.criteria.protocol),
                tag=_filled(one, written, "tag"),
                label=_filled(one, written, "label", number) or None,
                allow_options="allow-opts" in written.parts,
                answer=written.get("answer", self._answer) if action is Action.BLOCK else "drop",
                actions=tuple(written.get("action", ())),
            )
            yield from self._translated(rule, written)

    def _state(self, written: Written, action: Action) -> State | None:
        given = written.get("state", ("keep", None, ()) if action is Action.PASS else None)
        if given is None:
            return None
        if action is not Action.PASS:
            raise Refused(f"a `{action.value}` keeps no state", written.line)
        how, bound, options = given
        made = State(how, self._bound if bound is None else bound, options)
        return self._states.setdefault(made, made)

    def _check_translated(self, written: Written, action: Action, state: State | None) -> None:
        asked = [name for name in _TRANSLATIONS if name in written.parts]
        if not asked:
            return
        if action is Action.BLOCK or (action is Action.PASS and state is None):
            raise Refused(f"`{asked[0]}` needs a state", written.line)
        if "binat-to" not in asked and "direction" not in written.parts:
            raise Refused(f"`{asked[0]}` needs `in` or `out`", written.line)
        if "binat-to" in asked and len(asked) > 1:
            raise Refused("`binat-to` translates both ways already", written.line)

    def _translated(self, rule: Rule, written: Written) -> Iterator[Rule]:
        """The rule with what it translates to; a `binat-to` is two rules, one for each way."""
        if not any(name in written.parts for name in _TRANSLATIONS):
            yield rule
            return
        nat, rdr, both = (self._pool(written, name, rule) for name in _TRANSLATIONS)
        for pool in (nat, rdr, both):
            if pool is not None:
                rule = replace(rule, criteria=_of_one_family(rule.criteria, pool, rule.line))
        if both is None:
            yield replace(rule, nat=nat, rdr=rdr)
            return
        source = rule.criteria.source
        if source.address is None or source.negated:
            raise Refused("`binat-to` needs one source", rule.line)
        criteria = rule.criteria
        yield replace(
            rule,
            criteria=replace(criteria, direction=Direction.OUT),
            nat=replace(both, static=True),
        )
        yield replace(
            rule,
            criteria=replace(
                criteria,
                direction=Direction.IN,
                source=criteria.destination,
                destination=Side(both.addresses[0]),
            ),
            rdr=replace(both, addresses=(source.address,)),
        )

    def _pool(self, written: Written, name: str, rule: Rule) -> Pool | None:
        pool: WrittenPool | None = written.get(name)
        asked: Intervals = rule.criteria.destination.ports
        family = rule.criteria.family
        return None if pool is None else places.pool(pool, written.line, family, asked)


def _of_protocol(state: State | None, protocol: int | None) -> State | None:
    """Only TCP is modulated or answered for (pf.conf(5)); other protocols are kept."""
    if state is None or state.how == "keep" or protocol in {None, axes.TCP}:
        return state
    return replace(state, how="keep")


def _filled(one: Expanded, written: Written, what: str, number: int | None = None) -> str | None:
    text = written.get(what)
    return None if text is None else one.names.fill(text, what, written.line, number)


def _entry(host: Host, line: int) -> Span | OfInterface:
    if isinstance(host.address, Span) and len(axes.to_networks(host.address.interval)) == 1:
        return host.address
    if isinstance(host.address, OfInterface) and not host.address.dynamic:
        return host.address
    raise Refused("a table holds addresses and prefixes", line)


def _first_family(pool: WrittenPool) -> int:
    """The family of a pool's first address that has one; a rule without one has it (classic)."""
    addresses = (host.address for host in pool.hosts)
    return next((one.family for one in addresses if isinstance(one, Span)), 0)


def _check_pool(pool: Pool, kind: Kind, protocol: int | None, line: int) -> None:
    """Ports of the classic dialect (parse.y, `rdr_consistent`). Raises Refused."""
    if pool.static and kind is not Kind.NAT:
        raise Refused("only a `nat` keeps the port", line)
    if pool.ports is not None and kind is Kind.RDR and protocol not in {axes.TCP, axes.UDP}:
        raise Refused("a port is translated of TCP and UDP alone", line)


def _of_one_family(criteria: Criteria, pool: Pool, line: int) -> Criteria:
    """The criteria with the family of what they are translated to. Raises Refused."""
    families = {one.family for one in pool.addresses if isinstance(one, Span)}
    families |= {criteria.family} - {0}
    if len(families) > 1:
        raise Refused("it would be translated to another family", line)
    return replace(criteria, family=families.pop() if families else 0)


def _antispoof(written: Written) -> Iterator[Written]:
    """The rules that `antispoof` stands for (pf.conf(5)): by network, and by own address.

    A loopback interface keeps the first alone: what comes from its own address comes by it.
    """
    common: dict[str, Any] = {
        name: written.parts[name]
        for name in ("quick", "log", "family", "label")
        if name in written.parts
    }
    for name, dynamic in written.parts["interface"]:
        network, own = (OfInterface(name, part, dynamic=dynamic) for part in ("network", ""))
        parts = common | {"direction": Direction.IN, "from": WrittenSide((Host(network),))}
        yield Written("block", written.line, parts | {"on": [Interface(name, negated=True)]})
        if not name.startswith("lo"):
            yield Written("block", written.line, parts | {"from": WrittenSide((Host(own),))})
