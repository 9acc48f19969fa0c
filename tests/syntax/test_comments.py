"""Comments are all kept; a doc comment belongs to what stands directly below it."""

from __future__ import annotations

import pytest

from tunnelgate.source import SourceFile
from tunnelgate.syntax import ast, parse


def read(text: str) -> ast.Policy:
    return parse(SourceFile(text)).policy


def texts(policy: ast.Policy) -> list[str]:
    assert all(comment.span.text.rstrip() == comment.text for comment in policy.comments)
    return [comment.text for comment in policy.comments]


def test_doc_of_a_statement() -> None:
    policy = read("##  One.\n##\n##Two.\nallow esp from a to b\n")
    assert policy.statements[0].doc == " One.\n\nTwo."
    assert texts(policy) == []


def test_doc_of_a_member() -> None:
    policy = read("## The world.\nzone wan {\n  ## Cable.\n  interface eth0\n  mss clamp\n}\n")
    zone = policy.statements[0]
    assert isinstance(zone, ast.Zone)
    assert zone.doc == "The world."
    assert [member.doc for member in zone.members] == ["Cable.", ""]
    assert texts(policy) == []


@pytest.mark.parametrize(
    "text",
    [
        "## alone\n",
        "## before a blank line\n\nallow esp from a to b\n",
        "## before a comment\n# plain\nallow esp from a to b\n",
        "allow esp from a to b  ## behind\nallow ah from a to b\n",
        "### a ruler\nallow esp from a to b\n",
        "allow ike,\n  ## within\n  esp from a to b\n",
        "zone z {\n  interface eth0\n  ## the last\n}\n",
    ],
)
def test_doc_that_belongs_to_nothing_is_a_comment(text: str) -> None:
    policy = read(text)
    assert all(node.doc == "" for node in policy.statements)
    assert len(policy.comments) == text.count("\n#") + text.count("  #") + text.startswith("#")


def test_only_the_lines_directly_above_are_the_doc() -> None:
    policy = read("## far\n\n## near\nallow esp from a to b\n")
    assert policy.statements[0].doc == "near"
    assert texts(policy) == ["## far"]


def test_comments_are_found_wherever_they_may_stand() -> None:
    policy = read(
        "# 1\n\nzone z { # 2\n# 3\n  interface eth0, # 4\n  # 5\n    eth1 # 6\n} # 7\n"
        'allow esp, # 8\n ah from a to b with log "# no" # 9\n'
        "protocol p = ike + # 10\n  esp\n# 11"
    )
    assert texts(policy) == [f"# {number}" for number in range(1, 12)]


def test_comments_of_lines_with_mistakes_are_kept() -> None:
    policy = read("alow esp from a to b # 1\n# 2\nzone z { # 3\n  hots x # 4\n} # 5\n")
    assert texts(policy) == [f"# {number}" for number in range(1, 6)]


def test_doc_of_a_zone_with_a_mistake_is_kept() -> None:
    policy = read("## Doc.\nzone z {\n  ## Host.\n  host x = 10.0.0.1\n  hots y\n}\n")
    zone = policy.statements[0]
    assert isinstance(zone, ast.Zone)
    assert (zone.doc, zone.members[0].doc) == ("Doc.", "Host.")
    assert texts(policy) == []
