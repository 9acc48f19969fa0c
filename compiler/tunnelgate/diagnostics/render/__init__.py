"""Findings as text: one file a format, each a pure function of findings and options.

A format is loaded when it is asked for, so that showing text costs no machine format's imports.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from operator import attrgetter
from typing import Protocol, cast

from tunnelgate.diagnostics.diagnostic import Diagnostic
from tunnelgate.diagnostics.render.options import DEFAULT, Options

__all__ = ["DOCUMENTS", "FORMATS", "Options", "Renderer", "render", "renderer"]

#: Formats that are a whole document: written where nothing was found too, and nothing besides.
DOCUMENTS = frozenset({"json", "sarif", "gitlab", "junit", "rdjson"})

#: The name of each format and the module whose `render` writes it.
FORMATS: dict[str, str] = {
    "full": "tunnelgate.diagnostics.render.full",
    "concise": "tunnelgate.diagnostics.render.concise",
    "json": "tunnelgate.diagnostics.render.json",
    "sarif": "tunnelgate.diagnostics.render.sarif",
    "github": "tunnelgate.diagnostics.render.github",
    "gitlab": "tunnelgate.diagnostics.render.gitlab",
    "junit": "tunnelgate.diagnostics.render.junit",
    "rdjson": "tunnelgate.diagnostics.render.rdjson",
}


class Renderer(Protocol):
    """Writes findings, in the order given, as the whole text of one output."""

    def __call__(self, diagnostics: Sequence[Diagnostic], options: Options = ..., /) -> str:
        """The text of one output."""
        ...


def renderer(format: str) -> Renderer:
    """The renderer of a format. Raises KeyError where there is no such format."""
    return cast(Renderer, import_module(FORMATS[format]).render)


def render(format: str, diagnostics: Iterable[Diagnostic], options: Options = DEFAULT) -> str:
    """The findings in a format, in the order in which people read. Raises KeyError as above."""
    return renderer(format)(sorted(diagnostics, key=attrgetter("sort_key")), options)
