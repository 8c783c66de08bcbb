"""Drives pyOpenSSL, which uses the OpenSSL inside the installed cryptography package."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from harness.agent.library import Library


def load() -> Library:
    """Load the library."""
    return cast("Library", import_module("harness.agent.drivers.pyopenssl.library").PyopensslLibrary())
