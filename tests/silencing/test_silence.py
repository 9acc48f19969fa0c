"""What a comment silences, what it does not, and what is said of it then."""

from __future__ import annotations

import pytest

import tunnelgate
from tunnelgate.diagnostics import Rule
from tunnelgate.diagnostics.silencing import RULES

V6 = "allow https from lan to v6"
WHY = 'reason="in May"'


@pytest.mark.parametrize(
    "statements",
    [
        f"{V6}  # tunnelgate: ignore[TG607] {WHY}\n",
        f"{V6}  #tunnelgate:ignore[TG607]{WHY}\n",
        f"# tunnelgate: ignore[TG607] {WHY}\n{V6}\n",
        f"  # tunnelgate: ignore[ TG607 ] until=2026-05-31 {WHY}\n{V6}\n",
        f"# tunnelgate: ignore[TG607] {WHY}\n# and why\n## what\n{V6}\n",
        f"allow https,  # tunnelgate: ignore[TG607] {WHY}\n  ssh from lan to v6\n",
        f"allow https,\n  # tunnelgate: ignore[TG607] {WHY}\n  ssh from lan to v6\n",
        f"allow https,\n  ssh from lan to v6  # tunnelgate: ignore[TG607] {WHY}\n",
    ],
)
def test_silenced(statements, codes):
    assert codes(statements) == ([], ["TG607"])


@pytest.mark.parametrize(
    ("statements", "left"),
    [
        # beside another statement, or too far away
        (f"allow ssh from lan to wan  # tunnelgate: ignore[TG607] {WHY}\n{V6}\n", "TG083 TG607"),
        (f"# tunnelgate: ignore[TG607] {WHY}\n\n{V6}\n", "TG083 TG607"),
        (f"{V6}\n# tunnelgate: ignore[TG607] {WHY}\n", "TG083 TG607"),
        # another rule
        (f"{V6}  # tunnelgate: ignore[TG505] {WHY}\n", "TG083 TG607"),
        (f"{V6}  # tunnelgate: ignore[TG60] {WHY}\n", "TG082 TG607"),
        (f"{V6}  # tunnelgate: ignore[tg607] {WHY}\n", "TG082 TG607"),
        (f"{V6}  # tunnelgate: ignore[no-address-pair] {WHY}\n", "TG082 TG607"),
        # no reason, no day left
        (f"{V6}  # tunnelgate: ignore[TG607]\n", "TG081 TG607"),
        (f'{V6}  # tunnelgate: ignore[TG607] reason="  "\n', "TG081 TG607"),
        (f"{V6}  # tunnelgate: ignore[TG607] {WHY} until=2026-05-30\n", "TG084 TG607"),
        # not in the form
        (f"{V6}  # tunnelgate: ignore TG607 {WHY}\n", "TG085 TG607"),
        (f"{V6}  # tunnelgate: ignore[TG607 {WHY}\n", "TG085 TG607"),
        (f"{V6}  # tunnelgate: ignore[] {WHY}\n", "TG085 TG607"),
        (f"{V6}  # tunnelgate:\n", "TG085 TG607"),
        (f"{V6}  # tunnelgate: ignore[TG607] because of May\n", "TG085 TG607"),
        (f"{V6}  # tunnelgate: ignore[TG607] {WHY} {WHY}\n", "TG085 TG607"),
        (f"{V6}  # tunnelgate: ignore[TG607] reson=x\n", "TG085 TG607"),
        (f"{V6}  # tunnelgate: ignore[TG607] {WHY} until=31.5.2027\n", "TG085 TG607"),
        (f"{V6}  # tunnelgate: ignore[TG607] {WHY} until=2027-02-30\n", "TG085 TG607"),
        (f"{V6}  # tunnelgate: ignore[TG607] {WHY} until=20270531\n", "TG085 TG607"),
        (f"## tunnelgate: ignore[TG607] {WHY}\n{V6}\n", "TG085 TG607"),
        # no comment to tunnelgate
        (f"{V6}  # tunnelgate finds TG607 here\n", "TG607"),
        (f"{V6}  # see tunnelgate: ignore[TG607] {WHY}\n", "TG607"),
        (f'{V6} with log "# tunnelgate: ignore[TG607]"\n', "TG607"),
    ],
)
def test_not_silenced(statements, left, codes):
    assert codes(statements) == (left.split(), [])


def test_an_error_is_never_silenced(review):
    found = review(f"allow ah from lan to wan  # tunnelgate: ignore[TG101] {WHY}\n")
    assert found.silenced == []
    assert [one.rule.code for one in found.left] == ["TG101", "TG086"]
    about = found.left[1]
    assert about.message == "`TG101` is an error here, and no error is silenced"
    assert about.primary.span.text == "TG101"
    assert [label.span.text for label in about.labels] == ["ah"]


