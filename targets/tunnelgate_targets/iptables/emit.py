"""Plan to files: which tables there are, and what an administrator reads above them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap

from tunnelgate.plan import Plan, connections
from tunnelgate.records import replace
from tunnelgate.target import Output, Requirements, Setup
from tunnelgate_targets import kernel
from tunnelgate_targets.iptables import needs as requirements
from tunnelgate_targets.iptables.doors import CAVEATS, HOOKS, Doors
from tunnelgate_targets.iptables.filtering import Filter
from tunnelgate_targets.iptables.lines import Chains
from tunnelgate_targets.iptables.marking import Mangle, Raw
from tunnelgate_targets.iptables.pairs import Divided, divide
from tunnelgate_targets.iptables.quote import plain
from tunnelgate_targets.iptables.sets import Sets
from tunnelgate_targets.iptables.translating import Translation
from tunnelgate_targets.skeleton import skeleton

IPSET, MODULES, SYSCTL = "ipset.conf", "modules.conf", "sysctl.conf"
#: What loads the files of the shared layout: an own chain needs a jump, and an old one has to go.
SCRIPT = "shared.sh"
_HERE = Path(__file__).parent
#: Of what a header says, in characters.
_WIDTH = 95
RULES = {4: "rules.v4", 6: "rules.v6"}
#: The files that are loaded, in order, and how.
LOADERS = {
    IPSET: f"ipset restore -exist < {IPSET}",
    RULES[4]: f"iptables-restore < {RULES[4]}",
    RULES[6]: f"ip6tables-restore < {RULES[6]}",
}
#: Measured with both flavours: `-m policy --dir out` in mangle POSTROUTING sees what IPsec would do
#: with a packet whose source is not translated yet.
NAT_BEFORE_IPSEC = (
    "what is translated on its way into an ipsec zone passes only where the IPsec policy takes it "
    "by its own source too: otherwise iptables drops it as clear text"
)


def emit(plan: Plan, setup: Setup, revision: int) -> Output:
    """The files of a plan that was not refused."""
    sets = Sets()
    doors = Doors(plan, is_shared=setup.layout == "shared")
    divided = [divide(pair) for pair in plan.pairs]
    tables = {family: _tables(plan, divided, sets, family, doors) for family in RULES}
    needs = _requirements(plan, bool(sets), doors)
    about: dict[str, object] = {
        "gateway": plain(plan.gateway),
        "policy": plain(plan.policy),
        "revision": revision,
        "needs": needs,
    }
    if doors.is_shared:
        about["caveats"] = [wrap(caveat, _WIDTH) for caveat in needs.caveats]
    rules = skeleton(_HERE, "shared.j2" if doors.is_shared else "rules.j2")
    output = "ACCEPT" if plan.default_output else "DROP"
    files = {
        name: rules.render(about, family=family, output_policy=output, tables=tables[family])
        for family, name in RULES.items()
    }
    if doors.is_shared:
        files[SCRIPT] = _script(about, bool(sets))
    if sets:
        files[IPSET] = skeleton(_HERE, "ipset.j2").render(about, sets=sets)
    autoloaded = requirements.autoloaded(plan, files)
    whole = replace(
        needs,
        autoloaded=autoloaded,
        rare=tuple(one for one in autoloaded if one in requirements.RARE),
        versions=requirements.versions(plan, files, setup.layout),
        connections=connections(plan),
    )
    return Output(files | _companions(about, needs), whole)


def _script(about: dict[str, object], has_sets: bool) -> str:
    jumps = [f"{table}:{chain}" for table, chains in HOOKS.items() for chain in chains]
    return skeleton(_HERE, "script.j2").render(
        about, jumps=jumps, tables=list(HOOKS), has_sets=has_sets
    )


def _companions(about: dict[str, object], needs: Requirements) -> dict[str, str]:
    files = {}
    if needs.modules:
        files[MODULES] = skeleton(_HERE, "modules.j2").render(about)
    if needs.sysctls:
        files[SYSCTL] = skeleton(_HERE, "sysctl.j2").render(about)
    return files


def _requirements(plan: Plan, has_sets: bool, doors: Doors) -> Requirements:
    modules, sysctls = tuple(_modules(plan)), tuple(_sysctls(plan))
    is_inner = any(snat.destination.over is not None for snat in plan.snats)
    caveats = (NAT_BEFORE_IPSEC,) if is_inner else ()
    if doors.is_shared:
        load, unload = f"sh {SCRIPT} load", f"sh {SCRIPT} unload"
        return Requirements(modules, sysctls, (load,), (unload,), (*CAVEATS, *caveats))
    names = [IPSET, *RULES.values()] if has_sets else list(RULES.values())
    load_all = tuple(LOADERS[name] for name in names)
    return Requirements(modules, sysctls, load_all, caveats=caveats)


def _tables(
    plan: Plan, divided: Sequence[Divided], sets: Sets, family: int, doors: Doors
) -> dict[str, Chains]:
    """The tables of one family, by name, in the order in which packets meet them."""
    return {
        "raw": Raw(plan, sets, family, doors).write(),
        "mangle": Mangle(plan, sets, family, doors).write(),
        "nat": Translation(plan, sets, family, doors).write(),
        "filter": Filter(plan, divided, sets, family, doors).write(),
    }


def _modules(plan: Plan) -> Iterator[str]:
    """What rewrites the addresses that a helper's protocol carries; nothing else loads it."""
    if plan.snats or plan.dnats:
        yield from sorted(kernel.helpers(plan, "nat"))


def _sysctls(plan: Plan) -> Iterator[tuple[str, str]]:
    if 4 in plan.families:
        yield "net.ipv4.ip_forward", "1"
    if 6 in plan.families:
        yield "net.ipv6.conf.all.forwarding", "1"
