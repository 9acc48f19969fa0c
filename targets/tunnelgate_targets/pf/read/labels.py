"""What `$if`, `$srcaddr` and the like stand for in a label or tag (pf.conf(5), `label`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunnelgate.flows import axes
from tunnelgate_targets.pf.read.parts import LONGEST, Host, NotModelled, Ports
from tunnelgate_targets.pf.read.refused import Refused
from tunnelgate_targets.pf.read.ruleset import (
    Interface,
    NoRoute,
    OfInterface,
    Span,
    TableName,
    Tagged,
)
from tunnelgate_targets.pf.read.words import PROTOCOLS

_NAMES = {number: name for name, number in reversed(list(PROTOCOLS.items()))}


@dataclass(frozen=True, slots=True)
class Names:
    """The parts of one rule, as a label calls them."""

    interface: Interface | None
    protocol: int | None
    source: Host
    source_ports: Ports | None
    destination: Host
    destination_ports: Ports | None

    def fill(self, text: str, what: str, line: int, number: int | None = None) -> str:
        """The text with its macros replaced; `number` is that of the rule. Raises Refused."""
        if "$" not in text:
            return text
        values = {
            "$if": self.interface.name if self.interface else "any",
            "$srcaddr": _address(self.source),
            "$dstaddr": _address(self.destination),
            "$srcport": self.source_ports.text if self.source_ports else "",
            "$dstport": self.destination_ports.text if self.destination_ports else "",
            "$proto": _NAMES.get(self.protocol, str(self.protocol)) if self.protocol else "ip",
        }
        if number is not None:
            values["$nr"] = str(number)
        for macro, value in values.items():
            text = text.replace(macro, value)
        if len(text.encode()) > LONGEST[what]:
            raise Refused(f"the {what} `{text}` is longer than {LONGEST[what]} bytes", line)
        return text

    def tagged(self, tagged: Tagged | None, line: int) -> Tagged | None:
        """The tag asked for, macros replaced. Raises Refused."""
        if tagged is None or "$" not in tagged.name:
            return tagged
        return replace(tagged, name=self.fill(tagged.name, "tag", line))


def _address(host: Host) -> str:
    """An address as pfctl writes it into a label."""
    address = host.address
    if address is None:
        return "any"
    return ("! " if host.negated else "") + _plain(address)


def _plain(address: object) -> str:
    match address:
        case Span(interval):
            networks = axes.to_networks(interval)
            if len(networks) > 1:
                return f"{axes.to_address(interval[0])} - {axes.to_address(interval[1])}"
            if networks[0].prefixlen == 0:
                return "any"
            return str(networks[0]).removesuffix(f"/{networks[0].max_prefixlen}")
        case TableName(name):
            return f"<{name}>"
        case OfInterface(name, part, primary, length, dynamic):
            text = name + (f":{part}" if part else "") + (":0" if primary else "")
            text = f"({text})" if dynamic else text
            return text if length is None else f"{text}/{length}"
        case NoRoute():
            return "no-route"
        case NotModelled(what):
            return what
    raise AssertionError(address)
