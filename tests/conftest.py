"""What all tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings
from machine import absent

from tunnelgate.diagnostics import Diagnostic

ROOT = Path(__file__).parents[1]

# No example has a time to keep. The same commit has the same examples each time CI runs; elsewhere
# they are new ones.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")

# Debian keeps what only root runs out of a user's path; the tests run it in namespaces of theirs.
os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _need(tool: str) -> str:
    found = shutil.which(tool)
    if found is None:
        absent(f"`{tool}` is not installed")
    return found


@pytest.fixture(scope="session", name="absent")
def _absent() -> Callable[[str], None]:
    """Skip the test for what this machine lacks: `absent("no namespace can be made")`."""
    return absent


@pytest.fixture(scope="session")
def need() -> Callable[[str], str]:
    """The path of a program that a test cannot do without: `need("nft")`."""
    return _need


@pytest.fixture(scope="session")
def need_package() -> Callable[[str], None]:
    """Of a package that a test cannot do without: `need_package("interegular")`."""

    def need(name: str) -> None:
        if find_spec(name) is None:
            absent(f"the package `{name}` is not installed")

    return need


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """What a Python of its own needs to import the repository, installed or not."""
    roots = (str(ROOT / name) for name in ("compiler", "grammar", "targets"))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(roots)}


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of this session: what a test breaks, or proves, nobody else believes."""
    base = tmp_path_factory.getbasetemp() / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(base))
        yield base / "tunnelgate"


@pytest.fixture(autouse=True, scope="session")
def fixes_are_declared() -> Iterator[None]:
    """No finding, in whichever test, offers a fix of a kind that its rule does not declare."""
    plain = Diagnostic.__init__

    def checked(self: Diagnostic, *values: object, **named: object) -> None:
        plain(self, *values, **named)  # type: ignore[arg-type]
        if self.fix is not None:
            assert self.fix.safety in self.rule.fixes, f"{self.rule.code}: {self.message}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Diagnostic, "__init__", checked)
        yield
