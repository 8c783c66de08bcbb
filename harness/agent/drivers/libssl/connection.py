"""One SSL: the operations of a connection, and the facts that its calls and callbacks report."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl import exchange, sessions
from harness.agent.drivers.libssl.datagrams import HANDLE_TIMEOUT, time_left
from harness.agent.drivers.libssl.native import InterruptedByCallbackError, is_older, session_reused
from harness.agent.drivers.libssl.secrets import SecretsOfMessages
from harness.agent.drivers.libssl.sessions import export, id_of
from harness.agent.drivers.libssl.unsupported import missing
from harness.agent.knobs import early_data as early_data_of
from harness.agent.library import EndError, Facts, LackError, TlsError, WantReadError
from harness.agent.vocabulary import BEFORE_1_3, Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from harness.agent.drivers.libssl.native import Clock, Native
    from harness.agent.drivers.libssl.sessions import HeldSessions

CHUNK = 16384
"""Maximum bytes per write or read of early data."""


class LibsslTls:
    """One connection, among the ``connections`` of its context until it is freed.

    ``early_data`` is the number of bytes that a client writes early, or whether a server reads early data. ``again`` is
    the reference to an SSL that was kept and connects once more.
    """

    unsupported: ClassVar[Mapping[str, str]] = {}
    handshake_random = b""
    """Of DTLS, the random of the last ServerHello: a renegotiation begins the numbers of messages again."""

    listen: Callable[[Any], None] | None = None
    """What comes before the handshake of a server that keeps nothing of a client until then; raises to go on."""

    def __init__(
        self,
        native: Native,
        ssl: Any,
        role: str,
        early_data: int,
        held: HeldSessions,
        connections: MutableMapping[Any, LibsslTls],
        again: Any = None,
    ) -> None:
        self.ssl = ssl
        self.role = role
        self.finished = False
        self.reused: bool | None = None
        """SSL_session_reused after the first handshake; a renegotiation changes its result."""
        self.alerts: list[dict[str, Any]] = []
        self.tickets = 0
        self.ticket_numbers: set[bytes] = set()
        """The numbers of the messages of DTLS with a ticket: one that is sent again is the same ticket."""
        self.keylog: list[str] = []
        self.secrets = None if native.has("SSL_CTX_set_keylog_callback") else SecretsOfMessages(native)
        self.given: list[dict[str, Any]] = []
        """The sessions of the new-session callback."""
        self.errors: list[dict[str, Any]] = []
        self.clock: Clock | None = None
        """The time that the library sees; None for the process's."""
        self.callbacks: object = None
        """Those of its context. C calls them as long as the connection lives, which can outlive the context."""
        self.adopted: list[MutableMapping[Any, LibsslTls]] = []
        """The connections of further contexts that a callback chose for it."""
        self.datagrams = False
        """Whether UDP carries it."""
        self._native = native
        self._held = held
        self._connections = connections
        connections[ssl] = self
        self._owned = again
        """The SSL, if it is kept for a further connection or was kept for this one."""
        self._renegotiating = False
        self._room: Any = b""
        """The buffer of SSL_read, created on first use."""
        self.offered: Any = None
        """The SSL_SESSION that a client was given to offer."""
        self.psk: str | None = None
        """The identity of the external PSK that a callback last gave to OpenSSL."""
        self.external_psk: str | None = None
        """The identity of the external PSK of the first handshake; empty if it had none."""
        self.new_sessions: int | None = 0 if role == "client" else None
        """Calls of the new-session callback."""
        self._fatal: TlsError | None = None
        """The first fatal error, with an OpenSSL that does not keep it."""
        self._early: EarlyReader | EarlyWriter | None = None
        """While early data is written or read."""
        self._early_data: bytearray | None = None
        self._once_more = b""
        """Early data of the user's choice, to be written again if the server rejects it."""
        if early_data:
            self._early = EarlyWriter(native, ssl, early_data) if role == "client" else EarlyReader(native, ssl)
            self._early_data = self._early.data

    def _begin(self) -> None:
        """Prepare for an operation; raise the fatal error of an earlier one where OpenSSL would not.

        Since 1.1.0 a connection that failed stays failed (ossl_statem_set_error). Before, SSL_read goes on with the
        handshake that failed, and waits for a peer that has given up: SSL_get_error(3) forbids the call.
        """
        if self._fatal is not None:
            raise self._fatal
        self._native.before(self.clock)
        if self.datagrams and not self.finished:
            self._native.ssl.SSL_ctrl(self.ssl, HANDLE_TIMEOUT, 0, self._native.ffi.NULL)

    def over_datagrams(self) -> None:
        """Note that UDP carries it, with messages and timers of DTLS."""
        self.datagrams = True
        if self.secrets is not None:
            self.secrets.datagrams = True

    def time_left(self) -> float | None:
        """Return the seconds until a flight of DTLS is to be sent again; None if none waits for an answer."""
        return time_left(self._native, self.ssl) if self.datagrams else None

    def _done(self, result: int) -> None:
        """Check the result of an operation; record the error that it raises."""
        try:
            if result <= 0:
                self._native.raise_for(self.ssl, result, failed=bool(self.errors))
        except (TlsError, EndError) as error:
            self.errors += error.queue
            if isinstance(error, TlsError) and is_older(self._native):
                self._fatal = error
            raise
        finally:
            self._native.check_callbacks()

    def early_data(self, data: bytes) -> bool:
        """Set what the handshake writes early; False if the session does not allow any."""
        lacks = missing(self.role, self._native.version)
        if (why := lacks.get(Capability.EARLY_DATA_CONTENT.value)) is not None:
            raise LackError(f"early_data: {why}")
        if not isinstance(self._early, EarlyWriter):
            return False
        self._early.replace(data)
        self._once_more = data
        return True

    def handshake(self) -> None:
        """SSL_do_handshake, after any early data; early data of the user's choice is written again if rejected."""
        while True:
            with contextlib.suppress(InterruptedByCallbackError):
                self._handshake()
                return

    def _handshake(self) -> None:
        self._begin()
        if self.listen is not None:
            self.listen(self.ssl)
            self.listen = None
        while self._early is not None:
            result = self._early.step()
            if result is None:
                self._early = None
            else:
                self._done(result)
            self._native.before(self.clock)
        self._done(self._native.ssl.SSL_do_handshake(self.ssl))
        self.reused = bool(session_reused(self._native, self.ssl))
        if not self.finished:
            self.external_psk = self._external_psk()
        self.finished = True
        if self._once_more and c.EARLY_DATA_STATUS[self._native.ssl.SSL_get_early_data_status(self.ssl)] == "rejected":
            self.write(self._once_more)
            self._once_more = b""

    def _external_psk(self) -> str:
        """The identity of the external PSK, for which SSL_session_reused says 1 in TLS 1.3.

        There a client's session is then another one than it was given, and no copy of it, which the client makes in
        another group (tls_parse_stoc_key_share). A server used the last one that it was given.
        """
        ssl = self._native.ssl
        if c.VERSION_NAMES.get(ssl.SSL_version(self.ssl)) in BEFORE_1_3:
            return "" if self.reused else self._native.text(ssl.SSL_get_psk_identity(self.ssl)) or ""
        used = self.reused and (self.offered is None or not self._goes_on(ssl.SSL_get_session(self.ssl)))
        return self.psk or "" if used else ""

    def _goes_on(self, session: Any) -> bool:
        """Whether a session is the one that was offered, or its copy."""
        made = id_of(self._native, self.offered)
        return session == self.offered or (made != b"" and id_of(self._native, session) == made)

    def write(self, data: bytes) -> int:
        """SSL_write."""
        self._begin()
        written: int = self._native.ssl.SSL_write(self.ssl, data, len(data))
        self._done(written)
        return written

    def read(self, size: int) -> bytes:
        """SSL_read; a fatal alert of the peer is an EndError of kind ``alert``."""
        if len(self._room) < size:
            self._room = self._native.ffi.new("unsigned char[]", size)
        self._begin()
        got: int = self._native.ssl.SSL_read(self.ssl, self._room, size)
        try:
            self._done(got)
        except TlsError as error:
            if any(entry["lib"] == c.LIB_SSL and entry["reason"] in c.ALERT_REASONS for entry in error.queue):
                raise EndError("alert", error.queue) from None
            raise
        except EndError as error:
            if error.kind == "close_notify" and any(one["level"] == c.FATAL and not one["sent"] for one in self.alerts):
                raise EndError("alert", error.queue) from None  # an earlier call read it, such as SSL_write
            raise
        return bytes(self._native.ffi.buffer(self._room, got)[:])

    def renegotiate(
        self, *, abbreviated: bool, ciphers: str | None = None, no_extended_master_secret: bool = False
    ) -> None:
        """SSL_renegotiate, and the first flight of SSL_do_handshake; later reads and writes do the rest."""
        lacks = missing(self.role, self._native.version)
        changed = ciphers is not None or no_extended_master_secret
        if changed and (why := lacks.get(Capability.CHANGED_RENEGOTIATION.value)) is not None:
            raise LackError(f"renegotiate: {why}")
        self._begin()
        if not self._renegotiating:
            ssl = self._native.ssl
            if ciphers is not None:
                self._native.must(ssl.SSL_set_cipher_list(self.ssl, ciphers.encode()), "ciphers")
            if no_extended_master_secret:
                ssl.SSL_set_options(self.ssl, c.OP_NO_EXTENDED_MASTER_SECRET)
            self._done((ssl.SSL_renegotiate_abbreviated if abbreviated else ssl.SSL_renegotiate)(self.ssl))
            self._renegotiating = True
        with contextlib.suppress(WantReadError):
            self._done(self._native.ssl.SSL_do_handshake(self.ssl))
        self._renegotiating = False

    def authenticate(self) -> bool:
        """SSL_verify_client_post_handshake, and SSL_do_handshake to send the request; False if the library refuses."""
        lacks = missing(self.role, self._native.version)
        if (why := lacks.get(Capability.AUTHENTICATE.value)) is not None:
            raise LackError(f"authenticate: {why}")
        self._begin()
        if self._native.ssl.SSL_verify_client_post_handshake(self.ssl) != 1:
            self.errors += self._native.errors()
            return False
        self._done(self._native.ssl.SSL_do_handshake(self.ssl))
        return True

    def new_ticket(self) -> bool:
        """SSL_new_session_ticket; it refuses a client, and a connection before TLS 1.3."""
        lacks = missing(self.role, self._native.version)
        if (why := lacks.get(Capability.NEW_TICKET.value)) is not None:
            raise LackError(f"new_ticket: {why}")
        self._native.before(self.clock)
        return bool(self._native.ssl.SSL_new_session_ticket(self.ssl))

    def shutdown(self) -> None:
        """SSL_shutdown once; 0 means that close_notify was sent and the peer's has not arrived."""
        self._native.before(self.clock)
        result = self._native.ssl.SSL_shutdown(self.ssl)
        if result < 0:
            self._done(result)

    def leave_unread(self) -> None:
        """Let the agent close TCP without reading; an SSL without read-ahead holds nothing back."""

    def session(self) -> dict[str, Any] | None:
        """SSL_get1_session."""
        session = self._native.ssl.SSL_get1_session(self.ssl)
        if session == self._native.ffi.NULL:
            return None
        try:
            return export(self._native, session)
        finally:
            self._native.ssl.SSL_SESSION_free(session)

    def keep_session(
        self, *, duplicate: bool = False, older: int = 0, timeout: int | None = None, ssl: bool = False
    ) -> dict[str, Any] | None:
        """SSL_get1_session, a duplicate of it, or the SSL itself, held for a later offer."""
        native = self._native
        asked = {
            Capability.SESSION_DUPLICATE: duplicate,
            Capability.SESSION_TIMES: older or timeout is not None,
            Capability.CLEAR: ssl,
        }
        lacks = missing(self.role, native.version)
        for capability, wanted in asked.items():
            if wanted and (why := lacks.get(capability.value)) is not None:
                raise LackError(f"keep_session: {why}")
        if ssl:
            self._owned = self._owned or native.ffi.gc(self.ssl, native.ssl.SSL_free)
            return self._held.keep_ssl(self._owned)
        session = native.ssl.SSL_get1_session(self.ssl)
        if session == native.ffi.NULL:
            return None
        if duplicate:
            session = sessions.duplicate(native, session)
        if older:
            sessions.make_older(native, session, older)
        if timeout is not None:
            native.ssl.SSL_SESSION_set_timeout(session, timeout)
        return self._held.keep(session)

    def offer_in_thread(self) -> None:
        """Take a reference of the session in the present thread, offer it, and give the reference back."""
        if self.offered is not None and self.offered != self._native.ffi.NULL:
            self._native.ssl.SSL_SESSION_up_ref(self.offered)
            self._native.must(self._native.ssl.SSL_set_session(self.ssl, self.offered), "session")
            self._native.ssl.SSL_SESSION_free(self.offered)

    def send_hello(self, silent: int) -> None:
        """Send the ClientHello and read no answer: a socket that stays silent is read until then (SSL_set_rfd)."""
        ssl = self._native.ssl
        self._native.must(ssl.SSL_set_rfd(self.ssl, silent), "socket")
        with contextlib.suppress(WantReadError):
            self.handshake()
        self._native.must(ssl.SSL_set_rfd(self.ssl, ssl.SSL_get_wfd(self.ssl)), "socket")

    def sessions(self) -> list[dict[str, Any]]:
        """The sessions of the new-session callback, then SSL_get1_session's if it is not among them."""
        last = self.session()
        if last is None or any(last["der"] == given["der"] for given in self.given):
            return [*self.given]
        return [*self.given, last]

    def facts(self) -> Facts:
        """Return the facts so far."""
        native, ssl = self._native, self.ssl
        now = session_reused(native, ssl)
        reused = bool(now) if self.reused is None else self.reused
        later = "" if bool(now) == reused else f", == {now} after the last handshake"
        cipher = native.ssl.SSL_get_current_cipher(ssl)
        early = native.has("SSL_get_early_data_status")
        return Facts(
            finished=self.finished,
            reused=reused,
            reused_at_end=bool(now),
            evidence=f"SSL_session_reused() == {int(reused)}{later}",
            version=c.VERSION_NAMES.get(native.ssl.SSL_version(ssl)),
            cipher=None if cipher == native.ffi.NULL else native.text(native.ssl.SSL_CIPHER_get_name(cipher)),
            alpn=self._alpn(),
            server_name=native.text(native.ssl.SSL_get_servername(ssl, 0)),
            peer_certificate=self._has_peer_certificate(),
            external_psk=None if self.external_psk is None else self.external_psk.encode().hex(),
            early_data=c.EARLY_DATA_STATUS[native.ssl.SSL_get_early_data_status(ssl)] if early else None,
            early_bytes=None if self._early_data is None else self._early_data.hex(),
            new_sessions=self.new_sessions,
            group=exchange.group(native, ssl, reused=bool(now)) if self.finished else None,
            peer_temp_key=exchange.peer_temp_key(native, ssl) if self.finished else None,
            peer_chain=exchange.peer_chain(native, ssl, server=self.role == "server") if self.finished else None,
            ocsp_response=exchange.ocsp_response(native, ssl) if self.finished and self.role == "client" else None,
            exporter=exchange.exporter(native, ssl) if self.finished else None,
            tickets=self.tickets,
            alerts=self.alerts,
            keylog=self.keylog,
            errors=self.errors,
        )

    def _alpn(self) -> str | None:
        """The protocol that was selected (SSL_get0_alpn_selected)."""
        start = self._native.ffi.new("const unsigned char **")
        length = self._native.ffi.new("unsigned int *")
        self._native.ssl.SSL_get0_alpn_selected(self.ssl, start, length)
        return self._native.ffi.buffer(start[0], length[0])[:].decode(errors="replace") if length[0] else None

    def _has_peer_certificate(self) -> bool:
        """Whether the peer sent a certificate; before 3.0 the call takes a reference."""
        if self._native.has("SSL_get0_peer_certificate"):
            return bool(self._native.ssl.SSL_get0_peer_certificate(self.ssl) != self._native.ffi.NULL)
        certificate = self._native.ssl.SSL_get_peer_certificate(self.ssl)
        if certificate == self._native.ffi.NULL:
            return False
        self._native.crypto.X509_free(certificate)
        return True

    def free(self) -> None:
        """SSL_free and nothing else; an SSL that is kept is freed with the last reference to it."""
        for registry in (self._connections, *self.adopted):
            registry.pop(self.ssl, None)
        if self._owned is None:
            self._native.ssl.SSL_free(self.ssl)
        self._owned = None
        self.ssl = self._native.ffi.NULL
        self._native.check_callbacks("SSL_free")


