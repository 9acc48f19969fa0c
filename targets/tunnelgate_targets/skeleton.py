"""The skeletons of rulesets: jinja2 templates, in the folder `templates/` of each target."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template


@lru_cache(maxsize=8)
def skeleton(folder: Path, name: str) -> Template:
    """A template of a target; a name in it that nobody gave a value is an error.

    Nothing is escaped: what is put in has come through the target's quoting function.

    Args:
        folder: of the target's package.
        name: of the file in its `templates/`.

    Raises:
        jinja2.TemplateNotFound: there is no such file.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template(name)
