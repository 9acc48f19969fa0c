"""The Python API: what `import tunnelgate` offers. The command line is a thin caller of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.policy import Policy, Question, resolve_flow
from tunnelgate.reading import Given, Reading, Source, in_order, read
from tunnelgate.records import record
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse_flow
from tunnelgate.syntax.comments import ADDRESSED

if TYPE_CHECKING:
    from tunnelgate.meaning import Decider, Outcome, Packet
    from tunnelgate.meaning.difference import Report
    from tunnelgate.meaning.explain import Case
    from tunnelgate.plan import Plan
    from tunnelgate.proof import Certificate
    from tunnelgate.silencing import Trust
    from tunnelgate.target import Layout, Readable, Requirements, Setup, Target

_Prover: TypeAlias = "Callable[[Policy, Readable, Mapping[str, str], Setup], Certificate]"

#: Findings that are left, and those that a comment silences.
_Parted: TypeAlias = tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]

#: Findings of a policy that could not be read whole: only what no missing statement changes.
_WITHOUT_THE_REST = ("TG1", "TG2", "TG3")

#: Where every version that a target supports has to take its output.
_ANY_VERSION: Mapping[str, str] = MappingProxyType({})


class PolicyError(ValueError):
    """A policy, or a question about one, that has errors.

    Attributes:
        diagnostics: all findings, warnings and advice too, in the order of the text.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from tunnelgate.diagnostics.render import render

        return render("concise", self.diagnostics).rstrip("\n")


@record
class Compilation:
    """A policy as the ruleset of one target.

    Attributes:
        policy: what was compiled.
        target: whose dialect it is.
        setup: what it finds on the gateway.
        files: the text of each file to load on the gateway, by name.
        requirements: the kernel modules, sysctls and commands that loading them takes.
        diagnostics: warnings and advice about the policy.
        silenced: more of these, which a comment of the policy silences.
        certificate: what was proved of the ruleset; None where nothing was, because nobody asked
            or the target cannot be read back.
    """

    policy: Policy
    target: Target
    setup: Setup
    files: Mapping[str, str]
    requirements: Requirements
    diagnostics: tuple[Diagnostic, ...]
    silenced: tuple[Diagnostic, ...]
    certificate: Certificate | None
    _plan: Plan

    @cached_property
    def manifest(self) -> str:
        """The text of `manifest.json`: what the files are, and where each statement stands."""
        from tunnelgate.manifest import describe

        return describe(
            self.policy,
            self._plan,
            self.target,
            self.setup,
            self.files,
            self.requirements,
            self.certificate,
        )

    @property
    def folder(self) -> Mapping[str, str]:
        """All that stands in the target's folder: the files and their manifest."""
        return MappingProxyType({**self.files, "manifest.json": self.manifest})


@record
class Review:
    """What is to be said about a policy.

    Attributes:
        policy: as far as it could be read; None where there is no text at all.
        findings: in the order of the text.
        silenced: warnings and advice that a comment of the policy silences.
        is_whole: whether the policy could be read whole, so that every check was run.
    """

    policy: Policy | None
    findings: tuple[Diagnostic, ...]
    silenced: tuple[Diagnostic, ...]
    is_whole: bool


def load(source: Source, name: str | None = None, *, vars: Given = None) -> Policy:
    """Read a policy and resolve its names, without checking whether it can work.

    Args:
        source: its text, the `Path` of its file, or a `SourceFile`.
        name: what findings call it; the path by default.
        vars: values for its parameters, by name, or the `Path` of a file of them.

    Raises:
        PolicyError: a statement has no meaning.

    >>> policy = load("gateway branch\\nzone wan { interface eth0 }")
    >>> policy.name, [zone.name for zone in policy.zones]
    ('branch', ['gateway', 'wan'])
    >>> text = "param site : name\\ngateway $site\\nzone wan { interface eth0 }"
    >>> load(text, vars={"site": "berlin"}).name
    'berlin'
    >>> load("alow ssh from wan to gateway")
    Traceback (most recent call last):
    tunnelgate.api.PolicyError: <policy>:1:1: error[TG001] unknown statement `alow`
    """
    reading = read(source, name, vars)
    if reading.policy is None or not reading.is_whole:
        raise PolicyError(reading.diagnostics)
    return reading.policy


