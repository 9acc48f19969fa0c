"""`rule`, `protocols`, `targets`: reference from the definitions that the compiler works by."""

from tunnelgate.diagnostics import catalogue
from tunnelgate.policy.table import TABLE
from tunnelgate.target import BUILT_IN


def test_every_rule_is_listed_and_explained(run):
    listed = run("rule").out.splitlines()
    assert [line.split()[0] for line in listed] == list(catalogue.rules())
    for rule in catalogue.rules().values():
        assert run("rule", rule.code.lower()).out == run("rule", rule.name).out


def test_every_protocol_is_listed_and_explained(run):
    listed = run("protocols").out.splitlines()
    assert [line.split()[0] for line in listed[1:]] == [row.name for row in TABLE]
    for row in TABLE:
        assert run("protocols", row.name).out.startswith(f"{row.name}: {row.title}")


def test_every_target_is_listed(run):
    listed = run("targets").out.splitlines()
    assert [line.split()[0] for line in listed][: len(BUILT_IN)] == list(BUILT_IN)
