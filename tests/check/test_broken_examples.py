"""examples/broken: each policy has the finding in its name, and says so in its first line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunnelgate.check import check
from tunnelgate.check.rules import RULES
from tunnelgate.diagnostics.reading import RULES as READING
from tunnelgate.diagnostics.resolving import RULES as RESOLVING
from tunnelgate.policy import resolve
from tunnelgate.source import SourceError, SourceFile
from tunnelgate.syntax import parse_with_includes

BROKEN = Path(__file__).parents[2] / "examples" / "broken"
POLICIES = sorted(BROKEN.glob("*.tg"))


def found(path: Path) -> set[str]:
    """The codes found in a file, from reading it to checking it."""
    try:
        file = SourceFile.read(path)
    except SourceError:
        return {"TG002"}
    parsed = parse_with_includes(file)
    policy, unresolved = resolve(parsed.policy)
    findings = [*parsed.diagnostics, *unresolved]
    return {one.rule.code for one in findings or check(policy)}


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_it_has_the_finding(path: Path) -> None:
    code = path.stem.partition("-")[0]
    assert path.read_bytes().startswith(f"# finds {code}: ".encode())
    assert code in found(path)


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_the_errors_alone_are_the_same_ones(path: Path) -> None:
    if found(path).isdisjoint(rule.code for rule in RULES):
        return  # its finding is none of the checks
    policy, _ = resolve(parse_with_includes(SourceFile.read(path)).policy)
    errors = [one for one in check(policy) if one.is_error]
    assert [one for one in check(policy, errors_alone=True) if one.is_error] == errors


def test_there_is_one_for_every_rule() -> None:
    rules = {f"{rule.code}-{rule.name}" for rule in (*READING, *RESOLVING, *RULES)}
    assert rules == {path.stem for path in POLICIES}
