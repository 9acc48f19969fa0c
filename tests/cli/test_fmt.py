"""`tunnelgate fmt`: what it writes, and what it leaves alone."""

import os
import signal
import stat

import pytest

from tunnelgate.cli import rewrite as rewriting
from tunnelgate.syntax.formatting import formatter

HEAP = "zone wan {interface eth0}\n\n\n# why\nallow ssh  from wan to gateway\n"
NEAT = "zone wan { interface eth0 }\n\n# why\nallow ssh from wan to gateway\n"


@pytest.fixture
def heap(in_folder):
    path = in_folder / "heap.tg"
    path.write_text(HEAP)
    return path


def test_writes_the_canonical_form(run, heap):
    result = run("fmt", "heap.tg")
    assert (result.code, result.out, result.err) == (0, "", "formatted heap.tg\n")
    assert heap.read_text() == NEAT


def test_says_nothing_when_quiet_and_about_what_stays(run, heap):
    heap.write_text(NEAT)
    assert run("fmt", "heap.tg").err == ""
    heap.write_text(HEAP)
    assert run("fmt", "-q", "heap.tg").err == ""
    assert heap.read_text() == NEAT


def test_a_file_in_canonical_form_is_not_written(run, heap):
    heap.write_text(NEAT)
    before = heap.stat()
    run("fmt", "heap.tg")
    after = heap.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_folder_is_formatted(run, in_folder, heap):
    assert run("fmt", ".").code == 0
    assert heap.read_text() == NEAT
    assert run("fmt", "--check").code == 0


def test_an_included_file_of_a_folder_is_formatted(run, in_folder, heap):
    (in_folder / "main.tg").write_text('include "heap.tg"\n')
    run("fmt", ".")
    assert heap.read_text() == NEAT


def test_check_writes_nothing_and_fails(run, heap):
    result = run("fmt", "--check", "heap.tg")
    assert (result.code, result.out) == (1, "would format heap.tg\n")
    assert heap.read_text() == HEAP
    heap.write_text(NEAT)
    assert run("fmt", "--check", "heap.tg").code == 0


def test_diff_shows_the_change_and_writes_nothing(run, heap):
    result = run("fmt", "--diff", "heap.tg")
    assert result.code == 1
    assert result.out == (
        "--- heap.tg\n+++ heap.tg\n@@ -1,5 +1,4 @@\n-zone wan {interface eth0}\n-\n"
        "+zone wan { interface eth0 }\n \n # why\n-allow ssh  from wan to gateway\n"
        "+allow ssh from wan to gateway\n"
    )
    assert heap.read_text() == HEAP


def test_a_diff_shows_a_missing_line_end(run):
    result = run("fmt", "--diff", "-", stdin="gateway a")
    assert result.out.endswith("-gateway a\n\\ No newline at end of file\n+gateway a\n")


def test_standard_input_becomes_standard_output(run):
    assert run("fmt", "-", stdin=HEAP).out == NEAT
    assert run("fmt", "-", stdin=NEAT).out == NEAT
    assert run("fmt", "--check", "-", stdin=HEAP).out == "would format <stdin>\n"


def test_mistakes_in_standard_input_go_to_standard_error(run):
    result = run("fmt", "-", stdin="alow ssh from wan to gateway\n")
    assert (result.code, result.out) == (1, "")
    assert "TG001" in result.err


def test_a_policy_with_mistakes_is_not_touched_but_others_are(run, in_folder, heap):
    broken = in_folder / "broken.tg"
    broken.write_text("alow   ssh from wan to gateway\n")
    result = run("fmt", "heap.tg", "broken.tg")
    assert result.code == 1
    assert "error[TG001]: unknown statement `alow`" in result.out
    assert broken.read_text() == "alow   ssh from wan to gateway\n"
    assert heap.read_text() == NEAT


def test_unknown_names_are_no_business_of_it(run, in_folder):
    (in_folder / "part.tg").write_text("allow  ssh from nowhere to gateway\n")
    assert run("fmt", "part.tg").code == 0


def test_line_ends_become_those_of_unix(run, heap):
    heap.write_bytes(b"\xef\xbb\xbf" + HEAP.replace("\n", "\r\n").encode())
    run("fmt", "heap.tg")
    assert heap.read_bytes() == NEAT.encode()


def test_the_mode_stays(run, heap):
    heap.chmod(0o640)
    run("fmt", "heap.tg")
    assert stat.S_IMODE(heap.stat().st_mode) == 0o640


def test_a_link_stays_a_link(run, in_folder, heap):
    (in_folder / "folder").mkdir()
    os.symlink("../heap.tg", in_folder / "folder" / "link.tg")
    run("fmt", "folder/link.tg")
    assert (in_folder / "folder" / "link.tg").is_symlink()
    assert heap.read_text() == NEAT


def test_nothing_is_left_beside_it(run, in_folder, heap):
    before = sorted(os.listdir(in_folder))
    run("fmt", "heap.tg")
    assert sorted(os.listdir(in_folder)) == before


def test_a_full_disk_changes_nothing(run, in_folder, heap, monkeypatch):
    (in_folder / "other.tg").write_text(HEAP)
    written = []

    def fsync(handle):
        written.append(handle)
        if len(written) == 2:
            raise OSError(28, "No space left on device", "other.tg")

    monkeypatch.setattr(rewriting.os, "fsync", fsync)
    result = run("fmt", "heap.tg", "other.tg")
    assert result.code == 2
    assert "cannot be written: no space left on device; nothing was changed" in result.err
    assert "help: make room on the disk\n" in result.err
    assert heap.read_text() == (in_folder / "other.tg").read_text() == HEAP
    assert not [name for name in os.listdir(in_folder) if name.startswith(".")]


def test_a_signal_between_replacements_waits_for_the_last(run, in_folder, heap, monkeypatch):
    (in_folder / "other.tg").write_text(HEAP)
    replace = os.replace

    def interrupted(old, new):
        replace(old, new)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(os, "replace", interrupted)
    assert run("fmt", "heap.tg", "other.tg").code == 130
    assert HEAP not in (heap.read_text(), (in_folder / "other.tg").read_text())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_not_replaced(run, heap):
    heap.chmod(0o444)
    result = run("fmt", "heap.tg")
    assert result.code == 2
    assert "permission denied" in result.err


def test_a_fault_of_the_formatter_writes_nothing(run, in_folder, heap, monkeypatch):
    class Faulty(formatter.Layout):
        def __str__(self):
            return super().__str__().replace("ssh", "ftp")

    monkeypatch.setattr(formatter, "Layout", Faulty)
    result = run("fmt", "good.tg", "heap.tg")
    assert result.code == 3
    assert "fault of tunnelgate" in result.err
    assert heap.read_text() == HEAP


def test_a_file_that_cannot_be_read(run):
    result = run("fmt", "nowhere.tg")
    assert result.code == 2
    assert "TG002" in result.out
