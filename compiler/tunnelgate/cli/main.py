"""The program `tunnelgate`: finds the command, and turns what goes wrong into an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from tunnelgate import __version__
from tunnelgate.cli import HELP
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Exit, Fault, Misuse, Problem, Terminated
from tunnelgate.cli.signals import terminable
from tunnelgate.diagnostics.nearest import nearest

#: The commands, in the order in which people need them. Each is a module of `cli.commands`.
COMMANDS = (
    "check",
    "compile",
    "fmt",
    "test",
    "explain",
    "diff",
    "rule",
    "protocols",
    "targets",
    "completion",
)

#: These, and a plain `UsageError`: whatever else click says of usage is a page of help.
_MISUSES = (click.NoSuchOption, click.BadParameter, click.BadOptionUsage, click.BadArgumentUsage)


class Commands(click.Group):
    """Commands whose modules are imported when they are asked for."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """The names of all commands."""
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command:
        """The command of a name."""
        if name not in COMMANDS:
            close = nearest(name, COMMANDS)
            help = f"did you mean `{close}`?" if close else f"known are {', '.join(COMMANDS)}"
            raise Problem(f"unknown command `{name}`", help)
        command: click.Command = import_module(f"tunnelgate.cli.commands.{name}").command
        return command


@click.group(cls=Commands, context_settings=HELP)
@click.version_option(__version__, message="tunnelgate %(version)s")
def app() -> None:
    """Compile firewall policies about VPN passthrough, and say what cannot work.

    Exit status: 0 clean, 1 findings, 2 wrong usage or input that cannot be read, 3 a fault of
    tunnelgate, 130 and 143 where SIGINT or SIGTERM ended it.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit code."""
    console = Console()
    try:
        with terminable():
            code = app.main(arguments, "tunnelgate", standalone_mode=False, obj=console)
            sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt) as error:
        return _stopped("interrupted", error, Exit.INTERRUPTED)
    except Terminated as error:
        return _stopped("terminated", error, Exit.TERMINATED)
    except _MISUSES as error:
        return _misused(error)
    except click.ClickException as error:
        if type(error) is click.UsageError:
            return _misused(error)
        error.show()
        return error.exit_code
    except Exception as error:
        return _fault(error, console)
    return code or Exit.CLEAN


def _misused(error: click.UsageError) -> Exit:
    Misuse(error).show()
    return Misuse.exit_code


def _stopped(how: str, error: BaseException, code: Exit) -> Exit:
    """Say what a signal left, which stands in the notes of what it raised."""
    notes = getattr(error.__cause__ or error, "__notes__", ())  # click raises its own
    click.echo("; ".join([f"error: {how}", *notes]), err=True)
    return code


def _fault(error: Exception, console: Console) -> Exit:
    """Own up to an exception that nobody expected."""
    import platform
    import traceback

    if console.verbose:
        traceback.print_exception(error)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    Fault(
        f"tunnelgate failed: {what}",
        "this is a fault of tunnelgate, not of your policy, and nothing was written; please report "
        f"it with the command, the policy, and `tunnelgate {__version__}, Python "
        f"{platform.python_version()}`" + ("" if console.verbose else "; `-v` shows where it was"),
    ).show()
    return Exit.FAULT
