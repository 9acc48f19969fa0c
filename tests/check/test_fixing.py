"""Fixes applied: the finding is gone, comments stay, and a safe one changes no packet's fate."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

import tunnelgate
from tunnelgate import Diagnostic
from tunnelgate.check import fixing
from tunnelgate.check.fixing import Check, Fixed, Fixer, apply
from tunnelgate.diagnostics import Edit, Fix, Label, Safety, catalogue
from tunnelgate.diagnostics.reading import SYNTAX
from tunnelgate.diagnostics.silencing import RULES as SILENCING
from tunnelgate.reading import read
from tunnelgate.source import SourceFile
from tunnelgate.syntax.comments import find_comments
from tunnelgate.target import BUILT_IN

TESTS = Path(__file__).parents[1]
ZONES = """\
zone wan {
  interface eth0
  address   203.0.113.1
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  host alice = 192.168.1.10
}
nat from lan to wan
allow ssh from lan to gateway
expect allow ssh from alice to gateway
"""


def check(file: SourceFile) -> list[Diagnostic]:
    return tunnelgate.check(file, BUILT_IN)


class Result(NamedTuple):
    text: str
    fixed: Fixed


def fix(text: str, check: Check = check, *, unsafe: bool = True) -> Result:
    """What fixing makes of a policy."""
    fixer = Fixer(check, unsafe=unsafe)
    fixed = fixer.fix(SourceFile(text, "policy.tg"))
    if not fixer.changes:
        return Result(text, fixed)
    (change,) = fixer.changes.values()
    assert change.before == text
    return Result(change.after, fixed)


class Case(NamedTuple):
    text: str
    finding: Diagnostic

    @property
    def after(self) -> str:
        assert self.finding.fix is not None
        return apply(self.text, self.finding.fix.edits)


def texts() -> Iterator[str]:
    """Examples of rules, the statements of `findings.toml`, and the mistakes that people make."""
    yield from (rule.bad for rule in catalogue.rules().values())
    cases = tomllib.loads((TESTS / "check/findings.toml").read_text("utf-8"))
    yield from (cases["zones"] + case["statements"] for case in cases["case"])
    mistakes = (TESTS / "syntax/mistakes.txt").read_text("utf-8").split("\n>>> ")[1:]
    yield from (block.replace("\n... ", "\n").partition("\nTG")[0] + "\n" for block in mistakes)
    yield ZONES.replace("\n", "\r\n")
    yield "\ufeff" + ZONES


CASES = [
    Case(text, finding)
    for text in texts()
    for finding in check(SourceFile(text))
    if finding.fix is not None
]
every_case = pytest.mark.parametrize(
    "case",
    CASES,
    ids=[f"{case.finding.rule.code}-{number}" for number, case in enumerate(CASES)],
)


def comments(text: str) -> list[str]:
    file = SourceFile(text.replace("\r\n", "\n"))
    return [comment.text for comment in find_comments(file, file.text, [])]


def unread(findings: Sequence[Diagnostic]) -> int:
    return sum(one.rule is SYNTAX for one in findings)


@every_case
def test_the_finding_is_gone(case: Case) -> None:
    def told(finding: Diagnostic) -> tuple[str, str, int]:
        return finding.rule.code, finding.message, finding.primary.span.start

    before, after = check(SourceFile(case.text)), check(SourceFile(case.after))
    assert told(case.finding) not in map(told, after)
    assert unread(after) <= unread(before)  # behind one mistake in a line may stand the next


@every_case
def test_comments_stay(case: Case) -> None:
    is_about_one = case.finding.rule in SILENCING
    if safety(case) is not Safety.SHOWN and not is_about_one:  # or a character in one is wrong
        kept = iter(comments(case.after))  # there may be more: `//` becomes `#`
        assert all(comment in kept for comment in comments(case.text))


def safety(case: Case) -> Safety:
    assert case.finding.fix is not None
    return case.finding.fix.safety


#: What cannot be read has no meaning that could change.
SAFE = [case for case in CASES if safety(case) is Safety.SAFE and case.finding.rule is not SYNTAX]


@pytest.mark.parametrize("case", SAFE, ids=lambda case: case.finding.rule.code)
def test_a_safe_fix_changes_no_fate(case: Case) -> None:
    before, after = read(case.text).policy, read(case.after).policy
    assert before is not None
    assert after is not None
    assert not tunnelgate.diff(before, after).changes


def test_what_was_meant_to_be_a_comment_becomes_one() -> None:
    result = fix("// ours\n" + ZONES.replace("eth1", "{ eth1 } // two"), unsafe=False)
    assert result.text == "# ours\n" + ZONES.replace("eth1", "eth1 # two")


def test_an_unsafe_fix_changes_fates() -> None:
    """Or the test above would see nothing."""
    before = read(ZONES + "allow any from lan to wan\n").policy
    after = read(ZONES + "allow any except ah, tcp/25 from lan to wan\n").policy
    assert before is not None
    assert after is not None
    assert tunnelgate.diff(before, after).changes


def test_safe_fixes_of_policies_are_tried() -> None:
    assert {case.finding.rule.code for case in SAFE} >= {"TG003", "TG103"}


# The engine


def test_safe_fixes_alone_unless_asked() -> None:
    text = ZONES + "allow pptp from lan to wan;\n"
    result = fix(text, unsafe=False)
    assert result.text == text.replace(";", "")
    assert [one.rule.code for one in result.fixed.applied] == ["TG001"]
    assert "TG203" in {one.rule.code for one in result.fixed.left}
    assert fix(text).text == text.replace(" wan;", " wan with helper")


def test_what_is_only_shown_is_never_applied() -> None:
    text = ZONES + "allow ssh, from lan to wan\n"
    (finding,) = check(SourceFile(text))
    assert finding.fix is not None
    assert finding.fix.safety is Safety.SHOWN
    assert fix(text).text == text


def test_one_mistake_hides_another_until_it_is_fixed() -> None:
    result = fix(ZONES + "alow ike, nat-t form lann to wan\n")
    assert result.text == ZONES + "allow ike, nat-t from lan to wan\n"
    assert len(result.fixed.applied) == 3
    assert result.fixed.left == ()


def test_advice_waits_for_errors() -> None:
    """The advice about `any` goes with the error about its translation."""
    tunnel = "zone hq-net {\n  ipsec over wan\n  network 10.20.0.0/16\n}\n"
    text = ZONES.replace("nat from lan to wan", "nat from lan to wan, hq-net") + tunnel
    result = fix(text + "allow any from lan to hq-net\n")
    assert "nat from lan to wan\n" in result.text
    assert "allow any from lan to hq-net\n" in result.text


def test_nothing_is_said_of_a_policy_with_nothing_to_fix() -> None:
    fixer = Fixer(check, unsafe=True)
    assert fixer.fix(SourceFile(ZONES + "allow https from any to any\n")) == ((), ())
    assert fixer.changes == {}


def test_a_comment_is_never_taken_away() -> None:
    text = ZONES + "forward ssh from 192.0.2.1 to alice  # why\nallow ike from\n"
    lone = "allow ssh from 2001:db8::1,  # the old one\n  2001:db8::2 to alice\n"
    assert any(one.fix is not None for one in check(SourceFile(ZONES + lone)))
    assert fix(ZONES + lone).text == ZONES + lone
    assert comments(fix(text).text) == ["# why"]


def test_a_statement_goes_with_its_line() -> None:
    lone = "allow ssh from 2001:db8::2 to alice"
    assert fix(f"{ZONES}{lone}\nset reject on\n").text == f"{ZONES}set reject on\n"
    assert fix(f"{ZONES}{lone}  # why\n").text == f"{ZONES}  # why\n"


class Mistake(NamedTuple):
    """A finding whose fix is these edits, with a label at `about`."""

    edits: tuple[tuple[int, int, str], ...]
    about: tuple[int, int] | None = None

    def __call__(self, file: SourceFile) -> Diagnostic:
        made = tuple(Edit(file.span(start, end), text) for start, end, text in self.edits)
        labels = (Label(file.span(*self.about)),) if self.about else ()
        return Diagnostic(SYNTAX, "m", Label(made[0].span), labels, fix=Fix(made, Safety.SAFE))


def mistake(*edits: tuple[int, int, str], about: tuple[int, int] | None = None) -> Mistake:
    return Mistake(edits, about)


@pytest.mark.parametrize(
    ("first", "second", "after"),
    [
        (mistake((1, 2, "X")), mistake((4, 5, "Y")), "aXcdYfgh"),
        (mistake((1, 3, "X")), mistake((2, 5, "Y")), "aXdefgh"),
        (mistake((1, 2, "X")), mistake((2, 3, "Y")), "aXcdefgh"),
        (mistake((2, 2, "X")), mistake((2, 2, "Y")), "abXcdefgh"),
        (mistake((1, 2, "X"), about=(4, 6)), mistake((5, 6, "Y")), "aXcdefgh"),
        (mistake((5, 6, "Y")), mistake((1, 2, "X"), about=(4, 6)), "abcdeYgh"),
        (mistake((1, 2, "X"), (6, 7, "Z")), mistake((4, 5, "Y")), "aXcdYfZh"),
    ],
)
def test_what_touches_waits(first: Mistake, second: Mistake, after: str) -> None:
    rounds = iter([[first, second], []])
    assert fix("abcdefgh", lambda file: [one(file) for one in next(rounds)]).text == after


def test_fixes_that_undo_each_other_end() -> None:
    def flip(file: SourceFile) -> list[Diagnostic]:
        return [mistake((0, 1, "b" if file.text[0] == "a" else "a"))(file)]

    result = fix("a", flip)
    assert (result.text, len(result.fixed.applied)) == ("b", 1)


def test_there_is_an_end() -> None:
    assert fix("", lambda file: [mistake((0, 0, "a"))(file)]).text == "a" * fixing.ROUNDS


# Policies of several files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "zones.tg").write_text(ZONES + "allow ssh from lan to wan;\n")
    for name in ("one", "two"):
        text = f'gateway {name}\ninclude "zones.tg"\nallow ntp from lan to wan;\n'
        (tmp_path / f"{name}.tg").write_text(text)
    return tmp_path


def test_included_files_are_fixed_once(folder: Path) -> None:
    fixer = Fixer(check)
    one, two = (fixer.fix(SourceFile.read(folder / f"{name}.tg")) for name in ("one", "two"))
    assert {Path(path).name: change.after.count(";") for path, change in fixer.changes.items()} == {
        "one.tg": 0,
        "two.tg": 0,
        "zones.tg": 0,
    }
    assert (len(one.applied), len(two.applied)) == (2, 1)
    assert (one.left, two.left) == ((), ())


def test_a_policy_that_includes_itself_is_told_the_same(folder: Path) -> None:
    path = folder / "one.tg"
    path.write_text('include "one.tg"\n' + ZONES + "allow ntp from lan to wan;\n")
    before = {one.message for one in check(SourceFile.read(path))}
    fixer = Fixer(check)
    left = fixer.fix(SourceFile.read(path)).left
    assert "allow ntp from lan to wan\n" in fixer.changes[str(path)].after
    assert {one.message for one in left} < before
