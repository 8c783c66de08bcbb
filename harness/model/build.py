"""A Build: one OpenSSL, where its parts are, and the environment that its programs need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Build:
    """One OpenSSL. ``version`` is its own number as it prints it, ``3.0.19`` or ``1.1.1w``."""

    version: str
    origin: str
    """Where it comes from, for people: ``system``, ``python``, ``cryptography``."""
    openssl: tuple[str, ...] | None = None
    """argv of the ``openssl`` program, None if the build has none."""
    libssl: Path | None = None
    libcrypto: Path | None = None
    python: tuple[str, ...] | None = None
    """argv of the Python interpreter that runs an agent on this build."""
    environment: Mapping[str, str] = field(default_factory=dict)
