"""One pyOpenSSL Connection on a non-blocking socket.

Errors are raised outside of ``except``: a stored exception would keep its traceback and frames alive, and with them
the Connection, which ``free`` must free (SSL_free).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from OpenSSL import SSL

from harness.agent.drivers.pyopenssl import bindings as below
from harness.agent.drivers.pyopenssl import unsupported as lacks
from harness.agent.knobs import ALLOW_NO_DHE_KEX
from harness.agent.library import (
    EXPORTER_LABEL,
    EXPORTER_LENGTH,
    EndError,
    Facts,
    LackError,
    TlsError,
    WantReadError,
    WantWriteError,
    refuse_fields,
)
from harness.agent.verbs import ONLY_SERVERS_ASK
from harness.agent.vocabulary import TLSVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.agent.drivers.pyopenssl.evidence import Watch
    from harness.agent.drivers.pyopenssl.external_psk import ExternalPsk

T = TypeVar("T")

UNEXPECTED_EOF_WHILE_READING = 294
"""SSL_R_UNEXPECTED_EOF_WHILE_READING, since OpenSSL 3.0."""
UNEXPECTED_EOF = -1
"""The errno in SysCallError when TCP ended without close_notify."""
EARLY_CHUNK = 16384


def queue_of(error: SSL.Error) -> list[dict[str, Any]]:
    """Return the error queue, oldest first; only libssl's own entries have codes."""
    entries = error.args[0] if error.args and isinstance(error.args[0], list) else []
    queue = []
    for library, _function, reason in entries:
        number, code = below.code(library, reason)
        queue.append({"lib": number, "reason": code, "text": f"{library}: {reason}"})
    return queue


