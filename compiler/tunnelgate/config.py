"""A project's configuration: `tunnelgate.toml`, or `[tool.tunnelgate]` of a `pyproject.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

TYPES = {
    "bool": "true or false",
}


class ConfigError(Exception):
    """A configuration that cannot be used; `help` says what to do."""

    def __init__(self, path: Path, reason: str, help: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.help = help
