"""A session cache outside of OpenSSL: a folder that servers share, and the callbacks that use it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl.native import Kept
from harness.agent.drivers.libssl.sessions import export, id_of, imported, make_older
from harness.agent.library import TlsError
from harness.agent.vocabulary import ExternalGet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.agent.drivers.libssl.callbacks.calls import Calls
    from harness.agent.drivers.libssl.native import Native

LONGEST_ID = 32
"""Bytes of a session id (SSL_MAX_SSL_SESSION_ID_LENGTH)."""
NO_ID = "none"
"""What is looked for in place of an empty id, which names no file: OpenSSL before 3.0.14 empties that of a session that
is not resumable (tls_construct_server_hello), also in its cache, whose end then calls the remove callback with it."""
ABSENT, UNREADABLE = "absent", "unreadable"
"""Results of a call: the cache has no such session; this OpenSSL cannot read it (d2i_SSL_SESSION)."""


class ExternalCache:
    """The external cache of one server; each session is a file with its DER, named by its id."""

    def __init__(self, native: Native, folder: Path, knobs: Mapping[str, Any], calls: Calls) -> None:
        self._native = native
        self._folder = folder
        self._how: ExternalGet = knobs.get("external_get", ExternalGet.SESSION)
        self._keeps: bool = knobs.get("external_keeps", False)
        self._calls = calls
        self._keep = Kept(native)
        self._objects: dict[bytes, Any] = {}
        """The objects that the application keeps, by their id."""
        self._stored: set[bytes] = set()
        """The ids of the sessions that this server stored."""
        folder.mkdir(parents=True, exist_ok=True)

    def set(self, ctx: Any) -> None:
        """Set the callbacks of an SSL_CTX."""
        ssl = self._native.ssl
        ssl.SSL_CTX_sess_set_new_cb(ctx, self._keep("int(SSL *, SSL_SESSION *)", self._new))
        ssl.SSL_CTX_sess_set_remove_cb(ctx, self._keep("void(SSL_CTX *, SSL_SESSION *)", self._remove))
        get = self._keep("SSL_SESSION *(SSL *, const unsigned char *, int, int *)", self._get)
        ssl.SSL_CTX_sess_set_get_cb(ctx, get)
        if self._how is ExternalGet.LATER:
            hello = self._keep("int(SSL *, int *, void *)", self._wait)
            ssl.SSL_CTX_set_client_hello_cb(ctx, hello, self._native.ffi.NULL)

    def add(self, ctx: Any, session_id: bytes) -> bool:
        """SSL_CTX_add_session of the kept object, or of a new one; False if the cache has no such session."""
        session = self._objects.get(session_id)
        if session is None:
            session = self._read(session_id)
        return session is not None and bool(self._native.ssl.SSL_CTX_add_session(ctx, session))

    def forget(self) -> None:
        """Remove what this server stored, and let go of its objects."""
        self._objects.clear()
        for session_id in self._stored:
            self._path(session_id).unlink(missing_ok=True)

    def _path(self, session_id: bytes) -> Path:
        return self._folder / (session_id.hex() or NO_ID)

    def _read(self, session_id: bytes) -> Any:
        """A new object from the file; None if there is no file; TlsError if this OpenSSL cannot read it.

        A ticket that holds its session is longer than an id, and names no file.
        """
        if len(session_id) > LONGEST_ID:
            return None
        try:
            der = self._path(session_id).read_bytes()
        except FileNotFoundError:
            return None
        return imported(self._native, {"der": der.hex()})

    def _new(self, ssl: Any, session: Any) -> int:
        session_id = id_of(self._native, session)
        exported = export(self._native, session)
        if exported is None:
            return 0
        path = self._path(session_id)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        part.write_bytes(bytes.fromhex(exported["der"]))
        part.replace(path)
        self._stored.add(session_id)
        self._calls.note(ssl, "new", session_id, "kept" if self._keeps else "copied")
        if self._keeps:
            self._objects[session_id] = self._native.ffi.gc(session, self._native.ssl.SSL_SESSION_free)
        return int(self._keeps)

    def _get(self, ssl: Any, start: Any, length: int, copy: Any) -> Any:
        session_id = bytes(self._native.ffi.buffer(start, length)[:])
        result, session = self._found(session_id)
        self._calls.note(ssl, "get", session_id, result)
        copy[0] = int(self._how is ExternalGet.COPY)
        if session is None:
            return self._native.ffi.NULL
        if not copy[0]:
            self._native.ffi.gc(session, None)  # OpenSSL frees it
        return session

    def _found(self, session_id: bytes) -> tuple[str, Any]:
        """What is said of a lookup, and the session that is returned."""
        if self._how is ExternalGet.NOTHING:
            return self._how, None
        if self._how is ExternalGet.COPY and session_id in self._objects:
            return self._how, self._objects[session_id]
        try:
            session = self._read(session_id)
        except TlsError:
            return UNREADABLE, None
        if session is None:
            return ABSENT, None
        self._change(session, session_id)
        return self._how, session

    def _change(self, session: Any, session_id: bytes) -> None:
        """Make of the session what is to be returned."""
        ssl = self._native.ssl
        if self._how is ExternalGet.COPY:
            self._objects[session_id] = session
        elif self._how is ExternalGet.OTHER_ID:
            other = session_id[:-1] + bytes([session_id[-1] ^ 1])
            self._native.must(ssl.SSL_SESSION_set1_id(session, other, len(other)), "external_get")
        elif self._how is ExternalGet.EXPIRED:
            make_older(self._native, session, ssl.SSL_SESSION_get_timeout(session) + 1)
        elif self._how is ExternalGet.NOT_RESUMABLE:
            method = ssl.TLS_method() if self._native.has("TLS_method") else ssl.SSLv23_method()
            scratch = self._native.ffi.gc(ssl.SSL_CTX_new(method), ssl.SSL_CTX_free)
            ssl.SSL_CTX_remove_session(scratch, session)  # a context that does not have it marks it nevertheless

    def _remove(self, _ctx: Any, session: Any) -> None:
        session_id = id_of(self._native, session)
        known = self._path(session_id).exists()
        self._path(session_id).unlink(missing_ok=True)
        self._stored.discard(session_id)
        self._objects.pop(session_id, None)
        self._calls.note(None, "remove", session_id, "removed" if known else ABSENT)

    def _wait(self, ssl: Any, _alert: Any, _argument: Any) -> int:
        """Interrupt the handshake at its first ClientHello, as if the session were not there yet."""
        if self._calls.has(ssl, "wait"):
            return c.CLIENT_HELLO_SUCCESS
        start = self._native.ffi.new("const unsigned char **")
        length = self._native.ssl.SSL_client_hello_get0_session_id(ssl, start)
        self._calls.note(ssl, "wait", bytes(self._native.ffi.buffer(start[0], length)[:]), self._how)
        return c.CLIENT_HELLO_RETRY
