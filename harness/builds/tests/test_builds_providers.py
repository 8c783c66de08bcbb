"""Providers refuse what is broken, foreign or tampered with, and say what to do; all of it without network."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from harness.builds.cache import Cache
from harness.builds.catalogue import Artefact, CatalogueEntry, Part, catalogue
from harness.builds.inspection import library_version, program_version
from harness.builds.providers import apt, pip
from harness.builds.providers.prefix import measured_prefix
from harness.builds.providers.source import Recipe, Source
from harness.builds.store import BuildStore
from harness.builds.system import Missing, build_for
from harness.builds.versions import build_version
from harness.model.build import Build
from harness.model.errors import BuildError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

WHEEL = "openssl_of_nobody-1.0-py3-none-any.whl"
NO_WHEELS = pip.unserved()
NO_APT = apt.unserved()


def quiet(_text: str) -> None:
    """Say nothing."""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is pip's whole index, with one wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("openssl_of_nobody/libssl.so.3", b"no library")
        wheel.writestr("openssl_of_nobody/libcrypto.so.3", b"no library")
        information = "openssl_of_nobody-1.0.dist-info"
        wheel.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: openssl-of-nobody\nVersion: 1.0\n")
        wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{information}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def known(sha256: str) -> CatalogueEntry:
    return CatalogueEntry("3.0.1", "wheel", frozenset({Part.LIBRARY}), (Artefact(WHEEL, sha256),))


@pytest.mark.skipif(NO_WHEELS is not None, reason=str(NO_WHEELS))
def test_a_wheel_with_another_hash_is_not_used(index: Path, tmp_path: Path) -> None:
    assert (index / WHEEL).is_file()
    with pytest.raises(BuildError, match="is not the file in the catalogue"):
        BuildStore(Cache(tmp_path / "cache")).fetch(known("0" * 64), quiet)

    assert Cache(tmp_path / "cache").names() == []


@pytest.mark.skipif(NO_WHEELS is not None, reason=str(NO_WHEELS))
def test_a_wheel_that_cannot_be_had_says_what_it_needs(index: Path, tmp_path: Path) -> None:
    (index / WHEEL).unlink()
    with pytest.raises(BuildError, match="needs pip's package index"):
        BuildStore(Cache(tmp_path / "cache")).fetch(known("0" * 64), quiet)

    assert Cache(tmp_path / "cache").names() == []


@pytest.mark.skipif(NO_WHEELS is not None, reason=str(NO_WHEELS))
def test_a_wheel_whose_library_does_not_load_is_not_kept(index: Path, tmp_path: Path) -> None:
    right = hashlib.sha256((index / WHEEL).read_bytes()).hexdigest()
    with pytest.raises(BuildError, match="do not load together"):
        BuildStore(Cache(tmp_path / "cache")).fetch(known(right), quiet)

    assert Cache(tmp_path / "cache").names() == []


@pytest.mark.skipif(NO_APT is not None, reason=str(NO_APT))
def test_a_mirror_that_does_not_answer_is_named(tmp_path: Path) -> None:
    store = BuildStore(Cache(tmp_path / "cache"), mirror=f"file://{tmp_path}/nothing")
    [bullseye] = store.chosen(["1.1.1w"], "debian")
    with pytest.raises(BuildError, match=r"nothing \(bullseye\).*does not answer"):
        store.fetch(bullseye, quiet)

    assert store.cache.records() == []


@pytest.mark.skipif(NO_APT is not None, reason=str(NO_APT))
def test_a_mirror_without_a_signature_is_not_used(tmp_path: Path) -> None:
    suite = tmp_path / "mirror" / "dists" / "bullseye"
    (suite / "main").mkdir(parents=True)
    (suite / "Release").write_text("Origin: Debian\nSuite: bullseye\nCodename: bullseye\nComponents: main\n")
    store = BuildStore(Cache(tmp_path / "cache"), mirror=f"file://{tmp_path}/mirror")
    [bullseye] = store.chosen(["1.1.1w"], "debian")

    with pytest.raises(BuildError, match="signature cannot be checked"):
        store.fetch(bullseye, quiet)


def test_a_prefix_that_is_no_openssl_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="there is neither bin/openssl"):
        measured_prefix(tmp_path)


def test_a_prefix_whose_openssl_does_not_start_shows_what_it_said(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "openssl").write_text("#!/bin/sh\necho no library >&2\nexit 127\n")
    (tmp_path / "bin" / "openssl").chmod(0o755)

    with pytest.raises(BuildError, match=r"(?s)does not work.*exit code 127.*no library"):
        measured_prefix(tmp_path)


def test_a_program_that_is_no_openssl_is_named_by_what_it_calls_itself(tmp_path: Path) -> None:
    program = tmp_path / "openssl"
    program.write_text("#!/bin/sh\necho LibreSSL 3.8.2\n")
    program.chmod(0o755)

    with pytest.raises(BuildError, match=r"calls itself 'LibreSSL 3\.8\.2'"):
        program_version(Build("", "a test", openssl=(str(program),)))


def system() -> Build:
    build = build_for("libssl")
    if isinstance(build, Missing) or build.libssl is None or build.libcrypto is None:
        pytest.skip("this machine has no libssl")
    return build


def test_a_prefix_is_what_its_parts_report(tmp_path: Path) -> None:
    build = system()
    (tmp_path / "lib").mkdir()
    for library in (build.libssl, build.libcrypto):
        assert library is not None
        shutil.copy(library, tmp_path / "lib")

    assert measured_prefix(tmp_path)["libssl"].version == build.version


def test_a_libcrypto_that_libssl_does_not_take_does_not_match() -> None:
    build = system()
    alien = Build("", "a test", libssl=build.libssl, libcrypto=build.libssl, python=(sys.executable,))

    with pytest.raises(BuildError, match="do not match: libssl loads"):
        library_version(alien)


@pytest.mark.parametrize(
    ("sha256", "error", "said"),
    [
        (None, UsageError, "cannot be verified"),
        ("0" * 64, BuildError, "and must be 0000"),
    ],
)
def test_a_tarball_is_used_only_if_something_vouches_for_it(
    sha256: str | None, error: type[Exception], said: str, tmp_path: Path
) -> None:
    tarball = tmp_path / "openssl.tar.gz"
    tarball.write_bytes(b"no tarball")
    source = Source(Recipe(tarball, sha256=sha256))

    with pytest.raises(error, match=said):
        BuildStore(Cache(tmp_path / "cache")).make(
            CatalogueEntry("x", "source", frozenset({Part.PROGRAM})), source, quiet, ""
        )


def test_an_unknown_version_has_its_nearest_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no build '3\.5\.77' is known; the nearest are .*3\.5\.9"):
        BuildStore(Cache(tmp_path)).chosen(["3.5.77"])


def test_every_version_of_the_catalogue_is_one() -> None:
    assert all(build_version(known.version) for known in catalogue())


def test_every_build_of_the_catalogue_has_what_vouches_for_it() -> None:
    unvouched = [k.key for k in catalogue() if not k.signed and not all(len(a.sha256) == 64 for a in k.artefacts)]

    assert unvouched == []


def test_no_two_builds_of_the_catalogue_have_one_folder() -> None:
    keys = [known.key for known in catalogue()]

    assert len(set(keys)) == len(keys)


def test_a_series_means_the_newest_build_for_each_stack(tmp_path: Path) -> None:
    chosen = BuildStore(Cache(tmp_path)).chosen(["3.5"])

    assert [known.provider for known in chosen] == ["debian", "cryptography"]
