"""Comments against findings: which are silenced, and what is wrong with the comments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date

from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Safety, catalogue
from tunnelgate.diagnostics.silencing import (
    ADDED,
    EXPIRED,
    NO_REASON,
    NOT_SILENCED,
    RULES,
    UNKNOWN_CODE,
    UNUSED,
)
from tunnelgate.records import record
from tunnelgate.silencing import ignores
from tunnelgate.silencing.ignores import Ignore, Trust
from tunnelgate.source import SourceFile, Span

#: Whoever could silence these could silence what says so.
_ABOUT_SILENCING = frozenset(rule.code for rule in RULES)


@record
class Silenced:
    """Findings, parted.

    Attributes:
        left: those that nobody silenced, and new ones about the comments.
        silenced: those that a comment silenced.
    """

    left: list[Diagnostic]
    silenced: list[Diagnostic]


def silence(
    findings: Iterable[Diagnostic],
    files: Sequence[SourceFile],
    today: date,
    was_run: Callable[[str], bool],
    trust: Trust | None = None,
) -> Silenced:
    """Part findings by the comments of the files that a policy is made of.

    A comment of an included file may be there for another policy that includes it: that one is of
    no use here is not told.

    Args:
        files: the policy's own one first.
        today: an ignore counts until the end of its day.
        was_run: whether the rule of a code was run on the whole policy; of one that was not,
            nobody knows whether an ignore is of use.
        trust: which comments may silence; all of them by default.
    """
    found: list[Ignore] = []
    about: list[Diagnostic] = []
    for one in (one for file in files for one in ignores.find(file)):
        (found if isinstance(one, Ignore) else about).append(one)  # type: ignore[arg-type]
    left, silenced = list(findings), list[Diagnostic]()
    for ignore in found:
        about += _wrong_codes(ignore)
        reached = [finding for finding in left if _reaches(ignore, finding)]
        about += _errors(ignore, reached)
        objection = _objection(ignore, today, trust)
        if objection is not None:
            about.append(objection)
            continue
        if ignore.span.file is files[0]:
            about += _unused(ignore, {finding.rule.code for finding in reached}, was_run)
        mild = {id(finding) for finding in reached if not finding.is_error}
        silenced += [finding for finding in left if id(finding) in mild]
        left = [finding for finding in left if id(finding) not in mild]
    return Silenced([*left, *about], silenced)


def _reaches(ignore: Ignore, finding: Diagnostic) -> bool:
    """Whether a finding is what a comment is about: its code, on a line of its statement."""
    place, lines = finding.primary.span, ignore.statement
    return (
        lines is not None
        and place.file is ignore.span.file
        and any(code.text == finding.rule.code for code in ignore.codes)
        and finding.rule.code not in _ABOUT_SILENCING
        and lines.first <= place.position.line <= lines.last
    )


def _objection(ignore: Ignore, today: date, trust: Trust | None) -> Diagnostic | None:
    """Why a comment silences nothing, if so."""
    if not ignore.reason:
        return Diagnostic(
            NO_REASON,
            "an ignore without a reason",
            Label(ignore.span),
            help='say why behind the brackets: `reason="replaced in March"`',
        )
    if ignore.until is not None and ignore.until < today:
        return Diagnostic(
            EXPIRED,
            f"this ignore ended on {ignore.until}",
            Label(ignore.span),
            help="mend what it is about, or give it another day after looking at it again",
        )
    if trust is not None and not trust(ignore):
        return Diagnostic(
            ADDED,
            "the change adds this ignore, so it silences nothing here",
            Label(ignore.span),
            help="it counts once the base has it; whoever reviews the change decides",
        )
    return None


def _wrong_codes(ignore: Ignore) -> Iterator[Diagnostic]:
    """Codes that are none, and codes of findings about comments like this one."""
    known = catalogue.rules()
    for code in ignore.codes:
        if code.text in _ABOUT_SILENCING:
            yield Diagnostic(
                NOT_SILENCED,
                f"`{code.text}` is about comments like this one and cannot be silenced",
                Label(code),
                help="mend the comment that it is about",
            )
        elif code.text not in known:
            rule = catalogue.find(code.text)
            close = rule.code if rule else catalogue.nearest(code.text)
            yield Diagnostic(
                UNKNOWN_CODE,
                f"`{code.text}` is the code of no rule",
                Label(code),
                help=f"did you mean `{close}`?" if close else "`tunnelgate rule` lists them",
                fix=Fix((Edit(code, close),), Safety.UNSAFE) if close in known else None,
            )


def _errors(ignore: Ignore, reached: list[Diagnostic]) -> Iterator[Diagnostic]:
    """Codes whose findings here are errors."""
    for code in ignore.codes:
        error = next((one for one in reached if one.is_error and one.rule.code == code.text), None)
        if error is not None:
            yield Diagnostic(
                NOT_SILENCED,
                f"`{code.text}` is an error here, and no error is silenced",
                Label(code),
                (Label(error.primary.span, "the error"),),
                help="mend it; the comment can go",
            )


def _unused(ignore: Ignore, used: set[str], was_run: Callable[[str], bool]) -> Iterator[Diagnostic]:
    """Codes of rules that found nothing there, told in one finding where it is all of them."""
    idle = [code for code in ignore.codes if _is_idle(code.text, used, was_run)]
    if len(idle) == len(ignore.codes):
        yield _idle(ignore, ignore.span, "this ignore silences nothing", _without_comment(ignore))
        return
    for code in idle:
        fix = _without_code(code, ignore)
        yield _idle(ignore, code, f"`{code.text}` is not found here", fix)


def _is_idle(code: str, used: set[str], was_run: Callable[[str], bool]) -> bool:
    known = code in catalogue.rules() and code not in _ABOUT_SILENCING
    return known and code not in used and was_run(code)


def _idle(ignore: Ignore, span: Span, message: str, fix: Fix) -> Diagnostic:
    help = "take it out: it could silence something else one day"
    if ignore.statement is None:
        help = "no statement stands beside or below it; take it out, or move it to its statement"
    return Diagnostic(UNUSED, message, Label(span), help=help, fix=fix)


def _without_comment(ignore: Ignore) -> Fix:
    """The text without a comment, without the blanks before it, without its line if it has one."""
    file, (_, start, end) = ignore.span.file, ignore.span
    while start and file.text[start - 1] in " \t":
        start -= 1
    if (not start or file.text[start - 1] == "\n") and file.text[end : end + 1] == "\n":
        end += 1
    return Fix((Edit(file.span(start, end), ""),), Safety.SAFE)


def _without_code(code: Span, ignore: Ignore) -> Fix:
    """The comment without one of its codes, and a comma."""
    index = ignore.codes.index(code)
    if index:
        span = code.file.span(ignore.codes[index - 1].end, code.end)
    else:
        span = code.file.span(code.start, ignore.codes[1].start)
    return Fix((Edit(span, ""),), Safety.SAFE)
