"""How cipher suites and bytes are called in an explanation."""

from __future__ import annotations

from harness.wire.suites import SUITES

SHOWN = 16
"""Bytes that are shown of more."""


def hash_of(suite: int | None) -> str | None:
    """The hash of a cipher suite's key derivation; None if the suite is not known."""
    return SUITES[suite].hash if suite in SUITES else None


def suite_name(suite: int | None) -> str:
    """IANA's name of a suite, or its number."""
    if suite is None:
        return "an unknown cipher suite"
    return SUITES[suite].name if suite in SUITES else f"cipher suite 0x{suite:04x}"


def brief(data: bytes) -> str:
    """The beginning of some bytes in hex."""
    return data.hex() if len(data) <= SHOWN else f"{data[:SHOWN].hex()}…"
