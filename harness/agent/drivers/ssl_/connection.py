"""One SSLObject, driven without blocking.

SSLSocket is not used because SSLSocket.unwrap calls SSL_shutdown twice and so reads what the peer sent. With
MemoryBIOs, close_notify is sent and nothing is read, and the end of TCP and a reset are visible even with
OP_IGNORE_UNEXPECTED_EOF. OpenSSL sees the end of TCP but not a reset, which a MemoryBIO cannot express.

Errors are raised outside of ``except``: a stored exception would keep its traceback and frames alive, and with them
the SSLObject, which ``free`` must free (SSL_free).
"""

from __future__ import annotations

import hashlib
import ssl
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from harness.agent.drivers.ssl_ import unsupported as lacks
from harness.agent.drivers.ssl_.evidence import GUARD, Messages, chain_of, is_alert, queue_of
from harness.agent.drivers.ssl_.session import to_object
from harness.agent.library import EndError, Facts, LackError, TlsError, refuse_fields
from harness.agent.verbs import ONLY_SERVERS_ASK
from harness.agent.vocabulary import TLSVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.agent.drivers.ssl_.external_psk import ExternalPsk
    from harness.agent.drivers.ssl_.keylog import Keylog
    from harness.agent.drivers.ssl_.transport import Transport

T = TypeVar("T")
Failure = TlsError | EndError


