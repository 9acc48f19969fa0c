"""A compiler for firewall policies about VPN passthrough.

    >>> import tunnelgate
    >>> policy = tunnelgate.load("zone wan { interface eth0 }\\nallow ssh from wan to gateway")
    >>> (outcome,) = tunnelgate.decide(policy, "ssh from 192.0.2.10 to gateway")
    >>> outcome.delivered
    True

Whatever is named here is loaded when it is first asked for: `import tunnelgate` alone costs
nothing, and a command pays for what it uses.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunnelgate.api import (
        Compilation,
        PolicyError,
        Review,
        check,
        compile,
        compile_each,
        decide,
        diff,
        load,
        review,
    )
    from tunnelgate.diagnostics import Diagnostic, Severity
    from tunnelgate.meaning import Outcome, Packet
    from tunnelgate.policy import Policy
    from tunnelgate.source import SourceFile
    from tunnelgate.target import BadVersion, UnknownTarget

__all__ = [
    "BadVersion",
    "Compilation",
    "Diagnostic",
    "Outcome",
    "Packet",
    "Policy",
    "PolicyError",
    "Review",
    "Severity",
    "SourceFile",
    "UnknownTarget",
    "__version__",
    "check",
    "compile",
    "compile_each",
    "decide",
    "diff",
    "explain",
    "load",
    "review",
]

__version__ = "0.1.0"

#: Where each name is defined.
_HOMES = {
    "BadVersion": "tunnelgate.target",
    "Compilation": "tunnelgate.api",
    "Diagnostic": "tunnelgate.diagnostics",
    "Outcome": "tunnelgate.meaning",
    "Packet": "tunnelgate.meaning",
    "Policy": "tunnelgate.policy",
    "PolicyError": "tunnelgate.api",
    "Review": "tunnelgate.api",
    "Severity": "tunnelgate.diagnostics",
    "SourceFile": "tunnelgate.source",
    "UnknownTarget": "tunnelgate.target",
    "check": "tunnelgate.api",
    "compile": "tunnelgate.api",
    "compile_each": "tunnelgate.api",
    "decide": "tunnelgate.api",
    "diff": "tunnelgate.api",
    "explain": "tunnelgate.api",
    "load": "tunnelgate.api",
    "review": "tunnelgate.api",
}


class _Package(ModuleType):
    """This package, whose function `check` has the name of the room that does its work.

    Importing the room `tunnelgate.check` would put that module in the function's place. The room
    stays reachable by every `from tunnelgate.check import …`.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
