"""One connection of tlslite-ng on a connected socket, driven without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from tlslite.constants import AlertDescription, AlertLevel, CipherSuite
from tlslite.errors import (
    BaseTLSException,
    TLSAbruptCloseError,
    TLSDecryptionFailed,
    TLSIllegalParameterException,
    TLSLocalAlert,
    TLSRemoteAlert,
)
from tlslite.messages import Alert

from harness.agent.library import EndError, Facts, TlsError, WantReadError, WantWriteError
from harness.foreign.tlslite.lacks import VERBS
from harness.foreign.tlslite.sessions import exported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.foreign.tlslite.liar import Liar

VERSIONS = {(3, 3): "1.2", (3, 4): "1.3"}
TLS13 = (3, 4)
SUITES = {
    "TLS_AES_128_GCM_SHA256": CipherSuite.TLS_AES_128_GCM_SHA256,
    "TLS_AES_256_GCM_SHA384": CipherSuite.TLS_AES_256_GCM_SHA384,
    "TLS_CHACHA20_POLY1305_SHA256": CipherSuite.TLS_CHACHA20_POLY1305_SHA256,
    "ECDHE-ECDSA-AES128-GCM-SHA256": CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    "ECDHE-ECDSA-AES256-GCM-SHA384": CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    "ECDHE-ECDSA-CHACHA20-POLY1305": CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
}
"""The cipher suites of this agent, by OpenSSL's names."""
NAMES = {number: name for name, number in SUITES.items()}


class TlsliteConnection:
    """One Liar; ``start`` makes the generator of its handshake."""

    unsupported: ClassVar[Mapping[str, str]] = VERBS

    def __init__(self, liar: Liar, start: Callable[[], Iterator[Any]]) -> None:
        self._liar = liar
        self._start = start
        self._steps: Iterator[Any] | None = None
        self._writing: tuple[int, Iterator[Any]] | None = None
        self._done = False
        self._end: str | None = None
        self._errors: list[dict[str, Any]] = []

    def _go(self, steps: Iterator[Any]) -> Any:
        """Go on until it is done; WantReadError or WantWriteError if it has to wait."""
        try:
            for result in steps:
                if result == 0 and not isinstance(result, bytes):
                    raise WantReadError
                if result == 1 and not isinstance(result, bytes):
                    raise WantWriteError
                return result
        except (BaseTLSException, OSError, ValueError, SyntaxError, AssertionError) as error:
            self._fail(error)
        return None

    def handshake(self) -> None:
        """Make the handshake."""
        if self._steps is None:
            self._steps = self._start()
        self._go(self._steps)
        self._done = True

    def write(self, data: bytes) -> int:
        """Write all of it."""
        if self._writing is None:
            self._liar.closed = False  # a peer that has said close_notify may still be written to
            self._writing = len(data), self._liar.writeAsync(data)
        size, steps = self._writing
        self._go(steps)
        self._writing = None
        return size

    def read(self, size: int) -> bytes:
        """Read what is there; EndError at the end."""
        if self._end is not None:
            raise EndError(self._end)
        found: bytes = self._go(self._liar.readAsync(size))
        if not found:
            self._end = "close_notify"
            raise EndError("close_notify")
        return found

    def shutdown(self) -> None:
        """Send close_notify."""
        self._liar.closing = True
        self._go(self._liar._sendMsg(Alert().create(AlertDescription.close_notify, AlertLevel.warning)))  # noqa: SLF001

    def _fail(self, error: Exception) -> NoReturn:
        """Raise what a failed call says, after the alert that tlslite-ng leaves out."""
        if isinstance(error, TLSRemoteAlert):
            queue = [_entry(error.description, str(error))]
            kind = "close_notify" if error.description == AlertDescription.close_notify else "alert"
        elif isinstance(error, TLSAbruptCloseError):
            queue, kind = [_entry(0, "the peer ended TCP without close_notify")], "eof"
        elif isinstance(error, OSError):
            queue, kind = [_entry(0, f"{type(error).__name__}: {error}")], "reset"
        else:
            queue, kind = [self._own_alert(error)], ""
        self._errors += queue
        if not kind:
            raise TlsError(queue) from None
        self._end = kind
        raise (EndError(kind, queue) if self._done or kind in {"eof", "reset"} else TlsError(queue)) from None

    def _own_alert(self, error: Exception) -> dict[str, Any]:
        if isinstance(error, TLSLocalAlert):
            return _entry(error.description, str(error))
        number = AlertDescription.internal_error
        if isinstance(error, TLSDecryptionFailed):
            number = AlertDescription.decrypt_error
        elif isinstance(error, TLSIllegalParameterException):
            number = AlertDescription.illegal_parameter
        for _ in self._liar._sendMsg(Alert().create(number)):  # noqa: SLF001 - tlslite-ng has no other way
            break
        return _entry(number, f"{type(error).__name__}: {error}")

    def session(self) -> dict[str, Any] | None:
        """The last session of a client."""
        found = self.sessions()
        return found[-1] if found else None

    def sessions(self) -> list[Any]:
        """A client's session with each ticket in turn; a server has none to give."""
        liar = self._liar
        if not liar._client or not self._done or liar.session is None:  # noqa: SLF001 - tlslite-ng has no other way
            return []
        if liar.version == TLS13:
            return [exported(liar.session, liar.version, ticket) for ticket in liar.tickets]
        held = liar.tls_1_0_tickets or liar.session.tls_1_0_tickets or [None]
        if held == [None] and not liar.session.sessionID:
            return []
        return [exported(liar.session, liar.version, held[-1])]

    def facts(self) -> Facts:
        """What is known of the connection."""
        liar = self._liar
        facts = Facts(alerts=liar.alerts, keylog=liar.keylog, errors=self._errors)
        if not self._done:
            return facts
        facts.finished = True
        facts.reused = facts.reused_at_end = bool(liar.resumed or (liar.resuming and not liar._client))  # noqa: SLF001
        facts.evidence = f"TLSConnection.resumed is {facts.reused}"
        facts.version = VERSIONS.get(liar.version)
        session = liar.session
        if session is not None:
            facts.cipher = NAMES.get(session.cipherSuite)
            facts.alpn = bytes(session.appProto).decode() if session.appProto else None
        facts.tickets = liar.issued if not liar._client else len(liar.tickets)  # noqa: SLF001 - no other way
        if liar._client and liar.version != TLS13:  # noqa: SLF001 - tlslite-ng has no other way
            facts.tickets = len(liar.tls_1_0_tickets)
        if not liar._client and liar.hello is not None:  # noqa: SLF001 - tlslite-ng has no other way
            facts.server_name = bytes(liar.hello.server_name or b"").decode(errors="replace") or None
        if liar._client:  # noqa: SLF001 - tlslite-ng has no other way
            answered = "accepted" if liar.accepted_early else "rejected"
            facts.early_data = answered if liar.asked_early else "not_sent"
        return facts

    def free(self) -> None:
        """Nothing: the agent closes the socket."""


def _entry(number: int, text: str) -> dict[str, Any]:
    return {"lib": 0, "reason": int(number), "text": text}