def check(
    source: Source | Policy,
    targets: Iterable[str] = (),
    name: str | None = None,
    *,
    vars: Given = None,
    layout: Layout = "whole",
    versions: Mapping[str, str] = _ANY_VERSION,
) -> list[Diagnostic]:
    """All findings about a policy, in the order of the text.

    Where statements cannot be read, the others are checked as far as no missing one matters.

    Args:
        source: its text, the `Path` of its file, a `SourceFile`, or a policy that was loaded.
        targets: names of targets that must be able to do what the policy asks.
        name: what findings call it; the path by default.
        vars: values for its parameters, by name, or the `Path` of a file of them.
        layout: `shared` where the ruleset stands side by side with those of others.
        versions: the oldest version of a target's software that must be able to, by its name.

    Raises:
        UnknownTarget: there is no target of that name.
        BadVersion: what is stated is no version of the target.

    >>> zones = '''zone wan { interface eth0 }
    ... zone lan {
    ...   interface eth1
    ...   network 192.168.1.0/24
    ... }
    ... allow ssh from lan to gateway
    ... '''
    >>> check(zones + "allow ipsec-nat-t from lan to wan")
    []
    >>> check(zones + "nat from lan to wan\\nallow ah from lan to wan")[0].rule.code
    'TG101'
    """
    found = review(source, targets, name, vars=vars, layout=layout, versions=versions)
    return list(found.findings)


def review(
    source: Source | Policy,
    targets: Iterable[str] = (),
    name: str | None = None,
    *,
    vars: Given = None,
    layout: Layout = "whole",
    versions: Mapping[str, str] = _ANY_VERSION,
    trust: Trust | None = None,
) -> Review:
    """What `check` finds, and what comments of the policy silence.

    Arguments and exceptions are those of `check`.

    Args:
        trust: whether a comment may silence what it is about; all may by default.

    >>> ignore = '# tunnelgate: ignore[TG505] reason="it has a console"'
    >>> about = review(ignore + "\\nzone wan { interface eth0 }\\nallow ping from wan to gateway")
    >>> [one.rule.code for one in about.findings], [one.rule.code for one in about.silenced]
    ([], ['TG505'])
    """
    asked = _asked(targets, layout, versions)
    reading = _reading(source, name, vars)
    findings = _judge(reading)
    if asked and reading.policy is not None and not any(one.is_error for one in findings):
        plan = _plan(reading.policy)
        findings += [one for target, setup in asked for one in target.refuse(plan, setup)]
    left, silenced = _silence(reading, findings, asked, trust)
    return Review(reading.policy, left, silenced, reading.is_whole)


def compile(
    source: Source | Policy,
    target: str = "nftables",
    name: str | None = None,
    *,
    vars: Given = None,
    layout: Layout = "whole",
    versions: Mapping[str, str] = _ANY_VERSION,
    prove: bool = True,
    warn: bool = True,
) -> Compilation:
    """The ruleset of a policy for one target. Nothing is written anywhere.

    Args:
        source: its text, the `Path` of its file, a `SourceFile`, or a policy that was loaded.
        target: the name of a target.
        name: what findings call the policy; the path by default.
        vars: values for its parameters, by name, or the `Path` of a file of them.
        layout: `shared` where the ruleset stands side by side with those of others.
        versions: the oldest version of a target's software that must take it, by its name.
        prove: read the ruleset back and show that it means the policy, where its target can.
        warn: look for warnings and advice, too; else errors are looked for, and nothing is told.

    Raises:
        PolicyError: a finding is an error.
        UnknownTarget: there is no target of that name.
        BadVersion: what is stated is no version of the target.
        NotProved: the ruleset does not mean the policy, which is a fault of tunnelgate.

    >>> ruleset = compile("zone wan { interface eth0 }\\nallow ssh from wan to gateway")
    >>> list(ruleset.files)
    ['ruleset.nft']
    >>> ruleset.requirements.load
    ('nft -f ruleset.nft',)
    """
    (compilation,) = compile_each(
        source, [target], name, vars=vars, layout=layout, versions=versions, prove=prove, warn=warn
    )
    return compilation


