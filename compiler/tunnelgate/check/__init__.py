"""What cannot work, or should not be wanted: found on the meaning of a policy, before it is loaded."""

from tunnelgate.check.engine import check

__all__ = ["check"]
