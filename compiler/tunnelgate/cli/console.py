"""Where text goes: results to standard output, talk to standard error."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from tunnelgate.cli.exits import Problem
from tunnelgate.records import replace

if TYPE_CHECKING:
    from tunnelgate.diagnostics import Diagnostic
    from tunnelgate.diagnostics.render import Options
    from tunnelgate.diagnostics.render.options import Gateway


@dataclass
class Console:
    """The two streams of a run and how much goes to them.

    Attributes:
        color: `auto`, `always` or `never`.
        quiet: no talk.
        verbose: more talk, and tracebacks of our own faults.
        ruleset_on_stdout: standard output is a ruleset, so findings go to standard error.
    """

    color: str = "auto"
    quiet: bool = False
    verbose: bool = False
    ruleset_on_stdout: bool = False

    def result(self, text: str) -> None:
        """Write a result: the same bytes whatever the locale."""
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
            sys.stdout.buffer.flush()
        except BrokenPipeError:  # the reader has seen enough; click knows what to do
            raise
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise Problem(
                f"standard output cannot be written: {reason}", "give it more room"
            ) from error

    def say(self, text: str) -> None:
        """Tell people what was done."""
        if not self.quiet:
            click.echo(text, err=True)

    def detail(self, text: str) -> None:
        """Tell people who asked for more."""
        if self.verbose:
            self.say(text)

    def findings(
        self,
        diagnostics: Sequence[Diagnostic],
        formats: Sequence[str],
        *,
        silenced: int = 0,
        pages: str = "",
        gateways: Sequence[Gateway] = (),
    ) -> None:
        """Show findings in these formats, one below the other.

        Args:
            silenced: how many more there are, which somebody silenced.
            pages: the address of the folder that holds the rules' pages.
            gateways: what was compiled.
        """
        from tunnelgate.diagnostics.render import DOCUMENTS, render

        options = replace(self._options(), silenced=silenced, pages=pages, gateways=gateways)
        for format in formats:
            if not diagnostics and format not in DOCUMENTS:
                continue  # about nothing, text says nothing; not even its module is needed
            text = render(format, diagnostics, options)
            if self.ruleset_on_stdout:
                click.echo(text, err=True, nl=False, color=True)
            else:
                self.result(text)

    def _options(self) -> Options:
        from tunnelgate.diagnostics.render import Options

        stream = sys.stderr if self.ruleset_on_stdout else sys.stdout
        if not stream.isatty():
            return Options(color=self.color == "always")
        color = self.color == "always" or (self.color == "auto" and _wants_color())
        return Options(color, shutil.get_terminal_size((100, 24)).columns)


def _wants_color() -> bool:
    """By the environment (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
