"""The examples of the API's docstrings are executed."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["tunnelgate", "tunnelgate.api", "tunnelgate.target"])
def test_examples_do_what_they_say(name: str) -> None:
    failed, attempted = doctest.testmod(import_module(name))
    assert attempted and not failed
