"""Generated policies are all read, in whichever way; broken ones never break the reader."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelgate.source import SourceFile
from tunnelgate.syntax import Parsed, ast, parse, parse_flow
from tunnelgate.syntax.formatting import format_policy
from tunnelgate.syntax.plain import PlainLines
from tunnelgate.syntax.reader import tools

SAMPLE = """\
## The house.
zone wan {
  interface eth0  # cable
  host hq = 192.0.2.10, 2001:db8::10
  group partners = hq,
    198.51.100.0/24
}
nat from lan to wan as 203.0.113.1
allow ike, nat-t from any except lan to wan with log "a # b", limit 10/minute per source
forward tcp/80,443 from wan at 203.0.113.1 to box port 8080
expect ike from hq to gateway leaves as untranslated
param x : prefix... = 10.0.0.0/8
"""

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
    st.builds("udp/{}".format, params),
)


def listed(items: st.SearchStrategy[str], most: int = 4) -> st.SearchStrategy[str]:
    return st.builds(
        lambda comma, some: comma.join(some), commas, st.lists(items, min_size=1, max_size=most)
    )


uses = st.one_of(names, literals, params, st.builds("{}{}port {}".format, names, blanks, numbers))
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
statements = st.one_of(rules, plain_rules, others, zones)
policies = lines(statements, 12)


def read_by_parser_alone(text: str) -> Parsed:
    """What is read where no line is taken for a plain one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PlainLines, "begins", lambda *_: False)
        patch.setattr(PlainLines, "read", lambda *_: None)
        return parse(SourceFile(text))


def everything(parsed: Parsed) -> list[str]:
    """The tree and the findings with spans and docs, which equality of nodes leaves out."""
    findings = [f"{found.message} {found.primary.span[1:]}" for found in parsed.diagnostics]
    return findings + [str(node) for node in (*parsed.policy.statements, *parsed.policy.comments)]


@given(policies)
def test_valid_policies_are_read(text: str) -> None:
    parsed = parse(SourceFile(text))
    assert [found for found in parsed.diagnostics if found.rule.code != "TG004"] == []
    begins = [node.span.start for node in parsed.policy.statements]
    assert begins == sorted(begins)


@given(policies)
def test_valid_policies_are_formatted(text: str) -> None:
    """The formatter raises where what it made is not the same policy with the same comments."""
    file = SourceFile(text)
    assert (format_policy(file).text is None) == bool(parse(file).diagnostics)


@given(policies)
def test_plain_lines_are_read_as_the_parser_would(text: str) -> None:
    assert everything(parse(SourceFile(text))) == everything(read_by_parser_alone(text))


@given(st.lists(plain_rules.filter(lambda line: "\n" not in line), min_size=1, max_size=3))
def test_plain_lines_are_plain(some: list[str]) -> None:
    """Or the tests of the two ways would compare one with itself."""
    plain = tools().plain
    assert all(plain.begins(line, 0) for line in some if " port " not in line.expandtabs(1))


@given(st.lists(statements, min_size=1, max_size=8), st.data())
def test_mistakes_take_nothing_else_away(some: list[str], data: st.DataObject) -> None:
    """Each is one finding, and the tree is that of the policy without them."""
    mistakes = st.sampled_from(
        ["", "", "bogus\n", "allow\n", "}\n", "host x = 10.0.0.1\n", "allow a, from b\n"]
    )
    chosen = [data.draw(mistakes) for _ in some]
    text = "".join(f"{mistake}{one}\n" for mistake, one in zip(chosen, some, strict=True))
    parsed = parse(SourceFile(text))
    assert len(parsed.diagnostics) == sum(map(bool, chosen))
    whole = parse(SourceFile("\n".join(some)))
    assert parsed.policy.statements == whole.policy.statements


EDITS = st.tuples(
    st.integers(0, 2_000),
    st.integers(0, 12),
    st.text(st.sampled_from("\n\n ,{}=+#\"'/:;.-$*0aZ\t\r\0\u202e\u00e9\U0001f9f1"), max_size=4),
)


@given(st.one_of(policies, st.just(SAMPLE)), st.lists(EDITS, min_size=1, max_size=6))
@settings(max_examples=200)
def test_broken_policies_never_break_the_reader(
    text: str, edits: list[tuple[int, int, str]]
) -> None:
    for at, length, inserted in edits:
        at %= len(text) + 1
        text = text[:at] + inserted + text[at + length :]
    parsed = parse(SourceFile(text))
    assert everything(parsed) == everything(read_by_parser_alone(text))
    for found in parsed.diagnostics:
        assert 0 <= found.primary.span.start <= found.primary.span.end <= len(text)
        assert found.message
    lines_told = [
        found.primary.span.position.line
        for found in parsed.diagnostics
        if found.rule.code == "TG001"
    ]
    assert len(lines_told) <= text.count("\n") + 1 + text.count("{") + text.count("}")


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    parsed = parse(SourceFile(text))
    assert parsed.policy.statements or parsed.diagnostics
    flow, findings = parse_flow(SourceFile(text))
    assert flow or findings


@given(flows.filter(lambda text: "\n" not in text))
def test_questions_are_read(text: str) -> None:
    flow, findings = parse_flow(SourceFile(text))
    assert findings == ()
    assert isinstance(flow, ast.Flow)
    assert flow.span.text == text
