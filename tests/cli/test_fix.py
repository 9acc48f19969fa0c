"""`tunnelgate check --fix`: what it writes, shows and says."""

import pytest

GOOD = """\
gateway branch
zone wan { interface eth0 }
zone lan {
  interface eth1
  network 192.168.1.0/24
}
nat from lan to wan
allow ssh from lan to gateway
allow ipsec-nat-t from lan to wan
"""
TYPO = GOOD + "allow ssh from lan to wann\n"
ENDS = GOOD + "allow ntp from lan to wan;\n"


@pytest.fixture
def policy(in_folder):
    path = in_folder / "policy.tg"
    path.write_text(ENDS)
    return path


def test_safe_fixes_are_written(run, policy):
    result = run("check", "--fix", "policy.tg")
    assert (result.code, result.out, result.err) == (0, "", "fixed 1 finding in policy.tg\n")
    assert policy.read_text() == ENDS.replace(";", "")


def test_unsafe_ones_are_not(run, policy):
    policy.write_text(TYPO)
    result = run("check", "--fix", "policy.tg")
    assert result.code == 1
    assert "error[TG006]: unknown place `wann`" in result.out
    assert result.err == (
        "`--unsafe-fixes` would fix 1 finding more; the policy would mean something else, "
        "so look at it first\n"
    )
    assert policy.read_text() == TYPO


def test_unsafe_ones_are_written_where_asked_for(run, policy):
    policy.write_text(TYPO)
    result = run("check", "--fix", "--unsafe-fixes", "policy.tg")
    assert (result.code, result.err) == (0, "fixed 1 finding in policy.tg\n")
    assert policy.read_text() == TYPO.replace("wann", "wan")


def test_what_is_left_is_reported(run, policy):
    policy.write_text(ENDS + "allow ah from lan to wan\n")
    result = run("check", "--fix", "policy.tg")
    assert result.code == 1
    assert "error[TG101]" in result.out
    assert "TG001" not in result.out
    assert "fixed 1 finding in policy.tg" in result.err


def test_a_diff_writes_nothing(run, policy):
    result = run("check", "--fix", "--diff", "policy.tg")
    assert result.code == 1
    assert result.out == (
        "--- policy.tg\n+++ policy.tg\n@@ -7,4 +7,4 @@\n nat from lan to wan\n"
        " allow ssh from lan to gateway\n allow ipsec-nat-t from lan to wan\n"
        "-allow ntp from lan to wan;\n+allow ntp from lan to wan\n"
    )
    assert result.err == "would fix 1 finding in policy.tg\n"
    assert policy.read_text() == ENDS


def test_a_diff_of_nothing(run):
    result = run("check", "--fix", "--diff", "good.tg")
    assert (result.code, result.out) == (0, "")


def test_standard_input_becomes_standard_output(run):
    result = run("check", "--fix", "-", stdin=ENDS)
    assert (result.code, result.out) == (0, ENDS.replace(";", ""))
    assert run("check", "--fix", "-", stdin=GOOD).out == GOOD
    assert run("check", "--fix", "--diff", "-", stdin=GOOD).out == ""


def test_a_clean_policy_is_not_written(run, in_folder):
    before = (in_folder / "good.tg").stat()
    run("check", "--fix", "good.tg")
    after = (in_folder / "good.tg").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_folder_is_fixed(run, in_folder, policy):
    (in_folder / "windows.tg").write_bytes(GOOD.replace("\n", "\r\n").encode())
    run("check", "--fix")
    assert (in_folder / "windows.tg").read_bytes() == GOOD.encode()
    assert policy.read_text() == ENDS.replace(";", "")


def test_quiet(run, policy):
    assert run("check", "-q", "--fix", "policy.tg").err == ""


@pytest.mark.parametrize("flag", ["--diff", "--unsafe-fixes"])
def test_flags_that_do_nothing_alone(run, flag):
    result = run("check", flag, "good.tg")
    assert result.code == 2
    assert f"`{flag}` does nothing without `--fix`" in result.err
