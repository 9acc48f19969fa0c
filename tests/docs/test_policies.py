"""Every policy in the documentation is read, and says what the page says it does.

A block begins with ```` ```tunnelgate ````. Behind that word stand the codes of the findings that
it has; without them it has no error. A block without a zone of its own stands behind the block that
is marked `prelude`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import tunnelgate
from tunnelgate.source import SourceFile
from tunnelgate.syntax.formatting import format_policy

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```tunnelgate *([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Advice and errors that say no more than that a block is no whole policy.
OF_A_PART = {"TG505", "TG209", "TG604"}


class Block(NamedTuple):
    page: Path
    line: int
    words: tuple[str, ...]
    text: str


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            yield Block(page, line, tuple(match[1].split()), match[2])


BLOCKS = list(blocks())
(PRELUDE,) = (block.text for block in BLOCKS if block.words == ("prelude",))


def whole(block: Block) -> str:
    """A block as a policy: behind the zones of the page where it has no interfaces of its own."""
    return block.text if "interface eth0" in block.text else PRELUDE + block.text


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page.name}:{block.line}")
def test_policy_is_what_the_page_says(block: Block) -> None:
    stated = {word for word in block.words if word.startswith("TG")}
    findings = tunnelgate.check(whole(block))
    codes = {finding.rule.code for finding in findings}
    if stated:
        assert stated <= codes <= stated | OF_A_PART
    else:
        assert not [str(finding.message) for finding in findings if finding.is_error]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page.name}:{block.line}")
def test_policy_is_in_canonical_form(block: Block) -> None:
    assert format_policy(SourceFile(block.text)).text in (block.text, None)


def test_language_page_has_enough_of_them() -> None:
    assert len([block for block in BLOCKS if block.page.name == "language.md"]) >= 20
