"""What of the findings of a run is shown: by the rules selected, and by a baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunnelgate.cli.exits import Problem
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.source import SourceError, SourceFile

if TYPE_CHECKING:
    from tunnelgate.cli.revisions import Base
    from tunnelgate.diagnostics.selection import Selection
    from tunnelgate.silencing.baseline import Baseline, Key


class Sieve:
    """Takes what is silenced out of findings, policy by policy, and remembers what it saw.

    Args:
        select, ignore: codes of rules, or what they begin with.
        baseline: the file of the baseline.
        is_new: whether the baseline is about to be written, so that it need not be there.
        base: the revision that says what is silenced; the working folder where None.

    Raises:
        Problem: a code is unknown, the baseline cannot be read.
    """

    def __init__(
        self,
        select: Sequence[str],
        ignore: Sequence[str],
        baseline: str | None,
        is_new: bool,
        base: Base | None,
    ) -> None:
        self._selection = _selection(select, ignore)
        self._path = baseline
        self._silenced: dict[str, int] = {}
        self._seen: dict[str, list[Key]] = {}
        self._gateways: set[str] = set()
        self._about: list[Diagnostic] = []
        self._baseline: Baseline | None = None
        if baseline is None:
            return
        from tunnelgate.silencing.baseline import added

        self._baseline = _read(baseline, None, may_lack=is_new)
        if base is not None:
            old = _read(baseline, base, may_lack=True)
            self._about += added(self._baseline, old)
            self._baseline = self._baseline.within(old)

    @property
    def has_baseline(self) -> bool:
        """Whether every policy has to be looked at, those without findings too."""
        return self._baseline is not None

    @property
    def silenced(self) -> int:
        """How many findings were taken out, of all policies."""
        return sum(self._silenced.values())

    def failure(self, findings: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings that are shown of a policy that does not compile; a baseline is no help."""
        return [one for one in findings if self._selection is None or self._selection.shows(one)]

    def sift(
        self,
        job: str,
        gateway: str | None,
        findings: Iterable[Diagnostic],
        silenced: Sequence[Diagnostic],
    ) -> list[Diagnostic]:
        """The findings that are shown of a policy and its values; it may be asked about again.

        Args:
            job: one name for both.
            gateway: the gateway's name, None where the policy could not be read whole.
            findings: what was found.
            silenced: what comments silenced of it.
        """
        shown = left = self.failure(findings)
        if self._baseline is not None and gateway is not None:
            self._gateways.add(gateway)
            left = self._without_known(job, gateway, shown)
        self._silenced[job] = len(silenced) + len(shown) - len(left)
        return left

    def _without_known(
        self, job: str, gateway: str, findings: list[Diagnostic]
    ) -> list[Diagnostic]:
        """The findings that the baseline does not hold, or holds for another policy."""
        from tunnelgate.silencing.baseline import Keys, can_hold

        keys, self._seen[job] = Keys(gateway), []
        left, known = [], self._unseen()
        for finding in findings:
            if can_hold(finding):
                key = keys.of(finding)
                self._seen[job].append(key)
                known[key] -= 1
                if known[key] >= 0:
                    continue
            left.append(finding)
        return left

    def _unseen(self) -> Counter[Key]:
        """How many findings of each key stand in the baseline and were not found so far."""
        assert self._baseline is not None
        return self._baseline.counts - Counter(key for seen in self._seen.values() for key in seen)

    def about_itself(self, saw_all: bool) -> list[Diagnostic]:
        """What is to be said about the baseline.

        Args:
            saw_all: whether the run was about everything that the baseline can be about.
        """
        if self._baseline is None:
            return []
        from tunnelgate.silencing.baseline import gone

        gateways = None if saw_all else self._gateways
        return [*self._about, *gone(self._baseline, self._unseen(), gateways)]

    def write(self, saw_all: bool) -> str:
        """Write the baseline anew: what was seen, and entries about what was not looked at.

        Raises:
            Problem: the file cannot be written.
        """
        from tunnelgate.silencing.baseline import write

        assert self._path is not None
        assert self._baseline is not None
        kept = () if saw_all else self._baseline.counts.elements()
        elsewhere = [key for key in kept if key.gateway not in self._gateways]
        here = [key for seen in self._seen.values() for key in seen]
        try:
            Path(self._path).write_text(write([*here, *elsewhere]), "utf-8")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise Problem(
                f"`{self._path}` cannot be written: {reason}", "name another file"
            ) from error
        return f"wrote {self._path}: {len(here)} found, {len(elsewhere)} of other gateways"


def _selection(select: Sequence[str], ignore: Sequence[str]) -> Selection | None:
    """The rules that were selected; None, and no rule is imported, where none was."""
    if not select and not ignore:
        return None
    from tunnelgate.diagnostics.selection import Selection, UnknownCode, read

    try:
        return Selection(read(select), read(ignore))
    except UnknownCode as error:
        raise Problem(str(error), error.help) from error


def _read(path: str, base: Base | None, *, may_lack: bool) -> Baseline:
    """A baseline, here or in a revision. One that is not there is empty if it may be missing."""
    from tunnelgate.silencing.baseline import BaselineError, read, write

    try:
        if base is not None:
            data = base.read(Path(path))
            file = SourceFile.decode(write([]).encode() if data is None else data, path)
        elif may_lack and not Path(path).exists():
            file = SourceFile(write([]), path)
        else:
            file = SourceFile.read(Path(path))
        return read(file)
    except SourceError as error:
        help = "write it with `--write-baseline`" if not Path(path).exists() else error.help
        raise Problem(f"the baseline `{path}` {error.reason}", help) from error
    except BaselineError as error:
        raise Problem(
            f"the baseline `{path}` cannot be used: {error}",
            "mend it, or write it anew with `--write-baseline` after moving it away",
        ) from error
