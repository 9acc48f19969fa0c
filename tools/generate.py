"""Write what is generated from definitions: pages of docs/ and schemas/. `--check` only compares.

A test runs the comparison, so that a definition cannot change without its page.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel

from tunnelgate import api, config
from tunnelgate.cli.changes.json import Document as Changes
from tunnelgate.cli.explained.json import Document as Explanation
from tunnelgate.cli.tested.json import Document as Results
from tunnelgate.diagnostics import Rule, catalogue
from tunnelgate.diagnostics.render import page, render
from tunnelgate.manifest import Manifest
from tunnelgate.policy import protocol_page
from tunnelgate.policy.table import TABLE
from tunnelgate.source import SourceFile
from tunnelgate.target import BUILT_IN

ROOT = Path(__file__).parents[1]


def schema(model: type[BaseModel]) -> str:
    """The JSON Schema of a contract."""
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(mode="serialization"),
    }
    return json.dumps(made, indent=2) + "\n"


def findings_schema() -> str:
    """The JSON Schema of `--format json`: written by hand, but for the codes that there are."""
    text = (ROOT / "schemas/findings.schema.json").read_text("utf-8")
    codes = textwrap.wrap(", ".join(f'"{code}"' for code in catalogue.rules()), 84)
    lines = "".join(f"\n            {line}" for line in codes)
    return re.sub(r'(?<="examples": \[)[^\]]*', f"{lines}\n          ", text, count=1)


def config_schema() -> str:
    """The JSON Schema of `tunnelgate.toml`, for editors that know TOML."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tunnelgate.toml",
        "description": "What a project chooses: docs/configuration.md.",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: what for key, (what, _) in config.KEYS.items()},
    }
    return json.dumps(schema, indent=2) + "\n"


def _example(rule: Rule, folder: Path) -> SourceFile:
    """A rule's bad example; in this folder, with the files that it names, where it names any."""
    if not rule.files:
        return SourceFile(rule.bad, "policy.tg")
    for name, text in [("policy.tg", rule.bad), *rule.files]:
        (folder / name).write_text(text, "utf-8")
    return SourceFile.read(folder / "policy.tg", "policy.tg")


def said(rule: Rule) -> str:
    """What `check` says of a rule's bad example: the first finding of the rule, without a count."""
    targets = sorted(BUILT_IN) if rule.group == "targets" else []
    with TemporaryDirectory() as folder:
        policy = _example(rule, Path(folder))
        findings = api.check(policy, targets, versions=dict(rule.versions))
    found = [one for one in findings if one.rule is rule]
    return render("full", found[:1]).rpartition("\n\n")[0]


def pages() -> Iterator[tuple[str, str]]:
    """Each generated file, by its path in the repository, and its text."""
    yield "schemas/manifest.schema.json", schema(Manifest)
    yield "schemas/diff.schema.json", schema(Changes)
    yield "schemas/explain.schema.json", schema(Explanation)
    yield "schemas/test.schema.json", schema(Results)
    yield "schemas/findings.schema.json", findings_schema()
    yield "schemas/config.schema.json", config_schema()
    yield "docs/protocols.md", protocol_page.markdown(TABLE)
    rules = catalogue.rules().values()
    yield "docs/rules/README.md", page.index(rules)
    for rule in rules:
        yield rule.page, page.markdown(rule, said(rule))


def main() -> int:
    """Write them, or with `--check` name those that differ."""
    stale = [
        (path, text)
        for path, text in pages()
        if not (ROOT / path).is_file() or (ROOT / path).read_text("utf-8") != text
    ]
    for path, text in stale:
        print(path)
        if "--check" not in sys.argv:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text, "utf-8")
    return len(stale) if "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
