"""What tunnelgate has to say about a policy: one type of finding, one table of rules."""

from tunnelgate.diagnostics.diagnostic import Diagnostic, Edit, Fix, Label
from tunnelgate.diagnostics.rule import Rule, Safety, Severity

__all__ = ["Diagnostic", "Edit", "Fix", "Label", "Rule", "Safety", "Severity"]
