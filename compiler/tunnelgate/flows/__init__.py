"""The algebra of flows: sets of integers, and boxes of them. Imports nothing of ours."""

from tunnelgate.flows.boxes import Box, Region
from tunnelgate.flows.intervals import Intervals

__all__ = ["Box", "Intervals", "Region"]
