"""`tunnelgate explain`."""

from __future__ import annotations

from importlib import import_module

import click

from tunnelgate import api
from tunnelgate.api import PolicyError
from tunnelgate.cli import HELP, given
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Exit, Problem
from tunnelgate.cli.explained.lines import Rules, lines
from tunnelgate.cli.flags import Flags, on_targets, with_values
from tunnelgate.cli.run import Run
from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.flows.firstmatch import BudgetExceeded
from tunnelgate.policy import Policy
from tunnelgate.proof.emitted import Lines, is_shown
from tunnelgate.target import Layout, Readable, find

FORMATS = ("text", "json")

_DEFAULT_TARGET = "nftables"


@click.command("explain", context_settings=HELP)
@click.argument("path", type=click.Path())
@click.argument("question")
@on_targets
@with_values
@click.option(
    "arriving",
    "--in",
    metavar="ZONE",
    help="The zone that it comes in by, where that is not the zone of its source.",
)
@click.option("--format", type=click.Choice(FORMATS), default="text", help="text by default.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
@click.pass_obj
def command(
    console: Console,
    path: str,
    question: str,
    targets: tuple[str, ...],
    layout: Layout | None,
    settings: tuple[str, ...],
    variables: str | None,
    arriving: str | None,
    format: str,
    quiet: bool,
    verbose: bool,
) -> Exit:
    """Say what happens to packets that begin a connection, and why.

    QUESTION is as in an expectation: 'esp from alice to hq'. Of zones, groups and protocols of
    several channels, all packets are told by cases: verdict, translations, the statement that
    decides, and the rules of the ruleset.
    """
    console.quiet, console.verbose = quiet, verbose
    files = () if variables is None else (variables,)
    run = Run.begin(Flags(console, (path,), targets, layout, settings=settings, variables=files))
    try:
        policy = _policy(run)
        zone = None if arriving is None else _known_zone(policy, arriving)
        asked = api.ask(policy, question)
        cases = api.explain(policy, asked, arriving=zone)
        found = lines(policy, asked, cases, _rules(policy, run))
    except PolicyError as error:
        return given.refused(error, console)
    except BudgetExceeded as error:
        raise Problem("the question is too large to be answered", "ask in parts") from error
    show = import_module(f"tunnelgate.cli.explained.{format}").render
    console.result(show(policy, asked.text, found))
    return Exit.CLEAN


def _policy(run: Run) -> Policy:
    """The one policy of a run, with its values.

    Raises:
        Problem: there are several, or several sets of values.
        PolicyError: it cannot be read, or has errors.
    """
    if run.unreadable:
        raise PolicyError(run.unreadable)
    jobs = run.jobs(run.policies, with_defaults=False)
    if len(jobs) != 1:
        raise Problem(
            f"a question is about one gateway, and here are {len(jobs)}",
            "name the file of one policy, and its values with one `--vars FILE`",
        )
    return api.load(jobs[0].policy, vars=jobs[0].variables)


def _known_zone(policy: Policy, name: str) -> str:
    names = [zone.name for zone in policy.zones[1:]]
    if name not in names:
        close = nearest(name, names)
        help = f"did you mean `{close}`?" if close else f"known are {', '.join(names)}"
        raise Problem(f"no zone `{name}` to come in by", help)
    return name


def _rules(policy: Policy, run: Run) -> Rules:
    """The rules of each target, as far as they can be shown; it is said why others are not."""
    return {name: _read_back(policy, name, run) for name in run.targets or (_DEFAULT_TARGET,)}


def _read_back(policy: Policy, name: str, run: Run) -> Lines | None:
    target = find(name)
    try:
        versions = run.config.versions
        made = api.compile(
            policy, name, layout=run.layout, versions=versions, prove=False, warn=False
        )
    except PolicyError:
        run.console.say(
            f"{name}: no rules are shown, since there is no ruleset of this policy; "
            f"`tunnelgate check -t {name}` says why"
        )
        return None
    read = target.read(made.files) if isinstance(target, Readable) else {}
    if not is_shown(made.files, read):
        run.console.say(f"{name}: no rules are shown, since nothing tells their lines")
        return None
    return Lines(policy, made.files, read)
