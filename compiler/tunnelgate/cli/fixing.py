"""`check --fix`: fixes applied to the policies of a run, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tunnelgate.check.fixing import Change, Check, Fixed, Fixer
from tunnelgate.cli import inputs
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Problem
from tunnelgate.cli.rewrite import rewrite
from tunnelgate.cli.unified import unified
from tunnelgate.diagnostics import Diagnostic, Safety
from tunnelgate.source import SourceFile


def demand_fix(is_asked: bool, **others: bool) -> None:
    """Refuse flags that say how to fix where nothing is to be fixed.

    Raises:
        Problem: one of `others` is set, and fixing is not asked for.
    """
    for flag, is_set in others.items():
        if is_set and not is_asked:
            name = flag.replace("_", "-")
            raise Problem(f"`--{name}` does nothing without `--fix`", f"write `--fix --{name}`")


def fix_policies(
    console: Console, policies: Iterable[SourceFile], check: Check, *, unsafe: bool, writes: bool
) -> tuple[list[Diagnostic], bool]:
    """Fix policies, and write them or show what would change.

    Returns:
        What is found about them as they are then, and whether any of them changed.

    Raises:
        Problem: a policy cannot be written.
    """
    fixer = Fixer(check, unsafe=unsafe)
    results = [(policy, fixer.fix(policy)) for policy in policies]
    if writes:
        _write(console, [policy for policy, _ in results], fixer.changes)
    else:
        for path, change in fixer.changes.items():
            console.result(unified(change.before, change.after, path))
    left = [finding for _, fixed in results for finding in fixed.left]
    _tell(console, results, left, writes, unsafe)
    return left, bool(fixer.changes)


def _write(console: Console, policies: Iterable[SourceFile], changes: Mapping[str, Change]) -> None:
    rewrite({path: change.after for path, change in changes.items() if path != inputs.STDIN})
    for policy in policies:
        if policy.path == inputs.STDIN:
            change = changes.get(policy.path)
            console.result(change.after if change else policy.text)


def _tell(
    console: Console,
    results: Iterable[tuple[SourceFile, Fixed]],
    left: list[Diagnostic],
    writes: bool,
    unsafe: bool,
) -> None:
    """Say what was done, and what more could be."""
    for policy, fixed in results:
        if fixed.applied:
            did = "fixed" if writes else "would fix"
            console.say(f"{did} {_findings(len(fixed.applied))} in {policy.path}")
    more = sum(one.fix is not None and one.fix.safety is Safety.UNSAFE for one in left)
    if more and not unsafe:
        them = "it" if more == 1 else "them"
        console.say(
            f"`--unsafe-fixes` would fix {_findings(more)} more; the policy would mean something "
            f"else, so look at {them} first"
        )


def _findings(count: int) -> str:
    return "1 finding" if count == 1 else f"{count} findings"
