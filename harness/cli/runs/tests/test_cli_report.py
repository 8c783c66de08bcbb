"""`resumption report` writes its three files from real results, and says what is wrong with others."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from harness.cli import main
from harness.report.json.shapes import ConnectionObject, fields
from harness.report.run.tests.page_reader import details
from harness.tests.hostile import poisoned
from harness.tests.wrong_results import read, write

if TYPE_CHECKING:
    from pathlib import Path


def run(capfd: pytest.CaptureFixture[str], arguments: str) -> tuple[int, str, str]:
    code = main(shlex.split(f"report {arguments}"))
    out, err = capfd.readouterr()
    return code, out, err


def test_it_writes_page_summary_and_junit_and_names_them(
    capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path
) -> None:
    code, out, err = run(capfd, f"{wrong} -o {tmp_path}")

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "32 cells: 12 failed, 8 error, 8 passed, 4 unsupported",
        *(str(tmp_path / name) for name in ("index.html", "report.md", "junit.xml")),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "junit.xml", "report.md"]


def test_it_writes_into_the_folder_of_the_run_and_overwrites_its_own(
    capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path
) -> None:
    folder = write(read(wrong), wrong, tmp_path / "run")

    first = run(capfd, str(folder))
    second = run(capfd, str(folder))

    assert first == second
    assert (folder / "report" / "index.html").is_file()


def test_a_killed_run_is_reported_as_unfinished(capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path) -> None:
    results = read(wrong)
    head = {key: results[key] for key in ("schema", "started", "clients", "servers")}
    lines = [json.dumps(head), *map(json.dumps, results["cells"][:3]), json.dumps(results["cells"][3])[:1000]]
    (tmp_path / "results.jsonl").write_text("\n".join(lines))

    code, out, err = run(capfd, str(tmp_path))

    assert (code, err) == (0, "")
    assert "3 cells" in out
    assert "killed before its end" in out
    assert "Unfinished." in (tmp_path / "report" / "index.html").read_text()
    assert "**Unfinished:**" in (tmp_path / "report" / "report.md").read_text()


def test_results_from_before_connections_were_explained_are_reported(
    capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path
) -> None:
    results: Any = read(wrong)
    for connection in [c for cell in results["cells"] if cell["case"] for c in cell["case"]["connections"]]:
        for key in [key for key, field in fields(ConnectionObject).items() if not field.required]:
            connection.pop(key, None)
    folder = write(results, wrong, tmp_path / "old")

    code, out, err = run(capfd, str(folder))

    assert (code, err) == (0, "")
    assert "12 failed, 8 error" in out


def test_hostile_results_are_reported_without_a_complaint(
    capfd: pytest.CaptureFixture[str], wrong: Path, earlier: Path, tmp_path: Path
) -> None:
    folder = write(poisoned(read(wrong)), wrong, tmp_path / "hostile")

    code, _, err = run(capfd, f"{folder} --against {earlier}")

    assert (code, err) == (0, "")


def shard(results: Any, wrong: Path, folder: Path, number: int) -> Path:
    """A third of the cells as a shard, with the evidence of its run."""
    cells = results["cells"][number - 1 :: 3]
    return write({**results, "cells": cells, "shard": f"{number}/3"}, wrong, folder / f"shard-{number}")


def test_shards_are_merged_into_one_report(capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path) -> None:
    shards = [shard(read(wrong), wrong, tmp_path, number) for number in (1, 2, 3)]

    code, out, err = run(capfd, f"{' '.join(map(str, shards))} -o {tmp_path}/merged")

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "32 cells: 12 failed, 8 error, 8 passed, 4 unsupported",
        *(str(tmp_path / "merged" / name) for name in ("index.html", "report.md", "junit.xml", "results.json")),
    ]
    assert len(read(tmp_path / "merged")["cells"]) == 32


def test_a_merged_report_is_the_report_of_the_whole_run(
    capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path
) -> None:
    shards = [shard(read(wrong), wrong, tmp_path, number) for number in (1, 2, 3)]
    run(capfd, f"{' '.join(map(str, shards))} -o {tmp_path}/merged")

    code, out, _ = run(capfd, f"{tmp_path}/merged --against {wrong}")
    page = (tmp_path / "merged" / "report" / "index.html").read_text()

    assert (code, out.splitlines()[0]) == (0, "32 cells: 12 failed, 8 error, 8 passed, 4 unsupported")
    assert "None newly failing, none newly passing" in page


def test_a_missing_shard_and_two_verdicts_are_named_everywhere(
    capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path
) -> None:
    results = read(wrong)
    first, second = (shard(results, wrong, tmp_path, number) for number in (1, 2))
    other = read(second)
    other["cells"].append({**read(first)["cells"][0], "verdict": "unsupported"})
    (second / "results.json").write_text(json.dumps(other))

    code, out, _ = run(capfd, f"{first} {second} -o {tmp_path}/merged")
    shown = [line.removeprefix("note: ") for line in out.splitlines() if line.startswith("note: ")]

    assert code == 0
    assert shown[0] == "Missing: shard 3 of 3. Their cells are not included"
    assert "has different verdicts" in shown[1]
    assert "Missing: shard 3 of 3" in (tmp_path / "merged" / "report.md").read_text()
    assert "Missing: shard 3 of 3" in (tmp_path / "merged" / "index.html").read_text()


def test_several_results_need_a_folder_for_their_report(
    capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path
) -> None:
    code, out, err = run(capfd, f"{wrong} {shard(read(wrong), wrong, tmp_path, 1)}")

    assert (code, out) == (2, "")
    assert "several RESULTS need a folder for the merged report; name one with -o DIR" in err


def test_the_evidence_of_each_shard_is_linked(capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path) -> None:
    shards = [shard(read(wrong), wrong, tmp_path, number) for number in (1, 2, 3)]
    run(capfd, f"{' '.join(map(str, shards))} -o {tmp_path}/merged")
    links = " ".join(json.dumps(one) for one in details((tmp_path / "merged" / "index.html").read_text()))

    assert all(f'"../shard-{number}/cells/' in links for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{0}/none", "none does not exist; name the folder"),
        ("{0}", "holds neither results.json nor results.jsonl"),
        ("{1} --against {0}", "holds neither results.json nor results.jsonl"),
        ("{1} {0} -o {0}/x", "holds neither results.json nor results.jsonl"),
        ("{1} -o /proc/here", "/proc/here cannot be written (No such file or directory); name another folder with -o"),
        ("", "Missing argument 'RESULTS...'"),
        ("{1} {0}", "holds neither results.json nor results.jsonl"),
        ("{1} {1} -o {0}/x", "the same RESULTS is named twice"),
    ],
)
def test_what_is_wrong_is_one_message_and_exit_code_2(
    capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path, arguments: str, message: str
) -> None:
    code, out, err = run(capfd, arguments.format(tmp_path, wrong))

    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_a_folder_with_a_line_end_in_its_name_is_one_line(
    capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "a\nb\x1b[31m"
    code, out, err = run(capfd, f"{wrong} -o '{folder}'")

    assert (code, err) == (0, "")
    assert out.splitlines()[1] == rf"{tmp_path}/a\x0ab\x1b[31m/index.html"
    assert (folder / "index.html").is_file()
