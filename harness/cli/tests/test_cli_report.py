"""`resumption report` writes its three files from real results, and says what is wrong with others."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from harness.cli import main
from harness.report.json.shapes import ConnectionObject, fields
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
            del connection[key]
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{0}/none", "none does not exist; name the folder"),
        ("{0}", "holds neither results.json nor results.jsonl"),
        ("{1} --against {0}", "holds neither results.json nor results.jsonl"),
        ("{1} -o /proc/here", "nothing can be written to /proc/here (No such file or directory); name another folder"),
        ("", "Missing argument 'RESULTS'"),
        ("{1} {1}", "Got unexpected extra argument"),
    ],
)
def test_what_is_wrong_is_one_message_and_exit_code_2(
    capfd: pytest.CaptureFixture[str], wrong: Path, tmp_path: Path, arguments: str, message: str
) -> None:
    code, out, err = run(capfd, arguments.format(tmp_path, wrong))

    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
