"""`manifest.json` and its contract."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import tunnelgate
from tunnelgate import manifest
from tunnelgate.manifest import Manifest
from tunnelgate.target import BUILT_IN

SCHEMA = Path(__file__).parents[2] / "schemas" / "manifest.schema.json"

POLICY = """\
gateway branch
zone wan {
  interface eth0
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  host box = 192.168.1.10
}
zone hq-net {
  ipsec over wan
  network 10.20.0.0/16
}
nat from lan to wan

allow ssh   from lan to gateway
allow pptp  from lan to wan with helper
allow ipsec from hq to gateway
forward tcp/8443 from wan to box port 443
"""


def _policy(target):
    """What the target can do of it: pf has no helper that any number of hosts may use."""
    if not target.startswith("pf"):
        return POLICY
    return POLICY.replace("allow pptp  from lan to wan with helper", "allow nat-t from lan to wan")


@pytest.fixture(scope="module", params=BUILT_IN)
def made(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("policies") / "branch.tg"
    path.write_text(_policy(request.param))
    return tunnelgate.compile(path, request.param)


def test_it_keeps_its_contract(made):
    jsonschema.validate(json.loads(made.manifest), json.loads(SCHEMA.read_text("utf-8")))
    assert Manifest.model_validate_json(made.manifest).gateway == "branch"


def test_it_names_the_line_of_every_statement(made):
    said = {one["text"]: one for one in json.loads(made.manifest)["statements"]}
    lines = made.policy.file.text.splitlines()
    for text in ("allow ssh from lan to gateway", "nat from lan to wan"):
        assert lines[said[text]["line"] - 1].split() == text.split()
        assert said[text]["file"] == "branch.tg"
    statements = [line for line in lines if line.startswith(("nat", "allow", "forward"))]
    assert {" ".join(line.split()) for line in statements} <= set(said)


def test_it_names_no_folder(made):
    assert str(Path(made.policy.file.path).parent) not in made.manifest


def test_the_version_changes_the_manifest_alone(made, monkeypatch):
    monkeypatch.setattr(manifest, "__version__", "99.0")
    again = tunnelgate.compile(made.policy, made.target.name)
    assert again.files == made.files
    assert json.loads(again.manifest) == {**json.loads(made.manifest), "tunnelgate": "99.0"}


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden"])
def test_a_path_is_no_name_of_a_file(made, name):
    document = json.loads(made.manifest)
    document["files"][name] = "0" * 64
    with pytest.raises(ValueError, match="String should match pattern"):
        Manifest.model_validate_json(json.dumps(document))
