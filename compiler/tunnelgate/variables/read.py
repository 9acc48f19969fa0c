"""Files of variables, TOML, YAML or JSON; and single values from a command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics.reading import UNREADABLE, unreadable
from tunnelgate.diagnostics.resolving import DUPLICATE_NAME
from tunnelgate.source import SourceError, SourceFile
from tunnelgate.variables.model import Malformed, Value, Variables

#: More is no set of values for a policy: long lists are group files.
_MOST = 1 << 20

Named = Iterator[tuple[str, Value]]


def read_variables(path: Path, name: str | None = None) -> Variables:
    """Read a file of variables, which findings call `name`. Nothing is raised."""
    name = str(path) if name is None else name
    try:
        file = SourceFile.read(path, name)
    except SourceError as error:
        return Variables(diagnostics=(unreadable(error),), name=name)
    return parse_variables(file)


def parse_variables(file: SourceFile) -> Variables:
    """The values in a file of variables; the ending of its name says what it is."""
    suffix = Path(file.path).suffix.lower()
    reader = _READERS.get(suffix)
    problem = None
    if reader is None:
        known = ", ".join(f"`{one}`" for one in _READERS)
        problem = Malformed("is no file of variables by its name", 0, f"it ends in {known}")
    elif len(file.text) > _MOST:
        help = "put long lists into the file of a group"
        problem = Malformed(f"has more than {_MOST >> 20} MiB", 0, help)
    values: dict[str, Value] = {}
    findings: list[Diagnostic] = []
    if reader is not None and problem is None:
        try:
            findings = _collect(values, reader(file))
        except Malformed as error:
            problem = error
        except RecursionError:
            problem = Malformed("is nested too deeply", 0, "values are words, or lists of words")
    if problem is not None:
        place = Label(file.span(problem.at, problem.at))
        findings.append(Diagnostic(UNREADABLE, problem.message, place, help=problem.help))
    return Variables(values, (file,), tuple(findings), file.path)


def from_mapping(values: Mapping[str, object]) -> Variables:
    """Values that a program hands over, as if they stood in a file."""
    import json

    return parse_variables(
        SourceFile(json.dumps(dict(values), indent=2, default=str), "<vars>.json")
    )


def from_settings(texts: Iterable[str]) -> Variables:
    """Values as a command line gives them: `NAME=VALUE`, each text with one `=` at least."""
    values: dict[str, Value] = {}
    files: list[SourceFile] = []
    findings: list[Diagnostic] = []
    for text in texts:
        file = SourceFile(text, "--set")
        name, _, value = text.partition("=")
        start = len(name) + 1
        where = file.span(0, len(name)), file.span(start, len(text))
        findings += _collect(values, iter([(name, Value(*where, value, is_text=True))]))
        files.append(file)
    return Variables(values, tuple(files), tuple(findings))


def override(variables: Variables, by: Variables) -> Variables:
    """Both sets of values; `by` where a name is in both."""
    return Variables(
        {**variables.values, **by.values},
        (*variables.files, *by.files),
        (*variables.diagnostics, *by.diagnostics),
        variables.name or by.name,
    )


def _collect(values: dict[str, Value], found: Named) -> list[Diagnostic]:
    """Put values to those that are there; a finding for each name that is there already."""
    findings = []
    for name, value in found:
        if name in values:
            findings.append(
                Diagnostic(
                    DUPLICATE_NAME,
                    f"`{name}` is given twice",
                    Label(value.name, "again here"),
                    (Label(values[name].name, "first here"),),
                    help="leave one of the two out",
                )
            )
        values.setdefault(name, value)
    return findings


def _from_json(file: SourceFile) -> Named:
    import json

    from tunnelgate.variables.scan import json_places

    names: list[tuple[str, Any]] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names[:] = found  # the outermost object is the last to be seen
        return dict(found)

    try:
        document = json.loads(file.text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        raise Malformed(f"is no JSON: {_lower(error.msg)}", error.pos) from None
    except ValueError as error:  # a number of thousands of digits
        raise Malformed(f"is no JSON that can be read: {_lower(str(error))}", 0) from None
    if not isinstance(document, dict):
        raise Malformed("holds no names", 0, 'write an object, as `{"site": "berlin"}`')
    for (name, plain), place in zip(names, json_places(file.text), strict=True):
        items = tuple(file.span(*item) for item in place.items)
        yield name, Value(file.span(*place.name), file.span(*place.value), plain, items)


def _from_toml(file: SourceFile) -> Named:
    import re
    import tomllib

    from tunnelgate.variables.scan import toml_places

    try:
        document = tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        at = len(file.text)
        if where is not None:
            at = file.line_starts[int(where[1]) - 1] + int(where[2]) - 1
        message = re.sub(r" \(at [^()]*\)$", "", str(error))
        raise Malformed(f"is no TOML: {_lower(message)}", at) from None
    except ValueError as error:
        raise Malformed(f"is no TOML that can be read: {_lower(str(error))}", 0) from None
    seen: set[str] = set()
    for place in toml_places(file.text):
        written = file.text[slice(*place.name)]
        name = next(iter(tomllib.loads(f"{written} = 0")))
        if name not in seen:  # a table may stand in parts; TOML has no other name twice
            seen.add(name)
            items = tuple(file.span(*item) for item in place.items)
            where_ = file.span(*place.name), file.span(*place.value)
            yield name, Value(*where_, document[name], items)


def _from_yaml(file: SourceFile) -> Named:
    from tunnelgate.variables.yaml import named_values

    yield from named_values(file)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


_READERS: dict[str, Callable[[SourceFile], Named]] = {
    ".toml": _from_toml,
    ".yaml": _from_yaml,
    ".yml": _from_yaml,
    ".json": _from_json,
}
SUFFIXES = frozenset(_READERS)
"""The endings of the names of files of variables."""
