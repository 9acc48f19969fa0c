"""The arguments and flags that several commands have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Exit
from tunnelgate.diagnostics import Severity
from tunnelgate.diagnostics.render import FORMATS
from tunnelgate.records import record

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from tunnelgate.target import Layout


@record
class Flags:
    """What a command was asked, None where the configuration or a default decides.

    Attributes:
        console: where text goes.
        paths: the files and folders named.
        targets: the targets named.
        layout: whether rulesets of others stand on the gateways, too.
        format: how findings are shown.
        fail_level: the mildest severity that makes the run fail.
        select: codes of the rules whose warnings and advice are shown, or what codes begin with.
        ignore: codes of the rules whose warnings and advice are not shown, likewise.
        baseline: the file of findings that are not shown.
        config_from: the revision of git that the configuration and what silences come from.
        settings: single values of parameters, `NAME=VALUE`.
        variables: the files of variables named.
        variables_folder: a folder of such files.
    """

    console: Console
    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()
    layout: Layout | None = None
    format: str | None = None
    fail_level: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    baseline: str | None = None
    config_from: str | None = None
    settings: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    variables_folder: str | None = None


def _setting(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        if not text.partition("=")[1]:
            raise click.BadParameter(f"`{text}` sets nothing: write `NAME=VALUE`")
    return texts


# Imported when a shell asks: few runs are a shell's.


def _complete_targets(
    context: click.Context, parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    from tunnelgate.cli.completing import complete_targets

    return complete_targets(context, parameter, begun)


def _complete_rules(
    context: click.Context, parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    from tunnelgate.cli.completing import complete_rules

    return complete_rules(context, parameter, begun)


_TARGET = click.option(
    "targets",
    "-t",
    "--target",
    metavar="NAME",
    multiple=True,
    shell_complete=_complete_targets,
    help="May be given several times.",
)
_LAYOUT = click.option(
    "--layout",
    type=click.Choice(["whole", "shared"]),
    help="shared: side by side with rulesets of others; whole by default.",
)
_SET = click.option(
    "settings",
    "--set",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_setting,
    help="The value of a parameter; several of a list stand between commas.",
)

_PATHS = click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())
_EACH_VALUES = (
    _SET,
    click.option(
        "variables",
        "--vars",
        metavar="FILE",
        multiple=True,
        type=click.Path(),
        help="Values of parameters, in TOML, YAML or JSON; each file is a gateway of its own.",
    ),
    click.option(
        "variables_folder",
        "--vars-dir",
        metavar="DIR",
        type=click.Path(),
        help="As --vars with each such file of the folder.",
    ),
)

_COMMON = (
    _PATHS,
    _TARGET,
    _LAYOUT,
    *_EACH_VALUES,
    click.option(
        "--format",
        type=click.Choice(list(FORMATS)),
        help="How findings are shown; full by default, and github too under GitHub Actions.",
    ),
    click.option(
        "--fail-level",
        type=click.Choice([severity.value for severity in Severity]),
        help="The mildest finding that makes the run fail; error by default.",
    ),
    click.option(
        "--select",
        metavar="CODES",
        multiple=True,
        shell_complete=_complete_rules,
        help="Of warnings and advice show these only: TG607, or TG6 for all that begin with it.",
    ),
    click.option(
        "--ignore",
        metavar="CODES",
        multiple=True,
        shell_complete=_complete_rules,
        help="Of warnings and advice show all but these. Errors are always shown.",
    ),
    click.option(
        "--baseline",
        metavar="FILE",
        type=click.Path(),
        help="Do not show the findings that stand in it.",
    ),
    click.option(
        "--config-from",
        metavar="REV",
        help="Take the configuration, and what silences findings, from this revision of git.",
    ),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="auto: on a terminal, unless NO_COLOR is set.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors."),
    click.option("-v", "--verbose", is_flag=True, help="Say more."),
)


def on_policies(function: Callable[..., Exit]) -> Callable[..., Exit]:
    """Make a function of `Flags` one of what a command about policies takes."""

    @wraps(function)
    def command(
        paths: tuple[str, ...],
        targets: tuple[str, ...],
        layout: Layout | None,
        settings: tuple[str, ...],
        variables: tuple[str, ...],
        variables_folder: str | None,
        format: str | None,
        fail_level: str | None,
        select: tuple[str, ...],
        ignore: tuple[str, ...],
        baseline: str | None,
        config_from: str | None,
        color: str,
        quiet: bool,
        verbose: bool,
        **rest: Any,
    ) -> Exit:
        console = click.get_current_context().ensure_object(Console)
        console.color, console.quiet, console.verbose = color, quiet, verbose
        chosen = (layout, format, fail_level, select, ignore, baseline, config_from)
        values = (settings, variables, variables_folder)
        return function(Flags(console, paths, targets, *chosen, *values), **rest)

    return _decorated(command, _COMMON)


def with_each_values(function: Callable[..., Exit]) -> Callable[..., Exit]:
    """The policies of a command and all their values: `paths`, and as in `Flags`."""
    return _decorated(function, (_PATHS, *_EACH_VALUES))


def _decorated(
    function: Callable[..., Exit], flags: Sequence[Callable[[Any], Any]]
) -> Callable[..., Exit]:
    for decorate in reversed(flags):
        function = decorate(function)
    return function


def with_values(function: Callable[..., Exit]) -> Callable[..., Exit]:
    """The flags of a command that asks about one gateway: `settings`, and `variables` or None."""
    vars_ = click.option(
        "variables",
        "--vars",
        metavar="FILE",
        type=click.Path(),
        help="Values of parameters, in TOML, YAML or JSON.",
    )
    return _SET(vars_(function))


def on_targets(function: Callable[..., Exit]) -> Callable[..., Exit]:
    """The flags of a command about the rulesets of one gateway: `targets`, and `layout` or None."""
    return _TARGET(_LAYOUT(function))
