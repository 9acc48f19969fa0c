"""TG604: a name that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Severity

RULE = Rule(
    code="TG604",
    name="unused-name",
    severity=Severity.ADVICE,
    summary="a name that nothing uses",
    why="It may be left over from a statement that is gone, or there for one that was forgotten: "
    "who reads the policy looks for what it means, and there is nothing.",
    source="language reference, Text, names and values",
    bad=NAT + "allow https from alice to hq\n",
    good=NAT + "allow https from alice, bob to hq\n",
    since="0.1.0",
)
_HELP = {
    "zone": "say what may pass from it or to it; as it is, only the gateway itself may send there",
    "parameter": "write it as `${name}` where its value belongs, or leave it out",
}


def check(context: Context) -> Iterator[Diagnostic]:
    """Each name of the policy's own file: those of included ones are there for other policies."""
    for kind, name, span in context.policy.unused:
        if span.file is context.policy.file:
            yield Diagnostic(
                RULE,
                f"no statement is about zone `{name}`"
                if kind == "zone"
                else f"nothing uses the {kind} `{name}`",
                Label(span),
                help=_HELP.get(kind, "leave it out, or use it").format(name=name),
            )
