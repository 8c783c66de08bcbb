"""Converts between SSL_SESSION and the protocol's session object."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from harness.agent.fields import RequestError
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
    """SSL_SESSION objects that can be offered directly, and SSLs that can connect again, by handle."""

    def __init__(self, native: Native) -> None:
        self._native = native
        self._by_handle: dict[str, Any] = {}
        self._ssls: dict[str, Any] = {}
        """The SSL of connections that are to be cleared, each freed with its last Python reference."""

    def keep(self, session: Any) -> dict[str, Any]:
        """Keep an SSL_SESSION, whose reference it takes over; return a session object with its handle and no DER."""
        handle = f"SSL_SESSION {next(_numbers)}"
        self._by_handle[handle] = self._native.ffi.gc(session, self._native.ssl.SSL_SESSION_free)
        times = {"time": time_of(self._native, session), "timeout": self._native.ssl.SSL_SESSION_get_timeout(session)}
        return {"der": None, "handle": handle, "resumable": resumable(self._native, session), "fields": times}

    def keep_ssl(self, ssl: Any) -> dict[str, Any]:
        """Keep an SSL for one more connection; return a session object that stands for the session in it."""
        handle = f"SSL {next(_numbers)}"
        self._ssls[handle] = ssl
        session = self._native.ssl.SSL_get_session(ssl)
        known = None if session == self._native.ffi.NULL else resumable(self._native, session)
        return {"der": None, "handle": handle, "resumable": known}

    def take_ssl(self, session: Mapping[str, Any]) -> Any:
        """Return the SSL that a session object stands for, once; None if it stands for none.

        RequestError if it was taken before.
        """
        handle = session.get("handle")
        if not isinstance(handle, str) or not handle.startswith("SSL "):
            return None
        if handle not in self._ssls:
            raise RequestError(f"session: {handle} has connected again already; keep it again on that connection")
        return self._ssls.pop(handle)

    def find(self, session: Mapping[str, Any]) -> Any:
        """Return the SSL_SESSION of a session object: the held one, or a fresh one from its DER."""
        handle = session.get("handle")
        return self._by_handle[handle] if handle in self._by_handle else imported(self._native, session)


def id_of(native: Native, session: Any) -> bytes:
    """The id of an SSL_SESSION (SSL_SESSION_get_id)."""
    length = native.ffi.new("unsigned int *")
    start = native.ssl.SSL_SESSION_get_id(session, length)
    return bytes(native.ffi.buffer(start, length[0])[:])


def duplicate(native: Native, session: Any) -> Any:
    """SSL_SESSION_dup of an SSL_SESSION, whose reference it takes over."""
    made = native.need("SSL_SESSION_dup", "duplicate")(session)
    native.ssl.SSL_SESSION_free(session)
    native.must(int(made != native.ffi.NULL), "session")
    return made


def time_of(native: Native, session: Any) -> int:
    """When an SSL_SESSION was made, seconds since the epoch (SSL_SESSION_get_time)."""
    newer = native.has("SSL_SESSION_get_time_ex")
    return int((native.ssl.SSL_SESSION_get_time_ex if newer else native.ssl.SSL_SESSION_get_time)(session))


def make_older(native: Native, session: Any, seconds: int) -> None:
    """Backdate an SSL_SESSION (SSL_SESSION_set_time); its timeout does not change."""
    newer = native.has("SSL_SESSION_set_time_ex")
    set_time = native.ssl.SSL_SESSION_set_time_ex if newer else native.ssl.SSL_SESSION_set_time
    set_time(session, time_of(native, session) - seconds)
