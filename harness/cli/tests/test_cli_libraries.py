"""The table of which library resumes with which."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.cli import main

if TYPE_CHECKING:
    import pytest


def test_the_table_has_a_row_for_each_mechanism(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["libraries", "table", "--client", "libssl", "--server", "libssl"]) == 0

    text = capsys.readouterr().out
    assert text.count("| resumes") == 3
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "### TLS 1.2 by session id",
        "### TLS 1.2 by ticket (RFC 5077)",
        "### TLS 1.3 by PSK",
    ]


def test_the_table_as_json_names_each_pair(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["libraries", "table", "--json", "--client", "libssl", "--server", "libssl"]) == 0

    pairs = json.loads(capsys.readouterr().out)["pairs"]
    assert {pair["mechanism"]: pair["result"] for pair in pairs} == {
        "session_id": "resumes",
        "session_ticket": "resumes",
        "psk": "resumes",
    }


def test_a_library_that_is_not_known_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["libraries", "fetch", "nonesuch"]) == 2
    assert "no library 'nonesuch'; there are: " in capsys.readouterr().err
