"""The checks against enumeration: every host, every peer, every statement of small policies."""

from __future__ import annotations

from itertools import combinations, product
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

HOSTS = ("192.168.1.10", "192.168.1.11", "192.168.1.12")
PEERS = ("192.0.2.10", "192.0.2.11", "192.0.2.12")
OWN = ("203.0.113.1", "203.0.113.2")
ZONES = f"""\
zone wan {{
  interface eth0
  address   {", ".join(OWN)}
}}
zone lan {{
  interface eth1
  network   192.168.1.0/24
}}
"""

some_hosts = st.sets(st.sampled_from(HOSTS), min_size=1).map(frozenset)
some_peers = st.sets(st.sampled_from(PEERS), min_size=1).map(frozenset)


def places(some: frozenset[str]) -> str:
    """A list of places in a policy."""
    return ", ".join(sorted(some))


class Flow(NamedTuple):
    """`allow` or `deny` of one word between hosts and peers."""

    verb: str
    word: str
    hosts: frozenset[str]
    peers: frozenset[str]
    option: str

    def __str__(self) -> str:
        option = self.option if self.verb == "allow" else ""
        return f"{self.verb} {self.word} from {places(self.hosts)} to {places(self.peers)}{option}"

    def matches(self, host: str, peer: str) -> bool:
        """Whether it is about ESP from this host to this peer."""
        return self.word != "gre" and host in self.hosts and peer in self.peers


class Translation(NamedTuple):
    """`nat … as`."""

    hosts: frozenset[str]
    peers: frozenset[str]
    public: str

    def __str__(self) -> str:
        return f"nat from {places(self.hosts)} to {places(self.peers)} as {self.public}"


flows = st.builds(
    Flow,
    st.sampled_from(["allow", "allow", "allow", "deny"]),
    st.sampled_from(["esp", "esp", "any", "gre"]),
    some_hosts,
    some_peers,
    st.sampled_from(["", "", "", " with single"]),
)
translations = st.builds(Translation, some_hosts, some_peers, st.sampled_from(OWN))


def public_of(nats: list[Translation], host: str, peer: str) -> str | None:
    """What a host becomes: by the most specific of the translations that match."""
    found = [nat for nat in nats if host in nat.hosts and peer in nat.peers]
    return min(found, key=lambda nat: len(nat.hosts)).public if found else None


def sharing(nats: list[Translation], statements: list[Flow]) -> str | None:
    """The severity that TG201 must have, by trying every host and peer."""
    named: dict[tuple[str, str], set[str]] = {}
    all_hosts: dict[tuple[str, str], set[str]] = {}
    for host, peer in product(HOSTS, PEERS):
        public = public_of(nats, host, peer)
        matching = [one for one in statements if one.matches(host, peer)]
        allows = [one for one in matching if one.verb == "allow"]
        denied = len(allows) < len(matching)
        if public is None or denied or not allows or any(one.option for one in allows):
            continue
        all_hosts.setdefault((public, peer), set()).add(host)
        if any(one.word == "esp" for one in allows):
            named.setdefault((public, peer), set()).add(host)
    if any(len(hosts) > 1 for hosts in named.values()):
        return "error"
    return "advice" if any(len(hosts) > 1 for hosts in all_hosts.values()) else None


@given(st.lists(translations, max_size=3), st.lists(flows, min_size=1, max_size=5))
def test_tg201_is_exact(codes, nats: list[Translation], statements: list[Flow]) -> None:
    policy = ZONES + "".join(f"{one}\n" for one in (*nats, *statements))
    assert codes(policy).get("TG201") == sharing(nats, statements)


def ambiguous(one: Translation, other: Translation) -> bool:
    """Whether two translations meet and neither is more specific."""
    if not (one.hosts & other.hosts and one.peers & other.peers):
        return False
    if one.hosts < other.hosts or other.hosts < one.hosts:
        return False
    return one.public != other.public or one == other


@given(st.lists(translations, min_size=1, max_size=5))
def test_tg309_is_exact(codes, nats: list[Translation]) -> None:
    policy = ZONES + "".join(f"{nat}\n" for nat in nats)
    found = any(ambiguous(one, other) for one, other in combinations(nats, 2))
    assert ("TG309" in codes(policy)) is found


class Handing(NamedTuple):
    """A forward of TCP ports."""

    ports: frozenset[int]
    peers: frozenset[str]
    at: str
    host: str
    port: int | None

    def __str__(self) -> str:
        ports = ",".join(map(str, sorted(self.ports)))
        to = f"to {self.host}" + (f" port {self.port}" if self.port is not None else "")
        return f"forward tcp/{ports} from {places(self.peers)} at {self.at} {to}"

    def outcome(self, port: int) -> tuple[str, int]:
        """Where a packet goes."""
        return self.host, self.port or port


class Gateway(NamedTuple):
    """What the gateway itself may receive."""

    port: int
    peers: frozenset[str]

    def __str__(self) -> str:
        return f"allow tcp/{self.port} from {places(self.peers)} to gateway"


class Denial(NamedTuple):
    """A deny towards one host."""

    port: int
    peers: frozenset[str]
    host: str

    def __str__(self) -> str:
        return f"deny tcp/{self.port} from {places(self.peers)} to {self.host}"


PORTS = (80, 81)
some_ports = st.sets(st.sampled_from(PORTS), min_size=1).map(frozenset)
handings = st.builds(
    Handing,
    some_ports,
    some_peers,
    st.sampled_from(OWN),
    st.sampled_from(HOSTS),
    st.sampled_from([None, None, 80]),
).map(lambda one: one if len(one.ports) == 1 else one._replace(port=None))
port = st.sampled_from(PORTS)
gateways = st.builds(Gateway, port, some_peers)
denials = st.builds(Denial, port, some_peers, st.sampled_from(HOSTS))


def is_denied(denied: list[Denial], peer: str, outcome: tuple[str, int]) -> bool:
    """Whether a packet is dropped on its way to a host."""
    return any(
        one.host == outcome[0] and one.port == outcome[1] and peer in one.peers for one in denied
    )


def doubtful(
    forwards: list[Handing],
    received: list[Gateway],
    denied: list[Denial],
    packet: tuple[str, str, int],
) -> bool:
    """Whether a packet has two results, or never arrives at the gateway that awaits it."""
    peer, address, number = packet
    taking = [
        one for one in forwards if peer in one.peers and one.at == address and number in one.ports
    ]
    if taking and any(one.port == number and peer in one.peers for one in received):
        return True
    outcomes = {one.outcome(number) for one in taking}
    return len(outcomes) > 1 and not all(is_denied(denied, peer, one) for one in outcomes)


@given(
    st.lists(handings, min_size=1, max_size=4),
    st.lists(gateways, max_size=1),
    st.lists(denials, max_size=4),
)
def test_tg206_is_exact(
    codes, forwards: list[Handing], received: list[Gateway], denied: list[Denial]
) -> None:
    statements = (*forwards, *received, *denied)
    policy = ZONES + "nat from lan to wan\n" + "".join(f"{one}\n" for one in statements)
    packets = product(PEERS, OWN, PORTS)
    found = any(doubtful(forwards, received, denied, packet) for packet in packets)
    assert ("TG206" in codes(policy)) is found