class EarlyWriter:
    """A client that writes early data (SSL_write_early_data); ``data`` is what was written so far."""

    def __init__(self, native: Native, ssl: Any, size: int) -> None:
        self._native = native
        self._ssl = ssl
        self._all = early_data_of(size)
        self.data = bytearray()

    def replace(self, data: bytes) -> None:
        """Write these bytes in place of the pattern."""
        self._all = data

    def step(self) -> int | None:
        """Write the remaining bytes."""
        written = self._native.ffi.new("size_t *")
        while chunk := self._all[len(self.data) :][:CHUNK]:
            result: int = self._native.ssl.SSL_write_early_data(self._ssl, chunk, len(chunk), written)
            if result <= 0:
                return result
            self.data += chunk[: written[0]]
        return None


class EarlyReader:
    """A server that reads early data (SSL_read_early_data); ``data`` is what was read so far."""

    def __init__(self, native: Native, ssl: Any) -> None:
        self._native = native
        self._ssl = ssl
        self.data = bytearray()

    def step(self) -> int | None:
        """Read until all early data is consumed."""
        got = self._native.ffi.new("size_t *")
        buffer = self._native.ffi.new("unsigned char[]", CHUNK)
        while True:
            result: int = self._native.ssl.SSL_read_early_data(self._ssl, buffer, CHUNK, got)
            if result == c.READ_EARLY_DATA_FINISH:
                return None
            if result == c.READ_EARLY_DATA_ERROR:
                return result
            self.data += self._native.ffi.buffer(buffer, got[0])
