"""A policy with the files that it includes: one tree, as if all stood in one file."""

from __future__ import annotations

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics.reading import INCLUDE, SYNTAX, no_folder, not_read
from tunnelgate.records import replace
from tunnelgate.source import SourceError, SourceFile
from tunnelgate.syntax import ast
from tunnelgate.syntax.parser import Parsed, parse
from tunnelgate.syntax.reader import LARGEST

#: A policy may include a file that includes another one, and so on: so many files below it.
DEEPEST = 16


def parse_with_includes(file: SourceFile) -> Parsed:
    """Read a policy and what it includes; nothing is raised.

    An `include` is replaced by the statements of its file. One that is a mistake has a finding and
    stands for nothing.
    """
    parsed = parse(file)
    if not any(isinstance(statement, ast.Include) for statement in parsed.policy.statements):
        return parsed
    return _Expansion(parsed).parsed()


class _Expansion:
    """Reads included files; `trail` is the way from the policy to the file being read."""

    def __init__(self, whole: Parsed) -> None:
        self._whole = whole
        self._statements: list[ast.Statement] = []
        self._comments: list[ast.Comment] = []
        self._diagnostics: list[Diagnostic] = []
        self._included: dict[SourceFile, ast.Include] = {}
        self._gave_up = False

    def parsed(self) -> Parsed:
        """The tree of all files, and what is wrong in any of them."""
        self._take(self._whole, (self._whole.policy.file,))
        tree = replace(
            self._whole.policy,
            statements=tuple(self._statements),
            comments=tuple(self._comments),
        )
        findings = sorted(self._diagnostics, key=lambda finding: finding.sort_key)
        return Parsed(tree, tuple(findings))

    def _take(self, parsed: Parsed, trail: tuple[SourceFile, ...]) -> None:
        self._diagnostics += parsed.diagnostics
        self._comments += parsed.policy.comments
        for statement in parsed.policy.statements:
            if len(self._statements) >= LARGEST:
                self._say_too_many(statement)
                return
            if not isinstance(statement, ast.Include):
                self._statements.append(statement)
            elif (file := self._file(statement, trail)) is not None:
                self._included[file] = statement
                self._take(parse(file, is_part=True), (*trail, file))

    def _file(self, node: ast.Include, trail: tuple[SourceFile, ...]) -> SourceFile | None:
        """The file that an `include` is about; None, and a finding, where it is a mistake."""
        library = trail[0].library
        if library is None:
            self._diagnostics.append(no_folder(node.file.span))
            return None
        try:
            file = library.read(node.file.text)
        except SourceError as error:
            self._diagnostics.append(not_read(node.file.span, error))
            return None
        if file is trail[0]:
            self._say(node, "the policy includes itself", "leave this line out")
        elif file in trail:
            way = " → ".join(f"`{one.name}`" for one in (*trail[trail.index(file) :], file))
            self._say(node, f"`{file.name}` includes itself: {way}", "leave one of the lines out")
        elif file in self._included:
            self._say(
                node,
                f"`{file.name}` is included twice",
                "leave one of the two lines out: every statement of it would stand twice",
                Label(self._included[file].span, "first here"),
            )
        elif len(trail) > DEEPEST:
            self._say(
                node,
                f"`{file.name}` is included through more than {DEEPEST} files",
                "include it further up",
            )
        else:
            return file
        return None

    def _say_too_many(self, statement: ast.Statement) -> None:
        """Stop, once, where all files together have more statements than a policy may have."""
        if not self._gave_up:
            self._gave_up = True
            message = f"stopped after {LARGEST:,} statements, those of included files among them"
            help = "put addresses into groups, and ports into protocols of your own"
            where = Label(statement.span)
            self._diagnostics.append(Diagnostic(SYNTAX, message, where, help=help))

    def _say(self, node: ast.Include, message: str, help: str, *labels: Label) -> None:
        self._diagnostics.append(
            Diagnostic(INCLUDE, message, Label(node.file.span), labels, help=help)
        )
