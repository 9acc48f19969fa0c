"""The table of states: connections whose further packets ask no rule."""

from __future__ import annotations

from dataclasses import dataclass, replace

from firewall.packet import Key, Packet, key_of, opposite, with_key
from tunnelgate_targets.pf.read.ruleset import Direction


@dataclass(frozen=True)
class State:
    """A connection that passed: `wire` as it is on the wire of its interface, `stack` as inside.

    Every packet that rides it gets its tag, answers too (`pf_test`).
    """

    direction: Direction
    interface: str | None
    wire: Key
    stack: Key
    tag: str | None
    allow_options: bool


class States:
    """All states of a machine."""

    def __init__(self) -> None:
        self.all: list[State] = []

    def find(self, packet: Packet, direction: Direction, interface: str) -> State | None:
        """The state of a packet, or of what an ICMP error is about; bound states come first."""
        quoted = packet.quoted
        key = key_of(quoted, opposite(direction)) if quoted else key_of(packet, direction)
        found = [
            state
            for state in self.all
            if key == (state.wire if direction is Direction.IN else state.stack)
            and state.interface in {None, interface}
        ]
        return min(found, key=lambda state: state.interface is None, default=None)

    def taken(self, key: Key) -> bool:
        """Whether a state has this key on the wire already (`pf_find_state_all`)."""
        return any(key == state.wire for state in self.all)

    def add(self, new: State) -> bool:
        """Insert a state; False where its keys are another's (`pf_state_key_attach`)."""
        for state in self.all:
            same = (state.direction, state.interface) == (new.direction, new.interface)
            if same and {state.wire, state.stack} & {new.wire, new.stack}:
                return False
        self.all.append(new)
        return True


def ridden(state: State, packet: Packet, direction: Direction) -> Packet:
    """The packet as its state translates it: from the wire's key to the stack's, or back."""
    key = state.stack if direction is Direction.IN else state.wire
    if packet.quoted is None:
        return with_key(key, direction, packet)
    inner = with_key(key, opposite(direction), packet.quoted)
    return replace(packet, destination=inner.source, quoted=inner)
