"""A project's configuration: `tunnelgate.toml`, or `[tool.tunnelgate]` of a `pyproject.toml`.

Read by hand and not by pydantic, whose import takes longer than checking a policy: a project that
has a configuration pays no more for a check than one that has none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from tunnelgate.diagnostics import Severity
from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.diagnostics.render import FORMATS

#: Stands for every version that a target supports.
_ANY = "any"

_LAYOUTS = ("whole", "shared")
_NAMES = ("tunnelgate.toml", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Config:
    """What a project chooses; flags of the command line come first.

    Attributes:
        paths: the policies, or folders of them, where the command names none.
        targets: what to compile for, and whose limits `check` knows: names, or by name the oldest
            version that has to take the output (`any` for every one that the target supports).
        layout: whether rulesets of others stand on the gateways, too.
        output: the folder that `compile` writes to.
        format: how findings are shown.
        fail_level: the mildest finding that makes a run fail.
        select: codes of rules, or what they begin with: of warnings and advice, only these.
        ignore: codes of rules, or what they begin with: of warnings and advice, not these.
        baseline: the file of findings that are not shown.
        vars: files with values for parameters.
        vars_dir: a folder of such files.
        rule_pages: the address of the folder that holds the rules' pages, for links to them.
    """

    paths: list[str] = field(default_factory=list)
    targets: list[str] | dict[str, str] = field(default_factory=list)
    layout: Literal["whole", "shared"] | None = None
    output: str | None = None
    format: str | None = None
    fail_level: str | None = None
    select: list[str] = field(default_factory=list)
    ignore: list[str] = field(default_factory=list)
    baseline: str | None = None
    vars: list[str] = field(default_factory=list)
    vars_dir: str | None = None
    rule_pages: str | None = None

    @property
    def versions(self) -> dict[str, str]:
        """The oldest version of each target, where one is stated."""
        if isinstance(self.targets, list):
            return {}
        return {name: version for name, version in self.targets.items() if version != _ANY}


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong with a configuration: the place in it, what, and a way out."""

    place: str
    reason: str
    help: str


class ConfigError(Exception):
    """A configuration that cannot be used; all that is wrong with it."""

    def __init__(self, *problems: Wrong) -> None:
        super().__init__(*problems)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Found:
    """A configuration as it was found.

    Attributes:
        path: its file.
        text: what is written there.
        table: the part of it that is about tunnelgate.
    """

    path: Path
    text: str
    table: dict[str, Any]


Schema: TypeAlias = Mapping[str, Any]
"""A JSON Schema."""

Read: TypeAlias = Callable[[Path], bytes | None]
"""What a file holds, None where it is not there: on the disk, or in a revision of git."""


def on_disk(path: Path) -> bytes | None:
    """A file of the disk. Raises OSError where it is there and cannot be read."""
    return path.read_bytes() if path.is_file() else None


def find(start: Path, read: Read = on_disk) -> Found | None:
    """The nearest configuration at or above a path.

    Raises:
        ConfigError: a file on the way cannot be read.
    """
    for folder in _upwards(start):
        for name in _NAMES:
            found = _open(folder / name, read)
            if found is not None:
                return found
    return None


def interpret(found: Found) -> Config:
    """The configuration that a table says; its paths are relative to the file.

    Raises:
        ConfigError: a key is unknown, or its value is none that it can have.
    """
    problems = [one for key, value in found.table.items() for one in _problems(found, key, value)]
    if problems:
        raise ConfigError(*problems)
    values: dict[str, Any] = {
        key.replace("-", "_"): _from_here(found.path, value) if key in _PATHS else value
        for key, value in found.table.items()
    }
    config = Config(**values)
    _check_versions(found, config.versions)
    return config


#: What is relative to the file of the configuration.
_PATHS = ("paths", "output", "baseline", "vars", "vars-dir")


_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "array", "items": _TEXT}
_CODES = 'write a list of codes, or what they begin with: `["TG5", "TG607"]`'


def _one_of(values: Iterable[str]) -> tuple[Schema, str]:
    enum = list(values)
    *others, last = (f'"{one}"' for one in enum)
    return {"enum": enum}, f"write {', '.join(others)} or {last}"


#: What each key may be, in the few words of JSON Schema that `_fits` knows, and what to write
#: otherwise. The schema for editors is made of it.
KEYS: Mapping[str, tuple[Schema, str]] = {
    "paths": (_TEXTS, 'write a list of files and folders: `["policies"]`'),
    "targets": (
        {"anyOf": [_TEXTS, {"type": "object", "additionalProperties": {"type": "string"}}]},
        'write names, `["nftables"]`, or names and versions, `{ nftables = "1.0.6" }`',
    ),
    "layout": _one_of(_LAYOUTS),
    "output": (_TEXT, 'write the name of a folder: `"rulesets"`'),
    "format": _one_of(FORMATS),
    "fail-level": _one_of(severity.value for severity in Severity),
    "select": (_TEXTS, _CODES),
    "ignore": (_TEXTS, _CODES),
    "baseline": (_TEXT, 'write the name of a file: `"baseline.json"`'),
    "vars": (_TEXTS, 'write a list of files: `["berlin.toml"]`'),
    "vars-dir": (_TEXT, 'write the name of a folder: `"sites"`'),
    "rule-pages": (
        {"type": "string", "pattern": r"^https?://\S+$"},
        'write the address of a folder: `"https://git.example/tunnelgate/docs/rules"`',
    ),
}


