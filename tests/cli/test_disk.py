"""Output that the disk does not take: a message with a way out, and nothing half written."""

import errno
import os
import resource
from pathlib import Path

import pytest

from tunnelgate.cli import folder
from tunnelgate.cli.folder import Difference

RULESET = Path("out/branch/nftables/ruleset.nft")

#: A mount namespace: as root, or with a user namespace.
_NAMESPACE = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")


def _mounted(options: str, prepare: str = "true", after: str = "true") -> tuple[str, ...]:
    """What runs a command with a small file system at `out`."""
    mount = f"mount -t tmpfs -o {options} tmpfs out && {prepare}"
    script = f'{mount} && {{ "$@"; code=$?; }}; {after}; exit $code'
    return (*_NAMESPACE, "sh", "-c", script, "sh")


@pytest.fixture
def mountable(spawn, need, absent) -> None:
    """A machine on which a file system can be mounted in a namespace."""
    need("unshare")
    Path("out").mkdir()
    if spawn("--version", before=_mounted("size=4k")).code != 0:
        absent("no mount namespace can be made")


def test_a_disk_that_cannot_be_written(spawn, mountable):
    result = spawn("compile", "good.tg", "-o", "out", before=_mounted("ro"))
    assert (result.code, result.out) == (2, "")
    assert "read-only file system; nothing was changed" in result.err
    assert "choose another folder with `-o`" in result.err


def test_a_full_disk_leaves_the_old_files(spawn, mountable):
    where = RULESET.parent
    prepare = f"mkdir -p {where} && echo old > {RULESET}"
    result = spawn(
        "compile", "good.tg", "-o", "out",
        before=_mounted("size=8k", prepare, f"cat {RULESET}; ls -A {where}"),
    )  # fmt: skip
    assert (result.code, result.out) == (2, "old\nruleset.nft\n")
    assert "no space left on device; nothing was changed" in result.err
    assert "make room on the disk" in result.err


def test_a_disk_that_is_full_in_the_middle_of_a_fleet(spawn, mountable):
    """Room for some of the gateways, and none is there: neither whole nor in part."""
    Path("fleet.tg").write_text(
        "param site : name\n" + Path("good.tg").read_text().replace("branch", "$site")
    )
    Path("sites").mkdir()
    for n in range(8):
        Path(f"sites/s{n}.toml").write_text(f'site = "s{n}"\n')
    result = spawn(
        "compile", "fleet.tg", "--vars-dir", "sites", "-o", "out",
        before=_mounted("size=64k", after="find out -mindepth 1"),
    )  # fmt: skip
    assert (result.code, result.out) == (2, "")
    assert "no space left on device; nothing was changed" in result.err


@pytest.mark.parametrize(
    ("text", "code"), [('include "part.tg"\n', 2), ('zone x {\n  group g from "part.tg"\n}\n', 2)]
)
def test_a_file_that_may_not_be_read(spawn, need, text, code):
    Path("good.tg").write_text(Path("good.tg").read_text() + text)
    Path("part.tg").write_text("")
    Path("part.tg").chmod(0)
    before = (need("setpriv"), "--bounding-set", "-dac_override,-dac_read_search")
    result = spawn("compile", "good.tg", "-o", "out", before=before if os.geteuid() == 0 else ())
    assert result.code == code
    assert "error[TG002]: `part.tg` cannot be read: permission denied" in result.out
    assert not Path("out").exists()


def test_a_limit_on_the_size_of_files(spawn):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    result = spawn("compile", "good.tg", "-o", "out", preexec_fn=limit)
    assert result.code == 2
    assert "file too large; nothing was changed" in result.err
    assert not Path("out").exists()


def test_a_folder_without_permission(spawn, need):
    Path("out").mkdir(mode=0o500)
    # Root may write everywhere, unless it gives that up.
    before = (need("setpriv"), "--bounding-set", "-dac_override") if os.geteuid() == 0 else ()
    result = spawn("compile", "good.tg", "-o", "out", before=before)
    assert result.code == 2
    assert "permission denied; nothing was changed" in result.err


@pytest.mark.parametrize("place", ["out", "out/branch", "out/branch/nftables"])
def test_a_file_where_a_folder_should_be(run, place):
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    Path(place).write_text("mine")
    result = run("compile", "good.tg", "-o", "out")
    assert result.code == 2
    assert "a file stands where a folder should be" in result.err
    assert Path(place).read_text() == "mine"


def test_a_folder_where_a_file_should_be(run):
    RULESET.mkdir(parents=True)
    result = run("compile", "good.tg", "-o", "out")
    assert result.code == 2
    assert "a folder stands where a file should be" in result.err
    assert list(RULESET.parent.iterdir()) == [RULESET]


def test_a_link_is_replaced_and_not_followed(run):
    RULESET.parent.mkdir(parents=True)
    Path("elsewhere").write_text("mine")
    RULESET.symlink_to(Path("elsewhere").absolute())
    assert run("compile", "good.tg", "-o", "out").code == 0
    assert Path("elsewhere").read_text() == "mine"
    assert not RULESET.is_symlink()


@pytest.mark.parametrize("failure", [OSError(errno.EIO, "input/output error"), KeyboardInterrupt()])
def test_what_fails_on_the_way_leaves_no_trace(run, monkeypatch, failure):
    written = []

    def fsync(handle: int) -> None:
        written.append(handle)
        if len(written) == 2:
            raise failure

    monkeypatch.setattr(os, "fsync", fsync)
    result = run("compile", "good.tg", "-o", "out")
    assert result.code == (130 if isinstance(failure, KeyboardInterrupt) else 2)
    assert not Path("out").exists()


def test_new_files_are_for_others_to_read(run):
    old = os.umask(0o027)
    try:
        run("compile", "good.tg", "-o", "out")
    finally:
        os.umask(old)
    assert RULESET.stat().st_mode & 0o777 == 0o640


def test_a_failure_between_replacements_is_not_called_nothing(monkeypatch):
    def replace(*_: object) -> None:
        raise OSError(errno.EIO, "input/output error", "a")

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(folder.Problem, match="some files may be new already"):
        folder.write([[Difference(Path("a"), None, b"new")]])
    assert not list(Path().glob(".a.*"))
