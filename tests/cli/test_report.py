"""How findings are shown."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from tunnelgate.diagnostics.render import DOCUMENTS

SCHEMA = Path(__file__).parents[2] / "schemas" / "findings.schema.json"


def test_full_is_the_default(run):
    assert run("check", "bad.tg").out == run("check", "--format", "full", "bad.tg").out


def test_concise(run):
    assert run("check", "--format", "concise", "bad.tg").out == (
        "bad.tg:10:7: error[TG101] `ah` meets source NAT\n"
    )


@pytest.mark.parametrize("policy", ["good.tg", "bad.tg", "missing.tg"])
def test_json_stands_alone_and_keeps_its_contract(run, policy):
    found = json.loads(run("check", "--format", "json", policy).out)
    jsonschema.validate(found, json.loads(SCHEMA.read_text("utf-8")))


@pytest.mark.parametrize("format", sorted(DOCUMENTS))
@pytest.mark.parametrize("policy", ["good.tg", "bad.tg"])
def test_a_document_is_one_even_where_nothing_was_found(run, monkeypatch, format, policy):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    text = run("check", "--format", format, policy).out
    if format == "junit":
        assert ET.fromstring(text.encode()).tag == "testsuites"
    else:
        assert json.loads(text) is not None
    Path("tunnelgate.toml").write_text(f'format = "{format}"\n')
    assert run("check", policy).out == text


def test_github_has_the_text_too(run, monkeypatch):
    text = run("check", "bad.tg").out
    asked = run("check", "--format", "github", "bad.tg").out
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run("check", "bad.tg").out == asked
    assert asked.startswith(text)
    assert asked.removeprefix(text).startswith("::error file=bad.tg,line=10,")
    assert "::error" not in run("check", "--format", "json", "bad.tg").out


def test_color(run, monkeypatch):
    assert "\x1b[" not in run("check", "bad.tg").out  # no terminal
    assert "\x1b[1;31m" in run("check", "--color", "always", "bad.tg").out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert "\x1b[1;31m" in run("check", "bad.tg").out
    assert "\x1b[" not in run("check", "--color", "never", "bad.tg").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("check", "bad.tg").out


def test_quiet_leaves_results(run):
    assert run("check", "-q", "good.tg").err == ""
    assert run("check", "-q", "bad.tg").out == run("check", "bad.tg").out


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 0), ("advice", 1)])
def test_fail_level(run, level, code):
    result = run("check", "--fail-level", level, "mild.tg")
    assert (result.code, "advice[TG505]" in result.out) == (code, True)


def test_standard_input(run):
    result = run("check", "-", stdin="zone wan { interface eth0 }\nalow ssh from wan to gateway\n")
    assert result.code == 1
    assert "--> <stdin>:2:1" in result.out


def test_folders_are_walked_in_order_and_each_file_is_read_once(run, tmp_path):
    for name in ("sub/b.tg", "sub/a/z.tg", ".hidden/c.tg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("nonsense\n")
    lines = run("check", "--format", "concise", ".", "sub").out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "bad.tg",
        "mild.tg",
        "sub/a/z.tg",
        "sub/b.tg",
    ]


def test_what_a_target_cannot_do_is_a_finding(run, tmp_path):
    (tmp_path / "tracking.tg").write_text(
        Path("good.tg").read_text() + "allow esp from lan to 192.0.2.10 with tracking\n"
    )
    assert "TG402" not in run("check", "tracking.tg").out
    assert "error[TG402]" in run("check", "-t", "iptables", "tracking.tg").out
