"""Files of text and places in them. This room imports nothing of ours."""

from tunnelgate.source.file import Library, OutsideError, SourceError, SourceFile
from tunnelgate.source.folder import Folder
from tunnelgate.source.span import Position, Span

__all__ = [
    "Folder",
    "Library",
    "OutsideError",
    "Position",
    "SourceError",
    "SourceFile",
    "Span",
]
