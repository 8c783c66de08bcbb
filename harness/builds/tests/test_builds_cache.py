"""The cache stores a build completely or not at all, and reports damage."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from harness.builds.cache import Cache
from harness.builds.catalogue import CatalogueEntry, Part
from harness.model.errors import BuildError

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


def test_a_record_that_cannot_be_read_is_named(cache: Cache) -> None:
    cache.add(KNOWN, fill, measure, quiet)
    (cache.path(KNOWN.key) / "build.json").write_text("{")

    assert cache.records() == []
    assert "cannot be read" in cache.damage(KNOWN.key)[0]


def test_two_runs_fetch_a_build_once(cache: Cache) -> None:
    began, others = threading.Event(), threading.Event()
    filled, said = [], []

    def slowly(folder: Path) -> None:
        began.set()
        assert others.wait(10)
        filled.append(folder)
        fill(folder)

    def waits(text: str) -> None:
        said.append(text)
        others.set()

    first = threading.Thread(target=cache.add, args=(KNOWN, slowly, measure, quiet))
    first.start()
    assert began.wait(10)
    Cache(cache.folder).add(KNOWN, _must_not, measure, waits)
    first.join(10)

    assert len(filled) == 1
    assert said == [f"waiting for another process to install {KNOWN.key}"]


def test_a_cache_that_cannot_be_made_says_how_to_name_another(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BuildError, match="RESUMPTION_CACHE"):
        Cache(tmp_path / "file" / "cache").add(KNOWN, fill, measure, quiet)
