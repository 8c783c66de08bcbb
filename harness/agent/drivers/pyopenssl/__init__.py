"""Drives pyOpenSSL, whose OpenSSL is the one inside the installed cryptography; importing it does not load it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from harness.agent.library import Library


def load() -> Library:
    """The library, with no context yet."""
    return cast("Library", import_module("harness.agent.drivers.pyopenssl.library").PyopensslLibrary())
