"""What a command about policies works on: its flags, the configuration, the policies."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunnelgate import config as configuration
from tunnelgate.cli import inputs
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Exit, Problem
from tunnelgate.cli.flags import Flags
from tunnelgate.cli.jobs import Job, demand_parameters, jobs
from tunnelgate.cli.sieve import Sieve
from tunnelgate.config import Config, ConfigError
from tunnelgate.diagnostics import Diagnostic, Severity
from tunnelgate.diagnostics.reading import UNREADABLE, unreadable
from tunnelgate.diagnostics.render import DOCUMENTS
from tunnelgate.records import record
from tunnelgate.source import SourceError, SourceFile
from tunnelgate.variables import Variables, from_settings

if TYPE_CHECKING:
    from tunnelgate.cli.revisions import Base
    from tunnelgate.diagnostics.render.options import Gateway
    from tunnelgate.silencing import Trust
    from tunnelgate.target import Layout


@record
class Run:
    """One run of a command.

    Attributes:
        console: where text goes.
        config: what the project chooses.
        policies: what could be read.
        variables: what the files of variables say.
        settings: single values of parameters.
        unreadable: a finding for each file that could not.
        targets: the names of the targets asked for, by flag or configuration.
        layout: whether rulesets of others stand on the gateways, too.
        sieve: takes out of the findings what is silenced.
        trust: whether a comment of a policy may silence; None where all may.
    """

    console: Console
    config: Config
    policies: tuple[SourceFile, ...]
    variables: tuple[Variables, ...]
    settings: Variables
    unreadable: tuple[Diagnostic, ...]
    targets: tuple[str, ...]
    layout: Layout
    sieve: Sieve
    trust: Trust | None
    _is_everything: bool
    _formats: tuple[str, ...]
    _fail_level: Severity

    @classmethod
    def begin(cls, flags: Flags, *, with_parts: bool = False, writes_baseline: bool = False) -> Run:
        """Read the configuration and the policies, files that others include too if asked for.

        Raises:
            Problem: the configuration cannot be used, a target or a code is unknown, a folder is
                empty, there is no such revision, or no baseline to read or write, or values are
                given and no policy has parameters.
        """
        start = Path(next((path for path in flags.paths if path != inputs.DASH), "."))
        base = _base(flags.config_from, start)
        config = configured(flags.console, start, base)
        baseline = flags.baseline or config.baseline
        if writes_baseline and (baseline is None or base is not None):
            raise Problem(
                "`--write-baseline` needs a file to write, and writes what is found here",
                "name it with `--baseline FILE`, and leave `--config-from` out",
            )
        found = inputs.policies(flags.paths or config.paths or ["."], with_parts=with_parts)
        asked = (flags.variables, flags.variables_folder)
        variables = inputs.variables(*(asked if any(asked) else (config.vars, config.vars_dir)))
        settings = from_settings(flags.settings)
        if any(asked) or settings.files:
            demand_parameters([one for one in found if isinstance(one, SourceFile)])
        unread = [unreadable(one) for one in found if isinstance(one, SourceError)]
        unread += [one for part in (*variables, settings) for one in part.diagnostics]
        return cls(
            flags.console,
            config,
            tuple(one for one in found if isinstance(one, SourceFile)),
            tuple(variables),
            settings,
            tuple(unread),
            _targets(flags.targets or config.targets),
            flags.layout or config.layout or "whole",
            Sieve(
                flags.select or config.select,
                flags.ignore or config.ignore,
                baseline,
                writes_baseline,
                base,
            ),
            _trust(base),
            not flags.paths,
            _formats(flags.format, config.format),
            Severity(flags.fail_level or config.fail_level or Severity.ERROR),
        )

    def jobs(self, policies: Sequence[SourceFile], *, with_defaults: bool) -> tuple[Job, ...]:
        """Each of these policies with each set of values of the run.

        With `with_defaults` those that have them are looked at with their defaults, too.

        None where no values can be read that are given.
        """
        readable = [one for one in self.variables if not one.diagnostics]
        if self.settings.diagnostics or (self.variables and not readable):
            return ()
        return jobs(policies, readable, self.settings, with_defaults=with_defaults)

    @property
    def is_json(self) -> bool:
        """Whether one JSON document is written, after everything else was done."""
        return self._formats == ("json",)

    @property
    def nothing(self) -> str:
        """What is said where there is no finding, or none is shown."""
        silenced = self.sieve.silenced
        return f"no findings ({silenced} silenced)" if silenced else "no findings"

    def report(self, diagnostics: Iterable[Diagnostic], gateways: Sequence[Gateway] = ()) -> Exit:
        """Show the findings, those about unreadable files too, and say how the run ends.

        `gateways` is what was compiled, for programs.
        """
        found = self._all(diagnostics)
        silenced, pages = self.sieve.silenced, self.config.rule_pages or ""
        self.console.findings(
            found, self._formats, silenced=silenced, pages=pages, gateways=gateways
        )
        return self._verdict(found)

    def verdict(self, diagnostics: Iterable[Diagnostic]) -> Exit:
        """How the run ends with these findings, and those about unreadable files."""
        return self._verdict(self._all(diagnostics))

    def finds_nothing(self, diagnostics: Iterable[Diagnostic]) -> bool:
        """Whether there are neither these findings nor any about files and the baseline."""
        return not self._all(diagnostics)

    def _all(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        found = [*self.unreadable, *diagnostics, *self.sieve.about_itself(self._is_everything)]
        # What is wrong with a file that several policies include is told once.
        return list({one.sort_key: one for one in found}.values())

    def write_baseline(self, diagnostics: Iterable[Diagnostic]) -> Exit:
        """Write the baseline anew; where there are errors they are shown instead."""
        errors = [*self.unreadable, *(one for one in diagnostics if one.is_error)]
        if errors:
            self.console.findings(errors, self._formats)
            return self._verdict(errors)
        self.console.say(self.sieve.write(self._is_everything))
        return Exit.CLEAN

    def _verdict(self, diagnostics: Sequence[Diagnostic]) -> Exit:
        if any(finding.rule.code == UNREADABLE.code for finding in diagnostics):
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


def _base(revision: str | None, start: Path) -> Base | None:
    if revision is None:
        return None
    from tunnelgate.cli.revisions import Base

    return Base(revision, start if start.is_dir() else start.absolute().parent)


def _trust(base: Base | None) -> Trust | None:
    """Trust in the comments of a revision. Of standard input it has none."""
    if base is None:
        return None
    from tunnelgate.silencing import trust

    def old(path: str) -> SourceFile | None:
        data = base.read(Path(path))
        try:
            return None if data is None else SourceFile.decode(data, path)
        except SourceError:
            return None

    return trust.of_base(old)


def configured(console: Console, start: Path, base: Base | None = None) -> Config:
    """The configuration that holds for a path, in the work tree or in a revision.

    Raises:
        Problem: it cannot be used.
    """
    try:
        found = configuration.find(start, configuration.on_disk if base is None else base.read)
        if found is None:
            return Config()
        console.detail(f"configuration: {found.path}")
        return configuration.interpret(found)
    except ConfigError as error:
        *others, last = error.problems
        lines = [f"{one.place}: {one.reason}\n  = help: {one.help}\nerror: " for one in others]
        raise Problem("".join([*lines, f"{last.place}: {last.reason}"]), last.help) from error
