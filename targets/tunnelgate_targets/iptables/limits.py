"""Limits on new connections, and on messages about them."""

from __future__ import annotations

from tunnelgate.plan import Limit, Origin
from tunnelgate_targets.iptables.names import limit_name

#: A log must not become the way to fill a disk.
LOG_RATE = "-m limit --limit 10/second --limit-burst 20"
_BURST = 5
_MILLISECONDS = {"second": 1_000, "minute": 60_000}


def credit(origin: Origin, limit: Limit) -> str:
    """The match of a statement that has credit left.

    hashlimit and not limit: rules that name one credit share it. An entry must live until its
    credit is full again, or idling would be rewarded with a new burst (iptables-extensions(8),
    --hashlimit-htable-expire).
    """
    full = -(-limit.burst * _MILLISECONDS[limit.unit] // limit.count) + _MILLISECONDS[limit.unit]
    mode = "--hashlimit-mode srcip " if limit.per_source else ""
    return (
        f"-m hashlimit --hashlimit-upto {limit.count}/{limit.unit} "
        f"--hashlimit-burst {limit.burst} "
        f"{mode}--hashlimit-name {limit_name(origin.text)} --hashlimit-htable-expire {full}"
    )


def denied_log_rate(messages: int) -> str:
    """The match that lets so many messages a minute through."""
    return f"-m limit --limit {messages}/minute --limit-burst {_BURST}"
