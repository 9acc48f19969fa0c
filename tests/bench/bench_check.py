"""How long `tunnelgate check` of a 50-line policy takes, wall clock, imports included."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_MS = 110
RUNS = 20

_ZONES = """\
gateway branch
zone wan {
  interface eth0
  address 203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 192.168.1.0/24
}
nat from lan to wan
allow ssh from lan to gateway
"""


def policy(lines: int = 50) -> str:
    """A policy without findings, of so many lines."""
    rules = (f"allow ipsec-nat-t from 192.168.1.{n} to hq" for n in range(1, lines))
    return "\n".join([*_ZONES.splitlines(), *rules][:lines]) + "\n"


def main() -> int:
    """Print the median, and fail above the limit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "policy.tg")
        path.write_text(policy())
        command = [sys.executable, "-m", "tunnelgate", "check", "-q", str(path)]
        subprocess.run(command, check=True)  # bytecode and parser tables are kept from here on
        times = []
        for _ in range(RUNS):
            began = time.perf_counter()
            subprocess.run(command, check=True)
            times.append((time.perf_counter() - began) * 1000)
    median, best = statistics.median(times), min(times)
    print(f"check, 50 lines: {median:.0f} ms (best {best:.0f}); limit {LIMIT_MS} ms")
    return median > LIMIT_MS


if __name__ == "__main__":
    sys.exit(main())
