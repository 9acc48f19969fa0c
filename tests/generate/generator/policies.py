"""Statements along the grammar over a ground, and what is left of them once errors are out."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tunnelgate.check import check
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.plan import build
from tunnelgate.policy import resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse
from tunnelgate.target import find

from .profiles import ANYTHING, Profile
from .zones import Ground, Place, ground

_OWN = ("protocol corp = udp/8443 + tcp/8443,9443", "protocol roads = corp + esp + ike")
_WITH_ESP = ("ipsec", "esp", "any", "any except ssh, icmp")
_MOST_ROUNDS = 12


@dataclass(frozen=True)
class Draft:
    """A policy as it was made up, errors and all."""

    ground: Ground
    statements: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole policy."""
        return "\n".join(("gateway made-up", self.ground.text, *self.statements, ""))


def draft(choose: Random, on: Ground | None = None, like: Profile = ANYTHING) -> Draft:
    """A policy of up to thirty statements; it may have errors."""
    return _Drafter(choose, on or ground(choose, like), like).draft()


def policy_text(choose: Random, on: Ground | None = None, like: Profile = ANYTHING) -> str:
    """A policy without errors: a draft, without the statements that have any.

    It is another draft where none has one, but a zone: by what statements ask of it.
    """
    found = draft(choose, on, like)
    for _ in range(_MOST_ROUNDS):
        errors = _errors(found.text, like)
        if not errors:
            return found.text
        found = _without(found, errors) or draft(choose, on, like)
    return Draft(found.ground, ()).text


def _errors(text: str, like: Profile) -> list[Diagnostic]:
    """What is wrong with a policy, or refused by a target of its profile."""
    parsed = parse(SourceFile(text))
    assert not parsed.diagnostics, [str(one) for one in parsed.diagnostics]
    policy, findings = resolve(parsed.policy)
    found = [one for one in findings or check(policy) if one.is_error]
    if found or not like.targets:
        return found
    plan = build(policy)
    return [one for target in like.targets for one in find(target).refuse(plan)]


def _without(found: Draft, errors: list[Diagnostic]) -> Draft | None:
    """The draft without the statements in which the errors are; None where no statement has one."""
    bad = set()
    for error in errors:
        span = error.primary.span
        bad.add(span.file.position(span.start).line)
    first = found.text[: found.text.index(found.ground.text)].count("\n") + 1
    first += found.ground.text.count("\n") + 1
    kept = [one for at, one in enumerate(found.statements, start=first) if at not in bad]
    return Draft(found.ground, tuple(kept)) if len(kept) < len(found.statements) else None


