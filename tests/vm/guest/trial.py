"""What the model says of packets, as it is handed to the machine."""

from __future__ import annotations

from typing import NamedTuple

from fate import Fate
from lab import Probe, Wire
from tunnels import Tunnel


class Trial(NamedTuple):
    """A packet, and what should become of it.

    is_answered: its answer must find who asked.  waits: counts must have forgotten others.
    """

    probe: Probe
    fate: Fate
    is_answered: bool
    waits: bool


class Trials(NamedTuple):
    """What it takes to try a policy."""

    wires: tuple[Wire, ...]
    tunnels: tuple[Tunnel, ...]
    trials: tuple[Trial, ...]
