"""What the machine has is found, named by its own version, and missed with a reason."""

from __future__ import annotations

import ctypes.util
import ssl
from typing import TYPE_CHECKING

import pytest

from harness.builds.system import Missing, build_for, parse_libraries, parse_version, system_builds
from harness.model.build import Build
from harness.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_every_stack_has_a_build_or_a_reason() -> None:
    assert list(system_builds()) == ["openssl", "libssl", "pyopenssl", "ssl"]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("OpenSSL 3.0.19 27 Jan 2026 (Library: OpenSSL 3.0.19 27 Jan 2026)\n", "3.0.19"),
        ("OpenSSL 1.1.1w  11 Sep 2023\n", "1.1.1w"),
        ("OpenSSL 4.0.0-dev\n", "4.0.0-dev"),
        ("LibreSSL 3.8.2\n", None),
        ("BoringSSL", None),
        ("", None),
    ],
)
def test_version_is_the_number_that_openssl_prints(text: str, version: str | None) -> None:
    assert parse_version(text) == version


def test_library_paths_are_those_that_the_loader_lists() -> None:
    listed = (
        "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibssl.so.3 => /lib/x86_64-linux-gnu/libssl.so.3 (0x00007f)\n"
        "\tlibcrypto.so.3 => /opt/lib/libcrypto.so.3 (0x00007f)\n"
    )

    assert tuple(map(str, parse_libraries(listed))) == ("/lib/x86_64-linux-gnu/libssl.so.3", "/opt/lib/libcrypto.so.3")


def test_a_static_program_has_no_library_paths() -> None:
    assert parse_libraries("\tstatically linked\n") == (None, None)


def test_python_ssl_is_named_by_its_own_version() -> None:
    build = build_for("ssl")

    assert isinstance(build, Build)
    assert f"OpenSSL {build.version} " in ssl.OPENSSL_VERSION


def test_the_program_on_path_comes_with_its_libraries() -> None:
    build = build_for("openssl")

    assert isinstance(build, Build)
    assert build.openssl is not None
    assert build.libssl is not None
    assert build.libssl.is_file()


def test_libssl_is_a_file_with_a_version() -> None:
    build = build_for("libssl")

    assert isinstance(build, Build)
    assert build.libssl is not None
    assert build.libssl.is_file()
    assert build.libcrypto is not None


def test_no_openssl_on_path_says_what_was_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = build_for("openssl")

    assert isinstance(missing, Missing)
    assert "no `openssl` on PATH" in missing.reason


def test_a_program_that_is_no_openssl_is_missed_with_what_it_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "openssl").write_text("#!/bin/sh\necho LibreSSL 3.8.2\n")
    (tmp_path / "openssl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = build_for("openssl")

    assert isinstance(missing, Missing)
    assert "'LibreSSL 3.8.2'" in missing.reason


def test_a_libssl_that_does_not_load_is_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "libssl.so").write_text("no library")
    monkeypatch.setattr(ctypes.util, "find_library", lambda _name: str(tmp_path / "libssl.so"))
    missing = build_for("libssl")

    assert isinstance(missing, Missing)
    assert "is not an OpenSSL that loads" in missing.reason


def test_no_libssl_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(ctypes.util, "find_library", lambda _name: None)
    missing = build_for("libssl")

    assert isinstance(missing, Missing)
    assert "apt install libssl3" in missing.reason


def test_an_unknown_stack_lists_those_that_exist() -> None:
    with pytest.raises(UsageError, match="openssl, libssl, pyopenssl, ssl"):
        build_for("gnutls")
