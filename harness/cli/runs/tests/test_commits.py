"""The commit that changed a behaviour is found between two releases, in a real repository whose build is a script."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.cli.runs.commits import CHECKED, Clone, commit_of, first_commit, reproducible, tag_of
from harness.model.errors import HarnessError, UsageError
from harness.report.diff.causes import Cause

if TYPE_CHECKING:
    from harness.report.json.shapes import CellObject

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")

VALUES = (1, 1, 1, 7, 7, 7)
"""What each commit of the repository behaves as."""
SCRIPT = """#!/bin/sh
test "$(cat value)" = 1
"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A repository with two releases and five commits between them."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A. Maintainer")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@example.org")
    made = Clone(tmp_path / "openssl")
    made.folder.mkdir()
    made.git("init", "--quiet")
    for number, value in enumerate(VALUES, 1):
        (made.folder / "value").write_text(f"{value}\n")
        (made.folder / "number").write_text(f"{number}\n")
        made.git("add", "--all")
        made.git("commit", "--quiet", "-m", f"Commit {number}")
        if number in {1, len(VALUES)}:
            made.git("tag", tag_of("3.5.8" if number == 1 else "3.5.9"))
    return made


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A program in the place of a reproducer's bisect.sh."""
    path = tmp_path / "bisect.sh"
    path.write_text(SCRIPT)
    path.chmod(0o755)
    return path


def cause(observable: str = "outcome", between: tuple[str, ...] = ("3.5.8", "3.5.9")) -> Cause:
    return Cause(observable, "declined", "resumed", 1, (("scenarios/a.py::b", "c"),), 2, (), between=between)


@pytest.mark.parametrize(
    ("version", "tag"),
    [("3.5.9", "openssl-3.5.9"), ("1.1.1w", "OpenSSL_1_1_1w"), ("1.0.2", "OpenSSL_1_0_2")],
)
def test_a_release_has_the_tag_of_its_time(version: str, tag: str) -> None:
    assert tag_of(version) == tag


def test_the_first_commit_of_the_newer_behaviour_is_found(clone: Clone, script: Path, tmp_path: Path) -> None:
    said: list[str] = []
    (clone.folder / "value").write_text("what the user works on")

    found = first_commit(clone, ("3.5.8", "3.5.9"), script, tmp_path / "place", said.append)

    assert found.endswith(" Commit 4")
    assert said[:2] == ["building openssl-3.5.9", "building openssl-3.5.8"]
    assert clone.git("worktree", "list").count("\n") == 0
    assert clone.git("for-each-ref", "refs/bisect") == ""
    assert (clone.folder / "value").read_text() == "what the user works on"


def test_a_change_that_only_the_builds_have_is_an_error(clone: Clone, tmp_path: Path) -> None:
    false = Path(shutil.which("false") or "/bin/false")

    with pytest.raises(HarnessError, match=r"finds the same on openssl-3.5.8"):
        first_commit(clone, ("3.5.8", "3.5.9"), false, tmp_path / "place", lambda _line: None)


def test_a_release_that_does_not_build_is_an_error(clone: Clone, script: Path, tmp_path: Path) -> None:
    script.write_text("#!/bin/sh\nexit 125\n")

    with pytest.raises(HarnessError, match=r"openssl-3.5.9 does not build, or its reproducer does not run"):
        first_commit(clone, ("3.5.8", "3.5.9"), script, tmp_path / "place", lambda _line: None)
    assert clone.git("worktree", "list").count("\n") == 0


def test_commits_that_do_not_build_leave_a_range(clone: Clone, script: Path, tmp_path: Path) -> None:
    script.write_text('#!/bin/sh\ncase $(cat number) in 3|4|5) exit 125 ;; esac\ntest "$(cat value)" = 1\n')

    with pytest.raises(HarnessError, match=r"git found no single commit between openssl-3.5.8 and openssl-3.5.9"):
        first_commit(clone, ("3.5.8", "3.5.9"), script, tmp_path / "place", lambda _line: None)


def test_a_release_without_a_tag_is_named(clone: Clone) -> None:
    lost: CellObject = {"case": None}  # type: ignore[typeddict-item]  # the tag comes first

    with pytest.raises(UsageError, match=r"has no tag openssl-3.5.7"):
        commit_of(clone, cause(between=("3.5.7", "3.5.9")), lost, lambda _line: None)


def test_only_what_a_reproducer_checks_leads_to_a_commit() -> None:
    wire, outcome = cause("hellos.client.ClientHello.legacy_version"), cause("outcome")

    assert reproducible([wire, cause("outcome", ()), outcome]) is outcome
    assert reproducible([wire]) is None
    assert "hellos" not in " ".join(CHECKED)


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_a_clone_is_bad_usage(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    folder = tmp_path / "none"
    if there:
        folder.mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))

    code = main(["diff", "3.5.8", "3.5.9", "--commits", str(folder)])

    assert code == 2
    assert ("not a clone of OpenSSL" if there else "there is no folder") in capfd.readouterr().err


def test_a_repository_of_something_else_is_bad_usage(
    clone: Clone, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other = Clone(tmp_path / "other")
    clone.git("clone", "--quiet", "--no-tags", str(clone.folder), str(other.folder))
    other.git("tag", "v3.5.8")

    code = main(["diff", "3.5.8", "3.5.9", "--commits", str(other.folder)])

    assert code == 2
    assert f"error: --commits: {other.folder} has no tag of an OpenSSL release; name a" in capfd.readouterr().err
    assert Clone.of(clone.folder) == clone
