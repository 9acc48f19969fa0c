"""What people read about the built-in protocols: one, a list, and docs/protocols.md.

`python -m tunnelgate.policy.protocol_page > docs/protocols.md` writes the page anew.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from tunnelgate.flows.axes import (
    ANY_L4,
    DCCP,
    ICMP,
    ICMPV6,
    PORTS,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
    WITH_PORTS,
    WITH_TYPES,
)
from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.policy.protocol import ProtocolRow
from tunnelgate.policy.table import ICMP_TYPES, ICMPV6_TYPES, IP_PROTOCOL_TITLES, TABLE

_WORDS = {
    ICMP: "icmp",
    TCP: "tcp",
    UDP: "udp",
    DCCP: "dccp",
    ICMPV6: "icmpv6",
    SCTP: "sctp",
    UDPLITE: "udplite",
}
#: Of two names for one type the first is the one that is printed.
_TYPE_NAMES = {
    ICMP: {place: name for name, place in reversed(ICMP_TYPES.items())},
    ICMPV6: {place: name for name, place in reversed(ICMPV6_TYPES.items())},
}
_WHOLE: Interval = (0, PORTS - 1)
_WIDTH = 88

_INTRO = """\
# Protocols

<!-- Written from compiler/tunnelgate/policy/table.py by
     `python -m tunnelgate.policy.protocol_page`. Change it there. -->

The protocols that a policy can name. Others are written as literals: `tcp/8443`, `udp/5000-5010`,
`ip/89`, `icmp/echo-request`, or put together once: `protocol corp = udp/8443 + tcp/8443`.

**NAT** says what happens where addresses are translated:

- *any number of hosts*: ports tell them apart.
- *one host for each peer*: nothing does. A second host behind the same address that talks to the
  same peer is dropped without an error.
- *needs its connection-tracking helper*: say `with helper`.
- *survives no translation*: it is dropped on a translated path.

**Encryption** says what protects the content of a tunnel from a reader on the way; *up to what it
carries* stands for what is no tunnel.
"""


def channels_text(channels: Intervals) -> str:
    """A set on the axis of protocols and ports, as a policy would write it.

    Ports and types first, whole protocols last: `tcp/443,992 + udp/500 + ip/50`. What has no
    notation in a policy, single codes of an ICMP type, is put in words.
    """
    if channels == ANY_L4:
        return "any"
    whole: list[int] = []
    literals: list[str] = []
    for protocol, pieces in _by_protocol(channels).items():
        if protocol in WITH_PORTS and pieces != [_WHOLE]:
            literals.append(f"{_WORDS[protocol]}/{_ranges(pieces)}")
        elif protocol in WITH_TYPES and pieces != [_WHOLE]:
            literals += _types(protocol, pieces)
        else:
            whole.append(protocol)
    if whole:
        literals.append(f"ip/{_ranges(Intervals.of((one, one) for one in whole))}")
    return " + ".join(literals) or "none"


def text(row: ProtocolRow) -> str:
    """One protocol, for a terminal."""
    lines = [f"{row.name}: {row.title}", ""]
    for label, value in _facts(row):
        lines += textwrap.wrap(
            value,
            _WIDTH,
            initial_indent=f"  {label:<12}",
            subsequent_indent=" " * 14,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines) + "\n"


def listing(rows: Sequence[ProtocolRow]) -> str:
    """All protocols, one a line, for a terminal."""
    cells = [("name", "channels", "NAT", "encryption", "source"), *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in cells
    )


def markdown(rows: Sequence[ProtocolRow]) -> str:
    """The page docs/protocols.md."""
    cells = [_cells(row) for row in rows]
    table = [
        _markdown_row("Name", "Channels", "NAT", "Encryption", "Source"),
        _markdown_row(*["---"] * 5),
        *(_markdown_row(f"`{name}`", f"`{channels}`", *rest) for name, channels, *rest in cells),
    ]
    blocks = [
        _INTRO,
        "\n".join(table) + "\n",
        "## One by one\n",
        "\n".join(_markdown_entry(row) for row in rows) + "\n",
        "## ICMP types by name\n",
        _markdown_types("icmp", ICMP_TYPES) + "\n" + _markdown_types("icmpv6", ICMPV6_TYPES) + "\n",
        "A name stands for every code of its type. A type without a name is a number: `icmp/40`.\n",
        "## IP protocols that reports call by name\n",
        ", ".join(f"{number} {title}" for number, title in IP_PROTOCOL_TITLES.items()) + ".\n",
    ]
    return "\n".join(blocks)


def _facts(row: ProtocolRow) -> Iterator[tuple[str, str]]:
    yield "channels", channels_text(row.l4)
    if row.parts:
        yield "includes", ", ".join(row.parts)
    yield "NAT", row.nat.value
    if row.helper:
        yield "helper", row.helper
    yield "encryption", row.encryption.value
    if row.tunnel:
        yield "tunnel", "carries other traffic inside"
    yield "source", row.source
    if row.note:
        yield "note", row.note


def _cells(row: ProtocolRow) -> tuple[str, str, str, str, str]:
    return row.name, channels_text(row.l4), row.nat.value, row.encryption.value, row.source


def _markdown_row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_entry(row: ProtocolRow) -> str:
    sentences = [f"{row.title}."]
    if row.parts:
        sentences.append(f"Includes {', '.join(f'`{part}`' for part in row.parts)}.")
    if row.helper:
        sentences.append(f"Helper in the Linux kernel: `{row.helper}`.")
    if row.note:
        sentences.append(row.note)
    return f"- `{row.name}`: {' '.join(sentences)}"


def _markdown_types(word: str, types: dict[str, int]) -> str:
    names = ", ".join(f"`{name}` {number}" for name, number in types.items())
    return f"- `{word}/`: {names}"


def _by_protocol(channels: Intervals) -> dict[int, list[Interval]]:
    """For each protocol that is touched, the intervals of its lower half."""
    found: dict[int, list[Interval]] = {}
    for low, high in channels:
        for protocol in range(low // PORTS, high // PORTS + 1):
            base = protocol * PORTS
            piece = max(low - base, 0), min(high - base, PORTS - 1)
            found.setdefault(protocol, []).append(piece)
    return found


def _ranges(pieces: Iterable[Interval]) -> str:
    """`67,68` and `5000-5010`: a range begins at three members."""
    return ",".join(
        f"{low}-{high}" if high > low + 1 else ",".join(map(str, range(low, high + 1)))
        for low, high in pieces
    )


def _types(protocol: int, pieces: list[Interval]) -> Iterator[str]:
    """The literals of a set of ICMP types: names first, then numbers, then single codes."""
    word, names = _WORDS[protocol], _TYPE_NAMES[protocol]
    numbers: list[Interval] = []
    codes: list[str] = []
    for low, high in pieces:
        for number in range(low >> 8, (high >> 8) + 1):
            first, last = max(low - (number << 8), 0), min(high - (number << 8), 255)
            if (first, last) != (0, 255):
                codes.append(f"{word}/{number} code {_ranges([(first, last)])}")
            elif number in names:
                yield f"{word}/{names[number]}"
            else:
                numbers.append((number, number))
    if numbers:
        yield f"{word}/{_ranges(Intervals.of(numbers))}"
    yield from codes


if __name__ == "__main__":
    print(markdown(TABLE), end="")
