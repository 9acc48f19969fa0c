"""What a command about policies works on: its flags, the configuration, the policies."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunnelgate import config as configuration
from tunnelgate.cli import inputs
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Exit, Problem
from tunnelgate.cli.flags import Flags
from tunnelgate.config import Config, ConfigError
from tunnelgate.diagnostics import Diagnostic, Severity
from tunnelgate.diagnostics.reading import UNREADABLE, unreadable
from tunnelgate.diagnostics.render import DOCUMENTS
from tunnelgate.source import SourceError, SourceFile

if TYPE_CHECKING:
    from tunnelgate.target import Layout


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command.

    Attributes:
        console: where text goes.
        config: what the project chooses.
        policies: what could be read.
        unreadable: a finding for each file that could not.
        targets: the names of the targets asked for, by flag or configuration.
        layout: whether rulesets of others stand on the gateways, too.
    """

    console: Console
    config: Config
    policies: tuple[SourceFile, ...]
    unreadable: tuple[Diagnostic, ...]
    targets: tuple[str, ...]
    layout: Layout
    _formats: tuple[str, ...]
    _fail_level: Severity

    @classmethod
    def begin(cls, flags: Flags, *, with_parts: bool = False) -> Run:
        """Read the configuration and the policies, files that others include too if asked for.

        Raises:
            Problem: the configuration cannot be used, a target is unknown, a folder is empty.
        """
        config = _config(flags)
        found = list(inputs.policies(flags.paths or config.paths or ["."], with_parts=with_parts))
        return cls(
            flags.console,
            config,
            tuple(one for one in found if isinstance(one, SourceFile)),
            tuple(unreadable(one) for one in found if isinstance(one, SourceError)),
            _targets(flags.targets or config.targets),
            flags.layout or config.layout or "whole",
            _formats(flags.format, config.format),
            Severity(flags.fail_level or config.fail_level or Severity.ERROR),
        )

    def report(self, diagnostics: Iterable[Diagnostic]) -> Exit:
        """Show the findings, those about unreadable files too, and say how the run ends."""
        found = [*self.unreadable, *diagnostics]
        self.console.findings(found, self._formats)
        return self._verdict(found)

    def _verdict(self, diagnostics: Sequence[Diagnostic]) -> Exit:
        if any(finding.rule is UNREADABLE for finding in diagnostics):
            return Exit.USAGE
        worst = min((finding.severity.rank for finding in diagnostics), default=None)
        failed = worst is not None and worst <= self._fail_level.rank
        return Exit.FINDINGS if failed else Exit.CLEAN


def _formats(asked: str | None, configured: str | None) -> tuple[str, ...]:
    """How findings are shown; for GitHub there is text for people above its annotations."""
    chosen = asked or configured or "full"
    if chosen == "github":
        return "full", "github"
    if asked is None and chosen not in DOCUMENTS and os.environ.get("GITHUB_ACTIONS") == "true":
        return chosen, "github"
    return (chosen,)


def _targets(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once, if there are such targets; looking costs imports that few runs need."""
    asked = tuple(dict.fromkeys(names))
    if asked:
        from tunnelgate.target import UnknownTarget, find

        try:
            for name in asked:
                find(name)
        except UnknownTarget as error:
            raise Problem(f"unknown target `{error.name}`", error.help) from error
    return asked


def _config(flags: Flags) -> Config:
    start = next((path for path in flags.paths if path != inputs.DASH), ".")
    try:
        found = configuration.find(Path(start))
        if found is None:
            return Config()
        flags.console.detail(f"configuration: {found[0]}")
        return configuration.read(*found)
    except ConfigError as error:
        *others, (reason, help) = error.problems
        lines = [f"{error.path}: {what}\n  = help: {way}\nerror: " for what, way in others]
        raise Problem("".join([*lines, f"{error.path}: {reason}"]), help) from error
