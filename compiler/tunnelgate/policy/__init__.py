"""Names, places and protocols: from what was written to what is meant."""

from tunnelgate.policy.model import (
    Expect,
    Forward,
    Group,
    Host,
    Limit,
    Nat,
    Options,
    Policy,
    ProtocolSet,
    Question,
    Rule,
    Settings,
    Side,
    Statement,
    Verdict,
    Zone,
)
from tunnelgate.policy.resolve import resolve, resolve_flow

__all__ = [
    "Expect",
    "Forward",
    "Group",
    "Host",
    "Limit",
    "Nat",
    "Options",
    "Policy",
    "ProtocolSet",
    "Question",
    "Rule",
    "Settings",
    "Side",
    "Statement",
    "Verdict",
    "Zone",
    "resolve",
    "resolve_flow",
]
