"""What is read means what pfctl printed; `make test-corpora` asks the same of a whole corpus.

The `.ok` files were printed by pfctl of OpenBSD 7.7 and FreeBSD 12.1 (`pfctl -o none -nvf`).
"""

from __future__ import annotations

from pathlib import Path

from corpus import survey

CASES = Path(__file__).parent / "cases"


def test_cases_mean_what_pfctl_printed() -> None:
    found = survey(CASES)
    assert found.different == {}
    assert found.refused == {}
    assert sorted(found.equal) == sorted(path.stem for path in CASES.glob("*.in"))


def test_a_difference_is_seen(tmp_path: Path) -> None:
    for path in CASES.glob("classic.*"):
        (tmp_path / path.name).write_text(path.read_text().replace("10.20.0.0/16", "10.20.0.0/15"))
    printed = tmp_path / "classic.ok"
    assert survey(tmp_path).equal == ["classic"]
    printed.write_text(printed.read_text().replace("10.20.0.0/15", "10.20.0.0/16"))
    assert list(survey(tmp_path).different) == ["classic"]
