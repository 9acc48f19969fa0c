"""The ruleset before it has a dialect."""

from tunnelgate.plan.build import build
from tunnelgate.plan.channels import Channel, Kind, channels
from tunnelgate.plan.model import (
    LAST_APART,
    Apart,
    ClearDrop,
    Dnat,
    Feature,
    Guard,
    Helper,
    Holder,
    Limit,
    Link,
    Match,
    Moved,
    Mss,
    Origin,
    Pair,
    Plan,
    Rule,
    Snat,
    Tracking,
)
from tunnelgate.plan.size import connections
from tunnelgate.plan.tables import Element, Row, Shape, Table, asked, tabulate
from tunnelgate.plan.taken import Keeper, Taken, taken
from tunnelgate.plan.tiers import tiers

__all__ = [
    "LAST_APART",
    "Apart",
    "Channel",
    "ClearDrop",
    "Dnat",
    "Element",
    "Feature",
    "Guard",
    "Helper",
    "Holder",
    "Keeper",
    "Kind",
    "Limit",
    "Link",
    "Match",
    "Moved",
    "Mss",
    "Origin",
    "Pair",
    "Plan",
    "Row",
    "Rule",
    "Shape",
    "Snat",
    "Table",
    "Taken",
    "Tracking",
    "asked",
    "build",
    "channels",
    "connections",
    "tabulate",
    "taken",
    "tiers",
]
