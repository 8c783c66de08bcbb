"""Replacements for functions that pyOpenSSL before 21 does not have."""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL

VERSIONS = {"1.2": 0x0303, "1.3": 0x0304}
OP_NO = {"1.2": 0x08000000, "1.3": 0x20000000}
OP_NO_OTHERS = 0x02000000 | 0x04000000 | 0x10000000
"""SSL_OP_NO_SSLv3, TLSv1 and TLSv1_1 (openssl/ssl.h, 1.1.1)."""


def method(role: str) -> int:
    """TLS_client_method or TLS_server_method; before pyOpenSSL 21, the method for both roles."""
    found: int = getattr(SSL, f"TLS_{role.upper()}_METHOD", SSL.SSLv23_METHOD)
    return found


def set_versions(context: SSL.Context, versions: tuple[str, ...]) -> None:
    """Context.set_min_proto_version and set_max_proto_version; before pyOpenSSL 21, options."""
    if hasattr(context, "set_min_proto_version"):
        context.set_min_proto_version(VERSIONS[min(versions)])
        context.set_max_proto_version(VERSIONS[max(versions)])
        return
    options: int = OP_NO_OTHERS
    for version, bit in OP_NO.items():
        options |= 0 if version in versions else bit
    context.set_options(options)


def set_keylog_callback(context: Any, callback: Any) -> None:
    """Context.set_keylog_callback; pyOpenSSL before 20 has no key log."""
    if hasattr(context, "set_keylog_callback"):
        context.set_keylog_callback(callback)
