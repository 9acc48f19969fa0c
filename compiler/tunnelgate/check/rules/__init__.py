"""The checks, one file each: its row, and the function that finds what it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules import (
    tg101,
    tg102,
    tg103,
    tg201,
    tg202,
    tg203,
    tg204,
    tg205,
    tg206,
    tg207,
    tg208,
    tg209,
    tg211,
    tg301,
    tg302,
    tg303,
    tg304,
    tg305,
    tg306,
    tg307,
    tg308,
    tg309,
    tg310,
    tg311,
    tg403,
    tg501,
    tg502,
    tg503,
    tg504,
    tg505,
    tg601,
    tg602,
    tg603,
    tg604,
    tg605,
    tg606,
    tg607,
    tg701,
)
from tunnelgate.diagnostics import Diagnostic, Rule

_MODULES = (
    tg101,
    tg102,
    tg103,
    tg201,
    tg202,
    tg203,
    tg204,
    tg205,
    tg206,
    tg207,
    tg208,
    tg209,
    tg211,
    tg301,
    tg302,
    tg303,
    tg304,
    tg305,
    tg306,
    tg307,
    tg308,
    tg309,
    tg310,
    tg311,
    tg403,
    tg501,
    tg502,
    tg503,
    tg504,
    tg505,
    tg601,
    tg602,
    tg603,
    tg604,
    tg605,
    tg606,
    tg607,
    tg701,
)

RULES: tuple[Rule, ...] = tuple(module.RULE for module in _MODULES)
CHECKS: tuple[Callable[[Context], Iterator[Diagnostic]], ...] = tuple(
    module.check for module in _MODULES
)
