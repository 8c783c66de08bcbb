"""Converts between SSL_SESSION and the protocol's session object."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from harness.agent.library import LackError, TlsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.drivers.libssl.native import Native

_numbers = itertools.count(1)


def export(native: Native, session: Any) -> dict[str, Any] | None:
    """Return the session object of an SSL_SESSION, which the caller keeps owning.

    None if the handshake chose no cipher: i2d_SSL_SESSION then writes nothing.
    """
    ffi = native.ffi
    length = native.ssl.i2d_SSL_SESSION(session, ffi.NULL)
    if length <= 0:
        return None
    buffer = ffi.new("unsigned char[]", length)
    out = ffi.new("unsigned char **", buffer)
    native.ssl.i2d_SSL_SESSION(session, out)
    return {"der": ffi.buffer(buffer, length)[:].hex(), "handle": None, "resumable": resumable(native, session)}


def resumable(native: Native, session: Any) -> bool | None:
    """SSL_SESSION_is_resumable; None if this OpenSSL does not have it."""
    return bool(native.ssl.SSL_SESSION_is_resumable(session)) if native.has("SSL_SESSION_is_resumable") else None


def imported(native: Native, session: Mapping[str, Any]) -> Any:
    """Make a fresh SSL_SESSION from a session object; freed with its last Python reference. TlsError for bad DER."""
    der = session.get("der")
    if not isinstance(der, str):
        raise LackError("session: libssl needs the session's der, as hexadecimal digits; this one has none")
    data = bytes.fromhex(der)
    buffer = native.ffi.new("unsigned char[]", data)
    found = native.ssl.d2i_SSL_SESSION(native.ffi.NULL, native.ffi.new("const unsigned char **", buffer), len(data))
    if found == native.ffi.NULL:
        raise TlsError([{**entry, "knob": "session"} for entry in native.errors()])
    return native.ffi.gc(found, native.ssl.SSL_SESSION_free)


class HeldSessions:
    """SSL_SESSION objects that can be offered directly, by handle."""

    def __init__(self, native: Native) -> None:
        self._native = native
        self._by_handle: dict[str, Any] = {}

    def keep(self, session: Any) -> dict[str, Any]:
        """Keep an SSL_SESSION, whose reference it takes over; return a session object with its handle and no DER."""
        handle = f"SSL_SESSION {next(_numbers)}"
        self._by_handle[handle] = self._native.ffi.gc(session, self._native.ssl.SSL_SESSION_free)
        return {"der": None, "handle": handle, "resumable": resumable(self._native, session)}

    def find(self, session: Mapping[str, Any]) -> Any:
        """Return the SSL_SESSION of a session object: the held one, or a fresh one from its DER."""
        handle = session.get("handle")
        return self._by_handle[handle] if handle in self._by_handle else imported(self._native, session)


def id_of(native: Native, session: Any) -> bytes:
    """The id of an SSL_SESSION (SSL_SESSION_get_id)."""
    length = native.ffi.new("unsigned int *")
    start = native.ssl.SSL_SESSION_get_id(session, length)
    return bytes(native.ffi.buffer(start, length[0])[:])


def make_older(native: Native, session: Any, seconds: int) -> None:
    """Backdate an SSL_SESSION (SSL_SESSION_set_time); its timeout does not change."""
    if native.has("SSL_SESSION_set_time_ex"):
        native.ssl.SSL_SESSION_set_time_ex(session, native.ssl.SSL_SESSION_get_time_ex(session) - seconds)
    else:
        native.ssl.SSL_SESSION_set_time(session, native.ssl.SSL_SESSION_get_time(session) - seconds)
