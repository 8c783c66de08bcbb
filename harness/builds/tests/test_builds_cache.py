"""The cache stores a build completely or not at all, and reports damage."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.builds.cache import Cache
from harness.builds.catalogue import Artefact, CatalogueEntry, Part, catalogue
from harness.builds.store import BuildStore
from harness.model.errors import BuildError, stretched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KNOWN = CatalogueEntry("3.0.1", "wheel", frozenset({Part.LIBRARY}))


def fill(folder: Path) -> None:
    (folder / "libssl.so.3").write_bytes(b"a library")


def measure(folder: Path) -> str:
    del folder
    return "3.0.1"


def quiet(_text: str) -> None:
    """Say nothing."""


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


def test_what_was_added_is_there(cache: Cache) -> None:
    cache.add(KNOWN, fill, measure, quiet)

    assert [record.version for record in cache.records()] == ["3.0.1"]


def test_what_is_there_is_not_fetched_again(cache: Cache) -> None:
    cache.add(KNOWN, fill, measure, quiet)
    record = cache.add(KNOWN, _must_not, measure, quiet)

    assert record.version == "3.0.1"


def _must_not(_folder: Path) -> None:
    raise AssertionError("it is in the cache")


def _broken(_folder: Path) -> None:
    raise BuildError("the hash differs")


def _interrupted(folder: Path) -> None:
    fill(folder)
    raise KeyboardInterrupt


@pytest.mark.parametrize(("breaks", "error"), [(_broken, BuildError), (_interrupted, KeyboardInterrupt)])
def test_nothing_half_made_is_left(cache: Cache, breaks: Callable[[Path], None], error: type[BaseException]) -> None:
    with pytest.raises(error):
        cache.add(KNOWN, breaks, measure, quiet)

    assert [path.name for path in cache.folder.iterdir() if path.is_dir()] == []


def test_a_failed_fetch_leaves_what_was_there(cache: Cache) -> None:
    cache.add(KNOWN, fill, measure, quiet)
    with pytest.raises(BuildError):
        cache.add(KNOWN, _broken, measure, quiet, again=True)

    assert cache.damage(KNOWN.key) == []


def test_what_a_killed_run_left_is_cleared(cache: Cache) -> None:
    part = cache.folder / f".{KNOWN.key}.part"
    part.mkdir()
    (part / "rest").write_text("half")
    cache.add(KNOWN, fill, measure, quiet)

    assert not part.exists()
    assert not (cache.path(KNOWN.key) / "rest").exists()


def _changed(folder: Path) -> None:
    (folder / "libssl.so.3").write_bytes(b"another")


def _truncated(folder: Path) -> None:
    (folder / "libssl.so.3").write_bytes(b"a lib")


def _gone(folder: Path) -> None:
    (folder / "libssl.so.3").unlink()


def _more(folder: Path) -> None:
    (folder / "libevil.so").write_bytes(b"a library")


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (_changed, "libssl.so.3 has changed"),
        (_truncated, "libssl.so.3 has changed"),
        (_gone, "libssl.so.3 is missing"),
        (_more, "libevil.so does not belong to it"),
    ],
)
def test_tampering_is_named(cache: Cache, tamper: Callable[[Path], None], said: str) -> None:
    cache.add(KNOWN, fill, measure, quiet)
    tamper(cache.path(KNOWN.key))

    assert cache.damage(KNOWN.key) == [f"{cache.folder}/{KNOWN.key}/{said}"]


def test_a_library_that_was_replaced_with_its_record_is_not_used(cache: Cache) -> None:
    """The catalogue pins the library itself, so that an edited build.json does not vouch for another one."""
    cache.add(KNOWN, fill, measure, quiet)
    store = BuildStore(cache)
    digest = hashlib.sha256(b"a library").hexdigest()
    store.known = (replace(KNOWN, libraries=(Artefact("libssl.so.3", digest),)),)
    assert store.verified("libssl", ["3.0.1"])["3.0.1"].libssl == cache.path(KNOWN.key) / "libssl.so.3"

    cache.add(KNOWN, _changed, measure, quiet, again=True)

    with pytest.raises(BuildError, match="was made of other files than the catalogue names"):
        store.verified("libssl", ["3.0.1"])


def test_each_pinned_build_pins_its_libraries() -> None:
    assert [known.key for known in catalogue() if known.artefacts and not known.libraries] == []


def _unreadable(folder: Path) -> None:
    (folder / "libssl.so.3").unlink()
    (folder / "libssl.so.3").symlink_to("libssl.so.3")


@pytest.mark.parametrize("tamper", [_changed, _truncated, _gone, _more, _unreadable])
def test_a_build_that_was_tampered_with_is_not_used(cache: Cache, tamper: Callable[[Path], None]) -> None:
    cache.add(KNOWN, fill, measure, quiet)
    tamper(cache.path(KNOWN.key))

    with pytest.raises(BuildError, match=r"wheel-3\.0\.1 is damaged and is not used: .*; `resumption builds verify`"):
        cache.verify(KNOWN.key)


@pytest.mark.parametrize("tamper", [_changed, _gone])
def test_a_build_that_was_tampered_with_is_fetched_again(cache: Cache, tamper: Callable[[Path], None]) -> None:
    cache.add(KNOWN, fill, measure, quiet)
    tamper(cache.path(KNOWN.key))
    said: list[str] = []
    cache.add(KNOWN, fill, measure, said.append)

    cache.verify(KNOWN.key)
    assert "it is in the cache and damaged" in said[0]


def test_what_python_compiled_later_never_runs(cache: Cache) -> None:
    def with_compiled(folder: Path) -> None:
        fill(folder)
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "kept.pyc").write_bytes(b"compiled when it was fetched")

    cache.add(KNOWN, with_compiled, measure, quiet)
    compiled = cache.path(KNOWN.key) / "__pycache__"
    (compiled / "later.pyc").write_bytes(b"compiled later, or planted")
    cache.verify(KNOWN.key)

    assert [path.name for path in compiled.iterdir()] == ["kept.pyc"]


def test_compiled_code_that_was_replaced_is_not_used(cache: Cache) -> None:
    def compiled(folder: Path) -> None:
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "kept.pyc").write_bytes(b"compiled when it was fetched")

    cache.add(KNOWN, compiled, measure, quiet)
    (cache.path(KNOWN.key) / "__pycache__" / "kept.pyc").write_bytes(b"planted")

    with pytest.raises(BuildError, match=r"kept\.pyc has changed"):
        cache.verify(KNOWN.key)


def test_a_header_takes_no_part_in_a_run(cache: Cache) -> None:
    def with_header(folder: Path) -> None:
        fill(folder)
        (folder / "ssl.h").write_text("")

    cache.add(KNOWN, with_header, measure, quiet)
    (cache.path(KNOWN.key) / "ssl.h").write_text("changed")
    cache.verify(KNOWN.key)

    assert cache.damage(KNOWN.key) == [f"{cache.path(KNOWN.key)}/ssl.h has changed"]


@pytest.mark.parametrize(
    "record",
    [
        "{",
        "",
        "[]",
        "null",
        '"text"',
        "7",
        "{}",
        '{"schema": 2}',
        '{"schema": 1}',
        "[" * 100_000,
        "\xff",
        '{"schema": 1, "key": "wheel-3.0.1"',
    ],
)
def test_a_record_that_cannot_be_read_is_named(cache: Cache, record: str) -> None:
    cache.add(KNOWN, fill, measure, quiet)
    (cache.path(KNOWN.key) / "build.json").write_bytes(record.encode("latin-1"))

    assert cache.records() == []
    assert list(cache.unreadable()) == [KNOWN.key]
    with pytest.raises(BuildError):
        cache.verify(KNOWN.key)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "wheel-3.0.2"),
        ("key", "../elsewhere"),
        ("version", 3),
        ("version", "no version"),
        ("provider", None),
        ("has", ["no part"]),
        ("has", 5),
        ("artefacts", [{"file": "x"}]),
        ("files", []),
        ("files", {"libssl.so.3": 5}),
        ("bytes", "many"),
        ("seconds", []),
        ("source", {}),
        ("more", 1),
    ],
)
def test_a_record_with_a_wrong_field_is_named(cache: Cache, field: str, value: object) -> None:
    cache.add(KNOWN, fill, measure, quiet)
    path = cache.path(KNOWN.key) / "build.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))

    assert cache.records() == []
    assert list(cache.unreadable()) == [KNOWN.key]


def _folder_for_record(folder: Path) -> None:
    (folder / "build.json").unlink()
    (folder / "build.json").mkdir()


def _loop_for_record(folder: Path) -> None:
    (folder / "build.json").unlink()
    (folder / "build.json").symlink_to("build.json")


def _file_for_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("no folder")


def _loop_for_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.name)


def _no_record(folder: Path) -> None:
    (folder / "build.json").unlink()


@pytest.mark.parametrize(
    "tamper", [_folder_for_record, _loop_for_record, _file_for_folder, _loop_for_folder, _no_record]
)
def test_whatever_is_in_the_place_of_a_build_is_named_and_replaced(
    cache: Cache, tamper: Callable[[Path], None]
) -> None:
    cache.add(KNOWN, fill, measure, quiet)
    tamper(cache.path(KNOWN.key))

    assert cache.records() == []
    assert list(cache.unreadable()) == [KNOWN.key]

    cache.add(KNOWN, fill, measure, quiet)
    cache.verify(KNOWN.key)
    assert cache.unreadable() == {}


def test_two_runs_fetch_a_build_once(cache: Cache) -> None:
    began, others = threading.Event(), threading.Event()
    filled, said = [], []

    def slowly(folder: Path) -> None:
        began.set()
        assert others.wait(stretched(10))
        filled.append(folder)
        fill(folder)

    def waits(text: str) -> None:
        said.append(text)
        others.set()

    first = threading.Thread(target=cache.add, args=(KNOWN, slowly, measure, quiet))
    first.start()
    assert began.wait(stretched(10))
    Cache(cache.folder).add(KNOWN, _must_not, measure, waits)
    first.join(stretched(10))

    assert len(filled) == 1
    assert said == [f"waiting for another process to install {KNOWN.key}"]


def test_a_cache_that_cannot_be_made_says_how_to_name_another(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BuildError, match="RESUMPTION_CACHE"):
        Cache(tmp_path / "file" / "cache").add(KNOWN, fill, measure, quiet)
