"""Print the development requirements of pyproject.toml; pip itself reads them from 25.1 on."""

import tomllib
from pathlib import Path

project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))
print("\n".join(project["dependency-groups"]["dev"]))
