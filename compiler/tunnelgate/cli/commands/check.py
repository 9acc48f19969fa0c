"""`tunnelgate check`."""

from __future__ import annotations

import click

from tunnelgate import api
from tunnelgate.cli.exits import Exit
from tunnelgate.cli.flags import Flags, on_policies
from tunnelgate.cli.run import Run


@click.command("check")
@on_policies
def command(flags: Flags) -> Exit:
    """Read policies and say what cannot work.

    PATH is a policy, a folder of policies, or - for standard input; the configuration's paths or
    the current folder by default. With a target, what that target cannot do is a finding too.
    """
    run = Run.begin(flags)
    findings = [one for policy in run.policies for one in api.check(policy, run.targets)]
    code = run.report(findings)
    if not findings and not run.unreadable:
        count = len(run.policies)
        run.console.say(f"{count} {'policy' if count == 1 else 'policies'}: no findings")
    return code
