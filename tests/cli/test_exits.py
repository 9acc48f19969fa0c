"""How a run ends, and what stands on which stream."""

import signal

import pytest

from tunnelgate import __version__, api


def test_clean(run):
    result = run("check", "good.tg")
    assert (result.code, result.out) == (0, "")
    assert result.err == "1 policy: no findings\n"


def test_findings(run):
    result = run("check", "bad.tg")
    assert (result.code, result.err) == (1, "")
    assert "error[TG101]" in result.out


@pytest.mark.parametrize(
    ("arguments", "said", "way_out"),
    [
        (["chek"], "unknown command `chek`", "did you mean `check`?"),
        (["check", "--colour", "never"], "no such option `--colour`", "did you mean `--color`?"),
        (["check", "--zz"], "no such option `--zz`", "`tunnelgate check --help` says"),
        (["check", "--layout", "x"], "invalid value for `--layout`: `x` is not one of", "--help"),
        (["check", "--layout"], "option `--layout` requires an argument\n", "`--help` says"),
        (["diff", "a"], "missing argument `NEW`\n", "`tunnelgate diff --help` says"),
        (["completion"], "`{bash|zsh|fish}`; choose from bash, zsh, fish\n", "--help"),
        (["rule", "a", "b"], "got unexpected extra argument", "`tunnelgate rule --help` says"),
        (["check", "-t", "nftable"], "unknown target `nftable`", "did you mean `nftables`?"),
        (["rule", "esp-from-many-host"], "unknown rule", "did you mean `esp-from-many-hosts`?"),
        (["protocols", "wiregard"], "unknown protocol", "did you mean `wireguard`?"),
        (["compile", "--check", "good.tg"], "compares with a folder", "-o DIR"),
    ],
)
def test_wrong_usage(run, arguments, said, way_out):
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")
    assert said in result.err
    assert way_out in result.err


def test_a_file_that_is_not_there_is_worse_than_a_finding(run):
    result = run("check", "bad.tg", "missing.tg")
    assert result.code == 2
    assert "error[TG101]" in result.out
    assert "error[TG002]: cannot be read: no such file or directory" in result.out


def test_an_empty_folder(run, tmp_path):
    (tmp_path / "empty").mkdir()
    result = run("check", "empty")
    assert result.code == 2
    assert "no policy in `empty`" in result.err


def test_a_fault_of_ours_owns_up(run, monkeypatch):
    monkeypatch.setattr(api, "review", lambda *_, **__: 1 / 0)
    result = run("check", "good.tg")
    assert (result.code, result.out) == (3, "")
    assert "tunnelgate failed: ZeroDivisionError: division by zero" in result.err
    assert f"tunnelgate {__version__}, Python " in result.err
    assert "Traceback" not in result.err
    assert "Traceback" in run("check", "-v", "good.tg").err


def test_an_interrupt_is_said_as_a_shell_says_it(run, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "review", interrupt)
    assert run("check", "good.tg").code == 128 + signal.SIGINT


def test_version_and_help(run):
    assert run("--version").out == f"tunnelgate {__version__}\n"
    for arguments in (["--help"], ["check", "-h"], ["compile", "-h"]):
        assert run(*arguments).code == 0


def test_a_reader_that_leaves_is_no_fault(spawn):
    result = spawn("protocols", before=("sh", "-c", '"$@" | head -n 1', "sh"))
    assert result.out.startswith("name")
    assert "Traceback" not in result.err
    assert "tunnelgate failed" not in result.err


def test_a_full_standard_output(spawn):
    result = spawn("compile", "good.tg", before=("sh", "-c", '"$@" > /dev/full', "sh"))
    assert result.code == 2
    assert "standard output cannot be written: no space left on device" in result.err


def test_the_same_bytes_in_every_locale(spawn, tmp_path):
    (tmp_path / "good.tg").write_text("zone wan { interface eth0 }\nallow ssh from wän to wan\n")
    one, other = (spawn("check", "good.tg", env={"LC_ALL": name}) for name in ("C", "C.UTF-8"))
    assert one == other
