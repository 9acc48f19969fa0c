"""`tunnelgate explain`: verdict, translations, who decides, the rules; text and JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
POLICY = """gateway g
zone wan {
  interface eth0
  address 203.0.113.1
  host hq = 192.0.2.10
  group partners = 198.51.100.0/24
}
zone lan {
  interface eth1
  address 192.168.1.1
  network 192.168.1.0/24
  host box = 192.168.1.10
  host alice = 192.168.1.20
}
protocol web = tcp/443
zone far {
  ipsec over wan
  network 10.20.0.0/16
}
nat from lan to wan
allow ssh from lan to gateway
allow ike from lan to wan with limit 10/minute
allow esp from alice to hq
deny tcp/25 from lan to wan
forward web from partners to box port 8443
forward web from lan at wan to box with hairpin
allow tcp/80 from far to lan
"""


@pytest.fixture
def explain(run, in_folder: Path):
    """What is shown about a question, without the rules."""
    (in_folder / "g.tg").write_text(POLICY)

    def ask(question: str, *flags: str) -> str:
        shown = run("explain", "g.tg", question, *flags)
        assert (shown.code, shown.err) == (0, "")
        return re.sub(r"^  nftables.*\n(    .*\n)*", "", shown.out, flags=re.MULTILINE)

    return ask


def test_text(run, explain) -> None:
    explain("ike from alice to hq")
    assert run("explain", "g.tg", "esp from alice to hq").out == (
        "allowed: esp from alice to hq\n"
        "  comes in by lan\n"
        "  leaves by wan as 203.0.113.1\n"
        "  by `allow esp from alice to hq` (g.tg:23), `nat from lan to wan` (g.tg:20)\n"
        "  nftables:\n" + rules(run, "translate-source", "pair.lan.wan")
    )


def rules(run, translation: str, pair: str) -> str:
    """The lines of the ruleset itself for ESP from alice, found by hand."""
    text = run("compile", "g.tg").out.splitlines()
    found = [
        (number, line.strip())
        for number, line in enumerate(text, 1)
        if 'comment "nat from lan to wan"' in line
        or ("accept" in line and "allow esp from alice to hq" in line)
    ]
    assert len(found) == 2
    return "".join(
        f"    ruleset.nft:{number} (chain {chain}) {line}\n"
        for (number, line), chain in zip(found, (translation, pair), strict=True)
    )


ANSWERS = """tcp/25 from alice to hq
denied: tcp/25 from alice to hq
  comes in by lan
  would leave by wan
  by `deny tcp/25 from lan to wan` (g.tg:24)

udp/9 from alice to hq
denied: udp/9 from alice to hq
  comes in by lan
  would leave by wan
  nothing allows it

ah from alice to hq
denied: ah from alice to hq
  comes in by lan
  AH would be translated
  by `nat from lan to wan` (g.tg:20)

web from partners to 203.0.113.1
allowed: web from partners to 203.0.113.1
  comes in by wan
  is handed to box (192.168.1.10) port 8443
  leaves by lan
  by `forward web from partners to box port 8443` (g.tg:25)

web from alice to 203.0.113.1
allowed: web from alice to 203.0.113.1
  comes in by lan
  is handed to box (192.168.1.10)
  leaves by lan as 192.168.1.1
  its source port is kept if free
  by `forward web from lan at wan to box with hairpin` (g.tg:26)

esp from gateway to hq
allowed: esp from gateway to hq
  leaves by wan
  always on: what the gateway itself sends

tcp/80 from far to alice
allowed: tcp/80 from far to alice
  leaves by lan
  by `allow tcp/80 from far to lan` (g.tg:27)
