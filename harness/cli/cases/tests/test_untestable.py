"""Tests of the exit code for an OpenSSL that cannot be tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.builds.system import build_for
from harness.cli import main
from harness.model.build import Build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CASE = ["connect", "--client", "openssl@3.9.9", "--server", "openssl@3.9.9", "--tls", "1.3", "--openssl"]
SAYS_ITS_VERSION = '#!/bin/sh\n[ "$1" = version ] && echo "OpenSSL 3.9.9 1 Jan 2026" && exit\n'


@pytest.fixture
def prefix(tmp_path: Path) -> Callable[[str, int], str]:
    """A prefix whose `openssl` holds what a test says."""

    def make(content: str, mode: int = 0o755) -> str:
        program = tmp_path / "bin" / "openssl"
        program.parent.mkdir()
        program.write_text(content)
        program.chmod(mode)
        return str(tmp_path)

    return make


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        ("#!/bin/sh\nexit 1\n", 0o755, "bin/openssl version` does not work"),
        ("#!/bin/sh\nexit 1\n", 0o644, "did not start: Permission denied"),
        ("no program", 0o755, "did not start: Exec format error"),
        ("#!/bin/sh\nkill -SEGV $$\n", 0o755, "failed (exit code -11)"),
        ("#!/bin/sh\necho LibreSSL 4.2.0\n", 0o755, "is not an OpenSSL: it calls itself 'LibreSSL 4.2.0'"),
        (f"{SAYS_ITS_VERSION}kill -SEGV $$\n", 0o755, "was killed by SIGSEGV before it was ready"),
        (f"{SAYS_ITS_VERSION}exit 0\n", 0o755, "ended with exit code 0 before it was ready"),
    ],
)
def test_git_bisect_skips_a_broken_openssl(
    prefix: Callable[[str, int], str], capfd: pytest.CaptureFixture[str], content: str, mode: int, message: str
) -> None:
    code = main([*CASE, prefix(content, mode), "--expect", "resumed"])

    assert code == 125
    assert message in capfd.readouterr().err


def test_git_bisect_skips_an_openssl_that_was_not_built(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = main([*CASE, str(tmp_path / "none"), "--expect", "resumed"])

    assert code == 125
    assert "is not an OpenSSL" in capfd.readouterr().err


def test_a_folder_without_an_openssl_is_bad_usage(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = main([*CASE, str(tmp_path / "none")])

    assert code == 2
    assert "none is not an OpenSSL: there is neither bin/openssl nor" in capfd.readouterr().err


def test_git_bisect_skips_a_libssl_that_does_not_load(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lib").mkdir()
    for name in ("libssl.so.3", "libcrypto.so.3"):
        (tmp_path / "lib" / name).write_text("no library")

    code = main([*CASE, str(tmp_path), "--expect", "resumed"])

    assert code == 125
    assert "do not load together" in capfd.readouterr().err


def test_git_bisect_skips_where_no_build_serves_the_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    case = ["connect", "--client", "openssl", "--server", "openssl", "--tls", "1.3"]

    assert main([*case, "--expect", "resumed"]) == 125
    assert main(case) == 2
    assert "openssl is missing: no `openssl` on PATH" in capfd.readouterr().err


def test_a_client_that_breaks_after_the_first_connection_is_a_failure(
    prefix: Callable[[str, int], str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    system = build_for("openssl")
    if not isinstance(system, Build) or system.openssl is None:
        pytest.skip("no `openssl` on PATH")
    again = f"[ -e {tmp_path}/again ] && kill -SEGV $$; touch {tmp_path}/again"
    script = f'{SAYS_ITS_VERSION}if [ "$1" = s_client ]; then {again}; fi\nexec {system.openssl[0]} "$@"\n'

    code = main([*CASE, prefix(script, 0o755), "--expect", "resumed"])

    assert code == 1
    assert "3.9.9" in capfd.readouterr().err


def test_without_an_expectation_it_is_a_failure(
    prefix: Callable[[str, int], str], capfd: pytest.CaptureFixture[str]
) -> None:
    code = main([*CASE, prefix("#!/bin/sh\nexit 1\n", 0o755)])

    assert code == 1
    assert "does not work" in capfd.readouterr().err
