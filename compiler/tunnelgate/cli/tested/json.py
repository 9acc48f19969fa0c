"""Expectations for programs: version 1 of the contract in schemas/test.schema.json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tunnelgate.check.unmet import said
from tunnelgate.cli.changes.json import Packet, Statement, address_of, place_of
from tunnelgate.cli.tested.results import Result
from tunnelgate.meaning import Packet as Asked


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Failed(_Part):
    """Why an expectation does not hold.

    Attributes:
        message: the packet that shows it and what happens to it, in a clause.
        packet: the packet; null where no packet is meant, or there are too many to decide about.
        statements: who decides: the verdict, then the translation.
    """

    message: str
    packet: Packet | None
    statements: list[Statement]


class Tested(_Part):
    """An expectation of a gateway; `failure` is null where it holds."""

    gateway: str
    expectation: Statement
    failure: Failed | None


class Document(_Part):
    """What `tunnelgate test --format json` says. Within a version, fields are never renamed.

    Attributes:
        expectations: those of all policies that could be read.
    """

    version: Literal[1] = 1
    expectations: list[Tested]


def render(results: Sequence[Result]) -> str:
    """All of them as one JSON object."""
    return Document(expectations=list(map(_tested, results))).model_dump_json(indent=2) + "\n"


def _tested(result: Result) -> Tested:
    return Tested(
        gateway=result.gateway,
        expectation=place_of(result.expect),
        failure=None if result.failure is None else _failed(result),
    )


def _failed(result: Result) -> Failed:
    assert result.failure is not None
    outcome = result.failure.outcome
    return Failed(
        message=said(result.failure),
        packet=None if outcome is None else _packet(outcome.packet),
        statements=[place_of(one) for one in result.statements],
    )


def _packet(packet: Asked) -> Packet:
    return Packet(
        zone=packet.ingress.name,
        inside_ipsec=packet.decrypted,
        source=address_of(packet.source),
        destination=address_of(packet.destination),
        protocol=packet.l4 >> 16,
        low=packet.l4 & 0xFFFF,
        source_port=packet.source_port,
    )
