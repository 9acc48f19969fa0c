"""`tunnelgate compile`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import click

from tunnelgate.cli import HELP, folder
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Exit, Fault, Problem
from tunnelgate.cli.flags import Flags, on_policies
from tunnelgate.cli.fleet import Asked, Result, Ruleset, compile_all
from tunnelgate.cli.folder import Difference
from tunnelgate.cli.merging import merge
from tunnelgate.cli.run import Run
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.diagnostics.render.options import Gateway
from tunnelgate.proof import NotProved
from tunnelgate.records import record
from tunnelgate.target import Requirements, Validation, find

_DEFAULT_TARGET = "nftables"


@record
class Placed:
    """A ruleset, the folder that it belongs into, and what is to be changed there."""

    ruleset: Ruleset
    folder: Path
    changes: tuple[Difference, ...]


#: So many folders of other gateways are named; a run about one policy of many has many more.
_MANY_OTHERS = 3
#: What connection tracking holds on a machine with a gigabyte, if nobody says otherwise
#: (Documentation/networking/nf_conntrack-sysctl: nf_conntrack_buckets, nf_conntrack_max).
_CONNECTIONS = 65_536
#: What goes elsewhere on a gateway than its ruleset, and is said in words where nothing is written.
_COMPANIONS = frozenset({"modules.conf", "sysctl.conf"})
#: More sentences than these about how a ruleset does it are not said, but written.
_MOST_NOTES = 10


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
@click.option(
    "no_prove", "--no-prove", is_flag=True, help="Do not prove rulesets; manifests say so."
)
@on_policies
def command(
    flags: Flags, output: str | None, is_check: bool, asks_kernel: bool, no_prove: bool
) -> Exit:
    """Compile policies into rulesets; nothing is written where anything is an error.

    PATH is a policy, a folder of policies, or - for standard input; the configuration's paths or
    the current folder by default. A policy with parameters is compiled once for each file of
    variables. The target is nftables by default. Each ruleset whose target can be read back is
    proved to mean its policy before anything is written. Findings go to standard output, or to
    standard error where the ruleset goes there.
    """
    run = Run.begin(flags)
    output = output or run.config.output
    if is_check and output is None:
        raise Problem("`--check` compares with a folder", "name it with `-o DIR`")
    run.console.ruleset_on_stdout = output is None
    made, findings = _compile(run, prove=not no_prove)
    code = run.verdict(findings)
    if code is not Exit.CLEAN:
        return run.report(findings)
    if output is None:
        run.report(findings)
        ruleset = _only_ruleset(made)
        _ask_kernel(made if asks_kernel else [], run.console)
        return _print(ruleset, made[0].requirements, run.console)
    if not run.is_json:
        run.report(findings)
    placed = _place(Path(output), made)
    _ask_kernel(made if asks_kernel else [], run.console)
    if is_check:
        code = _compare(placed, run.console)
        _mention_others(Path(output), placed, run.console)
    else:
        _write(placed, run.console)
        _mention_others(Path(output), placed, run.console)
    if run.is_json:
        run.report(findings, _summary(placed, is_check))
    return code


def _compile(run: Run, *, prove: bool) -> tuple[list[Ruleset], list[Diagnostic]]:
    """The rulesets of all policies that have no error, and all findings.

    Raises:
        Fault: a ruleset does not mean its policy.
    """
    jobs = run.jobs(run.policies, with_defaults=False)
    targets = run.targets or (_DEFAULT_TARGET,)
    asked = Asked(targets, run.layout, run.config.versions, run.trust, prove)
    is_watched = sys.stderr.isatty() and not run.console.quiet
    try:
        results = compile_all(jobs, asked, shows_progress=is_watched)
    except NotProved as error:
        raise Fault(
            str(error),
            "this is a fault of tunnelgate, not of your policy, and nothing was written; please "
            "report it with the policy; `--no-prove` compiles without a proof",
        ) from error
    made = [ruleset for result in results for ruleset in result.rulesets]
    return made, merge((one.job, _shown(one, run)) for one in results)


def _shown(result: Result, run: Run) -> list[Diagnostic]:
    """The findings of one job that are shown."""
    if not result.rulesets:
        return run.sieve.failure(result.findings)
    gateway = result.rulesets[0].gateway
    return run.sieve.sift(result.job.name, gateway, result.findings, result.silenced)


def _only_ruleset(made: Sequence[Ruleset]) -> str:
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
    _say_scarce("the gateway", needs, console)
    _tell_notes([needs], console)
    return Exit.CLEAN


def _say_scarce(gateway: str, needs: Requirements, console: Console) -> None:
    """What a gateway may lack although it has all that is usual, and no file brings."""
    if needs.rare:
        console.say(f"{gateway} needs a kernel with {', '.join(needs.rare)}")
    if needs.connections > _CONNECTIONS:
        console.say(
            f"{gateway} needs net.netfilter.nf_conntrack_max above {needs.connections:,}: so many "
            "connections of named hosts alone"
        )


def _tell_notes(needed: Iterable[Requirements], console: Console) -> None:
    """Say how rulesets do what has a limit, each sentence once; not more than a screen holds."""
    notes = list(dict.fromkeys(note for needs in needed for note in needs.notes))
    for note in notes[:_MOST_NOTES]:
        console.say(note)
    if len(notes) > _MOST_NOTES:
        console.say(f"and {len(notes) - _MOST_NOTES} more, which `manifest.json` has")


def _ask_kernel(made: Sequence[Ruleset], console: Console) -> None:
    """Let the running kernel read the rulesets; it changes nothing.

    Raises:
        Problem: it does not take one, or cannot be asked.
    """
    for one in made:
        try:
            way = find(one.target).validate(one.files)
        except Validation as error:
            raise Fault(
                f"the kernel does not take the {one.target} ruleset of {one.gateway}:\n{error}",
                "this is a fault of tunnelgate or an old kernel, not of your policy; nothing was "
                "written; please report it with the policy",
            ) from error
        except OSError as error:
            raise Problem(
                f"the kernel could not be asked about {one.target}: {error}",
                "install the target's tools, or leave `--kernel` out",
            ) from error
        console.say(f"{one.gateway}: the kernel takes it, asked through {way}")


def _place(output: Path, made: Sequence[Ruleset]) -> list[Placed]:
    """Where the rulesets go, and what is to be changed there.

    Raises:
        Problem: two of them would be written to one place.
    """
    places: dict[Path, Ruleset] = {}
    for one in made:
        place = output / one.gateway / one.target
        if place in places:
            raise Problem(
                f"{places[place].origin} and {one.origin} are both about gateway `{one.gateway}`",
                "give each its own name with a `gateway NAME` statement"
                + ("; `NAME` may be a parameter" if one.variables else ""),
            )
        places[place] = one
    return [
        Placed(one, place, tuple(folder.differences(place, one.folder)))
        for place, one in places.items()
    ]


def _compare(placed: Sequence[Placed], console: Console) -> Exit:
    """Say what writing would change."""
    changes = [change for one in placed for change in one.changes]
    for change in changes:
        console.say(str(change))
        if console.verbose:
            console.say(change.diff().rstrip("\n"))
    if not changes:
        console.say("the folder is as it should be")
    return Exit.FINDINGS if changes else Exit.CLEAN


def _mention_others(output: Path, placed: Sequence[Placed], console: Console) -> None:
    """Name what tunnelgate wrote for other gateways; another run may need it, so it is no fault."""
    others = folder.others(output, {one.ruleset.gateway for one in placed})
    named = others if len(others) <= _MANY_OTHERS or console.verbose else others[:_MANY_OTHERS]
    for path in named:
        console.say(f"{path}: of a gateway that no policy of this run is about")
    if len(named) < len(others):
        console.say(f"and {len(others) - len(named)} more of such gateways; `-v` names them")


def _write(placed: Sequence[Placed], console: Console) -> None:
    by_gateway: dict[str, list[Difference]] = {}
    for one in placed:
        by_gateway.setdefault(one.ruleset.gateway, []).extend(one.changes)
    changed = {name: changes for name, changes in by_gateway.items() if changes}
    folder.write(changed.values())
    for change in chain.from_iterable(changed.values()):
        console.say(f"{'removed' if change.new is None else 'wrote'} {change.path}")
    for one in placed:
        if one.changes:
            _say_scarce(one.ruleset.gateway, one.ruleset.requirements, console)
    if not changed:
        console.say("nothing to write: the folder is as it should be")
    _tell_notes([one.ruleset.requirements for one in placed], console)


def _summary(placed: Sequence[Placed], is_check: bool) -> list[Gateway]:
    """What was done, for programs."""
    changed = "differs" if is_check else "written"
    return [
        {
            "gateway": one.ruleset.gateway,
            "target": one.ruleset.target,
            "policy": one.ruleset.policy,
            "variables": one.ruleset.variables or None,
            "folder": str(one.folder),
            "state": changed if one.changes else "unchanged",
        }
        for one in placed
    ]
