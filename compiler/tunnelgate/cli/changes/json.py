"""A report of changes for programs: version 1 of the contract in schemas/diff.schema.json."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tunnelgate.cli.changes.connections import commands
from tunnelgate.cli.changes.lines import Line, Reports, lines
from tunnelgate.cli.exits import Problem
from tunnelgate.flows import axes
from tunnelgate.flows.fields import (
    ANY_PORT,
    ANY_SPI,
    DESTINATION,
    L4,
    SOURCE,
    SOURCE_PORT,
    SPI,
)
from tunnelgate.meaning.decide import CLIENT_PORT
from tunnelgate.meaning.difference import Change
from tunnelgate.policy import Statement as PolicyStatement


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Statement(_Part):
    """A statement, and where it stands."""

    text: str
    path: str
    line: Annotated[int, Field(ge=1)]


class Packet(_Part):
    """A packet that shows it. Addresses that no policy knows are null.

    Attributes:
        zone: the zone it arrives in; `gateway` for what the gateway sends itself.
        inside_ipsec: it was decrypted by the gateway.
        low: the destination port, or `type << 8 | code` of ICMP; 0 where there is neither.
        spi: of ESP that a forward tells apart by it; else null.
    """

    zone: str
    inside_ipsec: bool
    source: str | None
    destination: str | None
    protocol: Annotated[int, Field(ge=0, le=255)]
    low: Annotated[int, Field(ge=0, le=65535)]
    source_port: Annotated[int, Field(ge=0, le=65535)]
    spi: Annotated[int, Field(ge=0, le=0xFFFFFFFF)] | None = None


class Changed(_Part):
    """Flows with another fate.

    Attributes:
        kind: what becomes of them.
        flow: the flows, in the words of the policies.
        effects: what is different about them, a clause each.
        statements: who decides.
        packets: one of them, of each family that there is.
    """

    kind: Literal["newly allowed", "treated otherwise", "newly denied"]
    flow: str
    effects: list[str]
    statements: list[Statement]
    packets: list[Packet]


class Connections(_Part):
    """The commands that end what a load leaves: of conntrack(8), and of pfctl(8)."""

    conntrack: list[str]
    pf: list[str]


class Document(_Part):
    """What `tunnelgate diff --format json` says. Within a version, fields are never renamed.

    Attributes:
        environment: what is said otherwise of zones, a clause each.
    """

    version: Literal[1] = 1
    gateway: str
    changes: list[Changed]
    environment: list[str]
    connections: Connections


def render(reports: Reports) -> str:
    """The one report as one JSON object.

    Raises:
        Problem: there are several.
    """
    if len(reports) > 1:
        raise Problem("JSON tells of one set of values", "name it with `--vars FILE`")
    ((_, report),) = reports
    ended = commands(report)
    document = Document(
        gateway=report.new.name,
        changes=[_changed(line) for line in lines(report)],
        environment=list(report.environment),
        connections=Connections(conntrack=list(ended.conntrack), pf=list(ended.pf)),
    )
    return document.model_dump_json(indent=2) + "\n"


def _changed(line: Line) -> Changed:
    return Changed(
        kind=line.kind.value,
        flow=line.flow,
        effects=list(line.effects),
        statements=[place_of(one) for one in line.statements],
        packets=[_packet(change) for change in line.changes],
    )


def place_of(statement: PolicyStatement) -> Statement:
    """A statement, and where it stands."""
    span = statement.span
    return Statement(text=statement.text, path=span.file.path, line=span.position.line)


def _packet(change: Change) -> Packet:
    l4, spis = change.box[L4].first(), change.box[SPI]
    is_told = l4 >> 16 == axes.ESP and spis != ANY_SPI
    ports = ANY_PORT if l4 >> 16 == axes.ESP else change.box[SOURCE_PORT]
    return Packet(
        zone=change.arrival.zone,
        inside_ipsec=change.arrival.decrypted,
        source=address_of(change.box[SOURCE].first()),
        destination=address_of(change.box[DESTINATION].first()),
        protocol=l4 >> 16,
        low=l4 & 0xFFFF,
        source_port=CLIENT_PORT if CLIENT_PORT in ports else ports.first(),
        spi=spis.first() if is_told else None,
    )


def address_of(place: int) -> str | None:
    """An address as programs read it; None of one that no policy knows."""
    return None if axes.is_unknown(place) else str(axes.to_address(place))
