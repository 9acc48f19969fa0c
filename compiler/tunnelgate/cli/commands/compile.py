"""`tunnelgate compile`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from tunnelgate import api
from tunnelgate.api import Compilation, PolicyError
from tunnelgate.cli import HELP, folder
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Exit, Fault, Problem
from tunnelgate.cli.flags import Flags, on_policies
from tunnelgate.cli.folder import Difference
from tunnelgate.cli.run import Run
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.target import Requirements, Validation

_DEFAULT_TARGET = "nftables"

#: What goes elsewhere on a gateway than its ruleset, and is said in words where nothing is written.
_COMPANIONS = frozenset({"modules.conf", "sysctl.conf"})


@click.command("compile", context_settings=HELP)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(),
    help="Write DIR/GATEWAY/TARGET/...; by default one ruleset goes to standard output.",
)
@click.option(
    "is_check",
    "--check",
    is_flag=True,
    help="Write nothing; fail if what stands in the folder differs.",
)
@click.option(
    "asks_kernel", "--kernel", is_flag=True, help="Let the running kernel read the result, too."
)
@on_policies
def command(flags: Flags, output: str | None, is_check: bool, asks_kernel: bool) -> Exit:
    """Compile policies into rulesets; nothing is written where anything is an error.

    PATH is a policy, a folder of policies, or - for standard input; the configuration's paths or
    the current folder by default. The target is nftables by default. Findings go to standard
    output, or to standard error where the ruleset goes there.
    """
    run = Run.begin(flags)
    output = output or run.config.output
    if is_check and output is None:
        raise Problem("`--check` compares with a folder", "name it with `-o DIR`")
    run.console.ruleset_on_stdout = output is None
    made, findings = _compile(run)
    code = run.report(findings)
    if code is not Exit.CLEAN:
        return code
    if output is None:
        ruleset = _only_ruleset(made)
        _ask_kernel(made if asks_kernel else [], run.console)
        return _print(ruleset, made[0].requirements, run.console)
    changes = _changes(Path(output), made)
    _ask_kernel(made if asks_kernel else [], run.console)
    return _compare(changes, run.console) if is_check else _write(changes, run.console)


def _compile(run: Run) -> tuple[list[Compilation], list[Diagnostic]]:
    """The rulesets of all policies that have no error, and all findings."""
    made: list[Compilation] = []
    findings: list[Diagnostic] = []
    for policy in run.policies:
        try:
            new = api.compile_each(
                policy,
                run.targets or (_DEFAULT_TARGET,),
                layout=run.layout,
                versions=run.config.versions,
                trust=run.trust,
            )
        except PolicyError as error:
            findings += run.sieve.failure(error.diagnostics)
        else:
            made += new
            findings += run.sieve.compilations(new)
    return made, findings


def _only_ruleset(made: Sequence[Compilation]) -> str:
    """The text of the one file that standard output can hold."""
    rulesets = [text for one in made for name, text in one.files.items() if name not in _COMPANIONS]
    if len(rulesets) != 1:
        raise Problem(
            f"{len(rulesets)} files do not fit into one standard output",
            "name a folder with `-o DIR`, or one policy and one target of one file",
        )
    return rulesets[0]


def _print(ruleset: str, needs: Requirements, console: Console) -> Exit:
    console.result(ruleset)
    for module in needs.modules:
        console.say(f"the gateway needs the kernel module {module}")
    for name, value in needs.sysctls:
        console.say(f"the gateway needs {name} = {value}")
    return Exit.CLEAN


def _ask_kernel(made: Sequence[Compilation], console: Console) -> None:
    """Let the running kernel read the rulesets; it changes nothing.

    Raises:
        Problem: it does not take one, or cannot be asked.
    """
    for one in made:
        try:
            way = one.target.validate(one.files)
        except Validation as error:
            raise Fault(
                f"the kernel does not take the {one.target.name} ruleset of {one.policy.name}:\n"
                f"{error}",
                "this is a fault of tunnelgate or an old kernel, not of your policy; nothing was "
                "written; please report it with the policy",
            ) from error
        except OSError as error:
            raise Problem(
                f"the kernel could not be asked about {one.target.name}: {error}",
                "install the target's tools, or leave `--kernel` out",
            ) from error
        console.say(f"{one.policy.name}: the kernel takes it, asked through {way}")


def _changes(output: Path, made: Sequence[Compilation]) -> list[Difference]:
    """What is to be changed below the folder.

    Raises:
        Problem: two policies would be written to one place.
    """
    places: dict[Path, Compilation] = {}
    changes: list[Difference] = []
    for one in made:
        place = output / one.policy.name / one.target.name
        if place in places:
            both = (places[place].policy.file.path, one.policy.file.path)
            raise Problem(
                f"`{both[0]}` and `{both[1]}` are both about gateway `{one.policy.name}`",
                "give each its own name with a `gateway NAME` statement",
            )
        places[place] = one
        changes += folder.differences(place, one.folder)
    return changes


def _compare(changes: Sequence[Difference], console: Console) -> Exit:
    """Say what writing would change."""
    for change in changes:
        console.say(str(change))
        if console.verbose:
            console.say(change.diff().rstrip("\n"))
    if not changes:
        console.say("the folder is as it should be")
    return Exit.FINDINGS if changes else Exit.CLEAN


def _write(changes: Sequence[Difference], console: Console) -> Exit:
    folder.write(changes)
    for change in changes:
        console.say(f"{'removed' if change.new is None else 'wrote'} {change.path}")
    if not changes:
        console.say("nothing to write: the folder is as it should be")
    return Exit.CLEAN
