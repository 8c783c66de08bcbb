"""`resumption cell` runs one cell of a run again, and shows everything about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.cli.runs.cell import newest_run, node, where
from harness.cli.runs.tests.test_cli_run import SCENARIO, command
from harness.model.errors import UsageError
from harness.story.reading import story_of_json

if TYPE_CHECKING:
    from pathlib import Path

    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine


@pytest.fixture(scope="module")
def cell_id(machine: tuple[Machine, Runtime]) -> str:
    """The id of a cell of SCENARIO."""
    label = machine[0].one("libssl").label
    return f"test_ticket.py::test_ticket_resumes[{label}--{label}-TLSv1.3]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario, and the results of a run in which it failed."""
    folder = tmp_path_factory.mktemp("cell")
    (folder / "test_ticket.py").write_text(SCENARIO.replace("is RESUMED", "is FULL"))
    done = command(folder, "run", "--client=libssl", "--results=out", "-n0", "test_ticket.py")
    assert done.returncode == 1, done.stdout + done.stderr
    (folder / "test_ticket.py").write_text(SCENARIO)
    return folder


def test_a_cell_that_passes_shows_everything(folder: Path, cell_id: str) -> None:
    done = command(folder, "cell", cell_id)

    assert done.returncode == 0, done.stdout + done.stderr
    for shown in ("messages of connections 1 and 2", "witnesses", "commands of connections 1 and 2", "reproduce.c"):
        assert shown in done.stdout
    assert "1 cell: 1 passed" in done.stdout


def test_the_part_in_brackets_is_enough_with_the_results(folder: Path, cell_id: str) -> None:
    done = command(folder, "cell", cell_id.partition("[")[2].removesuffix("]"), "--results", "out")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 cell: 1 passed" in done.stdout


def test_the_story_of_a_cell_names_its_ends(folder: Path, cell_id: str) -> None:
    done = command(folder, "cell", cell_id, "--results", "out", "--story-out", "story.json")
    story = story_of_json(json.loads((folder / "story.json").read_text()), "story.json")

    assert done.returncode == 0, done.stderr
    assert story.about == cell_id
    assert f"{story.client.stack}--{story.server.stack}" in cell_id
    assert [step.kind for step in story.steps] == ["connect", "connect"]


@pytest.mark.parametrize("further", [[], ["--results", "out"]])
def test_an_unknown_id_is_bad_usage_and_names_the_nearest(folder: Path, cell_id: str, further: list[str]) -> None:
    done = command(folder, "cell", cell_id.replace("test_ticket_resumes", "test_ticket_resume"), *further)

    assert done.returncode == 2
    assert "did you mean '" in done.stderr
    assert cell_id.partition("::")[2] in done.stderr


def test_a_word_that_is_like_no_id_has_the_nearest_too(folder: Path, cell_id: str) -> None:
    done = command(folder, "cell", "x", "--results", "out")

    assert done.returncode == 2
    assert done.stderr == f"error: no cell 'x' in out; did you mean {cell_id!r}?\n"


def test_the_newest_run_is_the_one_that_began_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place = tmp_path / "resumption-harness" / "results"
    for name in ("2026-11-30T23-59-59.999999Z", "2026-12-01T00-00-00.000000Z", "a-run-of-mine", "~"):
        (place / name).mkdir(parents=True)
    (place / "2026-12-02T00-00-00.000000Z").touch()

    assert newest_run() == place / "2026-12-01T00-00-00.000000Z"


def test_a_run_that_was_renamed_is_not_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place = tmp_path / "resumption-harness" / "results"
    (place / "mine").mkdir(parents=True)

    with pytest.raises(UsageError, match=r"no run found in .*; name a run's folder with --results"):
        newest_run()


def test_an_id_of_a_build_that_is_not_here_is_bad_usage(folder: Path) -> None:
    done = command(folder, "cell", "test_ticket.py::test_ticket_resumes[libssl@2.0--libssl@2.0-TLSv1.3]")

    assert done.returncode == 2
    assert "no stack matches 'libssl@2.0'" in done.stderr


def test_an_id_that_several_tests_have_lists_them(tmp_path: Path, folder: Path) -> None:
    results = json.loads((folder / "out" / "results.json").read_text())
    (one,) = results["cells"]
    results["cells"].append(one | {"scenario": "test_ticket.py::test_other"})
    (tmp_path / "results.json").write_text(json.dumps(results))

    with pytest.raises(UsageError, match=r"2 tests have a cell .*; name one: .*test_ticket_resumes.*test_other"):
        node(one["cell"], tmp_path)


def test_an_unknown_file_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean scenarios/"):
        where("scenarios/nearly_session_timeouts.py")