"""


@pytest.mark.parametrize("answer", ANSWERS.split("\n\n"), ids=lambda one: one.split("\n")[0])
def test_what_happens_and_why(explain, answer: str) -> None:
    question, told = answer.split("\n", 1)
    assert explain(question) == told.rstrip() + "\n"


def test_an_open_question_is_told_by_cases(explain) -> None:
    assert explain("ipsec from lan to hq") == (
        "allowed: ike from lan to hq\n"
        "  leaves by wan as 203.0.113.1\n"
        "  its source port is kept if free\n"
        "  is limited to 10/minute\n"
        "  by `allow ike from lan to wan with limit 10/minute` (g.tg:22), "
        "`nat from lan to wan` (g.tg:20)\n"
        "\n"
        "allowed: esp from alice to hq\n"
        "  leaves by wan as 203.0.113.1\n"
        "  by `allow esp from alice to hq` (g.tg:23), `nat from lan to wan` (g.tg:20)\n"
        "\n"
        "denied: nat-t from lan to hq\n"
        "denied: esp from lan except alice to hq\n"
        "  would leave by wan\n"
        "  nothing allows it\n"
    )


def test_icmp_that_begins_nothing_is_no_exception(explain) -> None:
    told = explain("any from lan to wan")
    assert "denied: any except ike, esp, ah, tcp/25 from lan to wan" in told
    assert "denied: any from lan to lan\n" in explain("any from lan to lan")
    told = explain("icmp/echo-reply from lan to wan")
    assert told.startswith("denied: icmp/echo-reply from lan to wan\n")


def test_what_no_nat_is_about_is_said(run, in_folder: Path) -> None:
    text = POLICY.replace("nat from lan to wan", "nat from alice to wan")
    (in_folder / "g.tg").write_text(text.replace("esp from alice", "esp from box"))
    told = run("explain", "g.tg", "esp from box to hq").out
    assert "  leaves by wan, not translated: no `nat` is about it\n" in told
    assert "not translated" not in run("explain", "g.tg", "esp from gateway to hq").out
    assert "not translated" not in run("explain", "g.tg", "web from partners to 203.0.113.1").out


def test_a_private_address_from_outside_is_told_with_the_forward(explain) -> None:
    told = explain("web from partners to box")
    assert told == (
        "denied: web from partners to box\n"
        "  comes in by wan\n"
        "  would leave by lan\n"
        "  nothing allows it\n"
        "  sent to 203.0.113.1 it would be forwarded, "
        "by `forward web from partners to box port 8443` (g.tg:25)\n"
    )
    for other in ("web from hq to box", "ike from partners to box", "web from partners to alice"):
        assert "forwarded" not in explain(other)


def test_gre_that_nobody_announced_is_told_with_its_helper(run, in_folder: Path) -> None:
    (in_folder / "g.tg").write_text(POLICY + "allow pptp from alice to hq with helper\n")
    hint = "  announced by a connection it would pass, by `allow pptp from alice to hq with helper`"
    assert hint in run("explain", "g.tg", "gre from alice to hq").out
    assert hint not in run("explain", "g.tg", "gre from box to hq").out
    assert hint not in run("explain", "g.tg", "esp from box to hq").out
    said = run("explain", "g.tg", "gre from alice to hq", "--format", "json")
    (case,) = json.loads(said.out)["cases"]
    assert [hint.strip() in one for one in case["hints"]] == [True]


def test_packets_with_a_false_source(explain, run) -> None:
    assert explain("ssh from alice to gateway", "--in", "wan") == (
        "denied: ssh from alice to gateway, arriving in wan\n  its source belongs elsewhere\n"
    )
    assert "was not decrypted" in explain("tcp/80 from 10.20.0.1 to alice", "--in", "wan")
    shown = run("explain", "g.tg", "ssh from alice to gateway", "--in", "wann")
    assert (shown.code, shown.out) == (2, "")
    assert "did you mean `wan`?" in shown.err


def test_an_address_that_the_policy_does_not_know(explain, in_folder: Path) -> None:
    text = POLICY.replace("  address 203.0.113.1\n", "").replace(" at wan", " at 203.0.113.9")
    (in_folder / "g.tg").write_text("\n".join(text.splitlines()[:-2]) + "\n")
    assert "  leaves by wan as the address of wan\n" in explain("esp from alice to hq")


def test_json_keeps_its_contract(run, explain) -> None:
    explain("esp from alice to hq")
    shown = run("explain", "g.tg", "ipsec from alice to hq", "--format", "json", "-t", "pf", "-q")
    found = json.loads(shown.out)
    schema = json.loads((ROOT / "schemas/explain.schema.json").read_text())
    jsonschema.validate(found, schema)
    assert found["question"] == "ipsec from alice to hq"
    assert [(one["verdict"], one["reason"]) for one in found["cases"]] == [
        ("allowed", "allowed"),
        ("allowed", "allowed"),
        ("denied", "nothing allows it"),
    ]
    both = run("explain", "g.tg", "esp from alice to hq", "--format", "json")
    (case,) = json.loads(both.out)["cases"]
    jsonschema.validate(json.loads(both.out), schema)
    assert case["zone"] == "wan"
    assert case["statements"][0] == {
        "text": "allow esp from alice to hq",
        "path": "g.tg",
        "line": 23,
    }
    lines = run("compile", "g.tg").out.splitlines()
    shown_rules = case["rules"]["nftables"]
    assert [lines[one["line"] - 1].strip() for one in shown_rules] == [
        one["text"] for one in shown_rules
    ]


def test_the_mistakes_of_a_question_have_their_place(run, explain) -> None:
    explain("esp from alice to hq")
    shown = run("explain", "g.tg", "esp from alicia to hq")
    assert shown.code == 1
    assert "<question>:1:10" in shown.out
    assert "did you mean `alice`?" in shown.out
    assert run("explain", "g.tg", "esp from alice").code == 1
    assert run("explain", "g.tg", "").code == 1


def test_a_question_that_no_packet_fits(run, explain) -> None:
    told = explain("icmpv6/128 from alice to hq")
    assert told.startswith("no packet fits `icmpv6/128 from alice to hq`: ")
    shown = run("explain", "g.tg", "icmpv6/128 from alice to hq", "--format", "json")
    assert json.loads(shown.out)["cases"] == []


def test_the_mistakes_of_a_policy_are_shown(run) -> None:
    Path("typo.tg").write_text(POLICY + "alow ssh from lan to wan\n")
    shown = run("explain", "typo.tg", "esp from alice to hq")
    assert shown.code == 1
    assert "typo.tg:28:1" in shown.out
    assert run("explain", "absent.tg", "esp from alice to hq").code == 2


def test_a_policy_that_cannot_work_is_explained_without_rules(run) -> None:
    shown = run("explain", "bad.tg", "ah from lan to wan")
    assert shown.code == 0
    assert "AH would be translated" in shown.out
    assert "nftables" not in shown.out
    assert "nftables: no rules are shown, since there is no ruleset of this policy" in shown.err


def test_each_target_has_its_lines_or_says_why_not(run, explain) -> None:
    shown = run("explain", "good.tg", "tcp/25 from lan to wan", "-t", "nftables", "-t", "pf")
    assert (shown.code, shown.err) == (0, "")
    assert "  nftables:\n    ruleset.nft:" in shown.out
    rules = re.findall(r"^    pf\.conf:(\d+) (.*)", shown.out, re.MULTILINE)
    assert [text.split(" on ")[0] for _, text in rules] == [
        "pass in quick",
        "match out",
        "match out all tagged tg:lan:nat tag tg:lan",
        'block out quick all tagged tg:lan label "nothing allows it from lan"',
    ]
    first, second, *_ = (int(line) for line, _ in rules)
    assert second < first
    said = run("explain", "good.tg", "tcp/25 from lan to wan", "-t", "pf", "--format", "json")
    (case,) = json.loads(said.out)["cases"]
    assert [(str(one["line"]), one["text"]) for one in case["rules"]["pf"]] == rules
    explain("esp from alice to hq")
    refused = run("explain", "g.tg", "esp from alice to hq", "-t", "pf")
    assert (refused.code, "allowed: " in refused.out) == (0, True)
    assert "pf: no rules are shown, since there is no ruleset of this policy; " in refused.err
    assert run("explain", "g.tg", "esp from alice to hq", "-t", "pv").code == 2


def test_the_layout_is_that_of_the_ruleset(run, explain) -> None:
    explain("esp from alice to hq")
    whole = run("explain", "g.tg", "ah from lan to far")
    shared = run("explain", "g.tg", "ah from lan to far", "--layout", "shared")
    assert whole.code == shared.code == 0
    text = run("compile", "g.tg", "--layout", "shared").out.splitlines()
    (number, words), *_ = re.findall(r"ruleset\.nft:(\d+) \(chain [^)]*\) (.*)", shared.out)
    assert text[int(number) - 1].strip() == words


def test_one_gateway_and_its_values(run, in_folder: Path) -> None:
    (in_folder / "site.tg").write_text(
        "param peer : address\nzone wan {\n  interface eth0\n  host hq = $peer\n}\n"
        "allow ike from hq to gateway\n"
    )
    (in_folder / "one.toml").write_text('peer = "192.0.2.77"\n')
    asked = ("explain", "site.tg", "ike from 192.0.2.77 to gateway")
    assert "allowed: ike from hq to gateway" in run(*asked, "--vars", "one.toml").out
    assert run(*asked, "--set", "peer=192.0.2.77").code == 0
    assert run(*asked).code == 1
    several = run("explain", ".", "ike from hq to gateway")
    assert several.code == 2
    assert "a question is about one gateway" in several.err


def test_standard_input(run) -> None:
    shown = run("explain", "-", "esp from alice to hq", stdin=POLICY)
    assert (shown.code, shown.err) == (0, "")
    assert "(<stdin>:23)" in shown.out


def test_the_rules_of_very_many_cases_are_told(run, in_folder: Path) -> None:
    many = "".join(f"allow tcp/{port} from lan to wan\n" for port in range(1000, 1200, 2))
    (in_folder / "g.tg").write_text(POLICY + many)
    shown = run("explain", "g.tg", "any from lan to wan", "-t", "iptables", "--format", "json")
    cases = json.loads(shown.out)["cases"]
    assert len(cases) > 100
    assert all(case["rules"]["iptables"] for case in cases)
    (case,) = (one for one in cases if "tcp/1198 from lan to wan" in one["flows"])
    assert "1198" in case["rules"]["iptables"][-1]["text"]


def test_other_source_ports_are_told_by_the_few_that_are_not_meant(run, in_folder: Path) -> None:
    (in_folder / "g.tg").write_text(POLICY + "forward ike, nat-t from hq to box\n")
    shown = run("explain", "g.tg", "ike from alice to hq")
    assert "allowed: ike from alice to hq with another source port than 500, 4500\n" in shown.out
    assert "allowed: ike from alice to hq with source port 500, 4500\n" in shown.out


def test_what_a_helper_lets_pass_is_said(run, in_folder: Path) -> None:
    (in_folder / "g.tg").write_text(POLICY + "allow pptp from alice to hq with helper\n")
    shown = run("explain", "g.tg", "pptp from alice to hq")
    assert "  is followed by the helper pptp: what that announces passes, too\n" in shown.out


def test_tracked_esp_and_where_it_ends(run) -> None:
    text = POLICY.replace("allow esp from alice to hq", "allow esp from lan to hq with tracking")
    Path("tracked.tg").write_text(text)
    told = run("explain", "tracked.tg", "esp from alice to hq").out
    assert "its ESP is told apart from that of other hosts by its SPIs, which are learned\n" in told
    assert "while another host begins with that peer, is taken for that host's\n" in told
    assert "told apart" not in run("explain", "tracked.tg", "ike from alice to hq").out
    assert "told apart" not in run("explain", "tracked.tg", "esp from gateway to hq").out


def test_spis_are_told_and_asked_for(run, in_folder: Path) -> None:
    (in_folder / "g.tg").write_text(
        POLICY.replace("allow esp from alice to hq\n", "")
        + "forward esp from hq to box with spi 0x1000-0x1fff\n"
        + "forward esp from hq to alice with spi 0x2000-0x2fff\n"
    )
    shown = run("explain", "g.tg", "esp/0x1f00-0x20ff from hq to 203.0.113.1").out
    first, second = shown.strip().split("\n\n")
    assert first.startswith("allowed: esp from hq to 203.0.113.1 with SPI 0x1f00-0x1fff\n")
    assert "is handed to box" in first
    assert "`box` has to draw its SPIs from 0x1000-0x1fff (strongSwan: `charon.spi_min" in first
    assert "(chain keep-apart)" in first
    assert "with SPI 0x2000-0x20ff" in second
    denied = run("explain", "g.tg", "esp/0x3000 from hq to 203.0.113.1").out
    assert denied.startswith("denied: esp from hq to 203.0.113.1 with SPI 0x3000\n")


@pytest.mark.parametrize("asked", ["esp/0", "esp/0x1fff-0x1000", "esp/x", "ike/0x1000", "esp/$spi"])
def test_what_is_no_spi_is_told(run, in_folder: Path, asked: str) -> None:
    (in_folder / "g.tg").write_text(POLICY)
    shown = run("explain", "g.tg", f"{asked} from hq to 203.0.113.1")
    assert shown.code != 0
    assert "Traceback" not in shown.err
