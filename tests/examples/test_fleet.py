"""The fleet: its policies, with the values of each site, become what is committed.

`TUNNELGATE_GOLDEN=write pytest tests/examples` writes the output anew; `git diff` is the review.
The manifests are left out: they name the version of tunnelgate.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import tunnelgate
from tunnelgate.cli.main import main

FLEET = Path(__file__).parents[2] / "examples" / "fleet"
TARGETS = ("nftables", "iptables")
WRITES = os.environ.get("TUNNELGATE_GOLDEN") == "write"
SITES = {"berlin": "berlin.toml", "bonn": "bonn.yaml", "cologne": "cologne.json"}


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the command in the example's README writes."""
    monkeypatch.chdir(FLEET.parents[1])
    targets = [word for target in TARGETS for word in ("-t", target)]
    flags = ("--vars-dir", "examples/fleet/sites", "-o", str(tmp_path), "-q")
    assert main(["compile", "examples/fleet", *flags, *targets]) == 0
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    """The files below a folder but the manifests, by their paths."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def test_output_is_what_is_committed(output: Path) -> None:
    made = files(output)
    if WRITES:
        shutil.rmtree(FLEET / "expected", ignore_errors=True)
        for name, data in made.items():
            (FLEET / "expected" / name).parent.mkdir(parents=True, exist_ok=True)
            (FLEET / "expected" / name).write_bytes(data)
    assert files(FLEET / "expected") == made
    assert {name.partition("/")[0] for name in made} == {*SITES, "depot", "hub"}


def test_manifests_name_all_that_was_read(output: Path) -> None:
    for gateway, file in SITES.items():
        manifest = json.loads((output / gateway / "nftables" / "manifest.json").read_text())
        read = [one["file"] for one in manifest["policy"]]
        assert read == ["branch.tg", "shared/administration.tg", file]
        assert manifest["parameters"]["site"] == [gateway]
    manifest = json.loads((output / "depot" / "nftables" / "manifest.json").read_text())
    assert [one["file"] for one in manifest["policy"]] == [
        "depot.tg", "lists/scanners.txt", "lists/suppliers.txt", "shared/administration.tg"
    ]  # fmt: skip
    shared = [one for one in manifest["statements"] if one["file"] == "shared/administration.tg"]
    assert "allow ssh from lan to gateway" in {one["text"] for one in shared}


@pytest.mark.parametrize("name", SITES.values())
def test_each_site_keeps_its_expectations(name: str) -> None:
    values = FLEET / "sites" / name
    assert tunnelgate.load(FLEET / "branch.tg", vars=values).expects
    assert not tunnelgate.check(FLEET / "branch.tg", vars=values)


def test_the_story_names_each_file() -> None:
    story = (FLEET / "README.md").read_text("utf-8")
    named = [path for path in FLEET.rglob("*") if path.suffix in (".tg", ".txt", ".toml", ".yaml")]
    assert all(path.name in story for path in named)
    assert "tunnelgate compile examples/fleet --vars-dir examples/fleet/sites" in story