class _Drafter:
    def __init__(self, choose: Random, on: Ground, like: Profile) -> None:
        self.choose = choose
        self.ground = on
        self.like = like

    def draft(self) -> Draft:
        choose = self.choose
        made = list(_OWN[: choose.choice((0, 0, 1, 2))])
        self.protocols = [*self.like.protocols, *(line.split()[1] for line in made)]
        made += [self._nat() for _ in range(choose.randint(0, 4))]
        made += [self._masquerade() for _ in range(choose.randint(0, 2))]
        made += [self._allow() for _ in range(choose.randint(2, 12))]
        made += [self._deny() for _ in range(choose.randint(0, 4))]
        made += [self._forward() for _ in range(choose.randint(0, 5))]
        made += [self._from_outside() for _ in range(choose.randint(0, 1))]
        made += choose.sample(self.like.settings, choose.choice((0, 1, 1, 2, 3)))
        made += [self._expect() for _ in range(choose.randint(0, 2))]
        choose.shuffle(made)
        return Draft(self.ground, tuple(made))

    # -- places

    def _place(self, *, gateway: bool, zone: str | None = None) -> str:
        """One place; of a zone where it is given."""
        choose, on = self.choose, self.ground
        where = zone or choose.choice(on.zones)
        hosts = [one.name for one in on.hosts if one.zone == where]
        groups = [one.name for one in on.groups if one.zone == where]
        options = [where, where, *hosts, *groups, *on.literals[where][:2]]
        if zone is None:
            options += ["any"] * 2
            if gateway:
                options += ["gateway"] * 3 + list(on.addresses[where][:1])
        return choose.choice(options)

    def _places(self, *, gateway: bool = True) -> str:
        choose = self.choose
        items = {self._place(gateway=gateway) for _ in range(choose.choice((1, 1, 1, 2, 3)))}
        text = ", ".join(sorted(items))
        if choose.random() < 0.25:
            less = {self._place(gateway=False) for _ in range(choose.choice((1, 2)))}
            text += f" except {', '.join(sorted(less - items) or ['hq'])}"
        return text

    # -- protocols and options

    def _protocols(self) -> str:
        choose = self.choose
        items = choose.sample(self.protocols, choose.choice((1, 1, 2, 3)))
        text = ", ".join(items)
        if choose.random() < 0.2 or (items == ["any"] and choose.random() < 0.5):
            less = choose.sample([*self.protocols[1:], *self.like.excepted], choose.choice((1, 2)))
            text += f" except {', '.join(less)}"
        return text

    def _options(self, protocols: str, *, passing: bool, forward: bool = False) -> str:
        choose = self.choose
        found = []
        if choose.random() < 0.15:
            found.append(choose.choice(self.like.logs))
        if choose.random() < 0.15:
            found.append("counter")
        if passing and choose.random() < 0.15:
            found.append(choose.choice(self.like.limits))
        words = protocols.replace(",", " ").split()
        if passing and not set(words).isdisjoint(self.like.helped) and choose.random() < 0.6:
            found.append("helper")
        claims = passing and not forward and not set(words).isdisjoint(self.like.portless)
        if claims and choose.random() < 0.7:
            found.append("single")
        if forward and choose.random() < 0.3:
            found.append("hairpin")
        choose.shuffle(found)
        return f" with {', '.join(found)}" if found else ""

    # -- statements

    def _allow(self) -> str:
        protocols = self._protocols()
        options = self._options(protocols, passing=True)
        return f"allow {protocols} from {self._places()} to {self._places()}{options}"

    def _deny(self) -> str:
        protocols = self._protocols()
        options = self._options(protocols, passing=False)
        return f"deny {protocols} from {self._places()} to {self._places()}{options}"

    def _nat(self) -> str:
        choose, on = self.choose, self.ground
        inside = [one for one in on.zones if one not in on.outside]
        source = self._place(gateway=False, zone=choose.choice(inside))
        zone = choose.choice([*on.outside * 4, *on.zones])
        goal = zone if choose.random() < 0.7 else self._place(gateway=False, zone=zone)
        word = "ipv6 " if choose.random() < 0.2 else ""
        text = f"nat {word}from {source} to {goal}"
        known = [one for one in on.addresses[zone] if (":" in one) == bool(word)]
        if known and choose.random() < 0.4:
            text += f" as {choose.choice(known)}"
        elif choose.random() < 0.1 and zone not in on.outside:
            text += " as 10.99.0.1"
        return text

    def _masquerade(self) -> str:
        """What the forwards to hosts of a zone need."""
        choose, on = self.choose, self.ground
        inside = [one for one in on.zones if one not in on.outside]
        word = choose.choice(("", "", "ipv6 "))
        return f"nat {word}from {choose.choice(inside)} to {choose.choice(on.outside)}"

    def _from_outside(self) -> str:
        """What arrives untranslated where the answers would be translated."""
        choose, on = self.choose, self.ground
        protocols = choose.choice(self.like.arriving)
        host = choose.choice([one for one in on.hosts if one.zone not in on.outside])
        return f"allow {protocols} from {choose.choice(on.outside)} to {host.name}"

    def _forward(self) -> str:
        choose, on = self.choose, self.ground
        inside = [one for one in on.hosts if one.zone not in on.outside]
        host: Place = choose.choice(inside)
        family = choose.choice(sorted(host.families))
        protocols = choose.choice(self.like.forwarded)
        source = self._place(gateway=False, zone=choose.choice(on.outside))
        if choose.random() < 0.2:
            source += f" except {choose.choice(('hq', 'partners', 'peer'))}"
        at = ""
        if choose.random() < 0.3:
            zone = choose.choice(on.zones)
            known = [one for one in on.addresses[zone] if (":" in one) == (family == 6)]
            at = f" at {choose.choice([*known, zone])}"
        port = " port 8443" if protocols in ("tcp/8080", "udp/53") and choose.random() < 0.5 else ""
        options = self._options(protocols, passing=True, forward=True)
        may_tell = family == 4 and "hairpin" not in options and protocols in _WITH_ESP
        if may_tell and self.like.spis and choose.random() < 0.5:
            options += f"{', ' if options else ' with '}spi {choose.choice(self.like.spis)}"
        word = "ipv6 " if family == 6 else ""
        return f"forward {word}{protocols} from {source}{at} to {host.name}{port}{options}"

    def _expect(self) -> str:
        choose = self.choose
        protocol = choose.choice(self.protocols)
        ends = f"from {self._place(gateway=True)} to {self._place(gateway=True)}"
        form = choose.choice(("allow", "deny", "deny", "leaves"))
        if form == "leaves":
            return (
                f"expect {protocol} {ends} leaves as {choose.choice(('gateway', 'untranslated'))}"
            )
        return f"expect {form} {protocol} {ends}"
