"""The grammar of policies has no conflicts, in the tables and between terminals."""

from __future__ import annotations

import logging
from collections.abc import Callable

import lark
import pytest

from tunnelgate_grammar import grammar_text

START = ["policy", "body", "question"]


def test_no_conflicts(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce/reduce raises; shift/reduce is only logged, so it is looked for in the log."""
    monkeypatch.setattr(lark.logger, "propagate", True)
    with caplog.at_level(logging.DEBUG, logger="lark"):
        lark.Lark(grammar_text("policy"), parser="lalr", start=START)
    assert [record for record in caplog.messages if "conflict" in record.lower()] == []


def test_the_log_would_tell(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lark.logger, "propagate", True)
    with caplog.at_level(logging.DEBUG, logger="lark"):
        lark.Lark('start: "a" start | "a" start "b" start | "c"', parser="lalr")
    assert any("conflict" in record.lower() for record in caplog.messages)


def test_strict(need_package: Callable[[str], None]) -> None:
    """Terminals that could be taken for each other, too; needs `lark[interegular]`."""
    need_package("interegular")
    lark.Lark(grammar_text("policy"), parser="lalr", start=START, strict=True)
