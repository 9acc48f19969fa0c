"""Files of variables: what they say, where, and what is said of wrong ones."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.source import SourceFile
from tunnelgate.variables import Variables, from_mapping, from_settings, parse_variables

TOML = """# Berlin
site = "berlin"
"vpn-port" = 51820 # the usual one
tricky = 'a # b ] "'
admins = [ "10.0.0.1",
  "10.0.0.2", # two
]
deep = [["x"], { a = "]" }, '''
#]''']
inline = { a = 1, b = [2] }
when = 1979-05-27 07:32:00
dotted."a=b".c = 1
[table]
site = "not this one"
[[tables]]
x = 1
"""
YAML = """# Berlin
site: berlin
"vpn-port": 51820
tricky: 'a # b ] "'
admins:
  - 10.0.0.1
  - "10.0.0.2" # two
deep: [[x], {a: "}"}, 'te]xt']
inline: {a: 1}
no: no
octal: 010
sixty: 22:22
nothing:
ü: é
after: x
"""
JSON = r"""{ "site": "berlin", "vpn-port": 51820,
  "tricky": "a # b ] \" \\",
  "admins": [ "10.0.0.1"
    , "10.0.0.2" ], "deep": [["x"], {"a": "]"}, "\u00fc"],
  "inline": {"a": {"b": []}}, "empty": [], "is": true, "nothing": null }
"""


def read(text: str, suffix: str) -> Variables:
    return parse_variables(SourceFile(text, f"vars.{suffix}"))


def told(text: str, suffix: str) -> list[tuple[str, int, int, str]]:
    return [
        (one.rule.code, *one.primary.span.position, one.message)
        for one in read(text, suffix).diagnostics
    ]


@pytest.mark.parametrize(
    ("text", "suffix", "names"),
    [
        (TOML, "toml", "site vpn-port tricky admins deep inline when dotted table tables"),
        (YAML, "yaml", "site vpn-port tricky admins deep inline no octal sixty nothing ü after"),
        (JSON, "json", "site vpn-port tricky admins deep inline empty is nothing"),
    ],
)
def test_each_name_and_value_has_its_place(text: str, suffix: str, names: str) -> None:
    values = read(text, suffix).values
    assert " ".join(values) == names
    for name, value in values.items():
        assert value.name.text.strip("\"'") == name
    assert values["site"].span.text.strip('"') == "berlin"
    assert values["vpn-port"].span.text == "51820"
    assert values["tricky"].span.text[1:-1].startswith("a # b ]")
    assert [item.text.strip('"') for item in values["admins"].items] == ["10.0.0.1", "10.0.0.2"]
    assert [item.text[0] for item in values["deep"].items[:2]] == ["[", "{"]
    assert values["deep"].items[1].text[-1] == "}"
    assert len(values["deep"].items) == 3


def test_words_of_yaml_are_what_is_written() -> None:
    values = read(YAML, "yaml").values
    plain = {name: values[name].plain for name in ("no", "octal", "sixty", "nothing", "ü")}
    assert plain == {"no": "no", "octal": "010", "sixty": "22:22", "nothing": None, "ü": "é"}
    assert values["after"].span.text == "x"


@pytest.mark.parametrize(
    ("text", "suffix", "place", "part"),
    [
        ('site = "a"\nport = 5 5\n', "toml", (2, 10), "is no TOML: expected newline"),
        ('site = "a', "toml", (1, 10), "is no TOML: unterminated string"),
        ('a = 1\na = 2\n', "toml", (2, 6), "is no TOML: cannot overwrite a value"),
        ("a = " + "9" * 5000 + "\n", "toml", (1, 1), "is no TOML that can be read"),
        ("a = " + "[" * 100_000, "toml", (1, 1), "is nested too deeply"),
        ('{"a": 1,\n "b" 2}', "json", (2, 6), "is no JSON: expecting ':' delimiter"),
        ("", "json", (1, 1), "is no JSON: expecting value"),
        ("[1]", "json", (1, 1), "holds no names"),
        ("[" * 100_000, "json", (1, 1), "is nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "json", (1, 1), "is no JSON that can be read"),
        ("a: 1\n b: 2\n", "yaml", (2, 3), "is no YAML: mapping values are not allowed"),
        ("a: [1\n", "yaml", (2, 1), "is no YAML: did not find expected"),
        ("- a\n", "yaml", (1, 1), "holds no names"),
        ("a: *b\n", "yaml", (1, 4), "is no YAML: found undefined alias"),
        ("? [a]\n: b\n", "yaml", (1, 3), "has a name that is no word"),
        ("a: 1\n---\nb: 2\n", "yaml", (2, 1), "is no YAML: but found another document"),
        ("a: 1\n", "ini", (1, 1), "is no file of variables by its name"),
        ("#" * (1 << 20) + "\n", "toml", (1, 1), "has more than 1 MiB"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_shown_where(
    text: str, suffix: str, place: tuple[int, int], part: str
) -> None:
    ((code, line, column, message),) = told(text, suffix)
    assert (code, (line, column)) == ("TG002", place)
    assert part in message


@pytest.mark.parametrize(
    ("text", "suffix"), [('{"a": 1, "a": 2}', "json"), ("a: 1\na: 2\n", "yaml")]
)
def test_a_name_that_is_given_twice(text: str, suffix: str) -> None:
    (finding,) = read(text, suffix).diagnostics
    assert (finding.rule.code, finding.message) == ("TG005", "`a` is given twice")
    assert finding.primary.span.start > finding.labels[0].span.start


def test_settings_of_a_command_line() -> None:
    made = from_settings(["site=berlin", "x=a=b", "site=bonn"])
    assert {name: value.plain for name, value in made.values.items()} == {
        "site": "berlin",
        "x": "a=b",
    }
    assert made.values["x"].span.text == "a=b"
    assert [one.message for one in made.diagnostics] == ["`site` is given twice"]


_LEAVES = (
    st.text()
    | st.integers(-(10**9), 10**9)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
)
_TREES = st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(st.dictionaries(st.text(), _TREES), st.integers(0, 4))
def test_json_places_hold_what_the_parser_reads(document: dict[str, object], indent: int) -> None:
    """Each place holds its value and nothing else, whatever stands around it."""
    text = json.dumps(document, indent=indent or None, ensure_ascii=bool(indent % 2))
    made = read(text.encode("utf-8", "replace").decode(), "json")
    assert not made.diagnostics
    for value in made.values.values():
        assert json.loads(value.span.text) == value.plain
        if isinstance(value.plain, list):
            assert [json.loads(item.text) for item in value.items] == value.plain


@given(st.dictionaries(st.text("ab.\"'#[]{}=,\n", min_size=1), _LEAVES))
def test_a_mapping_is_read_as_its_text(document: dict[str, object]) -> None:
    made = from_mapping(document)
    assert {name: value.plain for name, value in made.values.items()} == document


def test_yaml_is_imported_for_yaml_alone() -> None:
    code = (
        "import sys; from pathlib import Path; from tunnelgate.variables import from_mapping;"
        "from_mapping({'a': 1}); sys.exit('yaml' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
