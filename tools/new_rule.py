"""Begin a new rule: `python tools/new_rule.py TG311 name-of-it`.

Makes its file, with all that a rule says, and its near misses; puts it into the list of rules. What
is then to be done, the tests say: `pytest tests/check -k TG311` fails until the rule finds what its
bad example is about.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from string import Template

ROOT = Path(__file__).parents[1]
RULES = Path("compiler/tunnelgate/check/rules")
TESTS = Path("tests/check")

RULE = Template('''\
"""$code: $words."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Severity

RULE = Rule(
    code="$code",
    name="$name",
    severity=Severity.WARNING,
    summary="$words",
    why="Say in whole sentences what goes wrong, for whom, and why.",
    source="RFC 0000 section 0; or the manual page, or what was measured",
    bad=NAT + "allow ping from lan to wan\\n",
    good=NAT + "allow http from lan to wan\\n",
    since="$version",
)
#: What a statement must say for the rule to look at it: nothing does yet.
_WORD = "$name"


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement that the rule is about."""
    for rule in context.allows:
        if _WORD in rule.protocols.span.text:
            yield Diagnostic(
                RULE,
                f"`{rule.protocols.span.text}` is what the rule is about",
                Label(rule.protocols.span),
                help="say what to write instead",
            )
''')

TEST = Template('''\
"""$code: what is found, and the near misses that are not."""

from __future__ import annotations

import pytest

from tunnelgate.check.rules.samples import NAT


@pytest.mark.parametrize(
    ("statement", "severity"),
    [
        ("allow ping from lan to wan", "warning"),
        ("allow http from lan to wan", None),
    ],
)
def test_$test_name(codes, statement: str, severity: str | None) -> None:
    assert codes(NAT + statement + "\\n").get("$code") == severity
''')


def make(root: Path, code: str, name: str) -> list[Path]:
    """Make the files of a rule and put it into the list; what was written.

    Raises:
        ValueError: the code or the name is none, or there is one already.
    """
    if not re.fullmatch(r"TG[1-7]\d\d", code):
        raise ValueError(f"`{code}` is no code of a check: TG and three digits, TG101 to TG799")
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)+", name):
        raise ValueError(f"`{name}` is no name of a rule: lowercase words with hyphens between")
    module = code.lower()
    for path in (root / RULES).glob("*.py"):
        text = path.read_text("utf-8")
        if path.stem == module or f'name="{name}"' in text:
            raise ValueError(
                f"`{path.stem.upper()}` is there already; codes and names are for ever"
            )
    version = re.search(
        r'^__version__ = "(.*)"',
        (root / "compiler/tunnelgate/__init__.py").read_text("utf-8"),
        re.M,
    )
    assert version is not None
    fields = {
        "code": code,
        "name": name,
        "words": name.replace("-", " "),
        "version": version[1],
        "test_name": name.replace("-", "_"),
    }
    listing = root / RULES / "__init__.py"
    written = {
        root / RULES / f"{module}.py": RULE.substitute(fields),
        root / TESTS / f"test_{module}.py": TEST.substitute(fields),
        listing: _listed(listing.read_text("utf-8"), module),
    }
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    return list(written)


def _listed(text: str, module: str) -> str:
    """The list of rules with one more, in its place."""

    def with_one_more(match: re.Match[str]) -> str:
        modules = sorted({*re.findall(r"tg\d+", match[2]), module})
        return match[1] + "".join(f"    {one},\n" for one in modules) + match[3]

    return re.sub(r"(\(\n)((?:    tg\d+,\n)+)(\))", with_one_more, text)


def main(arguments: list[str]) -> int:
    """Run it; the exit status."""
    if len(arguments) != 2:
        print("usage: python tools/new_rule.py TGnnn name-of-it", file=sys.stderr)
        return 2
    code, name = arguments
    try:
        for path in make(ROOT, code, name):
            print(path.relative_to(ROOT))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"next: say what it finds, `pytest tests/check -k {code}`, and `make docs`")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
