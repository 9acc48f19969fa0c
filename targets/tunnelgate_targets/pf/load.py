"""Asking pfctl about a ruleset: it reads the file and changes nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tunnelgate.target import Validation
from tunnelgate_targets.pf.layout import ANCHOR, ANCHOR_FILE, RULES

_SECONDS = 120
_SYSTEM = "/usr/sbin:/sbin:/usr/local/sbin"


def validate(files: Mapping[str, str]) -> str:
    """Let `pfctl -n` read the file; says through what.

    Raises:
        Validation: it was not taken; the message is that of pfctl.
        OSError: there is no pfctl, as on Linux, or the caller may not ask it.
    """
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM}"}
    with TemporaryDirectory(prefix="tunnelgate-") as name:
        path = Path(name) / (RULES if RULES in files else ANCHOR_FILE)
        path.write_text(files[path.name], encoding="ascii")
        anchor = ["-a", ANCHOR] if path.name == ANCHOR_FILE else []
        done = subprocess.run(
            ["pfctl", *anchor, "-nf", str(path)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    answer = done.stderr.replace(str(path), path.name).strip()
    if "/dev/pf" in answer:
        raise OSError(answer)
    if done.returncode != 0:
        raise Validation(answer or f"ended with status {done.returncode}")
    return "pfctl"