def compile_each(
    source: Source | Policy,
    targets: Iterable[str],
    name: str | None = None,
    *,
    vars: Given = None,
    layout: Layout = "whole",
    versions: Mapping[str, str] = _ANY_VERSION,
    trust: Trust | None = None,
    prove: bool = True,
    warn: bool = True,
) -> list[Compilation]:
    """The rulesets of a policy for several targets, which is read and checked once.

    Arguments and exceptions are those of `compile`; what any target refuses is an error.

    Args:
        trust: whether a comment may silence what it is about, as for `review`.

    >>> policy = "zone wan { interface eth0 }\\nset reject on"
    >>> rulesets = compile_each(policy, ["nftables", "iptables"])
    >>> [ruleset.target.name for ruleset in rulesets]
    ['nftables', 'iptables']
    """
    asked = _asked(targets, layout, versions)
    reading = _reading(source, name, vars)
    findings = _judge(reading, errors_alone=not warn)
    _refuse(reading, findings, (), trust)
    assert reading.policy is not None, "what has no policy has an error"
    policy, plan = reading.policy, _plan(reading.policy)
    findings += [one for target, setup in asked for one in target.refuse(plan, setup)]
    told = _refuse(reading, findings, asked, trust)
    told = told if warn else ((), ())
    prover = _prover(source) if prove else None
    return [_emit(target, setup, policy, plan, told, prover) for target, setup in asked]


def decide(policy: Policy, question: str | Packet) -> list[Outcome]:
    """What happens to a packet, or to the packets of a question.

    A question about a zone, a group or a protocol of several channels has an outcome for one
    packet of each part of it that fares alike; none where no such packet can be.

    Args:
        policy: a policy that was loaded.
        question: `esp from alice to hq`, or a packet.

    Raises:
        PolicyError: the question names what the policy does not know.
        BudgetExceeded: the policy is too large for it.

    >>> policy = load('''zone wan { interface eth0 }
    ... allow ssh from 192.0.2.10 to gateway
    ... ''')
    >>> [outcome.delivered for outcome in decide(policy, "ssh from 192.0.2.10 to gateway")]
    [True]
    >>> [outcome.reason.value for outcome in decide(policy, "tcp/80 from 192.0.2.10 to gateway")]
    ['nothing allows it']
    """
    decider = _decider(policy)
    if not isinstance(question, str):
        return [decider.decide(question)]
    from tunnelgate.meaning.explain import packets

    return [decider.decide(*one) for one in packets(policy, ask(policy, question))]


def diff(old: Policy, new: Policy) -> Report:
    """What differs between two policies: all flows that have another fate in the new one.

    Args:
        old, new: policies that were loaded; zones are the same where they have the same name.

    Raises:
        BudgetExceeded: they are too large to be compared.

    >>> zones = "zone wan { interface eth0 }\\nzone lan { interface eth1 }\\n"
    >>> report = diff(load(zones), load(zones + "allow ssh from lan to wan"))
    >>> [change.kind.value for change in report.changes]
    ['newly allowed', 'newly allowed']
    """
    from tunnelgate.meaning.difference import compare

    return compare(old, new)


def ask(policy: Policy, text: str) -> Question:
    """A question about a policy, `esp from alice to hq`, with the policy's names resolved.

    Raises:
        PolicyError: it is none, or names what the policy does not know.
    """
    flow, unread = parse_flow(SourceFile(text, "<question>"))
    if flow is None:
        raise PolicyError(unread)
    found, unresolved = resolve_flow(policy, flow)
    if found is None:
        raise PolicyError(unresolved)
    return found


