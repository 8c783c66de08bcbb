"""OpenSSL's version numbers: their order, and which ones a user's pattern selects."""

from __future__ import annotations

import difflib
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from harness.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

LATEST = "latest"
GLOB = re.compile(r"[*?\[]")
LABEL = "+"
"""Before the label of a build from source. A vendor's word, as in 1.0.2k-fips, is none."""
NEAR = 3
"""How many versions an error names."""


def numbered(text: str) -> str:
    """OpenSSL's numbers as PEP 440 has them: the letter of 1.1.1w (1.0.2zh) is a fourth number, 1.1.1 is before it.

    A vendor's word, as in 1.0.2k-fips, becomes a local label: after 1.0.2k, before 1.0.2l.
    """
    lettered = re.sub(
        r"(\d+\.\d+\.\d+)([a-z]{1,2})(?![a-z\d])",
        lambda found: f"{found[1]}.{sum(ord(letter) - ord('a') + 1 for letter in found[2])}",
        text,
    )
    return re.sub(r"(\d)-fips\b", r"\1+fips", lettered)


def build_version(text: str) -> Version:
    """The version of a build, ``3.0.19``, ``1.1.1w`` or ``4.0.0-beta1``, to be compared; UsageError if it is none."""
    try:
        return Version(numbered(text))
    except InvalidVersion as error:
        raise UsageError(f"{text!r} is not an OpenSSL version, as in 3.0.19 or 1.1.1w") from error


def newest_first(versions: Iterable[str]) -> list[str]:
    """Each version once."""
    return sorted(set(versions), key=build_version, reverse=True)


def means_all(wanted: str) -> bool:
    """Whether what was written means every version that matches, not only the newest: a glob."""
    return GLOB.search(wanted) is not None


def matching(wanted: str, versions: Iterable[str]) -> list[str]:
    """The versions that ``3.5``, ``1.1.1``, ``1.1.1w``, ``3.0.*`` or ``latest`` may mean, newest first.

    Those with a label, as ``3.0.20+fips``, come after all others: who means one of them names its label.
    """
    ordered = sorted(newest_first(versions), key=lambda version: LABEL in version)
    if wanted == LATEST:
        return [version for version in ordered if not build_version(version).is_prerelease] or ordered
    if means_all(wanted):
        return [version for version in ordered if fnmatchcase(version, wanted)]
    begins = re.compile(re.escape(wanted) + r"(?!\d)" if wanted[-1:].isdigit() else re.escape(wanted) + r"(?![a-z\d])")
    return [version for version in ordered if begins.match(version)]


def nearest(wanted: str, versions: Iterable[str]) -> list[str]:
    """The few versions that come nearest to one that is not there, newest first."""
    ordered = newest_first(versions)
    try:
        sought = build_version(wanted.rstrip(".*") or wanted)
    except UsageError:
        return newest_first(difflib.get_close_matches(wanted, ordered, NEAR, cutoff=0.0))
    place = sum(build_version(version) > sought for version in ordered)
    start = max(0, min(place - 1, len(ordered) - NEAR))
    return ordered[start : start + NEAR]
