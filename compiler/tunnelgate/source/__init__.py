"""Files of text and places in them. This room imports nothing of ours."""

from tunnelgate.source.file import SourceError, SourceFile
from tunnelgate.source.span import Position, Span

__all__ = ["Position", "SourceError", "SourceFile", "Span"]
