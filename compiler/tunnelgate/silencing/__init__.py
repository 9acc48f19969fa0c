"""What silences a finding: a comment beside its statement, or an entry of a baseline.

Errors are never silenced: nothing here makes a policy compile that would not without.
"""

from tunnelgate.silencing.ignores import Ignore, Trust
from tunnelgate.silencing.silence import Silenced, silence

__all__ = ["Ignore", "Silenced", "Trust", "silence"]
