"""Plan to `pf.conf`: which parts there are, in the order that both dialects take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tunnelgate.diagnostics.render.wrap import wrap
from tunnelgate.plan import Mss, Plan
from tunnelgate.target import Output, Requirements, Setup
from tunnelgate_targets.pf import layout
from tunnelgate_targets.pf.dialect import CLAMPED, Dialect
from tunnelgate_targets.pf.filtering import Filter
from tunnelgate_targets.pf.grouping import grouped
from tunnelgate_targets.pf.helping import with_data
from tunnelgate_targets.pf.links import ENC, on
from tunnelgate_targets.pf.quote import plain
from tunnelgate_targets.pf.tables import Tables
from tunnelgate_targets.pf.translating import Translation
from tunnelgate_targets.pf.words import Where
from tunnelgate_targets.skeleton import skeleton

SYSCTL = "sysctl.conf"
#: Of a line of the header, its marks left out.
_WIDTH = 96
#: Of protocols without ports pf forgets a state after 60 seconds by default; Linux after 600.
_IDLE = "set timeout { other.first 600, other.single 600, other.multiple 600 }"
#: What pf has room for without being told (PFR_KENTRY_HIWAT_SMALL).
_ROOM = 100_000


class Section(NamedTuple):
    """Lines that belong together, and what they are about."""

    about: str
    lines: tuple[str, ...]


def emit(plan: Plan, setup: Setup, dialect: Dialect, revision: int) -> Output:
    """The files of a plan that was not refused."""
    caveats = tuple(layout.caveats(plan, setup))
    plan = grouped(with_data(plan))
    writer = _Writer(plan, setup, dialect)
    sections = [section for section in writer.sections() if section.lines]
    name, sysctls = layout.file_name(setup), tuple(_sysctls(plan))
    needs = Requirements((), sysctls, layout.load(setup), layout.unload(setup), caveats)
    text = skeleton(Path(__file__).parent, "pf.conf.j2").render(
        name=name,
        gateway=plain(plan.gateway),
        policy=plain(plan.policy),
        revision=revision,
        load=needs.load,
        unload=needs.unload,
        main=layout.main_lines(setup, dialect, list(writer.normalization())),
        caveats=[wrap(caveat, _WIDTH) for caveat in caveats],
        options=list(writer.options()),
        tables=list(writer.tables.lines()),
        sections=sections,
    )
    files = {name: text}
    if sysctls:
        files[SYSCTL] = "".join(f"{key}={value}\n" for key, value in sysctls)
    return Output(files, needs)


def _sysctls(plan: Plan) -> Iterator[tuple[str, str]]:
    if 4 in plan.families:
        yield "net.inet.ip.forwarding", "1"
    if 6 in plan.families:
        yield "net.inet6.ip6.forwarding", "1"


class _Writer:
    def __init__(self, plan: Plan, setup: Setup, dialect: Dialect) -> None:
        self.plan = plan
        self.dialect = dialect
        self.shared = setup.layout == "shared"
        self.tables = Tables()
        self.translation = Translation(plan, self.tables)
        self.filter = Filter(plan, self.tables, self.translation, dialect.mark, shared=self.shared)

    def options(self) -> Iterator[str]:
        """What is set before everything else; the main ruleset's business where that is others'."""
        if self.shared:
            return
        yield "set skip on lo"
        yield "set block-policy drop"
        yield _IDLE
        yield from self.dialect.options
        if self.tables.size > _ROOM:
            yield f"set limit table-entries {2 * self.tables.size}"

    def sections(self) -> list[Section]:
        """All parts: normalization, translation, filter.

        An anchor decides on the interfaces of zones: where there is none, it has no rule.
        """
        if self.shared and not self.plan.links:
            return []
        made = self.filter
        sections = [
            _section("TCP segments that fit through, and fragments put together", self._normal()),
            _section("forwards", self.dialect.rdrs(list(self.translation.rdrs()))),
            _section("source translation", self.dialect.nats(list(self.translation.nats()))),
            _section("what no rule below lets pass", made.refused()),
            _section("nothing of a protected network in clear text", made.clear_in()),
            _section("sources that belong elsewhere", made.spoofed()),
            _section("what is for the gateway itself", made.local()),
        ]
        for arrival in made.arrivals():
            decrypted = ", decrypted" if arrival.on == ENC else ""
            sections.append(
                _section(f"from {arrival.link.name}{decrypted}", made.arriving(arrival))
            )
        sections += [
            _section("what encloses decrypted packets", made.wrapped()),
            _section("L2TP inside IPsec", made.l2tp()),
            _section("nothing else that was decrypted", made.strays()),
            _section("nothing for a protected network in clear text", made.clear_out()),
            _section("what belongs to a connection that was let out", made.replies()),
        ]
        for pair in self.plan.pairs:
            if pair.source is not None and pair.destination is not None:
                sections.append(_section(f"{' to '.join(pair.name)}", made.crossing(pair)))
        sections += [
            _section("nothing else crosses the gateway", made.leftover()),
            _section("what the gateway itself sends", made.own()),
        ]
        return sections

    def _normal(self) -> Iterator[str]:
        if not (self.shared and self.dialect.anchors):
            yield from self.normalization()

    def normalization(self) -> Iterator[str]:
        """Sizes of segments, and fragments; the classic dialect has none of it in an anchor."""
        for mss in self.plan.mss:
            yield from self._segments(mss)
        yield from self.dialect.reassembly()

    def _segments(self, mss: Mss) -> Iterator[str]:
        for family, clamped in CLAMPED.items():
            octets = clamped if mss.value == "clamp" else mss.value
            if mss.link.over is None:
                yield self.dialect.segments(Where(on(mss.link), family), octets)
                continue
            network = self.tables.host(mss.link.name, mss.link.network, family)
            if network is not None:
                yield self.dialect.segments(Where(ENC, family, source=network), octets)
                yield self.dialect.segments(Where(ENC, family, destination=network), octets)


def _section(about: str, lines: Iterable[str]) -> Section:
    """Each line once, where it stands first."""
    return Section(about, tuple(dict.fromkeys(lines)))
