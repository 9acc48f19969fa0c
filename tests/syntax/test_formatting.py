"""Policies in canonical form: what moves, what stays, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse
from tunnelgate.syntax.comments import find_comments
from tunnelgate.syntax.formatting import Unproven, format_policy, formatter
from tunnelgate.syntax.formatting.layout import WIDTH

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(
    path
    for path in (ROOT / "examples").rglob("*.tg")
    if path.name not in ("TG002-unreadable.tg", "TG003-character.tg")
)


def formatted(text: str) -> str:
    made = format_policy(SourceFile(text)).text
    assert made is not None
    return made


def is_canonical(text: str) -> bool:
    return formatted(text) == text


def test_the_sample_of_the_language_page_stays_as_it_is(sample: str) -> None:
    assert is_canonical(sample)


def test_the_sample_comes_back_from_a_heap(sample: str) -> None:
    heap = "\n".join(
        " ".join(line.split()) if not line.startswith("#") else line for line in sample.split("\n")
    )
    assert heap != sample
    assert formatted(heap) == sample


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_in_canonical_form(path: Path) -> None:
    text = path.read_text("utf-8")
    assert format_policy(SourceFile(text)).text in (text, None)


def cases() -> Iterator[tuple[str, str, str]]:
    """Name, text and canonical form of each case of `formatting.txt`."""
    text = (Path(__file__).parent / "formatting.txt").read_text("utf-8")
    for case in text.split("\n=== ")[1:]:
        name, rest = case.split("\n", 1)
        before, after = rest.split("\n---\n")
        yield name, before + "\n", after.rstrip("\n") + "\n"


@pytest.mark.parametrize(
    ("before", "after"), [pytest.param(*case[1:], id=case[0]) for case in cases()]
)
def test_form(before: str, after: str) -> None:
    assert formatted(before) == after


def test_line_ends_and_a_byte_order_mark_are_mended() -> None:
    text = "\ufeffzone wan { interface eth0 }\r\n# why\r\nallow ssh from wan to gateway\r\n"
    assert formatted(text) == text.removeprefix("\ufeff").replace("\r\n", "\n")


@pytest.mark.parametrize("ending", ["", "\n\n\n", "\n  \n\t"])
def test_a_text_ends_with_one_line_end(ending: str) -> None:
    assert formatted(f"gateway a{ending}") == "gateway a\n"


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "alow ssh from a to b\n", "gateway a\n\x07\n", "gateway a }\n"]
)
def test_a_policy_with_mistakes_is_not_touched(text: str) -> None:
    text, findings = format_policy(SourceFile(text))
    assert text is None
    assert findings


def test_mistakes_stand_where_they_stand_in_the_file() -> None:
    """Not where they would stand without carriage returns."""
    text, (ends, mistake) = format_policy(SourceFile("gateway a\r\n}\r\n"))
    assert text is None
    assert (ends.rule.code, mistake.rule.code) == ("TG003", "TG001")
    assert mistake.primary.span.start == len("gateway a\r\n")


def layout_that(change: object) -> type:
    """A layout with a fault: it changes what the right one makes."""

    class Faulty(formatter.Layout):
        def __str__(self) -> str:
            return change(super().__str__())  # type: ignore[operator]

    return Faulty


#: More each time.
_TIMES = count()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (lambda text: text.replace("ssh", "ssh ,"), "could not be read"),
        (lambda text: text.replace("ssh", "ftp"), "something else"),
        (lambda text: text.replace("  # why", ""), "comment would be lost"),
        (lambda text: text.replace("## doc\n", "## doc\n\n"), "comment would be lost"),
        (lambda text: text.replace("why", "when"), "comment would be lost"),
        (lambda text: text + "\n" * next(_TIMES), "formatting it twice"),
    ],
)
def test_a_fault_is_seen_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, fault: object, told: str
) -> None:
    monkeypatch.setattr(formatter, "Layout", layout_that(fault))
    with pytest.raises(Unproven, match=told):
        formatted("zone wan { interface eth0 }\n## doc\nallow ssh from wan to gateway  # why\n")


@given(st.sampled_from(EXAMPLES), st.data())
@settings(max_examples=200)
def test_mutated_examples(path: Path, data: st.DataObject) -> None:
    """Blanks, line ends and comments put and taken anywhere: most of these still say something."""
    text = path.read_text("utf-8")
    edits = st.tuples(
        st.integers(0, len(text)),
        st.integers(0, 3),
        st.sampled_from(["", " ", "\n", "\n\n\n", "\t", " # why\n", "##doc\n", ",", ",\n", "\r\n"]),
    )
    for at, length, inserted in data.draw(st.lists(edits, min_size=1, max_size=8)):
        if not text[at : at + length].strip():
            text = text[:at] + inserted + text[at + length :]
    _hold(text)


def _hold(text: str) -> None:
    """Comments stay, what is said stays, and no line is long that can be broken."""
    made = format_policy(SourceFile(text))
    if made.text is None:
        assert made.diagnostics
        return
    before, after = SourceFile(text.replace("\r\n", "\n")), SourceFile(made.text)
    assert parse(after).policy.statements == parse(before).policy.statements
    assert comments(after) == comments(before)
    assert formatted(made.text) == made.text
    for line in made.text.splitlines():
        assert line == line.rstrip(" \t")
        assert len(line) <= WIDTH or "#" in line


def comments(file: SourceFile) -> list[str]:
    return [one.text for one in find_comments(file, file.text, [])]