class PyopensslConnection:
    """One connection of a PyopensslContext."""

    unsupported: ClassVar[Mapping[str, str]] = lacks.VERBS

    def __init__(
        self,
        connection: SSL.Connection,
        watch: Watch,
        kept: dict[str, SSL.Session],
        *,
        psk: ExternalPsk | None = None,
        early_data: bool = False,
        server: bool = False,
        datagrams: bool = False,
    ) -> None:
        self._connection = connection
        self._datagrams = datagrams
        self._server = server
        self._watch = watch
        self._kept = kept
        self._psk = psk
        """Whose callbacks OpenSSL calls as long as the connection lives, which can outlive its Context here."""
        self._offered = None if psk is None or server else connection.get_session()
        """Held until the handshake is over, so that no other session has its address."""
        self._external_psk: str | None = None
        self._evidence = watch.opened(connection, self._der)
        self._evidence.datagrams = datagrams
        self._early_data_left = early_data
        self._early_data: str | None = None
        self._early_bytes: bytes | None = b"" if early_data else None
        self._finished = False
        self._reused: bool | None = None
        self._shown = ""
        self._renegotiating = False
        self._end: str | None = None
        self._errors: list[dict[str, Any]] = []

    def handshake(self) -> None:
        """Connection.do_handshake; a server that allows early data first reads and discards it."""
        while self._early_data_left:
            data = self._call(lambda tls: below.read_early_data(tls, EARLY_CHUNK))
            self._early_data_left = data is not None
            self._early_bytes = (self._early_bytes or b"") + (data or b"")
            self._early_data = "accepted" if data else self._early_data
        self._call(SSL.Connection.do_handshake)
        self._reused, self._shown = self._was_reused(done=True)
        if not self._finished:
            self._external_psk = self._used_psk()
            self._offered = None
        self._finished = True

    def write(self, data: bytes) -> int:
        """Connection.send."""
        return self._call(lambda tls: tls.send(data))

    def read(self, size: int) -> bytes:
        """Connection.recv."""
        return self._call(lambda tls: tls.recv(size))

    def renegotiate(self, *, abbreviated: bool, **changes: object) -> None:
        """Connection.renegotiate and do_handshake: a server sends HelloRequest, a client completes the handshake."""
        if abbreviated:
            raise LackError(f"abbreviated renegotiation: {lacks.VERBS['abbreviated']}")
        refuse_fields(lacks.VERBS, changes)
        if not self._renegotiating:
            self._call(SSL.Connection.renegotiate)
            self._renegotiating = True
        self._call(SSL.Connection.do_handshake)
        self._renegotiating = False

    def authenticate(self) -> bool:
        """SSL_verify_client_post_handshake, and do_handshake to send the request; False if OpenSSL refuses."""
        if not self._server:
            raise LackError(f"authenticate: {ONLY_SERVERS_ASK}")
        if not below.verify_client_post_handshake(self._connection):
            return False
        self._call(SSL.Connection.do_handshake)
        return True

    def shutdown(self) -> None:
        """Connection.shutdown once, which is SSL_shutdown once."""
        self._call(SSL.Connection.shutdown)

    def session(self) -> Mapping[str, Any] | None:
        """Connection.get_session as DER, or held by a handle if it cannot be exported; None without a session."""
        if not below.can_export():
            return self.keep_session()
        der = self._der()
        return None if der is None else as_object(der)

    def keep_session(self, **changes: object) -> Mapping[str, Any] | None:
        """Connection.get_session, held under a new handle; None without a session."""
        refuse_fields(lacks.VERBS, changes)
        session = self._connection.get_session()
        if session is None:
            return None
        handle = f"Session {len(self._kept) + 1}"
        self._kept[handle] = session
        return {"der": None, "handle": handle, "resumable": None, "fields": {}}

    def sessions(self) -> list[Mapping[str, Any]]:
        """The session of each TLS 1.3 ticket or TLS 1.2 handshake; a resumed one yields the same session again."""
        if not below.can_export():
            kept = self.keep_session()
            return [] if kept is None else [kept]
        last = self._der()
        found = dict.fromkeys([*self._evidence.earlier, *([] if last is None else [last])])
        return [as_object(der) for der in found]

    def facts(self) -> Facts:
        """The facts from Connection and its callbacks; ``reused`` is about the first handshake only."""
        reused, shown = (self._reused, self._shown) if self._finished else self._was_reused(done=False)
        name = self._connection.get_servername()
        done = self._finished
        return Facts(
            finished=done,
            reused=reused,
            evidence=shown,
            version=TLSVersion.labelled(self._connection.get_protocol_version_name()) if done else None,
            cipher=self._connection.get_cipher_name(),
            external_psk=None if self._external_psk is None else self._external_psk.encode().hex(),
            alpn=self._connection.get_alpn_proto_negotiated().decode() or None,
            server_name=name.decode() if name else None,
            peer_certificate=self._connection.get_peer_certificate() is not None if done else None,
            early_data=self._early_data,
            early_bytes=None if self._early_bytes is None else self._early_bytes.hex(),
            group=self._group() if done else None,
            peer_chain=self._chain() if done else None,
            ocsp_response=None if self._server or not done else self._evidence.response.hex(),
            exporter=self._exporter() if done else None,
            tickets=self._evidence.tickets,
            alerts=list(self._evidence.alerts),
            keylog=list(self._evidence.keylog),
            errors=list(self._errors),
        )

    def _group(self) -> str | None:
        """The group of this connection: without a key exchange OpenSSL gives the session's."""
        now = below.reused(self._connection)
        tls13 = self._connection.get_protocol_version_name() == "TLSv1.3"
        if now and not tls13:
            return ""
        skips = below.options(self._connection) & ALLOW_NO_DHE_KEX.mask
        return None if now is None or (now and skips) else below.group(self._connection)

    def _chain(self) -> list[str]:
        """SHA-256 of each certificate; at a server OpenSSL's chain lacks the peer's own."""
        own = below.own_certificate(self._connection) if self._server else []
        return [hashlib.sha256(der).hexdigest() for der in (*own, *below.chain(self._connection))]

    def _exporter(self) -> str | None:
        """SHA-256 of what SSL_export_keying_material gives."""
        try:
            material = self._connection.export_keying_material(EXPORTER_LABEL.encode(), EXPORTER_LENGTH)
        except SSL.Error:
            return None
        return hashlib.sha256(material).hexdigest()

    def _used_psk(self) -> str:
        """The identity of the external PSK, for which SSL_session_reused says 1 in TLS 1.3; empty if it had none.

        There a client's session is then another one than it was given; a server used the last one that it was given.
        """
        given = self._evidence.psk or ""
        if self._connection.get_protocol_version_name() != "TLSv1.3":
            return given if not self._reused and "PSK" in (self._connection.get_cipher_name() or "") else ""
        ticket = not self._server and below.same(self._connection.get_session(), self._offered)
        return given if self._reused and not ticket else ""

    def _was_reused(self, *, done: bool) -> tuple[bool | None, str]:
        """Return whether the session was resumed, and the evidence.

        If SSL_session_reused is not bound, the messages decide: a handshake without Certificate and ClientKeyExchange
        resumed, or had an external PSK.
        """
        known = below.reused(self._connection)
        if known is not None:
            return known, f"SSL_session_reused() == {int(known)}"
        if not done:
            return None, "SSL_session_reused is not bound"
        if self._evidence.key_exchange and not self._evidence.certificate:
            return False, "a ClientKeyExchange message (SSL_session_reused is not bound)"
        seen = self._evidence.certificate
        return not seen, f"{'a' if seen else 'no'} Certificate message (SSL_session_reused is not bound)"

    def free(self) -> None:
        """SSL_free, by dropping the Connection."""
        for closed in (self._watch.closed, *self._evidence.closed):
            closed(self._connection)
        del self._connection

    def _der(self) -> bytes | None:
        session = self._connection.get_session()
        return None if session is None else below.export(session)

    def time_left(self) -> float | None:
        """Return the seconds until a flight of DTLS is to be sent again; None if none waits for an answer."""
        return self._connection.DTLSv1_get_timeout() if self._datagrams else None

    def _call(self, step: Callable[[SSL.Connection], T]) -> T:
        try:
            if self._datagrams and not self._finished:
                self._connection.DTLSv1_handle_timeout()
            result = step(self._connection)
        except SSL.WantReadError:
            failure: Exception = WantReadError()
        except SSL.WantWriteError:
            failure = WantWriteError()
        except SSL.ZeroReturnError:
            failure = self._ended("close_notify", [])
        except SSL.SysCallError as error:
            failure = self._ended("eof" if error.args[0] == UNEXPECTED_EOF else "reset", [{"text": str(error)}])
        except SSL.Error as error:
            queue = queue_of(error)
            if (below.LIB_SSL, UNEXPECTED_EOF_WHILE_READING) in [(entry["lib"], entry["reason"]) for entry in queue]:
                failure = self._ended("eof", queue)  # since pyOpenSSL 22.1 a SysCallError
                queue = []
            else:
                failure = self._ended("alert", queue) if self._evidence.aborted_by_peer else TlsError(queue)
            self._errors += queue
        else:
            below.GUARD.check()
            return result
        below.GUARD.check()
        raise failure

    def _ended(self, kind: str, queue: list[dict[str, Any]]) -> EndError:
        self._end = self._end or kind
        return EndError(self._end, [{"lib": None, "reason": None, **entry} for entry in queue])


def as_object(der: bytes) -> dict[str, Any]:
    """Return the protocol's session object; its fields are in the DER."""
    return {"der": der.hex(), "handle": None, "resumable": None, "fields": {}}
