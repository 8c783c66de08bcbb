"""Tests of the exit code for an OpenSSL that cannot be tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.cli import main

if TYPE_CHECKING:
    from pathlib import Path

CASE = ["connect", "--client", "openssl", "--server", "openssl", "--tls", "1.3", "--openssl"]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A prefix whose `openssl` ends at once with an error."""
    program = tmp_path / "bin" / "openssl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    return tmp_path


def test_git_bisect_skips_a_broken_openssl(broken: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = main([*CASE, str(broken), "--expect", "resumed"])

    assert code == 125
    assert "bin/openssl version` does not work" in capfd.readouterr().err


def test_git_bisect_skips_an_openssl_that_was_not_built(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = main([*CASE, str(tmp_path / "none"), "--expect", "resumed"])

    assert code == 125
    assert "is no OpenSSL" in capfd.readouterr().err


def test_without_an_expectation_it_is_a_failure(broken: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = main([*CASE, str(broken)])

    assert code == 1
    assert "does not work" in capfd.readouterr().err
