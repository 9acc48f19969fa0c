"""Values from outside, for the parameters of a policy: each with the place it was written at."""

from tunnelgate.variables.model import NONE, Value, Variables

__all__ = ["NONE", "Value", "Variables"]
