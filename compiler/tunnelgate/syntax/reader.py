"""Reads one text: the parser as far as it goes, then what it stopped at, then on behind it."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple, cast

from lark import Lark, UnexpectedCharacters, UnexpectedToken

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics.reading import SYNTAX
from tunnelgate.records import replace
from tunnelgate.source import SourceFile
from tunnelgate.syntax import ast, outline
from tunnelgate.syntax.ast import Atom, AtomKind
from tunnelgate.syntax.build import Builder
from tunnelgate.syntax.comments import Doc, find_comments, find_docs
from tunnelgate.syntax.mistakes import explain
from tunnelgate.syntax.plain import PlainLines
from tunnelgate.syntax.trouble import Level, Trouble, quote
from tunnelgate.syntax.words import END
from tunnelgate.syntax.zones import ZoneText, find_zone
from tunnelgate_grammar import open_grammar

#: After so many mistakes the rest of a file is not read.
MANY = 100

#: No policy has more statements; so many are checked in seconds, and in half a gigabyte.
LARGEST = 40_000

#: About how many characters the parser is given at a time.
PIECE = 1 << 14


class Tools(NamedTuple):
    """What reads a text, made once; the builder holds the state of one reading at a time."""

    grammar: Lark
    builder: Builder
    plain: PlainLines


@cache
def tools() -> Tools:
    """The parser of policies, opened when it is first needed."""
    builder = Builder()
    grammar = open_grammar("policy", builder, start=[level.value for level in Level])
    return Tools(grammar, builder, PlainLines(grammar))


class Stop(NamedTuple):
    """Where the parser stopped, and the terminals that could have followed."""

    at: int
    expected: frozenset[str]


class Reader:
    """Reads one text; not for two threads, since they would share the builder.

    Args:
        file: the file, for the spans.
        text: its text, of the same length, without refused characters.

    Attributes:
        findings: what could not be read, in the order of the text.
    """

    def __init__(self, file: SourceFile, text: str) -> None:
        self.file = file
        self.text = text
        self.findings: list[Diagnostic] = []
        self._grammar, self._builder, self._plain = tools()
        self._docs: dict[int, Doc] = find_docs(text)
        self._builder.begin(file, self._docs)
        self._gave_up = False

    def read_policy(self) -> ast.Policy:
        """Read the text as a policy: all statements but those with a finding."""
        at, end = outline.next_word(self.text, 0, len(self.text)), len(self.text)
        while self._goes_on(at, end):
            at = self._read_plain(at)
            piece = self._piece_end(at)
            stop = self._parse(Level.POLICY, at, piece)
            at = piece if stop is None else self._recover(Level.POLICY, at, piece, stop)
            at = outline.next_word(self.text, at, end)
        policy = ast.Policy(self.file, tuple(self._builder.statements), self._comments())
        self._builder.forget()
        return policy

    def read_question(self) -> ast.Flow | None:
        """Read the text as a flow; None where it is none."""
        stop = self._parse(Level.QUESTION, 0, len(self.text))
        if stop is not None:
            start = outline.next_word(self.text, 0, len(self.text))
            self._report(Level.QUESTION, start, max(start, len(self.text.rstrip())), stop)
        flow = self._builder.asked
        self._builder.forget()
        return flow

    def _comments(self) -> tuple[ast.Comment, ...]:
        docs = [self._docs[start] for start in self._builder.documented]
        return find_comments(self.file, self.text, docs)

    def _goes_on(self, at: int, end: int) -> bool:
        """Whether there is more to read; where there are too many findings for that, it is told."""
        if at >= end or self._gave_up:
            return False
        if len(self._builder.statements) >= LARGEST:
            message = f"stopped after {LARGEST:,} statements; no policy has more"
            help = "put addresses into groups, and ports into protocols of your own"
        elif len(self.findings) >= MANY:
            message = f"stopped after {MANY} mistakes; the rest of the file was not read"
            help = "mend these first"
        else:
            return True
        self._gave_up = True
        where = Label(self.file.span(at, at))
        self.findings.append(Diagnostic(SYNTAX, message, where, help=help))
        return False

    # The way of a text without mistakes

    def _read_plain(self, at: int) -> int:
        """Read the plain lines that stand there; where the first other one begins."""
        found = self._plain.read(self.file, self.text, at)
        while found is not None and len(self._builder.statements) < LARGEST:
            statement, end = found
            if at in self._docs:
                statement = replace(statement, doc=self._builder.doc_at(at))
            self._builder.statements.append(statement)
            at = outline.next_word(self.text, end, len(self.text))
            found = self._plain.read(self.file, self.text, at)
        return at

    def _piece_end(self, at: int) -> int:
        """Where the statements end that the parser is given next: at a plain line, or soon."""
        end, far = len(self.text), at + PIECE
        while at < min(end, far) and not self._plain.begins(self.text, at):
            at = outline.next_word(self.text, outline.statement_end(self.text, at), end)
        return at

    def _parse(self, level: Level, at: int, end: int) -> Stop | None:
        """Give a piece of the text to the parser; None if it could read all of it."""
        self._builder.base = at
        try:
            self._grammar.parse(self.text[at:end], start=level.value)
        except (UnexpectedToken, UnexpectedCharacters) as error:
            is_end = isinstance(error, UnexpectedToken) and error.token.type == END
            where = end if is_end else at + cast(int, error.pos_in_stream)  # lark declares None
            expected = error.interactive_parser.accepts()  # type: ignore[no-untyped-call]
            return Stop(where, frozenset(expected))
        return None

    # The way around a mistake

    def _recover(self, level: Level, at: int, end: int, stop: Stop) -> int:
        """Report what the parser stopped at, behind the last thing it read; where to go on."""
        done = self._builder.members if level is Level.ZONE else self._builder.statements
        if done and done[-1].span.end > at:
            at = done[-1].span.end
        start = outline.next_word(self.text, at, end)
        if level is Level.POLICY and (zone := find_zone(self.text, start)) is not None:
            return self._recover_zone(zone, stop)
        line = outline.line_end(self.text, start, end)
        self._report(level, start, line, stop)
        return max(outline.torn_end(self.text, line, end), start + 1)

    def _report(self, level: Level, start: int, end: int, stop: Stop) -> None:
        at = min(max(stop.at, start), end)
        trouble = Trouble(self.file, self.text, start, end, at, stop.expected, level)
        self.findings.append(explain(trouble))

    def _recover_zone(self, zone: ZoneText, stop: Stop) -> int:
        """Read a zone in parts: its head, each of its lines, what stands behind it."""
        before = len(self.findings)
        self._builder.take_members()
        self._read_head(zone)
        self._read_members(zone.inside, zone.end)
        self._keep_zone(zone)
        end = zone.end
        if zone.is_closed:
            end = outline.code_end(self.text, zone.end + 1, len(self.text))
            self._read_tail(zone.end + 1, end)
        else:
            self.findings.append(zone.unclosed(self.file))
        if len(self.findings) == before:
            self._report(Level.POLICY, zone.start, zone.head, stop)
        return max(end, zone.inside)

    def _read_head(self, zone: ZoneText) -> None:
        """Report what is wrong with `zone NAME {`."""
        stop = self._parse(Level.POLICY, zone.start, zone.head)
        if stop is None:
            return
        if stop.at < zone.head or not zone.has_brace:
            self._report(Level.POLICY, zone.start, zone.head, stop)
        elif zone.head < zone.inside:
            self.findings.append(zone.brace_on_next_line(self.file))

    def _read_members(self, at: int, end: int) -> None:
        """Read the lines of a zone."""
        while self._goes_on(at := outline.next_word(self.text, at, end), end):
            stop = self._parse(Level.ZONE, at, end)
            if stop is None:
                return
            at = self._recover(Level.ZONE, at, end, stop)

    def _read_tail(self, at: int, end: int) -> None:
        """Report what stands behind the `}` of a zone."""
        junk = next(outline.words(self.text, at, end), None)
        if junk is not None and junk.text.startswith("//"):
            self._report(Level.POLICY, junk.start, end, Stop(junk.start, frozenset()))
        elif junk is not None:
            self.findings.append(
                Diagnostic(
                    SYNTAX,
                    f"unexpected {quote(junk.text)} after `}}`",
                    Label(self.file.span(junk.start, junk.end)),
                    help="a statement begins on a line of its own",
                )
            )

    def _keep_zone(self, zone: ZoneText) -> None:
        """Keep what could be read of a zone, if its name could."""
        members = self._builder.take_members()
        if zone.name is not None:
            name = Atom(AtomKind.NAME, zone.name.text, self.file.span(*zone.name[1:]))
            span = self.file.span(zone.start, zone.end + zone.is_closed)
            doc = self._builder.doc_at(zone.start)
            self._builder.statements.append(
                ast.Zone(span=span, doc=doc, name=name, members=members)
            )
