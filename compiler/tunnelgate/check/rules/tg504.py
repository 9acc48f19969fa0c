"""TG504: the check of sources is off."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Rule, Safety, Severity
from tunnelgate.source import Span

RULE = Rule(
    code="TG504",
    name="antispoof-off",
    severity=Severity.WARNING,
    summary="the check of sources is off",
    why="Statements go by the source that a packet claims to have. Without the check anybody may "
    "claim to be a trusted host, and send by its rights.",
    source="RFC 2827 (BCP 38) section 3; RFC 3704 section 2",
    bad=NAT + "set antispoof off\n",
    good=NAT + "set antispoof on\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """`set antispoof off` where some zone says what lives there: elsewhere it changes nothing."""
    policy = context.policy
    if policy.settings.antispoof or not any(
        zone.networks and zone.over is None for zone in policy.zones
    ):
        return
    span = policy.settings_spans["antispoof"]
    value = Span(span.file, span.end - len("off"), span.end)
    yield Diagnostic(
        RULE,
        "sources are not checked",
        Label(span),
        help="leave it on; networks that are routed behind a zone belong into its `network`",
        fix=Fix((Edit(value, "on"),), Safety.UNSAFE),
    )
