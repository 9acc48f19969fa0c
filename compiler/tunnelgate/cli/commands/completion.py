"""`tunnelgate completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tunnelgate.cli import HELP
from tunnelgate.cli.console import Console

SHELLS = ("bash", "zsh", "fish")

#: By this variable the script asks the program what could follow.
VARIABLE = "_TUNNELGATE_COMPLETE"


@click.command("completion", context_settings=HELP)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Write the script by which a shell completes commands, flags, rules, protocols and targets.

    In bash: eval "$(tunnelgate completion bash)", in ~/.bashrc to have it always.
    """
    found = get_completion_class(shell)
    assert found is not None, "click knows each of the shells"
    completion = found(context.find_root().command, {}, "tunnelgate", VARIABLE)
    console = context.ensure_object(Console)
    console.result(completion.source_template % completion.source_vars())
