"""The page of a rule."""

from __future__ import annotations

from collections.abc import Callable

from tunnelgate.diagnostics import Rule, Safety
from tunnelgate.diagnostics.render import page

TEXT = """\
TG201 esp-from-many-hosts (error)
bare ESP from many hosts behind NAT

why
  Connection tracking tells ESP apart by
  its two addresses only.

source
  RFC 3948 section 1; Linux, measured

bad
  allow esp from lan to hq

good
  allow ipsec-nat-t from lan to hq

fix
  unsafe: the policy means something else afterwards, so look at it first

group
  what one host at a time can use, since 0.1.0
"""

MARKDOWN = """\
<!-- Generated from the rules' definitions: change it there. -->

# TG201 esp-from-many-hosts

Error: bare ESP from many hosts behind NAT.

## Why

Connection tracking tells ESP apart by its two addresses only.

Source: RFC 3948 section 1; Linux, measured

## Bad

```
allow esp from lan to hq
```

```text
error[TG201]: what is said
```

## Good

```
allow ipsec-nat-t from lan to hq
```

## Fix

- Unsafe: the policy means something else afterwards, so look at it first.

TG201 is about what one host at a time can use, since 0.1.0. [All rules](README.md)
"""


UNSAFE = {"fixes": (Safety.UNSAFE,)}


def test_page_as_text(make_rule: Callable[..., Rule]) -> None:
    assert page.text(make_rule(**UNSAFE), width=42) == TEXT


def test_page_as_markdown(make_rule: Callable[..., Rule]) -> None:
    assert page.markdown(make_rule(**UNSAFE), "error[TG201]: what is said") == MARKDOWN


def test_paragraphs_and_indented_literals(make_rule: Callable[..., Rule]) -> None:
    rule = make_rule(why="\n    One.\n\n    Two.\n    ", bad="\n    a\n      b\n    ")
    assert "why\n  One.\n\n  Two.\n\nsource" in page.text(rule)
    assert "bad\n  a\n    b\n\ngood" in page.text(rule)
    assert "## Why\n\nOne.\n\nTwo.\n\nSource" in page.markdown(rule)


def test_a_clause_becomes_a_sentence(make_rule: Callable[..., Rule]) -> None:
    assert "## Why\n\nIt is so.\n" in page.markdown(make_rule(why="it is so"))


def test_what_a_terminal_obeys_is_shown(make_rule: Callable[..., Rule]) -> None:
    rule = make_rule(bad="a\u202eb\n\x1b[2J\n")
    assert "bad\n  a<U+202E>b\n  <U+001B>[2J\n" in page.text(rule)
    assert page.markdown(rule).isascii()


def test_without_a_bad_example_there_is_no_heading(make_rule: Callable[..., Rule]) -> None:
    assert "bad\n" not in page.text(make_rule(bad=""))
    assert "## Bad" not in page.markdown(make_rule(bad=""))


def test_without_a_fix_it_says_so(make_rule: Callable[..., Rule]) -> None:
    assert "## Fix\n\n- None: the way out is for its author to choose." in page.markdown(
        make_rule(fixes=())
    )


def test_index_by_group(make_rule: Callable[..., Rule]) -> None:
    rules = [
        make_rule(code="TG101", name="a", fixes=()),
        make_rule(code="TG201", name="b"),
        make_rule(code="TG202", name="c", fixes=(Safety.SAFE,)),
    ]
    lines = page.index(rules).splitlines()
    assert [line for line in lines if line.startswith("## ")] == [
        "## AH and NAT",
        "## What one host at a time can use",
    ]
    assert lines[-1] == (
        "| [TG202](TG202.md) | c | error | safe | bare ESP from many hosts behind NAT |"
    )
