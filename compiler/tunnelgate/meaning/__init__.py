"""What a policy means: the fate of a packet, and of every packet of a question."""

from tunnelgate.meaning.decide import Decider, Outcome, Packet, Ports, Reason, decide
from tunnelgate.meaning.expect import Failure, members, unmet

__all__ = [
    "Decider",
    "Failure",
    "Outcome",
    "Packet",
    "Ports",
    "Reason",
    "decide",
    "members",
    "unmet",
]
