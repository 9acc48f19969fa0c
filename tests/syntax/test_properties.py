"""Generated policies are all read, in whichever way; broken ones never break the reader."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelgate.source import SourceFile
from tunnelgate.syntax import Parsed, ast, parse, parse_flow
from tunnelgate.syntax.plain import PlainLines
from tunnelgate.syntax.reader import tools

JOINING = {"from", "to", "with", "as", "at", "over"}

blanks = st.sampled_from([" ", "  ", "\t", " \t "])
commas = st.sampled_from([",", ", ", " , ", ",\t", ",\n  ", ", # why\n\n  # more\n "])
tails = st.sampled_from(["", " ", "  # why", "# why", "\t"])

names = st.one_of(
    st.from_regex(r"[A-Za-z](?:[A-Za-z0-9_]|-[A-Za-z0-9]){0,14}", fullmatch=True),
    st.sampled_from(
        ["host", "port", "except", "allow", "zone", "per", "source", "ipv6-in-ipv4", "fromage"]
    ),
).filter(lambda name: name not in JOINING)
params = names.map(lambda name: f"${name}")
addresses = st.one_of(
    st.ip_addresses().map(str),
    st.ip_addresses().map(lambda ip: f"{ip}/24"),
    st.ip_addresses(v=4).map(lambda ip: f"{ip}-255.255.255.255"),
)
numbers = st.integers(0, 70_000).map(str)
strings = st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters='"'))
literals = st.one_of(
    st.builds("{}/{}".format, st.sampled_from(["tcp", "udp", "ip", "tpc"]), numbers),
    st.builds("tcp/{},{}-{}".format, numbers, numbers, numbers),
    st.builds("icmp/{}".format, names),
    st.builds("udp/{}".format, params.filter(lambda text: "_" not in text)),
)


def listed(items: st.SearchStrategy[str], most: int = 4) -> st.SearchStrategy[str]:
    return st.builds(
        lambda comma, some: comma.join(some), commas, st.lists(items, min_size=1, max_size=most)
    )


uses = st.one_of(
    names, literals, params, st.builds("{}{}port {}".format, names, blanks, st.one_of(numbers))
)
places = st.one_of(names, addresses, params)
options = st.one_of(
    names,
    st.builds('{} "{}"'.format, names, strings),
    st.builds("{} {}/minute".format, names, numbers),
    st.builds("{} {}/second per\tsource".format, names, numbers),
    st.builds("{} {}-0xff".format, names, numbers),
    st.builds("{} {} per source".format, names, params),
)


def sentence(*parts: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The parts, with blanks between those that are not empty."""
    made = [part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts]
    return st.builds(lambda blank, *some: blank.join(filter(None, some)), blanks, *made)


def maybe(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), part)


excepted_uses = sentence(listed(uses), maybe(sentence("except", listed(uses))))
excepted_places = sentence(listed(places), maybe(sentence("except", listed(places))))
ending = maybe(sentence("with", listed(options)))
flows = sentence(uses, "from", places, "to", places)

rules = sentence(
    st.sampled_from(["allow", "deny"]), excepted_uses, "from", excepted_places, "to",
    excepted_places, ending,
)  # fmt: skip
plain_rules = sentence(
    st.sampled_from(["allow", "deny"]), listed(uses), "from", listed(places), "to",
    listed(places), ending,
)  # fmt: skip
others = st.one_of(
    sentence("nat", maybe(st.just("ipv6")), "from", excepted_places, "to", excepted_places),
    sentence("forward", excepted_uses, "from", excepted_places, "to", places, ending),
    sentence("expect", st.sampled_from(["allow", "deny"]), flows),
    sentence("protocol", names, "=", uses, "+", uses),
    sentence("set", names, names),
    st.builds('include "{}"'.format, strings),
)
members = st.one_of(
    sentence("interface", listed(names)),
    sentence("network", listed(addresses)),
    sentence("host", names, "=", listed(addresses)),
    sentence("group", names, "=", listed(places)),
    sentence("ipsec", "over", names),
)
docs = st.sampled_from(["", "## doc\n", "# no\n", "\n## a\n## b\n", "## far\n\n"])


def lines(items: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    line = st.builds("{}{}{}\n".format, docs, items, tails)
    return st.lists(line, max_size=most).map("".join)


zones = st.builds("zone {} {{\n{}}}".format, names, lines(members, 5))
policies = lines(st.one_of(rules, plain_rules, others, zones), 12)


@pytest.fixture
def without_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is left to the parser."""


def read_by_parser_alone(text: str) -> Parsed:
    grammar, builder, _ = tools()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PlainLines, "begins", lambda *_: False)
        patch.setattr(PlainLines, "read", lambda *_: None)
        return parse(SourceFile(text))


def told(parsed: Parsed) -> list[tuple[str, int, int]]:
    return [(found.message, *found.primary.span[1:]) for found in parsed.diagnostics]


def places_in(parsed: Parsed) -> list[object]:
    """The tree with spans and docs, which equality leaves out."""
    return [str(node) for node in (*parsed.policy.statements, *parsed.policy.comments)]
