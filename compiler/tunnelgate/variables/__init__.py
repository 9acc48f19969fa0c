"""Values from outside, for the parameters of a policy: each with the place it was written at."""

from tunnelgate.variables.model import NONE, Value, Variables
from tunnelgate.variables.read import (
    SUFFIXES,
    from_mapping,
    from_settings,
    override,
    parse_variables,
    read_variables,
)

__all__ = [
    "NONE",
    "SUFFIXES",
    "Value",
    "Variables",
    "from_mapping",
    "from_settings",
    "override",
    "parse_variables",
    "read_variables",
]
