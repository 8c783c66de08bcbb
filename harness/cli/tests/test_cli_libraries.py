"""The table of which library resumes with which."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from harness.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def test_the_table_has_a_row_for_each_mechanism(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "page"
    assert main(["libraries", "table", "--client", "libssl", "--server", "libssl", "--write", str(folder)]) == 0

    text = capsys.readouterr().out
    assert text.count("| resumes") == 3
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "### TLS 1.2 by session id",
        "### TLS 1.2 by ticket (RFC 5077)",
        "### TLS 1.3 by PSK",
    ]
    assert (folder / "libraries.md").read_text() == text
    page = (folder / "libraries.html").read_text()
    assert page.count("<td>resumes</td>") == 3
    assert page.count("<h2>") == 3


def test_the_table_as_json_names_each_pair(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["libraries", "table", "--json", "--client", "libssl", "--server", "libssl"]) == 0

    pairs = json.loads(capsys.readouterr().out)["pairs"]
    assert {pair["mechanism"]: pair["result"] for pair in pairs} == {
        "session_id": "resumes",
        "session_ticket": "resumes",
        "psk": "resumes",
    }


def test_scenarios_without_another_library_are_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    ends = ["--client", "libssl", "--server", "libssl"]
    assert main(["libraries", "table", *ends, "--scenarios", "psk_modes.py"]) == 2
    assert "--scenarios counts the cells of libraries that are not OpenSSL" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--against", "libssl"], "--against is about --scenarios"),
        (["--scenarios", "all", "--scenarios", "psk_modes.py"], "--scenarios all is every file"),
    ],
)
def test_options_that_do_not_go_together_are_a_usage_error(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["libraries", "table", *arguments]) == 2
    assert error in capsys.readouterr().err


def test_a_library_that_is_not_known_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["libraries", "fetch", "nonesuch"]) == 2
    assert "no library 'nonesuch'; there are: " in capsys.readouterr().err


def test_an_agent_that_does_not_run_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\necho no such module >&2\nexit 3\n")
    (tmp_path / "node").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("RESUMPTION_CACHE", str(tmp_path / "cache"))

    assert main(["libraries", "fetch", "node"]) == 1

    error = capsys.readouterr().err
    assert "error: node: its agent does not run: " in error
    assert "exit code 3" in error
    assert not list((tmp_path / "cache").rglob("node-*"))


def test_an_agent_that_runs_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "node").write_text(f"#!/bin/sh\nexec {sys.executable} -P -m harness.agent ssl\n")
    (tmp_path / "node").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("RESUMPTION_CACHE", str(tmp_path / "cache"))

    assert main(["libraries", "fetch", "node"]) == 0
    assert capsys.readouterr().out == "node: Node.js tls is ready\n"
    assert main(["libraries", "remove", "node"]) == 0
    assert not list((tmp_path / "cache").rglob("node-*"))
