"""Helpers, each by a conversation that is really spoken: what was announced passes, nothing else.

The same conversation takes place in four casts: a client behind NAT, a server behind a forward, and
the gateway itself as client and as server. Addresses in a message are those the speaker believes
in, and the listener uses the ones it hears.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from gateway import LOADERS, Gateway, read
from h323 import call_proceeding, control_of, media_of, open_channel
from lab import Conversation, Endpoint, Lab, Probe

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  address   192.168.1.1, fd00:1::1
  host box = 192.168.1.10
}
nat from lan to wan
set gateway-output deny
"""
PUBLIC, BOX, ALICE, BOB = "203.0.113.1", "192.168.1.10", "192.168.1.20", "192.168.1.30"
REMOTE, STRANGER = "192.0.2.10", "192.0.2.66"


@dataclass(frozen=True)
class Cast:
    """Who plays whom. `dialled` is where the client believes the server to be."""

    name: str
    statement: str
    client: tuple[str | None, str]
    server: tuple[str | None, str]
    dialled: str


CASTS = (
    Cast(
        "client behind NAT",
        "allow {} from lan to wan with helper",
        ("eth1", ALICE),
        ("eth0", REMOTE),
        REMOTE,
    ),
    Cast(
        "server behind a forward",
        "forward {} from wan to box with helper",
        ("eth0", REMOTE),
        ("eth1", BOX),
        PUBLIC,
    ),
    Cast(
        "gateway as client",
        "allow {} from gateway to wan with helper",
        (None, PUBLIC),
        ("eth0", REMOTE),
        REMOTE,
    ),
    Cast(
        "gateway as server",
        "allow {} from wan to gateway with helper",
        ("eth0", REMOTE),
        (None, PUBLIC),
        PUBLIC,
    ),
)
PROTOCOLS = ("ftp", "tftp", "sip", "irc", "pptp")


@dataclass(frozen=True)
class Scene:
    """A cast on a gateway whose ruleset lets it speak one protocol, with the helper or without."""

    lab: Lab
    cast: Cast

    def client(self, port: int) -> Endpoint:
        return Endpoint(*self.cast.client, port)

    def server(self, port: int) -> Endpoint:
        return Endpoint(*self.cast.server, port)

    def control(self, port: int) -> Conversation:
        """The connection that the policy allows, established."""
        talk = self.lab.tcp(self.client(40000), self.server(port), self.cast.dialled)
        assert talk.connect()
        return talk

    def opens(self, caller: Endpoint, heard: tuple[str, int], callee: Endpoint) -> bool:
        """Whether a TCP connection to an address that was heard reaches whom it is for."""
        assert heard[1] == callee.port, "the port that was announced is free and stays"
        return self.lab.tcp(caller, callee, heard[0]).connect()

    def reaches(self, caller: Endpoint, heard: tuple[str, int], callee: Endpoint) -> bool:
        """The same for one datagram."""
        return [one.receiver for one in self.lab.say(caller, heard, b"data")] == [callee]

    def media(
        self, here: Endpoint, up: tuple[str, int], there: Endpoint, down: tuple[str, int]
    ) -> bool:
        """Whether RTP, and RTCP on the port above it, flow both ways; all of it or nothing."""
        flows = []
        for offset in (0, 1):
            callee = Endpoint(there.wire, there.address, there.port + offset)
            caller = Endpoint(here.wire, here.address, here.port + offset)
            flows.append(self.reaches(caller, (up[0], up[1] + offset), callee))
            flows.append(self.reaches(callee, (down[0], down[1] + offset), caller))
        assert len(set(flows)) == 1, flows
        return flows[0]


class Stage:
    """One gateway for all scenes: rulesets come and go, the namespaces stay."""

    def __init__(self, loader: str) -> None:
        self.loader = loader
        self.lab = Gateway(read(ZONES)).lab

    def scene(self, cast: Cast, protocol: str, *, helper: bool = True) -> Scene:
        """Load the ruleset of a cast and a protocol."""
        statement = cast.statement.format(protocol)
        text = ZONES + (statement if helper else statement.replace(" with helper", ""))
        Gateway(read(f"{text}\n"), self.lab).load(self.loader)
        return Scene(self.lab, cast)


