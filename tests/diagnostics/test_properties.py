"""What holds for any finding, also for one that no rule should ever make."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Rule, Safety, Severity
from tunnelgate.diagnostics.render import FORMATS, Options, render
from tunnelgate.diagnostics.render.excerpt import excerpt
from tunnelgate.diagnostics.width import text_width
from tunnelgate.source import SourceFile, Span

#: Mostly what is hard: line ends, tabs, controls, marks, wide and lone surrogate characters.
TEXT = st.text(
    st.sampled_from("ab #`%:,\t\r\n\x1b\x00\x7f\x9b\u0301\u202e\u2028東🔒\ud800") | st.characters()
)
WORDS = st.one_of(TEXT, st.just("x" * 300), st.just("word " * 40))
SGR = re.compile(r"\x1b\[[0-9;]*m")


@st.composite
def findings(draw: st.DrawFn) -> list[Diagnostic]:
    """Findings in up to three files, with spans that may lie outside of them or run backwards."""
    contents = draw(st.lists(TEXT | st.builds("".join, st.lists(WORDS)), min_size=1, max_size=3))
    files = [SourceFile(content, draw(TEXT)) for content in contents]
    offsets = st.integers(-3, max(map(len, contents)) + 3)
    spans = st.builds(Span, st.sampled_from(files), offsets, offsets)
    in_one_file = st.builds(Span, st.just(draw(st.sampled_from(files))), offsets, offsets)
    edits = st.lists(st.builds(Edit, in_one_file, TEXT), max_size=4).map(tuple)
    rules = st.builds(
        Rule,
        code=st.just("TG201"),
        name=st.just("esp-from-many-hosts"),
        severity=st.sampled_from(Severity),
        summary=WORDS,
        why=WORDS,
        source=WORDS,
        bad=WORDS,
        good=WORDS,
        fixes=st.just(tuple(Safety)),
    )
    labels = st.builds(Label, spans, WORDS)
    some = st.builds(
        Diagnostic,
        rules,
        WORDS,
        labels,
        st.lists(labels, max_size=4).map(tuple),
        why=WORDS,
        help=WORDS,
        fix=st.none() | st.builds(Fix, edits),
        milder=st.none() | st.sampled_from(Severity),
    )
    return draw(st.lists(some, min_size=1, max_size=2))


def _raw(text: str) -> set[str]:
    """The characters of a text that a terminal would obey or a reader would not see."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}


@pytest.mark.parametrize("format", FORMATS)
@given(findings(), st.integers(-5, 150))
def test_any_finding_is_shown_safely_and_twice_alike(
    format: str, some: list[Diagnostic], width: int
) -> None:
    text = render(format, some, Options(width=width))
    assert not _raw(text)
    assert text.endswith("\n")
    assert text == render(format, some, Options(width=width))


@given(findings(), st.integers(-5, 150))
def test_colour_changes_nothing_else(some: list[Diagnostic], width: int) -> None:
    text = render("full", some, Options(width=width))
    assert SGR.sub("", render("full", some, Options(color=True, width=width))) == text


@given(findings())
def test_one_line_or_one_object_a_finding(some: list[Diagnostic]) -> None:
    assert render("concise", some).count("\n") == len(some)
    assert render("github", some).count("\n") == len(some)
    assert len(json.loads(render("json", some))["findings"]) == len(some)


@given(TEXT.map(lambda text: text.replace("\n", "")), st.data(), st.integers(40, 120))
def test_an_excerpt_fits_and_marks_what_it_shows(line: str, data: st.DataObject, room: int) -> None:
    start = data.draw(st.integers(0, len(line) + 1))
    end = data.draw(st.integers(start, len(line) + 1))
    window = excerpt(line, start, end, room)
    assert text_width(window.text) <= room + 2
    left, right = window.columns(start, end)
    assert 0 <= left < right <= text_width(window.text) + 1


@given(st.text(st.sampled_from("ab東🔒")), st.data())
def test_marks_stand_below_their_characters(line: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    left, right = excerpt(line, start, end, 1000).columns(start, end)
    assert left == text_width(line[:start])
    assert right == max(text_width(line[:end]), left + 1)
