"""OpenSSL version numbers: their order, and which of them a pattern selects."""

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
"""Separates the label of a build from source. The suffix of a vendor, as in 1.0.2k-fips, is not a label."""
NEAR = 3
"""How many versions an error suggests."""


def numbered(text: str) -> str:
    """Return an OpenSSL version in the format of PEP 440: the letters of 1.1.1w or 1.0.2zh become a fourth number.

    A vendor's suffix, as in 1.0.2k-fips, becomes a local label, which sorts after 1.0.2k and before 1.0.2l.
    """
    lettered = re.sub(
        r"(\d+\.\d+\.\d+)([a-z]{1,2})(?![a-z\d])",
        lambda found: f"{found[1]}.{sum(ord(letter) - ord('a') + 1 for letter in found[2])}",
        text,
    )
    return re.sub(r"(\d)-fips\b", r"\1+fips", lettered)


def build_version(text: str) -> Version:
    """Return ``3.0.19``, ``1.1.1w`` or ``4.0.0-beta1`` as a comparable version; UsageError if it is not one."""
    try:
        return Version(numbered(text))
    except InvalidVersion as error:
        raise UsageError(f"{text!r} is not an OpenSSL version, as in 3.0.19 or 1.1.1w") from error


def newest_first(versions: Iterable[str]) -> list[str]:
    """Return each version once, the newest first."""
    return sorted(set(versions), key=build_version, reverse=True)


def means_all(wanted: str) -> bool:
    """Return whether a pattern is a glob, which selects every match and not only the newest."""
    return GLOB.search(wanted) is not None


def matching(wanted: str, versions: Iterable[str]) -> list[str]:
    """Return the versions that ``3.5``, ``1.1.1``, ``1.1.1w``, ``3.0.*`` or ``latest`` matches, newest first.

    Labelled versions, such as ``3.0.20+fips``, come last: to select one, name its label.
    """
    ordered = sorted(newest_first(versions), key=lambda version: LABEL in version)
    if wanted == LATEST:
        return [version for version in ordered if not build_version(version).is_prerelease] or ordered
    if means_all(wanted):
        return [version for version in ordered if fnmatchcase(version, wanted)]
    begins = re.compile(re.escape(wanted) + r"(?!\d)" if wanted[-1:].isdigit() else re.escape(wanted) + r"(?![a-z\d])")
    return [version for version in ordered if begins.match(version)]


def nearest(wanted: str, versions: Iterable[str]) -> list[str]:
    """Return the few versions nearest to an absent one, newest first."""
    ordered = newest_first(versions)
    try:
        sought = build_version(wanted.rstrip(".*") or wanted)
    except UsageError:
        return newest_first(difflib.get_close_matches(wanted, ordered, NEAR, cutoff=0.0))
    place = sum(build_version(version) > sought for version in ordered)
    start = max(0, min(place - 1, len(ordered) - NEAR))
    return ordered[start : start + NEAR]
