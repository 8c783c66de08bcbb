"""A version pattern selects the intended builds, newest first."""

from __future__ import annotations

import pytest

from harness.builds.versions import build_version, matching, nearest, newest_first

VERSIONS = ("3.0.9", "3.0.10", "1.1.1w", "1.0.2k-fips", "1.0.2q", "1.1.1", "4.0.0-beta1", "3.5.9", "3.5.10")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("3.5", ["3.5.10", "3.5.9"]),
        ("3.5.1", []),
        ("1.1.1", ["1.1.1w", "1.1.1"]),
        ("1.1.1w", ["1.1.1w"]),
        ("1.0.2k", ["1.0.2k-fips"]),
        ("3.0.*", ["3.0.10", "3.0.9"]),
        ("2", []),
        ("", []),
    ],
)
def test_what_is_written_means_these_versions(wanted: str, found: list[str]) -> None:
    assert matching(wanted, VERSIONS) == found


@pytest.mark.parametrize(
    ("wanted", "first"), [("3.0", "3.0.19"), ("3.0.20", "3.0.20"), ("3.0.20+fips", "3.0.20+fips"), ("3.1", "3.1.0+own")]
)
def test_a_label_is_meant_only_by_its_name_or_where_there_is_nothing_else(wanted: str, first: str) -> None:
    versions = ["3.0.19", "3.0.20+fips", "3.1.0+own", *(["3.0.20"] if wanted == "3.0.20" else [])]

    assert matching(wanted, versions)[0] == first


def test_a_glob_means_labelled_ones_too() -> None:
    assert matching("3.0.*", ["3.0.20+fips", "3.0.19"]) == ["3.0.19", "3.0.20+fips"]


def test_latest_is_a_release_where_there_is_one() -> None:
    assert matching("latest", VERSIONS)[0] == "3.5.10"


def test_a_vendors_word_comes_after_its_letter_and_before_the_next() -> None:
    assert build_version("1.0.2k") < build_version("1.0.2k-fips") < build_version("1.0.2l")


def test_each_version_is_named_once() -> None:
    assert newest_first(["3.0.1", "3.0.10", "3.0.1"]) == ["3.0.10", "3.0.1"]


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ("3.5.77", ["4.0.0-beta1", "3.5.10", "3.5.9"]),
        ("9", ["4.0.0-beta1", "3.5.10", "3.5.9"]),
        ("0.9.8", ["1.1.1", "1.0.2q", "1.0.2k-fips"]),
        ("1.1.0l", ["1.1.1", "1.0.2q", "1.0.2k-fips"]),
    ],
)
def test_the_nearest_versions_are_named(wanted: str, near: list[str]) -> None:
    assert nearest(wanted, VERSIONS) == near


def test_what_is_no_version_has_its_likest_named() -> None:
    assert "3.0.9" in nearest("v3.0.9x", VERSIONS)
