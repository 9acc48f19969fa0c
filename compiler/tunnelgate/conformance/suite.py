"""Asking a target about a case, and holding its answer to what people have reviewed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff
from pathlib import Path

from tunnelgate.conformance.cases import Case
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.diagnostics.render import render
from tunnelgate.target import Target

#: Holds what a target says where it refuses.
REFUSED = "refused.txt"
#: Holds why what is asked for makes no difference to a target: it always does it. People write it.
ALWAYS = "always.txt"


def answer(target: Target, case: Case) -> Mapping[str, str]:
    """What a target answers to a case, as files by name.

    Where it refuses, `refused.txt`. Else, for each file of the output that the thing makes a
    difference to, the difference; for a case that compares with nothing, the output itself.
    """
    refusals = target.refuse(case.plan, case.setup)
    if refusals:
        return {REFUSED: render("concise", refusals)}
    files = dict(target.emit(case.plan, case.setup).files)
    if case.before is None or target.refuse(*case.before):
        return files
    before = dict(target.emit(*case.before).files)
    for asks, without in case.changes:
        # the words of a statement in comments are no difference
        before = {name: text.replace(without or asks, asks) for name, text in before.items()}
    names = sorted({*files, *before})
    found = {f"{name}.diff": _diff(before.get(name, ""), files.get(name, "")) for name in names}
    return {name: text for name, text in found.items() if text}


def problems(target: Target, case: Case, goldens: Path) -> list[str]:
    """What is wrong with a target's answer: one line for each thing, none where it conforms.

    Args:
        target: any target, built in or not.
        case: one of `CASES`.
        goldens: the folder with a folder for each case, in which the files stand as `write`
            writes them.
    """
    found = answer(target, case)
    folder = goldens / case.name
    if not folder.is_dir():
        return [f"{case}: neither an output nor a refusal in {folder}"]
    return [
        *_reviewed(case, found, folder),
        *_honoured(case, found, folder),
        *_refused(target, case),
        *([] if answer(target, case) == found else [f"{case}: a second answer differs"]),
    ]


def write(target: Target, case: Case, goldens: Path) -> None:
    """Write the answer to a case into its folder, for people to review; what is no more goes."""
    folder = goldens / case.name
    folder.mkdir(parents=True, exist_ok=True)
    found = answer(target, case)
    for stale in {path.name for path in folder.iterdir()} - found.keys() - {ALWAYS}:
        (folder / stale).unlink()
    for name, text in found.items():
        (folder / name).write_bytes(text.encode())


def _diff(before: str, after: str) -> str:
    """What is different, without the places: these change with everything else."""
    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    shown = [("@@" if line.startswith("@@") else line) for line in lines]
    return "".join(f"{line}\n" for line in shown[2:])


def _reviewed(case: Case, found: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Whether the answer is what stands in the folder."""
    wanted = {path.name: path.read_bytes().decode() for path in folder.iterdir()}
    wanted.pop(ALWAYS, None)
    for name in sorted({*wanted, *found}):
        if name not in found:
            yield f"{case}: {name} is in {folder}, and the target does not give it"
        elif name not in wanted:
            yield f"{case}: {name} is not in {folder}"
        elif wanted[name] != found[name]:
            yield f"{case}: {name} differs from the one in {folder}"


def _honoured(case: Case, found: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Whether what is asked for makes a difference, or people have written why it makes none."""
    reason = folder / ALWAYS
    is_explained = reason.is_file() and bool(reason.read_text("utf-8").strip())
    if not found and not is_explained:
        yield f"{case}: what it asks for changes nothing, and is not refused"
    if found and reason.exists():
        yield f"{case}: {reason} says that it changes nothing, and it does"


def _refused(target: Target, case: Case) -> Iterator[str]:
    """Whether a refusal is one: it stops compiling, has a place in the policy and a way out."""
    for one in target.refuse(case.plan, case.setup):
        if not one.is_error:
            yield f"{case}: `{one.message}` does not stop compiling"
        if not one.help:
            yield f"{case}: `{one.message}` has no way out"
        if not _is_in(case, one):
            yield f"{case}: `{one.message}` has no place in the policy"


def _is_in(case: Case, finding: Diagnostic) -> bool:
    span = finding.primary.span
    return span.file.text == case.text and 0 <= span.start < span.end <= len(case.text)
