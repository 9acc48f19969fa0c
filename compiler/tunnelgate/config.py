"""A project's configuration: `tunnelgate.toml`, or `[tool.tunnelgate]` of a `pyproject.toml`.

pydantic reads it, and is imported only where there is one: most runs have none, and importing it
takes longer than checking a policy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tunnelgate.diagnostics.nearest import nearest

#: Stands for every version that a target supports.
_ANY = "any"


@dataclass(frozen=True, slots=True)
class Config:
    """What a project chooses; flags of the command line come first.

    Attributes:
        paths: the policies, or folders of them, where the command names none.
        targets: what to compile for, and whose limits `check` knows: names, or by name the oldest
            version that has to take the output (`any` for every one that the target supports).
        layout: whether rulesets of others stand on the gateways, too.
        output: the folder that `compile` writes to.
        fail_level: the mildest finding that makes a run fail.
        format: how findings are shown.
    """

    paths: list[str] = field(default_factory=list)
    targets: list[str] | dict[str, str] = field(default_factory=list)
    layout: Literal["whole", "shared"] | None = None
    output: str | None = None
    fail_level: Literal["error", "warning", "advice"] | None = None
    format: (
        Literal["full", "concise", "json", "sarif", "github", "gitlab", "junit", "rdjson"] | None
    ) = None

    # For pydantic: keys are written as flags are (`fail-level`). Texts are never made of numbers;
    # "strict" itself would take a `Config` only, no table.
    __pydantic_config__ = {  # noqa: RUF012
        "extra": "forbid",
        "alias_generator": lambda name: name.replace("_", "-"),
    }

    @property
    def versions(self) -> dict[str, str]:
        """The oldest version of each target, where one is stated."""
        if isinstance(self.targets, list):
            return {}
        return {name: version for name, version in self.targets.items() if version != _ANY}


class ConfigError(Exception):
    """A configuration that cannot be used; `problems` are pairs of what is wrong and a way out."""

    def __init__(self, path: Path, *problems: tuple[str, str]) -> None:
        super().__init__(str(path), *problems)
        self.path = path
        self.problems = problems


def find(start: Path) -> tuple[Path, dict[str, Any]] | None:
    """The nearest configuration at or above a path, as its file and its table.

    Raises:
        ConfigError: a file on the way cannot be read.
    """
    for folder in _upwards(start):
        for name, keys in (("tunnelgate.toml", ()), ("pyproject.toml", ("tool", "tunnelgate"))):
            path = folder / name
            if path.is_file() and (table := _table(path, keys)) is not None:
                return path, table
    return None


def read(path: Path, table: dict[str, Any]) -> Config:
    """The configuration that a table says; its paths are relative to the file.

    Raises:
        ConfigError: a key is unknown, or its value is of another type.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        config = TypeAdapter(Config).validate_python(table)
    except ValidationError as error:
        problems = (_problem(one["type"], one["loc"], one["msg"]) for one in error.errors())
        raise ConfigError(path, *dict.fromkeys(problems)) from None
    _check_versions(path, config.versions)
    return Config(
        paths=[_from_here(path, one) for one in config.paths],
        targets=config.targets,
        layout=config.layout,
        output=None if config.output is None else _from_here(path, config.output),
        fail_level=config.fail_level,
        format=config.format,
    )


def _check_versions(path: Path, versions: dict[str, str]) -> None:
    """See to it that there are targets of these names, and that they know these versions.

    Raises:
        ConfigError: there is none, or what is stated is no version of it.
    """
    if not versions:
        return
    from tunnelgate.target import UnknownTarget, find

    problems = []
    for name, version in versions.items():
        try:
            target = find(name)
        except UnknownTarget as error:
            problems.append((f"`targets`: unknown target `{name}`", error.help))
            continue
        if not target.is_version(version):
            form = f"write it as in `{target.version_form}`, or `{_ANY}` for all that are supported"
            problems.append((f"`targets.{name}`: `{version}` is no version of {name}", form))
    if problems:
        raise ConfigError(path, *problems)


def _upwards(start: Path) -> Iterator[Path]:
    start = start.absolute()
    if start.is_dir():
        yield start
    yield from start.parents


def _table(path: Path, keys: tuple[str, ...]) -> dict[str, Any] | None:
    """The table of a file at these keys, None where there is none."""
    import tomllib

    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            path, (f"cannot be read: {error.strerror}", "mend its permissions")
        ) from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise ConfigError(path, (f"is no TOML: {error}", "mend it, or move it away")) from error
    for key in keys:
        inner = table.get(key)
        if not isinstance(inner, dict):
            return None
        table = inner
    return table


def _from_here(path: Path, name: str) -> str:
    """A name that is relative to a file, as one that is relative to the working folder.

    Findings show it: machine formats need paths that are the same on every machine.
    """
    return name if os.path.isabs(name) else os.path.relpath(path.parent / name)


def _problem(kind: str, place: tuple[int | str, ...], message: str) -> tuple[str, str]:
    known = [name.replace("_", "-") for name in Config.__dataclass_fields__]
    key = str(place[0])
    if kind == "unexpected_keyword_argument":
        close = nearest(key, known)
        help = f"did you mean `{close}`?" if close else f"known are {', '.join(known)}"
        return f"unknown key `{key}`", help
    if key == "targets":
        return (
            "`targets` is neither a list of names nor a table of names and versions",
            'write `targets = ["nftables"]`, or a table with `nftables = "1.0.6"`',
        )
    where = f"`{key}`" + "".join(f" item {one + 1}" for one in place[1:] if isinstance(one, int))
    return f"{where}: {message[:1].lower()}{message[1:]}", "change its value"