def explain(policy: Policy, question: str | Question, *, arriving: str | None = None) -> list[Case]:
    """What happens to all packets of a question, and why, by cases.

    Args:
        policy: a policy that was loaded.
        question: `esp from alice to hq`, of hosts, groups, zones, addresses or `any`.
        arriving: the name of the zone that the packets come in by, whosever their source is: that
            of the source by default. So it is told what happens to spoofed packets.

    Raises:
        PolicyError: the question names what the policy does not know.
        KeyError: no zone has the name `arriving`.
        BudgetExceeded: the policy is too large for it.

    >>> policy = load("zone wan { interface eth0 }\\nallow ike from 192.0.2.10 to gateway")
    >>> [case.reason.value for case in explain(policy, "ike from 192.0.2.10 to gateway")]
    ['allowed']
    >>> cases = explain(policy, "ipsec from wan to gateway")
    >>> [(case.family, case.reason.value) for case in cases]
    [(4, 'allowed'), (4, 'nothing allows it'), (6, 'nothing allows it')]
    """
    from tunnelgate.meaning.explain import explain as answer

    zones = {zone.name: zone for zone in policy.zones}
    zone = None if arriving is None else zones[arriving]
    return answer(policy, ask(policy, question) if isinstance(question, str) else question, zone)


def _emit(
    target: Target, setup: Setup, policy: Policy, plan: Plan, told: _Parted, prover: _Prover | None
) -> Compilation:
    from tunnelgate.target import Readable

    output = target.emit(plan, setup)
    files = MappingProxyType(dict(output.files))
    shown = None
    if prover is not None and isinstance(target, Readable):
        shown = prover(policy, target, files, setup)
    return Compilation(policy, target, setup, files, output.requirements, *told, shown, plan)


def _prover(source: Source | Policy) -> _Prover:
    """What shows that a ruleset means a policy, of which its text tells all if it was just read."""
    from tunnelgate.proof import prove, prove_once

    return prove if isinstance(source, Policy) else prove_once


def _asked(
    names: Iterable[str], layout: Layout, versions: Mapping[str, str]
) -> list[tuple[Target, Setup]]:
    """The targets of these names, each with what its ruleset finds on the gateway.

    Raises UnknownTarget and BadVersion, for a version of a target that is not asked for too.
    """
    targets = list(names)
    if not (targets or versions):
        return []
    from tunnelgate.target import BadVersion, Setup, find

    for name, version in versions.items():
        if not find(name).is_version(version):
            raise BadVersion(find(name), version)
    return [(find(name), Setup(layout, versions.get(name))) for name in targets]


def _plan(policy: Policy) -> Plan:
    from tunnelgate.plan import build

    return build(policy)


def _reading(source: Source | Policy, name: str | None, given: Given) -> Reading:
    if not isinstance(source, Policy):
        return read(source, name, given)
    if given is not None:
        raise ValueError("a policy that was loaded has its values already")
    return Reading(source, ())


def _judge(reading: Reading, *, errors_alone: bool = False) -> list[Diagnostic]:
    """The findings of reading and, as far as the policy could be read, of the checks."""
    from tunnelgate.check import check as judge

    findings = list(reading.diagnostics)
    if reading.policy is not None and reading.is_whole:
        findings += judge(reading.policy, errors_alone=errors_alone)
    elif reading.policy is not None and reading.is_worth_checking:
        findings += [
            finding
            for finding in judge(reading.policy)
            if finding.is_error and finding.rule.code.startswith(_WITHOUT_THE_REST)
        ]
    return findings


def _silence(
    reading: Reading,
    findings: Iterable[Diagnostic],
    asked: Sequence[tuple[Target, Setup]],
    trust: Trust | None,
) -> _Parted:
    """Findings that are left, and those that a comment silences, in the order of the text."""
    files = reading.policy.files if reading.policy is not None else ()
    if not any(ADDRESSED in file.text for file in files):
        return in_order(findings), ()
    from tunnelgate.silencing import silence
    from tunnelgate.silencing.today import today

    def was_run(code: str) -> bool:
        return reading.is_whole and (bool(asked) or not code.startswith("TG4"))

    found = silence(findings, files, today(), was_run, trust)
    return in_order(found.left), in_order(found.silenced)


def _refuse(
    reading: Reading,
    findings: Iterable[Diagnostic],
    asked: Sequence[tuple[Target, Setup]],
    trust: Trust | None,
) -> _Parted:
    """Findings as above. Raises PolicyError where one is an error."""
    left, silenced = _silence(reading, findings, asked, trust)
    if any(finding.is_error for finding in left):
        raise PolicyError(left)
    return left, silenced


@lru_cache(maxsize=4)
def _decider(policy: Policy) -> Decider:
    """Kept, since people ask one policy many questions."""
    from tunnelgate.meaning import Decider

    return Decider(policy)
