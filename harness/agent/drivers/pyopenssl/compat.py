"""Replacements for functions that pyOpenSSL before 21 does not have."""

from __future__ import annotations

import inspect
from typing import Any

from OpenSSL import SSL

from harness.agent.vocabulary import NO_SSLV3, TLSVersion


def method(role: str, *, datagrams: bool = False) -> int:
    """TLS_client_method or TLS_server_method; before pyOpenSSL 21, the method for both roles. Of DTLS its own."""
    protocol = "DTLS" if datagrams else "TLS"
    found: int = getattr(SSL, f"{protocol}_{role.upper()}_METHOD", SSL.SSLv23_METHOD)
    return found


def set_versions(context: SSL.Context, versions: tuple[TLSVersion, ...]) -> None:
    """Context.set_min_proto_version and set_max_proto_version; before pyOpenSSL 21, options."""
    if hasattr(context, "set_min_proto_version"):
        context.set_min_proto_version(min(versions).wire)
        context.set_max_proto_version(max(versions).wire)
        return
    options: int = NO_SSLV3
    for version in TLSVersion:
        options |= version.no_option
    for version in versions:
        options &= ~version.no_option
    context.set_options(options)


def set_verify(context: Any, mode: int) -> None:
    """Context.set_verify; pyOpenSSL before 20 does not do without a callback, which here agrees with OpenSSL."""
    if "callback=None" in str(inspect.signature(context.set_verify)):
        context.set_verify(mode)
    else:
        context.set_verify(mode, lambda _connection, _certificate, _error, _depth, ok: bool(ok))


def set_keylog_callback(context: Any, callback: Any) -> None:
    """Context.set_keylog_callback; pyOpenSSL before 20 has no key log."""
    if hasattr(context, "set_keylog_callback"):
        context.set_keylog_callback(callback)
