"""Input that is no policy: a finding with a way out, never a traceback."""

from pathlib import Path

import pytest

ZONE = "zone wan { interface eth0 }\n"
RULE = "allow ssh from wan to gateway\n"

#: Bytes, exit code, and what is said.
BAD = {
    "empty": (b"", 1, "error[TG004]"),
    "only a comment": (b"# to be written\n", 1, "error[TG004]"),
    "binary": (bytes(range(256)) * 16, 2, "error[TG002]: is no UTF-8 text"),
    "zeros": (b"\0" * 4096, 1, "error[TG003]"),
    "UTF-16": ((ZONE + RULE).encode("utf-16"), 2, "error[TG002]: is no UTF-8 text"),
    "port 70000": ((ZONE + "allow udp/70000 from wan to gateway\n").encode(), 1, "70000"),
    "leading zeros": ((ZONE + "allow ssh from 010.0.0.1 to gateway\n").encode(), 1, "010.0.0.1"),
    "a zone without interface": (b"zone wan { network 10.0.0.0/8 }\n", 1, "interface"),
    "an empty zone": (b"zone wan { }\n" + RULE.encode(), 1, "error[TG"),
    "two zones on one interface": (
        (ZONE + "zone lan { interface eth0 }\n" + RULE).encode(), 1, "eth0"
    ),
    "Windows line ends": ((ZONE + RULE).replace("\n", "\r\n").encode(), 1, "as on Windows"),
    "old line ends": ((ZONE + RULE).replace("\n", "\r").encode(), 1, "error[TG003]"),
    "a byte order mark": (b"\xef\xbb\xbf" + (ZONE + RULE).encode(), 1, "byte order mark"),
    "bidirectional controls": ((ZONE + "# \u202e\n" + RULE).encode(), 1, "U+202E"),
    "an escape sequence": ((ZONE + "# \x1b[2J\n" + RULE).encode(), 1, "U+001B"),
}  # fmt: skip


@pytest.mark.parametrize("command", [["check"], ["compile"], ["compile", "-o", "out"]])
@pytest.mark.parametrize("name", BAD)
def test_bad_input(run, command, name):
    content, code, said = BAD[name]
    Path("p.tg").write_bytes(content)
    result = run(*command, "p.tg")
    shown = result.out + result.err
    assert result.code == code
    assert said in shown
    assert "help: " in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert not Path("out").exists()


@pytest.mark.parametrize("filler", ["a", "a ", "{", "# ", '"', "10.0.0.1,", "\u4e2d"])
def test_a_line_of_ten_megabytes(run, filler):
    size = 10_000_000 // len(filler.encode())
    Path("p.tg").write_text(f"{ZONE}allow {filler * size}\n{RULE}", "utf-8")
    result = run("check", "p.tg")
    assert result.code == 1
    assert len(result.out) < 10_000


def test_standard_input_is_read_as_strictly(spawn):
    result = spawn("check", "-", before=("sh", "-c", 'printf "\\377" | "$@"', "sh"))
    assert result.code == 2
    assert "<stdin>" in result.out


def test_a_file_without_permission_or_that_is_a_folder(run, tmp_path):
    (tmp_path / "loop.tg").symlink_to("loop.tg")
    result = run("check", "loop.tg")
    assert result.code == 2
    assert "error[TG002]" in result.out


class TestIncludedFiles:
    PART = "allow ping from wan to gateway\n"

    def write(self, **files: str) -> None:
        for path in Path().glob("*.tg"):
            path.unlink()
        for name, text in files.items():
            Path(f"{name}.tg").write_text(text)

    def test_a_part_of_a_policy_in_the_folder_is_none_itself(self, run):
        self.write(
            main=ZONE + RULE + 'include "part.tg"\n', part='include "more.tg"\n', more=self.PART
        )
        assert run("check", ".").err == "1 policy: no findings\n"

    def test_a_part_that_is_named_is_checked(self, run):
        self.write(main=ZONE + RULE + 'include "part.tg"\n', part=self.PART)
        assert "unknown place `wan`" in run("check", ".", "part.tg").out

    def test_a_comment_includes_nothing(self, run):
        self.write(main=ZONE + RULE + '# include "other.tg"\n', other=ZONE + RULE)
        assert run("check", ".").err == "2 policies: no findings\n"

    def test_files_that_include_each_other_are_told_of(self, run):
        self.write(one='include "two.tg"\n', two='include "one.tg"\n')
        assert run("check", ".").out.count("error[TG016]") == 2
