"""What a rule does: targets of iptables-extensions(8) as actions of the packet model."""

from __future__ import annotations

from collections.abc import Mapping

from tunnelgate.flows import axes
from tunnelgate.flows.fields import Rate
from tunnelgate.flows.netfilter import (
    Accept,
    Action,
    Destination,
    Drop,
    Helper,
    Nothing,
    Return,
    Source,
    Unmodelled,
)
from tunnelgate_targets.iptables.read.lines import Line, Option
from tunnelgate_targets.iptables.read.values import ports

#: The port range of which nothing is IKE's (language reference, What happens to a packet).
_MOVED = (4501, 65535)


def action(line: Line, rate: Rate | None) -> Action:
    """What the target of a line does, with credit of a rate if there is one.

    Raises:
        Unmodelled: nobody knows.
    """
    if line.is_goto:
        raise Unmodelled(f"no chain `{line.verdict}`", line.number)
    if line.verdict == "ACCEPT":
        return Accept(rate)
    if rate is not None:
        raise Unmodelled(f"credit for `{line.verdict}`", line.number)
    match line.verdict:
        case "DROP" | "REJECT":
            return Drop()
        case "RETURN":
            return Return()
        case "LOG" | "TCPMSS":
            return Nothing()
        case "CT":
            # the template of the first one is not replaced (xt_ct_target)
            return Helper(_word(line.options, "--helper", line.number), is_final=True)
        case _:
            return _translation(line)


def _translation(line: Line) -> Action:
    match line.verdict:
        case "DNAT":
            address, port = _endpoint(_word(line.options, "--to-destination", line.number), line)
            if not port:
                return Destination(address)
            low, high = ports(port, "-")
            if low != high:
                raise Unmodelled("a range of destination ports", line.number)
            return Destination(address, low)
        case "SNAT":
            address, port = _endpoint(_word(line.options, "--to-source", line.number), line)
            return Source(address, moved=_is_moved(port, line))
        case "MASQUERADE":
            given = line.options.get("--to-ports")
            return Source(None, moved=_is_moved(given.words[0] if given else "", line))
        case _:
            raise Unmodelled(f"target `{line.verdict}`", line.number)


def _word(options: Mapping[str, Option], name: str, number: int) -> str:
    if name not in options:
        raise Unmodelled(f"no `{name}`", number)
    return options[name].words[0]


def _endpoint(word: str, line: Line) -> tuple[int, str]:
    """`192.0.2.1`, `192.0.2.1:80` or `[2001:db8::1]:80`."""
    try:
        return axes.endpoint_of(word)
    except ValueError as error:
        raise Unmodelled(f"address `{word}`", line.number) from error


def _is_moved(word: str, line: Line) -> bool:
    if not word:
        return False
    if ports(word, "-") != _MOVED:
        raise Unmodelled(f"source ports `{word}`", line.number)
    return True