@pytest.fixture(scope="module", params=LOADERS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    made = Stage(request.param)
    yield made
    made.lab.close()


every_cast = pytest.mark.parametrize("cast", CASTS, ids=lambda cast: cast.name)


# -- FTP (RFC 959)


def _host_port(message: bytes) -> tuple[str, int]:
    """The address and port of `PORT 192,0,2,10,19,136` or of the answer to PASV."""
    found = re.search(rb"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", message)
    assert found, message
    numbers = [int(one) for one in found.groups()]
    return ".".join(map(str, numbers[:4])), numbers[4] << 8 | numbers[5]


def _commas(endpoint: Endpoint) -> bytes:
    numbers = [*endpoint.address.split("."), str(endpoint.port >> 8), str(endpoint.port & 0xFF)]
    return ",".join(numbers).encode()


def ftp_login(scene: Scene) -> Conversation:
    """Past the first line of each side, behind which the helper begins to read."""
    control = scene.control(21)
    assert control.server_sends(b"220 ready\r\n")
    assert control.client_sends(b"USER anonymous\r\n")
    assert control.server_sends(b"230 welcome\r\n")
    return control


def ftp_active(scene: Scene) -> bool:
    """The server connects to where the client said, from its port 20."""
    control, data = ftp_login(scene), scene.client(5000)
    heard = control.client_sends(b"PORT " + _commas(data) + b"\r\n")
    return scene.opens(scene.server(20), _host_port(heard), data)


def ftp_passive(scene: Scene) -> bool:
    """The client connects to where the server said."""
    control, data = ftp_login(scene), scene.server(5000)
    heard = control.server_sends(b"227 Entering Passive Mode (" + _commas(data) + b").\r\n")
    return scene.opens(scene.client(40001), _host_port(heard), data)


# -- TFTP (RFC 1350)


def tftp(scene: Scene) -> bool:
    """The server answers from another port."""
    client, server = scene.client(40000), scene.server(69)
    (asked,) = scene.lab.say(client, (scene.cast.dialled, 69), b"\0\1file\0octet\0")
    assert asked.receiver == server
    return scene.reaches(scene.server(5000), asked.source, client)


# -- SIP (RFC 3261) with SDP (RFC 4566) and RTP


def _sdp(endpoint: Endpoint) -> bytes:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {endpoint.address}\r\ns=-\r\nc=IN IP4 {endpoint.address}\r\n"
        f"t=0 0\r\nm=audio {endpoint.port} RTP/AVP 0\r\n"
    ).encode()


