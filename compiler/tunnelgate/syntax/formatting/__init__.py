"""A policy in canonical form: columns, one blank line at most, every comment where it was."""

from tunnelgate.syntax.formatting.formatter import Formatted, Unproven, format_policy

__all__ = ["Formatted", "Unproven", "format_policy"]
