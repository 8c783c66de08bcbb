"""`resumption builds` lists what is known and what is here, and says what is wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness.builds.cache import Cache
from harness.builds.catalogue import CatalogueEntry, Part, catalogue
from harness.builds.system import build_for
from harness.cli import main
from harness.model.build import Build

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = CatalogueEntry("3.0.8", "wheel", frozenset({Part.LIBRARY}))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """A cache with one build in it, whose library is broken."""
    monkeypatch.setenv("RESUMPTION_CACHE", str(tmp_path))
    cache = Cache()

    def fill(folder: Path) -> None:
        (folder / "libssl.so.3").write_text("no library")

    cache.add(KNOWN, fill, lambda _folder: "3.0.8", lambda _text: None)
    return cache


def test_everything_that_is_known_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["builds", "--json"])
    shown = json.loads(capsys.readouterr().out)

    assert {(k.version, k.provider) for k in catalogue()} <= {(b["version"], b["provider"]) for b in shown["builds"]}


def test_what_is_here_has_its_folder(capsys: pytest.CaptureFixture[str], cache: Cache) -> None:
    main(["builds", "--json"])
    shown = json.loads(capsys.readouterr().out)

    assert [b["folder"] for b in shown["builds"] if (b["version"], b["provider"]) == ("3.0.8", "wheel")] == [
        str(cache.path(KNOWN.key))
    ]


def test_the_table_has_a_row_for_a_build(capsys: pytest.CaptureFixture[str]) -> None:
    main(["builds"])

    assert "1.0.2q       wheel" in capsys.readouterr().out


def test_an_unknown_version_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["builds", "fetch", "3.5.77"])

    assert code == 2
    assert "the nearest are" in capsys.readouterr().err


def test_the_path_of_what_is_not_here_names_what_is(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["builds", "path", "1.1.1w"])

    assert code == 2
    assert "the nearest are: 3.0.8" in capsys.readouterr().err


def test_damage_is_a_failure_and_named(capsys: pytest.CaptureFixture[str], cache: Cache) -> None:
    (cache.path(KNOWN.key) / "libssl.so.3").write_text("another")
    code = main(["builds", "verify"])

    assert code == 1
    assert "libssl.so.3 has changed" in capsys.readouterr().out


def own_as_cached(cache: Cache) -> str:
    """The machine's libssl in the cache as version 9.9.9, which no catalogue knows."""
    build = build_for("libssl")
    if not isinstance(build, Build) or build.libssl is None or build.libcrypto is None:
        pytest.skip("this machine has no libssl")
    libraries = (build.libssl, build.libcrypto)

    def fill(folder: Path) -> None:
        for library in libraries:
            shutil.copy(library, folder)

    known = CatalogueEntry("9.9.9", "wheel", frozenset({Part.LIBRARY}))
    cache.add(known, fill, lambda _folder: "9.9.9", lambda _text: None)
    return known.key


CASE = ["connect", "--client", "libssl@9.9.9", "--server", "libssl@9.9.9", "--tls", "1.3", "-q"]


def test_a_cached_build_is_used_as_it_was_fetched(capfd: pytest.CaptureFixture[str], cache: Cache) -> None:
    own_as_cached(cache)

    assert main(CASE) == 0
    assert "resumed" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (CASE, 1),
        ([*CASE, "--expect", "resumed"], 125),
        (["diff", "9.9.9", "9.9.9"], 1),
        (["bisect", "--here", "--good", "9.9.9", "--bad", "3.0.8", *CASE[1:2], "libssl", "--server", "libssl"], 125),
    ],
)
def test_a_library_that_was_replaced_never_runs(
    capfd: pytest.CaptureFixture[str], cache: Cache, command: list[str], expected: int
) -> None:
    key = own_as_cached(cache)
    library = next(cache.path(key).glob("libssl*"))
    library.write_bytes(library.read_bytes() + b"more")

    code = main([*command, *(["--tls", "1.3"] if command[0] == "bisect" else [])])

    assert code == expected
    assert f"{library} has changed" in capfd.readouterr().err


