"""What pf has to know of the machine it runs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tunnelgate.flows.intervals import Intervals


@dataclass(frozen=True)
class Host:
    """The machine that pf runs on.

    Attributes:
        addresses: of each interface, the primary one of a family first.
        networks: what is on the wire of each interface.
        groups: of each interface, beside the one that is called like its driver.
        route: the interface towards an address, None where no route leads.
    """

    addresses: Mapping[str, tuple[int, ...]]
    networks: Mapping[str, Intervals]
    route: Callable[[int], str | None]
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def belongs(self, interface: str, name: str) -> bool:
        """Whether an interface has this name, or is of the group of this name."""
        driver = interface.rstrip("0123456789")
        return name in {interface, driver} or name in self.groups.get(interface, ())

    def own(self) -> set[int]:
        """All addresses of the machine."""
        return {address for addresses in self.addresses.values() for address in addresses}
