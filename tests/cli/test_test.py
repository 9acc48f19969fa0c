"""`tunnelgate test`: a line for each expectation, and the status."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
POLICY = """gateway g
zone wan {
  interface eth0
  address 203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  host alice = 192.168.1.20
}
nat from lan to wan
allow ike from lan to wan
deny ike from alice to hq
expect allow ike from lan to gateway
expect ike from lan to wan leaves as 203.0.113.1
expect deny ike from alice to hq
"""
LINES = (
    "FAIL  g.tg:15: expect allow ike from lan to gateway: udp/500 from 192.168.1.0 to 203.0.113.1 "
    "is dropped: nothing allows it\n"
    "FAIL  g.tg:16: expect ike from lan to wan leaves as 203.0.113.1: udp/500 from 192.168.1.20 to "
    "192.0.2.10 is dropped: denied, by `deny ike from alice to hq` (g.tg:14)\n"
    "ok    g.tg:17: expect deny ike from alice to hq\n"
)


@pytest.fixture(autouse=True)
def policy(in_folder: Path) -> Path:
    (in_folder / "g.tg").write_text(POLICY)
    return in_folder / "g.tg"


def test_a_line_for_each(run) -> None:
    shown = run("test", "g.tg")
    assert (shown.code, shown.out, shown.err) == (1, LINES, "2 of 3 do not hold\n")
    assert run("test", "-q", "g.tg").err == ""


def test_all_hold(run, policy) -> None:
    policy.write_text("\n".join(POLICY.splitlines()[:-3]) + "\nexpect deny ssh from wan to lan\n")
    shown = run("test", "g.tg")
    assert (shown.code, shown.err) == (0, "1 expectation holds\n")
    assert shown.out == "ok    g.tg:15: expect deny ssh from wan to lan\n"
    assert run("test", "good.tg").err == "no expectations\n"


def test_what_else_is_wrong_with_a_policy_is_not_asked(run, policy) -> None:
    policy.write_text(POLICY + "allow ah from lan to wan\n")
    assert run("check", "g.tg", "--format", "concise").out.count("TG101")
    assert run("test", "g.tg").out == LINES


def test_a_policy_that_cannot_be_read_does_not_hide_the_others(run, in_folder) -> None:
    (in_folder / "worse.tg").write_text(
        "zone wan { interface eth0 }\nallow ssh from nowhere to wan\n"
    )
    shown = run("test", "worse.tg", "g.tg")
    assert shown.code == 1
    assert shown.out.startswith(LINES)
    assert "error[TG006]" in shown.out
    assert run("test", "missing.tg", "g.tg").code == 2
    shown = run("test", "worse.tg", "g.tg", "--format", "json")
    assert len(json.loads(shown.out)["expectations"]) == 3
    assert "error[TG006]" in shown.err


def test_each_set_of_values_by_its_gateway(run, in_folder, policy) -> None:
    policy.write_text(
        "param site : name = depot\nparam peer : address = 192.0.2.10\ngateway $site\n"
        "zone wan { interface eth0 }\nallow ssh from $peer to gateway\n"
        "expect allow ssh from 192.0.2.10 to gateway\n"
    )
    (in_folder / "far.toml").write_text('site = "far"\npeer = "192.0.2.11"\n')
    shown = run("test", "g.tg", "--vars", "far.toml")
    first, second = shown.out.splitlines()
    assert shown.code == 1
    assert first == "ok    g.tg:6: [depot] expect allow ssh from 192.0.2.10 to gateway"
    assert second.startswith("FAIL  g.tg:6: [far] ")


def test_json_is_the_contract(run) -> None:
    shown = run("test", "g.tg", "--format", "json")
    assert shown.code == 1
    document = json.loads(shown.out)
    jsonschema.validate(document, json.loads((ROOT / "schemas/test.schema.json").read_text()))
    first, second, third = document["expectations"]
    assert first["failure"]["packet"] == {
        "zone": "lan",
        "inside_ipsec": False,
        "source": "192.168.1.0",
        "destination": "203.0.113.1",
        "protocol": 17,
        "low": 500,
        "source_port": 40000,
        "spi": None,
    }
    assert [one["line"] for one in second["failure"]["statements"]] == [14]
    assert third == {
        "gateway": "g",
        "expectation": {"text": "expect deny ike from alice to hq", "path": "g.tg", "line": 17},
        "failure": None,
    }


def test_usage(run) -> None:
    assert run("test", "--format", "yaml", "g.tg").code == 2
    assert run("test", "nowhere").code == 2