def test_a_run_does_not_begin_with_a_library_that_was_replaced(cache: Cache) -> None:
    key = own_as_cached(cache)
    library = next(cache.path(key).glob("libssl*"))
    library.write_bytes(library.read_bytes() + b"more")
    command = [sys.executable, "-m", "harness.cli", "run", "--client=libssl@*", "--server=libssl@*", "-k", "tls13"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 2
    assert f"{library} has changed" in done.stderr


def test_one_damaged_build_does_not_hide_the_others(capsys: pytest.CaptureFixture[str], cache: Cache) -> None:
    key = own_as_cached(cache)
    (cache.path(KNOWN.key) / "build.json").write_text("{")

    assert main(["builds"]) == 0
    out = capsys.readouterr().out
    assert "9.9.9" in out
    assert "wheel-3.0.8 is damaged: " in out

    assert main(["builds", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert str(cache.path(key)) in [build["folder"] for build in shown["builds"]]
    assert list(shown["damaged"]) == [KNOWN.key]


def test_a_build_without_its_library_is_said_to_be_damaged(capsys: pytest.CaptureFixture[str], cache: Cache) -> None:
    library = cache.path(KNOWN.key) / "libssl.so.3"
    library.unlink()

    assert main(["builds"]) == 0
    assert f"wheel-3.0.8 is damaged: {library} is missing" in capsys.readouterr().out
    assert main(["connect", "--client", "libssl@3.0.8", "--server", "libssl@3.0.8", "--tls", "1.3"]) == 2
    assert f"wheel-3.0.8 is damaged: {library} is missing" in capsys.readouterr().err


def test_what_is_removed_is_gone(cache: Cache) -> None:
    code = main(["builds", "remove", "3.0"])

    assert code == 0
    assert cache.names() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--json verify", "--json only lists builds; remove it, or remove verify"),
        ("path 3.0 --command", "wheel-3.0.8 has no `openssl` program, only its library"),
        (
            "fetch 3.0.8 --provider wheel --mirror http://x",
            "--mirror is for Debian packages only, not for wheel-3.0.8",
        ),
        ("make . --sha256 00", "--sha256 is for tarballs, but . is a folder; remove it"),
        ("make x.tar.gz --keyring keys", "--keyring needs --signature FILE"),
    ],
)
def test_an_option_without_effect_is_bad_usage(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["builds", *arguments.split()])

    assert code == 2
    assert message in capsys.readouterr().err


def test_an_empty_cache_is_said_to_be_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RESUMPTION_CACHE", str(tmp_path / "empty"))

    assert main(["builds", "verify"]) == 0
    assert capsys.readouterr().out == f"no build is in the cache, {tmp_path / 'empty'}\n"


[TRIXIE] = [known for known in catalogue() if known.key == "debian-trixie"]


def suite_at(cache: Cache, version: str) -> None:
    """Debian's trixie in the cache, as if it had this version when it was fetched."""
    cache.add(TRIXIE, lambda folder: (folder / "file").touch(), lambda _folder: version, lambda _text: None)


def test_a_suite_that_has_another_version_now_is_an_error(capsys: pytest.CaptureFixture[str], cache: Cache) -> None:
    suite_at(cache, "3.5.99")
    code = main(["builds", "fetch", TRIXIE.version, "--provider", "debian"])

    assert code == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(
        f"error: openssl of trixie is OpenSSL 3.5.99 now, not {TRIXIE.version}; it is in the cache as 3.5.99. "
        f"For {TRIXIE.version}: `resumption builds fetch --provider wheel {TRIXIE.version}`, or `resumption builds make"
    )


@pytest.mark.parametrize(
    ("version", "wanted"),
    [("3.5.99", "3.5"), ("3.5.99", "3.5.*"), (TRIXIE.version, TRIXIE.version), (TRIXIE.version, "3.5")],
)
def test_a_suite_with_a_version_that_was_asked_for_is_none(
    capsys: pytest.CaptureFixture[str], cache: Cache, version: str, wanted: str
) -> None:
    suite_at(cache, version)
    code = main(["builds", "fetch", wanted, "--provider", "debian"])

    assert code == 0
    assert "error" not in capsys.readouterr().err


def test_fetching_says_which_build_of_how_many(capsys: pytest.CaptureFixture[str], cache: Cache) -> None:
    code = main(["builds", "fetch", "3.0.8", "--provider", "wheel"])

    assert code == 0
    assert cache.names() == [KNOWN.key]
    assert capsys.readouterr().err.startswith("1 of 1: wheel-3.0.8: looking for it in the cache\n")


def test_an_unknown_provider_lists_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["builds", "fetch", "3.5", "--provider", "rpm"])

    assert code == 2
    assert "debian, wheel, cryptography" in capsys.readouterr().err