def _sip(first: str, via: str, contact: str, media: Endpoint) -> bytes:
    body = _sdp(media)
    header = (
        f"{first}\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
        f"From: <sip:a@example.net>;tag=1\r\nTo: <sip:b@example.net>\r\nCall-ID: 1@example.net\r\n"
        f"CSeq: 1 INVITE\r\nContact: <sip:u@{contact}>\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return header.encode() + body


def _media(message: bytes) -> tuple[str, int]:
    """Where a message wants the media."""
    address = re.search(rb"\r\nc=IN IP4 ([\d.]+)", message)
    port = re.search(rb"\r\nm=audio (\d+)", message)
    length = re.search(rb"\r\nContent-Length: *(\d+)\r\n", message)
    assert address and port and length, message
    assert int(length[1]) == len(message.partition(b"\r\n\r\n")[2])
    return address[1].decode(), int(port[1])


def sip(scene: Scene) -> bool:
    """INVITE and its answer, then RTP and RTCP in both directions."""
    client, server = scene.client(5060), scene.server(5060)
    here, there = scene.client(6000), scene.server(7000)
    dialled = (scene.cast.dialled, 5060)
    invite = _sip(
        f"INVITE sip:b@{dialled[0]} SIP/2.0", f"{client.address}:5060", client.address, here
    )
    (asked,) = scene.lab.say(client, dialled, invite)
    assert asked.receiver == server
    answer = _sip("SIP/2.0 200 OK", f"{asked.source[0]}:5060", server.address, there)
    (answered,) = scene.lab.say(server, asked.source, answer)
    assert answered.receiver == client
    return scene.media(here, _media(answered.payload), there, _media(asked.payload))


# -- IRC (direct client to client)


def irc(scene: Scene) -> bool:
    """Another user connects to where the client offers a file."""
    control, offer = scene.control(6667), scene.client(5000)
    number = int.from_bytes(bytes(map(int, offer.address.split("."))), "big")
    message = f"PRIVMSG bob :\1DCC SEND file {number} {offer.port} 100\1\r\n".encode()
    heard = control.client_sends(message)
    found = re.search(rb"DCC SEND file (\d+) (\d+)", heard)
    assert found, heard
    address = ".".join(map(str, int(found[1]).to_bytes(4, "big")))
    wire, caller = ("eth0", STRANGER) if offer.wire != "eth0" else ("eth1", BOB)
    return scene.opens(Endpoint(wire, caller, 40002), (address, int(found[2])), offer)


# -- PPTP (RFC 2637)


def pptp(scene: Scene) -> bool:
    """A call, and its data in GRE."""
    session = scene.lab.pptp(scene.client(40000), scene.server(1723), scene.cast.dialled, 7, 9)
    assert session.connect()
    return session.carries_data()


# -- H.323 (H.225.0, H.245)


def h323(scene: Scene) -> bool:
    """A call announces its control channel, which announces the media."""
    call, control = scene.control(1720), scene.server(5000)
    heard = control_of(call.server_sends(call_proceeding(control)))
    assert heard[1] == control.port
    talk = scene.lab.tcp(scene.client(40001), control, heard[0])
    if not talk.connect():
        return False
    here, there = scene.client(6000), scene.server(7000)
    down = media_of(talk.client_sends(open_channel(here)))
    up = media_of(talk.server_sends(open_channel(there)))
    return scene.media(here, up, there, down)


CONVERSATIONS: dict[str, tuple[str, Callable[[Scene], bool]]] = {
    "ftp active": ("ftp", ftp_active),
    "ftp passive": ("ftp", ftp_passive),
    "tftp": ("tftp", tftp),
    "sip": ("sip", sip),
    "irc": ("irc", irc),
    "h323": ("h323", h323),
    "pptp": ("pptp", pptp),
}


@every_cast
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_what_is_announced_passes(stage: Stage, cast: Cast, name: str) -> None:
    protocol, speak = CONVERSATIONS[name]
    assert speak(stage.scene(cast, protocol))


@every_cast
@pytest.mark.parametrize("name", [name for name in CONVERSATIONS if name != "pptp"])
def test_without_the_helper_it_does_not(stage: Stage, cast: Cast, name: str) -> None:
    protocol, speak = CONVERSATIONS[name]
    assert not speak(stage.scene(cast, protocol, helper=False))


# -- nothing but what is announced


def test_only_the_port_and_only_the_peer_that_were_announced(stage: Stage) -> None:
    scene = stage.scene(CASTS[0], "ftp")
    control, data = ftp_login(scene), scene.client(5000)
    stranger = Endpoint("eth0", STRANGER, 20)
    assert not scene.opens(scene.server(20), (PUBLIC, data.port), data)
    heard = _host_port(control.client_sends(b"PORT " + _commas(data) + b"\r\n"))
    assert heard == (PUBLIC, data.port)
    assert not scene.opens(stranger, heard, data)
    assert not scene.opens(scene.server(20), (PUBLIC, 5001), scene.client(5001))
    assert scene.opens(scene.server(20), heard, data)
    assert not scene.opens(scene.server(21), heard, data), "it was announced once"


def test_flows_of_a_helper_that_no_statement_names_do_not_pass(stage: Stage) -> None:
    """Another table may give helpers out: what these announce is related, and nobody allowed it."""
    text = "allow tftp from lan to wan\nallow ftp, sip from lan to wan with helper\n"
    Gateway(read(ZONES + text), stage.lab).load(stage.loader)
    stage.lab.load_nft(
        'table inet other {\n ct helper tftp {\n  type "tftp" protocol udp\n }\n'
        " chain assign {\n  type filter hook prerouting priority mangle\n"
        '  udp dport 69 ct helper set "tftp"\n }\n}\n'
    )
    assert not tftp(Scene(stage.lab, CASTS[0]))


def test_a_helper_is_for_what_its_statement_is_about(stage: Stage) -> None:
    """Two statements allow the protocol, and one of them the helper."""
    text = "allow tftp from lan to wan\nallow tftp from 192.168.1.30 to wan with helper\n"
    Gateway(read(ZONES + text), stage.lab).load(stage.loader)
    for address, is_followed in ((ALICE, False), (BOB, True)):
        cast = Cast("", "", ("eth1", address), ("eth0", REMOTE), REMOTE)
        assert tftp(Scene(stage.lab, cast)) is is_followed


def test_two_clients_that_announce_the_same_port_are_told_apart(stage: Stage) -> None:
    stage.scene(CASTS[0], "ftp")
    heard = {}
    for address in (ALICE, BOB):
        cast = Cast("", "", ("eth1", address), ("eth0", REMOTE), REMOTE)
        data = Endpoint("eth1", address, 5000)
        control = ftp_login(Scene(stage.lab, cast))
        heard[address] = _host_port(control.client_sends(b"PORT " + _commas(data) + b"\r\n"))
    assert len(set(heard.values())) == 2
    for address, (public, port) in heard.items():
        assert public == PUBLIC
        seen = stage.lab.send(Probe("eth0", REMOTE, PUBLIC, "tcp", sport=20, dport=port)).arrival
        assert (seen.destination, seen.dport) == (address, 5000)


@pytest.mark.parametrize(
    ("statement", "client", "server"),
    [
        (
            "allow ftp from lan to wan with helper",
            ("eth1", "fd00:1::20"),
            ("eth0", "2001:db8:9::9"),
        ),
        (
            "allow ftp from wan to gateway with helper",
            ("eth0", "2001:db8:9::9"),
            (None, "2001:db8::1"),
        ),
    ],
    ids=["through", "gateway"],
)
def test_ftp_of_ipv6(
    stage: Stage, statement: str, client: tuple[str, str], server: tuple[str | None, str]
) -> None:
    """Extended passive mode (RFC 2428), which names a port alone."""
    Gateway(read(f"{ZONES}{statement}\n"), stage.lab).load(stage.loader)
    scene = Scene(stage.lab, Cast("", "", client, server, server[1]))
    control, data = ftp_login(scene), scene.server(5000)
    assert not scene.opens(scene.client(40001), (data.address, 5000), data)
    assert control.server_sends(b"229 Entering Extended Passive Mode (|||5000|)\r\n")
    assert scene.opens(scene.client(40002), (data.address, 5000), data)
