"""Compares two sessions field by field: different, equal and unknown fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.session import SESSION_FIELDS

if TYPE_CHECKING:
    from harness.model.session import Session


@dataclass(frozen=True, slots=True)
class SessionDifference:
    """Names of fields, in the order of SESSION_FIELDS. A session has only the lengths of its secrets."""

    differing: tuple[str, ...]
    """Includes fields that only one side knows."""
    equal: tuple[str, ...]
    """Known on both sides, and not empty, 0 or no."""
    empty: tuple[str, ...]
    """Known on both sides, and empty, 0 or no on both."""
    unknown: tuple[str, ...]
    """Known on neither side."""


def session_difference(before: Session, after: Session) -> SessionDifference:
    """What differs between two sessions."""
    differing = tuple(name for name in SESSION_FIELDS if before.get(name) != after.get(name))
    alike = [name for name in SESSION_FIELDS if name not in differing]
    unknown = tuple(name for name in alike if before.get(name) is None)
    equal = tuple(name for name in alike if before.get(name))
    return SessionDifference(differing, equal, tuple(name for name in alike if name not in equal + unknown), unknown)
