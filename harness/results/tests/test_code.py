"""The digests of code differ for changed files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.results.code import LENGTH, digests

if TYPE_CHECKING:
    from pathlib import Path


def test_the_digest_of_a_changed_file_is_another(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("1")
    before = digests(tmp_path, ["a.py", "b.py"])
    (tmp_path / "a.py").write_text("2")
    after = digests(tmp_path, ["b.py", "a.py"])

    assert list(before) == ["harness", "a.py", "b.py"]
    assert [name for name in before if before[name] != after[name]] == ["a.py"]
    assert {len(digest) for digest in before.values()} == {LENGTH}


def test_a_file_that_is_not_there_has_no_digest(tmp_path: Path) -> None:
    assert list(digests(tmp_path, ["none.py"])) == ["harness"]