class SslConnection:
    """One connection of an SslContext."""

    unsupported: ClassVar[Mapping[str, str]] = lacks.VERBS

    def __init__(
        self,
        tls: ssl.SSLObject,
        transport: Transport,
        keylog: Keylog,
        keep: Callable[[str, ssl.SSLSession], None],
        psk: ExternalPsk | None = None,
    ) -> None:
        self._tls = tls
        self._transport = transport
        self._keylog, self._keylog_start = keylog, keylog.size
        self._earlier_keylog: list[str] = []
        self._keep = keep
        self._psk = psk
        self._given: str | None = None
        """The identity of the external PSK that a callback gave to OpenSSL last."""
        self.offered: ssl.SSLSession | None = None
        self._agreed: Facts | None = None
        """The negotiated parameters, read at once: after a fatal error OpenSSL is "in init" and Python has none."""
        self._asked = False
        """Whether the client was asked for its certificate after the handshake."""
        self._taken: int | None = None
        self._end: str | None = None
        self._errors: list[dict[str, Any]] = []
        self._messages: Messages | None = None

    def watch(self) -> Messages:
        """Where the context's message callback records this connection."""
        self._messages = self._messages or Messages()
        return self._messages

    def log_to(self, keylog: Keylog) -> None:
        """Go over to the key log of another context, where the secrets from now on are."""
        self._earlier_keylog += self._keylog.lines(self._keylog_start)
        self._keylog, self._keylog_start = keylog, keylog.size

    def handshake(self) -> None:
        """SSLObject.do_handshake until it is done and sent."""
        self._drive(ssl.SSLObject.do_handshake)
        self._agreed = self._agreed or self._agreement()
        self._transport.flush()

    def write(self, data: bytes) -> int:
        """SSLObject.write; EndError if TCP no longer accepts data."""
        if self._taken is None:
            self._taken = self._drive(lambda tls: tls.write(data))
        self._transport.flush()
        taken, self._taken = self._taken, None
        if self._transport.broken:
            raise EndError("reset")
        return taken

    def read(self, size: int) -> bytes:
        """SSLObject.read."""
        data = self._drive(lambda tls: tls.read(size))
        if not data:
            raise self._ended()
        self._answered()
        return data

    def authenticate(self) -> bool:
        """SSLObject.verify_client_post_handshake, and do_handshake to send the request; False if it is refused."""
        if not self._tls.server_side:
            raise LackError(f"authenticate: {ONLY_SERVERS_ASK}")
        try:
            self._tls.verify_client_post_handshake()
        except ssl.SSLError as error:
            queue = queue_of(error)
        else:
            self._asked = True
            self._drive(ssl.SSLObject.do_handshake)
            return True
        self._errors += queue
        return False

    def _answered(self) -> None:
        """Read the facts again: what was read may have been the client's answer to a request for its certificate."""
        if self._asked:
            self._agreed = self._agreement()

    def shutdown(self) -> None:
        """Send close_notify with SSLObject.unwrap, without waiting for the peer's."""
        failure = None
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            failure = self._failed(error)
        if failure:
            self._transport.flush_what_goes()
            raise failure
        self._transport.flush()
        if self._transport.broken:
            raise EndError("reset")

    def session(self) -> dict[str, Any] | None:
        """SSLObject.session; None if there is no session that can be copied."""
        with suppress(ValueError):  # "i2d() failed": the session has no cipher yet
            session = self._tls.session
            return None if session is None else to_object(session, self._keep)
        return None

    def keep_session(self, **changes: object) -> dict[str, Any] | None:
        """The same as ``session``: Python returns a copy, which is held anyway."""
        refuse_fields(lacks.VERBS, changes)
        return self.session()

    def sessions(self) -> list[Mapping[str, Any]]:
        """The last session: Python exposes no other."""
        session = self.session()
        return [] if session is None else [session]

    def facts(self) -> Facts:
        """The facts from SSLObject; without a callback, a server does not report the server name."""
        agreed = self._agreed
        if agreed is not None and (cipher := self._tls.cipher()) is not None:
            agreed = replace(agreed, cipher=cipher[0])  # a renegotiation can change it
        return replace(
            agreed or self._so_far(),
            tickets=self._messages.tickets if self._messages else None,
            alerts=list(self._messages.alerts) if self._messages else None,
            keylog=self._earlier_keylog + self._keylog.lines(self._keylog_start),
            errors=list(self._errors),
        )

    def _so_far(self) -> Facts:
        reused = self._tls.session_reused
        return Facts(
            reused=reused,
            evidence=f"SSLObject.session_reused is {reused}",
            server_name=self._tls.server_hostname,
        )

    def _agreement(self) -> Facts:
        version, cipher = self._tls.version(), self._tls.cipher()
        return replace(
            self._so_far(),
            finished=True,
            version=TLSVersion.labelled(version) if version else None,
            cipher=cipher[0] if cipher else None,
            alpn=self._tls.selected_alpn_protocol(),
            peer_certificate=self._tls.getpeercert(binary_form=True) is not None,
            external_psk=None if self._psk is None else self._used_psk(version, cipher).encode().hex(),
            peer_chain=[hashlib.sha256(der).hexdigest() for der in chain_of(self._tls)],
        )

    def _used_psk(self, version: str | None, cipher: tuple[str, str, int] | None) -> str:
        """The identity of the external PSK, for which session_reused is True in TLS 1.3; empty if it had none.

        There a client's session is then another one than it was given, without an id; a server used the last one that
        its callback knew.
        """
        given, reused = self._given or "", self._tls.session_reused
        if version != "TLSv1.3":
            return given if not reused and cipher is not None and "PSK" in cipher[0] else ""
        now, offered = self._tls.session, self.offered
        ticket = not self._tls.server_side and now is not None and offered is not None and now.id == offered.id
        return given if reused and not ticket else ""

    def free(self) -> None:
        """SSL_free, by dropping the SSLObject."""
        del self._tls

    def _drive(self, step: Callable[[ssl.SSLObject], T]) -> T:
        while True:
            self._transport.flush()
            if self._psk is not None:
                self._psk.given = None
            try:
                result = step(self._tls)
            except ssl.SSLWantReadError:
                failure = None
            except ssl.SSLZeroReturnError:
                failure = self._ended()
            except ssl.SSLError as error:
                failure = self._failed(error)
            else:
                self._take_psk()
                GUARD.check()
                self._transport.flush_what_goes()
                return result
            self._take_psk()
            GUARD.check()
            if failure:
                self._transport.flush_what_goes()
                raise failure
            self._transport.flush()
            self._transport.fill()

    def _take_psk(self) -> None:
        """Note what a callback gave within the last call."""
        if self._psk is not None and not self._agreed:
            self._given = self._psk.given or self._given

    def _ended(self) -> Failure:
        self._end = self._end or ("eof" if self._transport.at_end else "close_notify")
        return EndError(self._end)

    def _failed(self, error: ssl.SSLError) -> Failure:
        queue = queue_of(error)
        self._errors += queue
        if isinstance(error, ssl.SSLEOFError) or self._transport.at_end:
            self._end = self._end or "eof"
        elif is_alert(error):
            self._end = self._end or "alert"
        return EndError(self._end, queue) if self._end else TlsError(queue)
