"""A packet laboratory: real packets through a real kernel in namespaces of its own.

    inside = Wire("lan0", ("192.168.1.1/24",))
    outside = Wire("eth0", ("203.0.113.1/24",), ("0.0.0.0/0",))
    with Lab([inside, outside]) as lab:
        lab.load_nft(ruleset)
        seen = lab.send(Probe("lan0", "192.168.1.10", "198.51.100.10", "esp"))
        assert seen.arrival.source == "203.0.113.1"
        lab.reply(seen)

Works as root and, where user namespaces are allowed, as an ordinary user.
"""

from .fields import (
    Arrival,
    Endpoint,
    LabError,
    LabUnavailable,
    LoadError,
    Observation,
    Probe,
    Wire,
)
from .laboratory import Completed, Lab, reply_to
from .pptp import PptpSession
from .tcp import Conversation
from .udp import Heard

__all__ = [
    "Arrival",
    "Completed",
    "Conversation",
    "Endpoint",
    "Heard",
    "Lab",
    "LabError",
    "LabUnavailable",
    "LoadError",
    "Observation",
    "PptpSession",
    "Probe",
    "Wire",
    "reply_to",
]
