"""One connection of wolfSSL on a connected socket."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

from harness.agent.library import (
    EXPORTER_LABEL,
    EXPORTER_LENGTH,
    EndError,
    Facts,
    TlsError,
    WantReadError,
    WantWriteError,
)
from harness.foreign.described import Faults
from harness.foreign.wolfssl.lacks import VERBS
from harness.foreign.wolfssl.native import (
    ALERT_RECEIVED,
    BLOCKED,
    CLOSED,
    DONE,
    RESET,
    WANT_READ,
    WANT_WRITE,
    ZERO_RETURN,
    entry,
    ffi,
    lib,
    text,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping


def openssl_name(suite: str) -> str:
    """OpenSSL's name of a cipher suite: wolfSSL calls those of TLS 1.3 in another way."""
    if not suite.startswith("TLS13-"):
        return suite
    return "TLS_" + suite.removeprefix("TLS13-").replace("AES", "AES-").replace("-", "_")


FAULTS = Faults()
"""What the callbacks of all connections raised."""


class WolfsslConnection:
    """One connection of a WolfsslContext."""

    unsupported: ClassVar[Mapping[str, str]] = VERBS

    def __init__(self, tls: Any, sock: socket.socket, role: str) -> None:
        self._tls = tls
        self._sock = sock
        self._role = role
        self._done = False
        self._tcp: str | None = None
        self._tickets = 0
        self._alpn: str | None = None
        self._errors: list[dict[str, Any]] = []
        self._sessions: list[dict[str, Any]] = []
        self._input = FAULTS.callback(ffi, "int(void *, char *, int, void *)", self._on_input, RESET)
        self._output = FAULTS.callback(ffi, "int(void *, char *, int, void *)", self._on_output, RESET)
        self._ticket = FAULTS.callback(ffi, "int(void *, const unsigned char *, int, void *)", self._on_ticket, 0)
        lib.wolfSSL_SSLSetIORecv(tls, self._input)
        lib.wolfSSL_SSLSetIOSend(tls, self._output)
        lib.wolfSSL_set_SessionTicket_cb(tls, self._ticket, ffi.NULL)
        lib.wolfSSL_KeepArrays(tls)

    def _on_input(self, _tls: Any, into: Any, size: int, _context: Any) -> int:
        try:
            count = self._sock.recv_into(ffi.buffer(into, size))
        except (BlockingIOError, InterruptedError):
            return BLOCKED
        except OSError:
            self._tcp = "reset"
            return RESET
        if count == 0:
            self._tcp = "eof"
            return CLOSED
        return count

    def _on_output(self, _tls: Any, data: Any, size: int, _context: Any) -> int:
        self._look_at_alpn()
        try:
            return self._sock.send(bytes(ffi.buffer(data, size)))
        except (BlockingIOError, InterruptedError):
            return BLOCKED
        except OSError:
            self._tcp = self._tcp or "reset"
            return RESET

    def _look_at_alpn(self) -> None:
        """Keep the protocol while it can be asked for: a server forgets it with its handshake."""
        name, size = ffi.new("char **"), ffi.new("unsigned short *")
        if lib.wolfSSL_ALPN_GetProtocol(self._tls, name, size) == DONE:
            self._alpn = ffi.buffer(name[0], size[0])[:].decode()

    def _on_ticket(self, _tls: Any, _ticket: Any, _size: int, _context: Any) -> int:
        self._tickets += 1
        return 0

    def handshake(self) -> None:
        """wolfSSL_connect or wolfSSL_accept."""
        call = lib.wolfSSL_connect if self._role == "client" else lib.wolfSSL_accept
        code = call(self._tls)
        if code != DONE:
            self._raise(code)
        FAULTS.check()
        self._done = True
        self._look()

    def write(self, data: bytes) -> int:
        """wolfSSL_write."""
        code = lib.wolfSSL_write(self._tls, data, len(data))
        if code <= 0:
            self._raise(code)
        return int(code)

    def read(self, size: int) -> bytes:
        """wolfSSL_read."""
        buffer = ffi.new("char[]", size)
        code = lib.wolfSSL_read(self._tls, buffer, size)
        self._look()
        if code <= 0:
            self._raise(code)
        return bytes(ffi.buffer(buffer, code))

    def shutdown(self) -> None:
        """wolfSSL_shutdown once, which does not wait for the peer's."""
        code = lib.wolfSSL_shutdown(self._tls)
        if code < 0:
            self._raise(code)

    def _raise(self, code: int) -> None:
        FAULTS.check()
        why = lib.wolfSSL_get_error(self._tls, code)
        if why == WANT_READ:
            raise WantReadError
        if why == WANT_WRITE:
            raise WantWriteError
        if why == ZERO_RETURN:
            raise EndError("close_notify")
        queue = [entry(why)]
        self._errors += queue
        if self._tcp is not None and why != ALERT_RECEIVED:
            raise EndError(self._tcp, queue)
        if why == ALERT_RECEIVED:
            history = ffi.new("int[4]")
            lib.wolfSSL_get_alert_history(self._tls, history)
            queue[0]["text"] += f": alert {history[0]}"
            if self._done:
                raise EndError("alert", queue)
        raise TlsError(queue)

    def _look(self) -> None:
        """Keep the session, if a client has another one now; in TLS 1.3 a ticket has to have come."""
        if self._role != "client" or not self._done:
            return
        tls13 = text(lib.wolfSSL_get_version(self._tls)) == "TLSv1.3"
        if len(self._sessions) >= (self._tickets if tls13 else 1):
            return
        session = lib.wolfSSL_get1_session(self._tls)
        if not session:
            return
        size = lib.wolfSSL_i2d_SSL_SESSION(session, ffi.NULL)
        out = ffi.new("unsigned char[]", max(size, 1))
        size = lib.wolfSSL_i2d_SSL_SESSION(session, ffi.new("unsigned char **", out))
        if size > 0:
            fields = {
                "version": "1.3" if tls13 else "1.2",
                "time": lib.wolfSSL_SESSION_get_time(session),
                "timeout": lib.wolfSSL_SESSION_get_timeout(session),
                "has_ticket": bool(lib.wolfSSL_SESSION_has_ticket(session)),
            }
            opaque = ffi.buffer(out, size)[:].hex()
            made = {"der": None, "handle": None, "resumable": None, "opaque": opaque, "fields": fields}
            self._sessions += [made] * ((self._tickets if tls13 else 1) - len(self._sessions))
        lib.wolfSSL_SESSION_free(session)

    def session(self) -> dict[str, Any] | None:
        """The last session that a client has, in wolfSSL's own format."""
        return self._sessions[-1] if self._sessions else None

    def sessions(self) -> list[Mapping[str, Any]]:
        """The last one: wolfSSL keeps no other."""
        return self._sessions[-1:]  # type: ignore[return-value]  # a dict is a Mapping

    def facts(self) -> Facts:
        """What wolfSSL reports of the connection."""
        facts = Facts(alerts=None, errors=self._errors)
        if self._role == "client":
            facts.tickets = self._tickets or None  # wolfSSL does not call it for a ticket without bytes
        if not self._done:
            return facts
        tls = self._tls
        facts.finished = True
        facts.reused = facts.reused_at_end = bool(lib.wolfSSL_session_reused(tls))
        facts.evidence = f"wolfSSL_session_reused() == {int(facts.reused)}"
        facts.version = text(lib.wolfSSL_get_version(tls)).removeprefix("TLSv")
        facts.cipher = openssl_name(text(lib.wolfSSL_get_cipher_name(tls)))
        facts.early_data = "not_sent" if self._role == "client" else None
        facts.keylog = self._keylog(facts.version)
        self._look_at_alpn()
        facts.alpn = self._alpn
        certificate = lib.wolfSSL_get_peer_certificate(tls)
        facts.peer_certificate = bool(certificate) or (None if facts.reused else False)
        if certificate:
            lib.wolfSSL_X509_free(certificate)
        out = ffi.new("unsigned char[]", EXPORTER_LENGTH)
        label = EXPORTER_LABEL.encode()
        if lib.wolfSSL_export_keying_material(tls, out, EXPORTER_LENGTH, label, len(label), ffi.NULL, 0, 0) == DONE:
            facts.exporter = hashlib.sha256(bytes(ffi.buffer(out))).hexdigest()
        return facts

    def _keylog(self, version: str) -> list[str]:
        """The master secret of TLS 1.2; wolfSSL shows none of TLS 1.3, as Debian compiles it."""
        if version != "1.2":
            return []
        found = [(ffi.new("unsigned char **"), ffi.new("unsigned int *")) for _each in range(3)]
        if lib.wolfSSL_get_keys(self._tls, *(one for pair in found for one in pair)) != DONE:
            return []
        secret, _of_the_server, random = (ffi.buffer(start[0], size[0])[:].hex() for start, size in found)
        return [f"CLIENT_RANDOM {random} {secret}"]

    def free(self) -> None:
        """wolfSSL_free."""
        lib.wolfSSL_free(self._tls)
