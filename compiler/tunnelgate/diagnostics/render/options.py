"""What whoever asks for text may choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How text for people looks; formats for machines ignore it.

    Attributes:
        color: whether to write ANSI colours; whoever knows the terminal decides.
        width: the columns of the terminal.
    """

    color: bool = False
    width: int = 100


#: What a caller gets who chooses nothing.
DEFAULT = Options()
