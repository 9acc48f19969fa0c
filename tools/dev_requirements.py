"""Print the development requirements of pyproject.toml, for a pip without `--group` (before 25.1)."""

import tomllib
from pathlib import Path

project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))
print("\n".join(project["dependency-groups"]["dev"]))
