"""Plan to files: which tables there are, and what an administrator reads above them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tunnelgate.plan import Plan
from tunnelgate.target import Output, Requirements
from tunnelgate_targets.iptables.filtering import Filter
from tunnelgate_targets.iptables.marking import Mangle, Raw
from tunnelgate_targets.iptables.pairs import Divided, divide
from tunnelgate_targets.iptables.quote import plain
from tunnelgate_targets.iptables.sets import Sets
from tunnelgate_targets.iptables.translating import Translation

if TYPE_CHECKING:
    from jinja2 import Template

IPSET, MODULES, SYSCTL = "ipset.conf", "modules.conf", "sysctl.conf"
RULES = {4: "rules.v4", 6: "rules.v6"}
#: The files that are loaded, in order, and how.
LOADERS = {
    IPSET: f"ipset restore -exist < {IPSET}",
    RULES[4]: f"iptables-restore < {RULES[4]}",
    RULES[6]: f"ip6tables-restore < {RULES[6]}",
}
#: The kernel calls two helpers by other names than their module.
_MODULES = {"Q.931": "h323", "RAS": "h323"}


def emit(plan: Plan, revision: int) -> Output:
    """The files of a plan that was not refused."""
    sets = Sets()
    divided = [divide(pair) for pair in plan.pairs]
    tables = {family: _tables(plan, divided, sets, family) for family in RULES}
    modules, sysctls = tuple(_modules(plan)), tuple(_sysctls(plan))
    names = [IPSET] if sets else []
    names += RULES.values()
    load = tuple(LOADERS[name] for name in names)
    about = {
        "gateway": plain(plan.gateway),
        "policy": plain(plan.policy),
        "revision": revision,
        "load": load,
    }
    files = {
        name: _template("rules.j2").render(about, family=family, **tables[family])
        for family, name in RULES.items()
    }
    if sets:
        files[IPSET] = _template("ipset.j2").render(about, sets=sets)
    if modules:
        files[MODULES] = _template("modules.j2").render(about, modules=modules)
    if sysctls:
        files[SYSCTL] = _template("sysctl.j2").render(about, sysctls=sysctls)
    return Output(files, Requirements(modules, sysctls, load))


def _tables(plan: Plan, divided: Sequence[Divided], sets: Sets, family: int) -> dict[str, object]:
    """The tables of one family, by name."""
    return {
        "raw": Raw(plan, sets, family).write(),
        "mangle": Mangle(plan, sets, family).write(),
        "nat": Translation(plan, sets, family).write(),
        "filter": Filter(plan, divided, sets, family).write(),
        "output_policy": "ACCEPT" if plan.default_output else "DROP",
    }


def _modules(plan: Plan) -> Iterator[str]:
    """What rewrites the addresses that a helper's protocol carries; nothing else loads it."""
    if plan.snats or plan.dnats:
        names = {_MODULES.get(helper.name, helper.name) for helper in plan.helpers}
        yield from (f"nf_nat_{name}" for name in sorted(names))


def _sysctls(plan: Plan) -> Iterator[tuple[str, str]]:
    if 4 in plan.families:
        yield "net.ipv4.ip_forward", "1"
    if 6 in plan.families:
        yield "net.ipv6.conf.all.forwarding", "1"


@lru_cache(maxsize=4)
def _template(name: str) -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template(name)
