"""What OpenSSL 1.0.2 has only as macros over SSL_ctrl and SSL_CTX_ctrl, or has to be told; no other needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.library import LackError

if TYPE_CHECKING:
    from harness.agent.drivers.libssl.native import Native

CTRL_GET_SESSION_REUSED = 8
CTRL_OPTIONS = 32
CTRL_CLEAR_OPTIONS = 77
CTRL_SET_ECDH_AUTO = 94
OP_NO_VERSIONS = {"1.2": 0x08000000}
OP_NO_OTHER_VERSIONS = 0x01000000 | 0x02000000 | 0x04000000 | 0x10000000
"""SSL_OP_NO_SSLv2, SSLv3, TLSv1 and TLSv1_1 of 1.0.2, whose numbers later mean other things."""


def is_older(native: Native) -> bool:
    """Whether it is a release before 1.1.0."""
    return native.release < (1, 1)


def set_option(native: Native, ctx: Any, bit: int, *, on: bool) -> None:
    """SSL_CTX_set_options or SSL_CTX_clear_options."""
    if is_older(native):
        native.ssl.SSL_CTX_ctrl(ctx, CTRL_OPTIONS if on else CTRL_CLEAR_OPTIONS, bit, native.ffi.NULL)
    else:
        (native.ssl.SSL_CTX_set_options if on else native.ssl.SSL_CTX_clear_options)(ctx, bit)


def session_reused(native: Native, ssl: Any) -> int:
    """SSL_session_reused."""
    if is_older(native):
        return int(native.ssl.SSL_ctrl(ssl, CTRL_GET_SESSION_REUSED, 0, native.ffi.NULL))
    return int(native.ssl.SSL_session_reused(ssl))


def set_versions(native: Native, ctx: Any, versions: list[str]) -> None:
    """Leave only these versions enabled, by options: SSL_CTX_set_min_proto_version is since 1.1.0."""
    unknown = [version for version in versions if version not in OP_NO_VERSIONS]
    if unknown:
        raise LackError(f"versions: OpenSSL {native.version} has no TLS {', '.join(unknown)}")
    set_option(native, ctx, OP_NO_OTHER_VERSIONS, on=True)
    for version, bit in OP_NO_VERSIONS.items():
        set_option(native, ctx, bit, on=version not in versions)


def choose_curves(native: Native, ctx: Any) -> None:
    """SSL_CTX_set_ecdh_auto, without which a server of 1.0.2 has no ECDHE; later ones always do it."""
    if is_older(native):
        native.ssl.SSL_CTX_ctrl(ctx, CTRL_SET_ECDH_AUTO, 1, native.ffi.NULL)