def _fits(value: object, schema: Schema) -> bool:
    """Whether a value is what a schema says."""
    if "anyOf" in schema:
        return any(_fits(value, one) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    match schema["type"], value:
        case "string", str():
            is_long = len(value) >= schema.get("minLength", 0)
            return is_long and re.search(schema.get("pattern", ""), value) is not None
        case "array", list():
            return all(_fits(one, schema["items"]) for one in value)
        case "object", dict():
            return all(_fits(one, schema["additionalProperties"]) for one in value.values())
    return False


def _problems(found: Found, key: str, value: object) -> Iterator[Wrong]:
    place = _place(found, key)
    if key not in KEYS:
        close = nearest(key, KEYS)
        help = f"did you mean `{close}`?" if close else f"known are {', '.join(KEYS)}"
        yield Wrong(place, f"unknown key `{key}`", help)
        return
    schema, help = KEYS[key]
    if not _fits(value, schema):
        yield Wrong(place, f"`{key}` cannot be {_shown(value)}", help)
    elif key in ("select", "ignore"):
        yield from _codes(place, key, value)


def _shown(value: object) -> str:
    """A value in a few characters, as TOML has it."""
    text = "true" if value is True else "false" if value is False else repr(value)
    return f"`{text if len(text) <= 40 else text[:39] + '…'}`".replace("'", '"')


def _codes(place: str, key: str, value: Any) -> Iterator[Wrong]:
    from tunnelgate.diagnostics.selection import UnknownCode, read

    try:
        read(value)
    except UnknownCode as error:
        yield Wrong(place, f"`{key}`: {error}", error.help)


def _check_versions(found: Found, versions: dict[str, str]) -> None:
    """See to it that there are targets of these names, and that they know these versions.

    Raises:
        ConfigError: there is none, or what is stated is no version of it.
    """
    if not versions:
        return
    from tunnelgate.target import UnknownTarget, find

    problems = []
    for name, version in versions.items():
        place = _place(found, name)
        try:
            target = find(name)
        except UnknownTarget as error:
            problems.append(Wrong(place, f"`targets`: unknown target `{name}`", error.help))
            continue
        if not target.is_version(version):
            form = f"write it as in `{target.version_form}`, or `{_ANY}` for all that are supported"
            reason = f"`targets.{name}`: `{version}` is no version of {name}"
            problems.append(Wrong(place, reason, form))
    if problems:
        raise ConfigError(*problems)


def _upwards(start: Path) -> Iterator[Path]:
    start = start.absolute()
    if start.is_dir():
        yield start
    yield from start.parents


def _open(path: Path, read: Read) -> Found | None:
    """A file's part about tunnelgate, None where it has none."""
    try:
        data = read(path)
        if data is None:
            return None
        import tomllib  # here: most folders on the way have neither file

        text = data.decode("utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        reason = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise ConfigError(Wrong(str(path), reason, "mend its permissions")) from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        reason = f"is no TOML: {error}"
        raise ConfigError(Wrong(str(path), reason, "mend it, or move it away")) from error
    part: object = table
    if path.name == "pyproject.toml":
        part = table.get("tool", {}).get("tunnelgate")
    return Found(path, text, part) if isinstance(part, dict) else None


def _place(found: Found, key: str) -> str:
    """Where a key stands, as `path:line:column`; the path alone where it cannot be seen."""
    start = 0
    if found.path.name == "pyproject.toml":
        head = re.search(r"^\[tool\.tunnelgate\b", found.text, re.MULTILINE)
        start = head.start() if head else 0
    # `key =`, `[key]`, `[tool.tunnelgate.key]`, and `{ key =` inside of a line.
    line = re.compile(
        rf"(?:^[ \t]*|[.\[{{,][ \t]*)([\"']?{re.escape(key)}[\"']?)[ \t]*[=\].]", re.M
    )
    match = line.search(found.text, start)
    if match is None:
        return str(found.path)
    at = match.start(1)
    number = found.text.count("\n", 0, at) + 1
    column = at - (found.text.rfind("\n", 0, at) + 1) + 1
    return f"{found.path}:{number}:{column}"


def _from_here(path: Path, value: str | list[str]) -> str | list[str]:
    """Names that are relative to a file, as ones that are relative to the working folder.

    Findings show them: machine formats need paths that are the same on every machine.
    """
    if isinstance(value, list):
        return [str(_from_here(path, one)) for one in value]
    return value if os.path.isabs(value) else os.path.relpath(path.parent / value)
