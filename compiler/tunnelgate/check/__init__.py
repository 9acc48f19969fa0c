"""The checks: what cannot work or should not be wanted, decided on the meaning of a policy."""

from tunnelgate.check.engine import check

__all__ = ["check"]
