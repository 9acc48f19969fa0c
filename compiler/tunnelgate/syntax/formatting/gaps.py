"""What stands between two words of a policy: line ends, comments, blank lines."""

from __future__ import annotations

from typing import NamedTuple


class Gap(NamedTuple):
    """The text between two words, where a line may end.

    Attributes:
        comment: behind the first word, on its line; empty where there is none.
        lines: those of the comments before the second word, `""` for a blank line; never two
            blank lines in a row.
        is_broken: whether a line ends in it.
    """

    comment: str
    lines: tuple[str, ...]
    is_broken: bool

    @property
    def must_break(self) -> bool:
        """Whether the second word cannot follow on the line of the first."""
        return bool(self.comment or self.lines)

    @property
    def has_blank_line(self) -> bool:
        """Whether it sets two blocks apart."""
        return "" in self.lines

    def trimmed(self, *, first: bool, last: bool) -> Gap:
        """Without the blank lines at its beginning where it is the first, at its end where last."""
        lines = self.lines
        if first and lines[:1] == ("",):
            lines = lines[1:]
        if last and lines[-1:] == ("",):
            lines = lines[:-1]
        return self._replace(lines=lines)


def gap(text: str) -> Gap:
    """The gap that a text of blanks, line ends and comments is."""
    if "\n" not in text:
        return Gap(text.strip(" \t"), (), False)
    comment, *others = (line.strip(" \t") for line in text.split("\n"))
    if not others[-1]:  # the way to the first character of the second word
        others.pop()
    lines = tuple(
        line for index, line in enumerate(others) if line or index == 0 or others[index - 1]
    )
    return Gap(comment, lines, True)
