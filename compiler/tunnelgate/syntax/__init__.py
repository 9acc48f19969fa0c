"""Text to syntax tree."""

from tunnelgate.syntax.includes import parse_with_includes
from tunnelgate.syntax.parser import Parsed, parse, parse_flow

__all__ = ["Parsed", "parse", "parse_flow", "parse_with_includes"]
