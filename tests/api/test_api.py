"""`import tunnelgate`: load, check, compile, decide."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tunnelgate
from tunnelgate.meaning import Packet, Reason
from tunnelgate.target import Setup

ZONES = """\
gateway branch
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
allow ssh from lan to gateway
"""
POLICY = ZONES + "allow ipsec-nat-t from lan to wan\n"


def _codes(findings) -> list[str]:
    """The codes, without the advice about names that a policy of a few lines does not use."""
    return [finding.rule.code for finding in findings if finding.rule.code != "TG604"]


class TestNames:
    def test_every_name_is_there(self):
        for name in tunnelgate.__all__:
            assert getattr(tunnelgate, name) is not None
            assert name in dir(tunnelgate)

    def test_other_names_are_not(self):
        with pytest.raises(AttributeError, match="has no attribute 'chek'"):
            tunnelgate.chek  # noqa: B018

    @pytest.mark.parametrize("first", ["tunnelgate.check", "tunnelgate.check.rules"])
    def test_the_room_check_does_not_take_the_place_of_the_function(self, first, environment):
        code = f"import {first}, tunnelgate; print(tunnelgate.check.__module__)"
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.stdout == "tunnelgate.api\n"


class TestLoad:
    def test_text_a_path_and_a_file(self, tmp_path):
        path = tmp_path / "branch.tg"
        path.write_text(POLICY)
        files = (POLICY, path, tunnelgate.SourceFile(POLICY, "branch.tg"))
        assert [tunnelgate.load(one).name for one in files] == ["branch"] * 3

    def test_findings_call_it_by_its_name(self, tmp_path):
        path = tmp_path / "p.tg"
        path.write_text("nonsense\n")
        for source, name in (("nonsense", "mine.tg"), (path, "mine.tg")):
            with pytest.raises(tunnelgate.PolicyError, match=r"^mine\.tg:1:1: error\[TG001\]"):
                tunnelgate.load(source, name)

    def test_all_errors_are_reported(self):
        with pytest.raises(tunnelgate.PolicyError) as raised:
            tunnelgate.load(ZONES + "alow ssh from lan to wan\nallow ssh from lam to wan\n")
        assert _codes(raised.value.diagnostics) == ["TG001", "TG006"]
        assert len(str(raised.value).splitlines()) == 2

    def test_a_file_that_cannot_be_read(self, tmp_path):
        with pytest.raises(tunnelgate.PolicyError, match="no such file or directory"):
            tunnelgate.load(tmp_path / "missing.tg")

    def test_what_cannot_work_loads(self):
        assert tunnelgate.load(ZONES + "allow ah from lan to wan\n").rules


class TestCheck:
    def test_text_and_a_loaded_policy_have_the_same_findings(self):
        source = ZONES + "allow ah from lan to wan\n"
        assert _codes(tunnelgate.check(source)) == ["TG101"]
        assert _codes(tunnelgate.check(tunnelgate.load(source))) == ["TG101"]

    def test_a_typo_does_not_hide_what_cannot_work(self):
        source = ZONES + "alow ssh from lan to wan\nallow ah from lan to wan\n"
        assert _codes(tunnelgate.check(source)) == ["TG001", "TG101"]

    @pytest.mark.parametrize("lost", ["nat from lam to wan", "deny ah from lam to wan", "dney ah"])
    def test_a_lost_statement_that_could_change_it_does(self, lost):
        source = ZONES + f"{lost}\nallow ah from lan to wan\n"
        assert "TG101" not in _codes(tunnelgate.check(source))

    def test_a_lost_zone_is_the_only_thing_said(self):
        source = ZONES.replace("192.168.1.0/24", "192.168.1.0/64") + "allow ah from lan to wan\n"
        assert not [code for code in _codes(tunnelgate.check(source)) if code >= "TG100"]

    def test_of_the_rest_errors_alone_are_said(self):
        advice = "zone wan { interface eth0 }\nallow ping from wan to gateway\n"
        assert _codes(tunnelgate.check(advice)) == ["TG505"]
        assert _codes(tunnelgate.check(advice + "allow ssh from wann to gateway\n")) == ["TG006"]

    def test_targets_are_asked_where_there_is_no_error(self):
        tracking = ZONES + "allow esp from lan to hq with tracking\n"
        assert _codes(tunnelgate.check(tracking, ["iptables"])) == ["TG402"]
        with pytest.raises(tunnelgate.UnknownTarget):
            tunnelgate.check(POLICY, ["pg"])


class TestCompile:
    def test_files_and_what_they_need(self):
        made = tunnelgate.compile(POLICY)
        assert list(made.files) == ["ruleset.nft", "sysctl.conf"]
        assert list(made.folder) == [*made.files, "manifest.json"]
        assert made.requirements.load == ("nft -f ruleset.nft",)
        with pytest.raises(TypeError):
            made.files["other"] = ""  # type: ignore[index]

    def test_errors_are_raised_and_the_rest_is_told(self):
        with pytest.raises(tunnelgate.PolicyError, match="TG101"):
            tunnelgate.compile(ZONES + "allow ah from lan to wan\n")
        mild = "zone wan { interface eth0 }\nallow ping from wan to gateway\n"
        assert _codes(tunnelgate.compile(mild).diagnostics) == ["TG505"]

    def test_without_warnings_errors_are_raised_all_the_same(self):
        mild = "zone wan { interface eth0 }\nallow ping from wan to gateway\n"
        quiet = tunnelgate.compile(mild, warn=False)
        assert quiet.files == tunnelgate.compile(mild).files
        assert quiet.diagnostics == quiet.silenced == ()
        for wrong, target in (("ah from lan to wan", "nftables"), ("ah from lan to lan", "pf")):
            with pytest.raises(tunnelgate.PolicyError, match=r"TG101|TG406"):
                tunnelgate.compile(f"{ZONES}allow {wrong}\n", target=target, warn=False)

    def test_what_a_target_refuses_is_an_error(self):
        with pytest.raises(tunnelgate.PolicyError, match="TG402"):
            tunnelgate.compile(
                ZONES + "allow esp from lan to hq with tracking\n", target="iptables"
            )

    def test_a_loaded_policy_compiles_to_the_same(self):
        assert tunnelgate.compile(tunnelgate.load(POLICY)).files == tunnelgate.compile(POLICY).files


@pytest.fixture(scope="module")
def policy():
    return tunnelgate.load(POLICY)


class TestDecide:
    def test_by_names_and_by_addresses(self, policy):
        for question in ("ike from alice to hq", "udp/500 from 192.168.1.20 to 192.0.2.10"):
            (outcome,) = tunnelgate.decide(policy, question)
            assert outcome.delivered
            assert outcome.statement in policy.rules
            assert outcome.translator in policy.nats

    def test_a_packet(self, policy):
        (outcome,) = tunnelgate.decide(policy, "esp from alice to hq")
        assert not outcome.delivered
        assert outcome.reason is Reason.NOT_ALLOWED
        assert isinstance(outcome.packet, Packet)
        assert tunnelgate.decide(policy, outcome.packet) == [outcome]

    def test_each_class_of_a_wide_question(self, policy):
        outcomes = tunnelgate.decide(policy, "any from alice to hq")
        assert {outcome.delivered for outcome in outcomes} == {True, False}

    def test_no_packet_at_all(self, policy):
        assert tunnelgate.decide(policy, "icmp from alice to 2001:db8::1") == []

    @pytest.mark.parametrize(
        ("question", "said"),
        [("esp from bob to hq", "unknown place `bob`"), ("esp to hq", "TG001"), ("", "TG001")],
    )
    def test_questions_that_are_none(self, policy, question, said):
        with pytest.raises(tunnelgate.PolicyError, match=said):
            tunnelgate.decide(policy, question)


class TestSetup:
    def test_the_layout_and_the_version_stand_in_the_manifest(self, policy):
        made = tunnelgate.compile(policy, layout="shared", versions={"nftables": "1.0.6"})
        manifest = json.loads(made.manifest)
        assert (manifest["layout"], manifest["minimum_version"]) == ("shared", "1.0.6")
        assert made.setup == Setup("shared", "1.0.6")

    @pytest.mark.parametrize("target", ["nftables", "iptables"])
    @pytest.mark.parametrize("version", ["", "1.", "1..2", "v1", "01.2", "1.2.3.4.5", "1.x", "1 "])
    def test_what_is_no_version(self, policy, target, version):
        with pytest.raises(tunnelgate.BadVersion, match=f"no version of {target}"):
            tunnelgate.check(policy, [target], versions={target: version})

    def test_a_version_of_no_target(self, policy):
        with pytest.raises(tunnelgate.UnknownTarget, match="nftable"):
            tunnelgate.check(policy, versions={"nftable": "1.0.6"})


def test_the_package_is_typed():
    assert Path(tunnelgate.__file__).with_name("py.typed").exists()
