"""Text to syntax tree."""

from tunnelgate.syntax.parser import Parsed, parse, parse_flow

__all__ = ["Parsed", "parse", "parse_flow"]
