"""A gateway with tracked ESP, hosts and peers of it: what the tests of tracking share.

No clock decides: claims that a test needs last for hours, and end when it says so. Where one has to
end by itself, the test waits for the kernel to say that it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from gateway import Gateway, read
from lab import Observation, Probe

from tunnelgate.target import Layout, Output, Setup, find

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
  host hq = 192.0.2.10, 2001:db8:51::10
  host partner = 192.0.2.20
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  address   192.168.1.1, fd00:1::1
  host alice = 192.168.1.20, fd00:1::20
  host bob   = 192.168.1.30
  host box   = 192.168.1.10
}
"""
NAT = "nat from lan to wan\n"
TRACKING = "allow esp from lan to wan with tracking\n"
PUBLIC = "203.0.113.1"
HQ, PARTNER, ROUTER = "192.0.2.10", "192.0.2.20", "192.0.2.99"
ALICE, BOB, CAROL, BOX = "192.168.1.20", "192.168.1.30", "192.168.1.40", "192.168.1.10"
#: Where claims stand.
CLAIMS = (("map", "claims"), ("set", "claimed-peers"), ("set", "claimants"))
#: Of known SPIs, those with such numbers are looked at once more, and those with others are not.
LOOKED_AT, PASSED_BY = 64, 20
#: Longer than any test.
LONG = {"timeout 10s": "timeout 9h", "timeout 1s": "timeout 8h"}

_TIMES = re.compile(r"(\d+)(ms|[hms])")
_SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}


class Tracked:
    """A gateway with tracked ESP."""

    def __init__(self, text: str, layout: Layout = "whole", changes: dict[str, str] = LONG) -> None:
        self.made = Gateway(read(text))
        self.lab = self.made.lab
        self.changes = changes
        self.begun: set[tuple[str, int]] = set()
        self.lab.reset()
        self.output = self.emit(text, layout)
        self.load(self.output)

    def emit(self, text: str, layout: Layout = "whole") -> Output:
        """What a policy becomes."""
        gateway = self.made if text == "" else Gateway(read(text), self.lab)
        target = find("nftables")
        assert not target.refuse(gateway.plan, Setup(layout))
        return target.emit(gateway.plan, Setup(layout))

    def load(self, output: Output) -> None:
        """Load, with the times and sizes that a test has changed."""
        text = output.files["ruleset.nft"]
        for old, new in self.changes.items():
            assert old in text or "tunnelgate-zones {\n" not in text
            text = text.replace(old, new)
        self.lab.load_nft(text)

    def number(self, source: str, spi: int) -> int:
        """What a sender numbers its next packet: 1 with a new SPI, else one that is passed by."""
        is_first = (source, spi) not in self.begun
        self.begun.add((source, spi))
        return 1 if is_first else PASSED_BY

    def send(
        self,
        host: str,
        spi: int,
        peer: str = HQ,
        wire: str | None = "eth1",
        sequence: int | None = None,
    ) -> Observation:
        """A host's packet to a peer."""
        number = sequence or self.number(host, spi)
        seen = self.lab.send(Probe(wire, host, peer, "esp", spi=spi, sequence=number))
        assert all(not one.source.startswith("192.168.") for one in seen.arrivals)
        return seen

    def passes(self, host: str, spi: int, peer: str = HQ, sequence: int | None = None) -> bool:
        """Whether it does, and as whom."""
        seen = self.send(host, spi, peer, sequence=sequence)
        return [one.source for one in seen.arrivals] == [PUBLIC]

    def gets(
        self,
        spi: int,
        peer: str = HQ,
        wire: str = "eth0",
        to: str = PUBLIC,
        sequence: int | None = None,
    ) -> str | None:
        """Who gets a packet of a peer; "gateway" for the machine itself, None for nobody."""
        number = sequence or self.number(peer, spi)
        seen = self.lab.send(Probe(wire, peer, to, "esp", spi=spi, sequence=number))
        if seen.local:
            return "gateway"
        return seen.arrival.destination if seen.arrivals else None

    def tunnel(self, host: str, number: int, peer: str = HQ) -> None:
        """A host and a peer begin, and nothing else does meanwhile.

        A host whose zone is taken draws another one, which costs its first packet.
        """
        assert any(self.passes(host, 0xA000 + number, peer) for _ in range(2))
        assert self.gets(0xB000 + number, peer) == host
        self.end_claims()

    def end_claims(self) -> None:
        """As when their time is over."""
        for kind, name in CLAIMS:
            self.nft(f"flush {kind} inet tunnelgate-zones {name}")

    def nft(self, command: str) -> str:
        """What nft answers."""
        done = self.lab.run(["nft", *command.split()])
        assert done.returncode == 0, done.stderr
        return done.stdout

    def elements(self, kind: str, name: str) -> list[str]:
        """What is in a set or map."""
        text = self.nft(f"list {kind} inet tunnelgate-zones {name}")
        found = re.search(r"elements = \{([^}]*)\}", text)
        return [one.strip() for one in found[1].split(",")] if found else []

    def known(self, source: str) -> list[str]:
        """The SPIs that are known of a sender."""
        return [one for one in self.elements("map", "known") if one.split()[0] == source]

    def seconds_left(self, name: str) -> dict[str, float]:
        """How long each element of a map stays, by its key."""
        return {
            key: sum(int(number) * _SECONDS[unit] for number, unit in _TIMES.findall(left))
            for one in self.elements("map", name)
            for key, left in re.findall(r"(.*) expires (\w+)", one)
        }


@contextmanager
def tracked(
    statements: str = TRACKING,
    zones: str = ZONES + NAT,
    layout: Layout = "whole",
    **changes: dict[str, str],
) -> Iterator[Tracked]:
    made = Tracked(zones + statements, layout, changes.get("changes", LONG))
    try:
        yield made
    finally:
        made.made.close()
