"""The page of a rule."""

from __future__ import annotations

from collections.abc import Callable

from tunnelgate.diagnostics import Rule
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
"""

MARKDOWN = """\
<!-- Generated from the rule's definition: change it there. -->

# TG201 esp-from-many-hosts

Error: bare ESP from many hosts behind NAT.

## Why

Connection tracking tells ESP apart by its two addresses only.

Source: RFC 3948 section 1; Linux, measured

## Bad

```
allow esp from lan to hq
```

## Good

```
allow ipsec-nat-t from lan to hq
```
"""


def test_page_as_text(make_rule: Callable[..., Rule]) -> None:
    assert page.text(make_rule(), width=42) == TEXT


def test_page_as_markdown(make_rule: Callable[..., Rule]) -> None:
    assert page.markdown(make_rule()) == MARKDOWN


def test_paragraphs_and_indented_literals(make_rule: Callable[..., Rule]) -> None:
    rule = make_rule(why="\n    One.\n\n    Two.\n    ", bad="\n    a\n      b\n    ")
    assert "why\n  One.\n\n  Two.\n\nsource" in page.text(rule)
    assert "bad\n  a\n    b\n\ngood" in page.text(rule)
    assert "## Why\n\nOne.\n\nTwo.\n\nSource" in page.markdown(rule)