def test_a_statement_that_cannot_be_read_is_not_silenced(codes):
    left, silenced = codes(f"alow esp from lan to wan  # tunnelgate: ignore[TG001] {WHY}\n")
    assert ("TG001" in left, "TG086" in left, silenced) == (True, True, [])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_what_is_said_of_comments_is_not_silenced(rule, codes):
    left, silenced = codes(
        f"# tunnelgate: ignore[{rule.code}, TG607] {WHY}\n{V6}  # tunnelgate: ignore[TG999]\n"
    )
    assert silenced == ["TG607"]
    assert left == ["TG081", "TG082", "TG086"]


def test_several_codes_and_one_of_them_of_no_use(review):
    found = review(f"{V6}  # tunnelgate: ignore[TG505, TG607 ,TG209] {WHY}\n")
    assert [one.rule.code for one in found.silenced] == ["TG607"]
    assert [(one.rule.code, one.primary.span.text) for one in found.left] == [
        ("TG083", "TG505"),
        ("TG083", "TG209"),
    ]
    mended = []
    for one in found.left:
        [edit] = one.fix.edits
        text = edit.span.file.text
        mended.append(
            (text[: edit.span.start] + edit.text + text[edit.span.end :]).splitlines()[-1]
        )
    assert mended == [
        f"{V6}  # tunnelgate: ignore[TG607 ,TG209] {WHY}",
        f"{V6}  # tunnelgate: ignore[TG505, TG607] {WHY}",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"allow ssh from lan to wan  # tunnelgate: ignore[TG607] {WHY}\n", "{}\n"),
        (f"  # tunnelgate: ignore[TG607] {WHY}\nallow ssh from lan to wan\n", "{}\n"),
        (f"allow ssh from lan to wan # tunnelgate: ignore[TG607] {WHY}", "{}"),
    ],
)
def test_the_fix_of_an_unused_comment_leaves_nothing_of_it(before, after, review):
    [one] = review(before).left
    [edit] = one.fix.edits
    text = edit.span.file.text
    mended = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert mended.endswith("to gateway\n" + after.format("allow ssh from lan to wan"))


def test_two_comments_about_one_finding(codes):
    comment = f"# tunnelgate: ignore[TG607] {WHY}"
    assert codes(f"{comment}\n{V6}  {comment}\n") == (["TG083"], ["TG607"])


def test_one_comment_about_two_findings(codes):
    statements = f"# tunnelgate: ignore[TG607] {WHY}\nallow https from v6 to wan, lan\n"
    assert codes(statements)[0] == ["TG083"]
    both = f"{V6}  # tunnelgate: ignore[TG607] {WHY}\nallow http from lan to v6\n"
    assert codes(both) == (["TG607"], ["TG607"])


def test_of_a_rule_that_was_not_run_nobody_knows(review):
    comment = f"allow ssh from lan to wan  # tunnelgate: ignore[TG409] {WHY}\n"
    assert review(comment, was_run=lambda code: code != "TG409").left == []


def test_who_is_not_trusted_silences_nothing(review):
    found = review(f"{V6}  # tunnelgate: ignore[TG607] {WHY}\n", trust=lambda _: False)
    assert [one.rule.code for one in found.left] == ["TG607", "TG088"]


def test_findings_elsewhere_in_a_zone_are_not_meant(review):
    """A comment beside the head of a zone is about the head."""
    text = "zone x {  # tunnelgate: ignore[TG505] " + WHY + "\n  interface eth7\n}\n"
    text += "allow ping from x to gateway\n"
    assert [one.rule.code for one in review(text).left] == ["TG083"]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.bad], ids=lambda rule: rule.code)
def test_examples(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1780185600")  # 31 May 2026
    assert rule.code in {one.rule.code for one in tunnelgate.check(rule.bad)}
    assert tunnelgate.check(rule.good) == []


def test_the_day_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    zones = "zone wan { interface eth0 }\n"
    text = (
        f"{zones}# tunnelgate: ignore[TG505] until=2001-09-09 {WHY}\nallow ping from wan to wan\n"
    )
    for epoch, expected in (("1000000000", "TG083"), ("1000080000", "TG084")):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        assert expected in {one.rule.code for one in tunnelgate.check(text)}


def test_compiling_tells_what_it_silenced() -> None:
    comment = f"  # tunnelgate: ignore[TG505] {WHY}"
    made = tunnelgate.compile(
        f"zone wan {{ interface eth0 }}{comment}\nallow ping from wan to gateway\n"
    )
    assert made.diagnostics == ()
    assert [one.rule.code for one in made.silenced] == ["TG505"]
