"""How a run ends: exit codes with names, and the error that ends one."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import IO, Any

import click

from tunnelgate.diagnostics.nearest import nearest


class Exit(IntEnum):
    """The exit code of a command."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    """Wrong usage, input that cannot be read, output that cannot be written, bad configuration."""
    FAULT = 3
    """A fault of ours."""
    INTERRUPTED = 130
    """As a shell says it of a command that SIGINT ended: 128 and the number of the signal."""
    TERMINATED = 143
    """The same of SIGTERM."""


class Terminated(BaseException):
    """SIGTERM has come. As KeyboardInterrupt it is no Exception, so that nothing takes it for one.

    Whoever leaves something behind adds a note about it.
    """


class Problem(click.ClickException):
    """What keeps a command from its work, and a way out."""

    exit_code = Exit.USAGE

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to standard error, as findings are written."""
        click.echo(f"error: {self.message}\n  = help: {self.help}", file=file, err=file is None)


class Misuse(Problem):
    """A flag or a value that the command does not take, told as every other problem is.

    Args:
        error: what click found.
    """

    def __init__(self, error: click.UsageError) -> None:
        command = f"{error.ctx.command_path} " if error.ctx else ""
        help = f"`{command}--help` says what it takes"
        if isinstance(error, click.NoSuchOption):
            close = nearest(error.option_name, error.possibilities or ())
            super().__init__(
                f"no such option `{error.option_name}`",
                f"did you mean `{close}`?" if close else help,
            )
            return
        said = " ".join(error.format_message().split()).replace(". Choose from:", "; choose from")
        message = re.sub(r"'([^']*)'", r"`\1`", said).removesuffix(".")
        super().__init__(message[:1].lower() + message[1:], help)


class Fault(Problem):
    """A fault of ours, and what to report."""

    exit_code = Exit.FAULT