def test_a_folder_without_openssl_s_source_is_bad_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = main(["builds", "make", str(tmp_path)])

    assert code == 2
    assert f"{tmp_path} is not OpenSSL's source: it has no `config`; name a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["make", "--sha256=nonsense", "x.tar.gz"], "--sha256 cannot be 'nonsense': give the 64 hexadecimal digits"),
        (["make", "--sha256=", "x.tar.gz"], "--sha256 cannot be '': give the 64 hexadecimal digits"),
        (["make", f"--label={'a' * 21}", "x.tar.gz"], "use at most 20 lowercase letters and digits, such as fips"),
        (["make", f"--jobs={10**24}", "x.tar.gz"], "is not in the range 1<=x<=1000"),
        (["fetch", "--mirror=", "3.0.8"], "--mirror is empty; give the URI of a Debian archive, or leave it out"),
        (
            ["remove", "--provider=none", "3.0.8"],
            "no provider 'none'; the providers are: debian, source, wheel",
        ),
        (["path", "--provider=", "3.0.8"], "no provider ''; the providers are: debian, source, wheel, cryptography"),
    ],
)
def test_a_value_that_cannot_be_is_bad_usage(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], cache: Cache
) -> None:
    code = main(["builds", *arguments])

    assert code == 2
    assert says in capsys.readouterr().err
    assert cache.path(KNOWN.key).is_dir()


def unprivileged(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command without the privilege of root to read and write everything."""
    drop = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    argv = [*drop, sys.executable, "-m", "harness.cli", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["fetch", "--again", "3.0.8"], ["remove", "3.0.8"]], ids=" ".join)
def test_a_cache_that_cannot_be_written_is_named(arguments: list[str], cache: Cache) -> None:
    cache.folder.chmod(0o555)
    done = unprivileged("builds", *arguments)
    cache.folder.chmod(0o755)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"error: the cache {cache.folder} cannot be written: Permission denied; set RESUMPTION_CACHE to another folder"
    )
    assert cache.get(KNOWN.key)


def test_a_library_that_cannot_be_fetched_to_the_cache_names_it(cache: Cache) -> None:
    cache.folder.chmod(0o555)
    done = unprivileged("libraries", "fetch", "tlslite")
    cache.folder.chmod(0o755)

    assert done.returncode == 1
    assert re.search(r"^error: the cache \S+ cannot be written: Permission denied; set RESUMPTION_CACHE", done.stderr)


def test_a_file_that_cannot_be_read_has_not_changed(cache: Cache) -> None:
    library = cache.path(KNOWN.key) / "libssl.so.3"
    library.chmod(0)
    done = unprivileged("builds", "verify")

    assert done.returncode == 1
    assert done.stdout == f"{KNOWN.key}: {library} cannot be read: Permission denied\n"


def test_a_record_that_cannot_be_read_is_named_once(cache: Cache) -> None:
    record = cache.path(KNOWN.key) / "build.json"
    record.chmod(0)
    done = unprivileged("builds", "verify")

    assert done.returncode == 1
    assert f"{record} cannot be read (Permission denied); remove the folder and fetch it again" in done.stdout


def test_a_cache_that_is_a_file_is_named(
    cache: Cache, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = cache.folder / "file"
    file.touch()
    monkeypatch.setenv("RESUMPTION_CACHE", str(file))
    code = main(["builds", "fetch", "3.0.8"])

    assert code == 1
    assert f"error: the cache {file} cannot be written: File exists; set RESUMPTION_CACHE" in capsys.readouterr().err
