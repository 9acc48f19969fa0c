"""Findings as failed tests, for whatever shows JUnit reports: a suite for each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from tunnelgate.diagnostics.diagnostic import Diagnostic
from tunnelgate.diagnostics.render import full
from tunnelgate.diagnostics.render.options import DEFAULT, Options
from tunnelgate.diagnostics.render.visible import visible

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render(diagnostics: Sequence[Diagnostic], _options: Options = DEFAULT) -> str:
    """One XML document; without findings it has one test, which passed. No option applies.

    As Jenkins and GitLab read it; no time stands in it, so that it is the same each time.
    """
    count = len(diagnostics)
    lines = [f"<testsuites{_attributes(name='tunnelgate', tests=max(count, 1), failures=count)}>"]
    for path, group in groupby(diagnostics, key=lambda one: one.primary.span.file.path):
        lines += _suite(path, list(group))
    if not diagnostics:
        lines += _suite("tunnelgate", [])
    return _HEAD + "\n".join([*lines, "</testsuites>"]) + "\n"


def _suite(name: str, diagnostics: list[Diagnostic]) -> Iterator[str]:
    count = len(diagnostics)
    numbers = {"tests": max(count, 1), "failures": count, "errors": 0}
    yield f"  <testsuite{_attributes(name=name, **numbers)}>"
    seen: Counter[str] = Counter()
    for diagnostic in diagnostics:
        said = f"{diagnostic.rule.code} {visible(diagnostic.message)}"
        seen[said] += 1
        # A test is known by its name: two of one name would be taken for one.
        title = said if seen[said] == 1 else f"{said} ({seen[said]})"
        yield from _case(title, name, diagnostic)
    if not diagnostics:
        yield f"    <testcase{_attributes(name='no findings', classname=name)}/>"
    yield "  </testsuite>"


def _case(title: str, path: str, diagnostic: Diagnostic) -> Iterator[str]:
    about = {"message": diagnostic.message, "type": diagnostic.severity.value}
    report, _, _ = full.render([diagnostic]).rpartition("\n\n")
    yield f"    <testcase{_attributes(name=title, classname=path)}>"
    yield f"      <failure{_attributes(**about)}>{_escaped(report)}</failure>"
    yield "    </testcase>"


def _attributes(**values: str | int) -> str:
    return "".join(f' {name}="{_escaped(visible(str(value)))}"' for name, value in values.items())


def _escaped(text: str) -> str:
    """Text that is printable, or ends lines, as XML 1.0 has it; a quote for attributes."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(char, entity)
    return text
