"""What a policy means: the fate of a packet, and of every packet of a question."""

from tunnelgate.meaning.decide import Decider, Outcome, Packet, Ports, Reason, decide

__all__ = [
    "Decider",
    "Outcome",
    "Packet",
    "Ports",
    "Reason",
    "decide",
]
