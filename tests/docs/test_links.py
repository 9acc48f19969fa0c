"""Every relative link of the documentation leads somewhere, to the heading it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("compiler", "targets", "grammar")
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"))
    if path.is_file()
)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")


def prose(page: Path) -> str:
    return CODE.sub(lambda match: match[0] if "](" not in match[0] else "", without_code(page))


def without_code(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{link} leads nowhere"
        assert ROOT in target.parents, f"{link} leads out of the repository"
        if anchor:
            assert anchor in anchors(target), f"{link}: no such heading"


#: Pages that sources of rules and comments name, each with a section.
NAMED = {"language reference": "language", "targets page": "targets", "findings page": "findings"}
REFERENCE = re.compile(
    rf"({'|'.join(NAMED)}), ([A-Za-z][^;).*\n\"]*?)(?=[;)*\"]|\.?$)", re.MULTILINE
)


def references() -> list[tuple[str, str]]:
    """Sections of pages that the code names; a comment may go on in the next line."""
    texts = [path.read_text("utf-8") for root in SOURCES for path in (ROOT / root).rglob("*.py")]
    found = [one for text in texts for one in REFERENCE.findall(re.sub(r"\s*\n[ #:]*", " ", text))]
    return sorted(set(found))


@pytest.mark.parametrize(("page", "section"), references())
def test_a_source_names_a_section_that_is_there(page: str, section: str) -> None:
    text = without_code(ROOT / f"docs/{NAMED[page]}.md")
    headings = re.findall(r"^#+ ([^:\n]*)", text, re.MULTILINE)
    assert section in {heading.replace("`", "") for heading in headings}
