"""A TLSConnection of tlslite-ng whose messages a mutation changes, and which keeps what the harness asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tlslite.constants import AlertDescription, ContentType, ExtensionType
from tlslite.errors import TLSRemoteAlert
from tlslite.extensions import TLSExtension
from tlslite.handshakehelpers import HandshakeHelpers
from tlslite.mathtls import HKDF_expand_label, derive_secret, secureHMAC
from tlslite.messages import (
    Alert,
    ClientHello,
    EncryptedExtensions,
    Message,
    NewSessionTicket,
    NewSessionTicket1_0,
    ServerHello,
)
from tlslite.tlsconnection import TLSConnection

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

    from tlslite.session import Session

    from harness.foreign.tlslite.mutation import Mutation

LEGACY = b"\x03\x03"
END_OF_EARLY_DATA = bytearray(b"\x05\0\0\0")
LABELS = (
    ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"),
    ("CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"),
)
KEY_LENGTHS = {"sha256": 16, "sha384": 32}
"""Bytes of the key of the cipher suite with AES-GCM, by its hash."""
TICKETS = NewSessionTicket | NewSessionTicket1_0


class Raw:
    """Bytes that are sent as they are: whole records."""

    def __init__(self, data: bytes) -> None:
        self.data = data


class EarlyKeys:
    """Protects early data (RFC 8446, 7.1 and 7.3) with AES-GCM."""

    def __init__(self, secret: bytes) -> None:
        kind, size = hash_of(secret), KEY_LENGTHS[hash_of(secret)]
        self._key = AESGCM(bytes(HKDF_expand_label(secret, b"key", b"", size, kind)))
        self._iv = int.from_bytes(HKDF_expand_label(secret, b"iv", b"", 12, kind), "big")
        self._number = 0

    def record(self, kind: int, data: bytes) -> Raw:
        """The next record, with its content type."""
        header = bytes((ContentType.application_data,)) + LEGACY + (len(data) + 17).to_bytes(2, "big")
        nonce = (self._iv ^ self._number).to_bytes(12, "big")
        self._number += 1
        return Raw(header + self._key.encrypt(nonce, data + bytes((kind,)), header))


class Liar(TLSConnection):  # type: ignore[misc]  # tlslite-ng ships no types
    """One connection. Without a mutation it keeps the rules, as far as tlslite-ng does."""

    def __init__(self, sock: socket.socket, mutation: Mutation | None, chain: Any = None) -> None:
        super().__init__(sock)
        self.closeSocket = False
        self.mutation = mutation
        self.chain = chain
        """The certificate chain of a server."""
        self.hello: ClientHello | None = None
        """The last ClientHello."""
        self.hellos = 0
        """How many ClientHellos were sent."""
        self.offered: Any = None
        """The session that a client offers."""
        self.resuming = False
        """Whether a session is offered (client), or was accepted (server)."""
        self.early = b""
        """What a client writes as early data."""
        self.early_keys: EarlyKeys | None = None
        self.accepted_early = False
        self.alerts: list[dict[str, Any]] = []
        self.keylog: list[str] = []
        self.issued = 0
        """NewSessionTicket messages that were sent."""
        self.closing = False
        """Whether the close_notify is the harness's; tlslite-ng answers a peer's at once."""
        self.keyless = False
        """Whether the keys that this end derives are not those that its messages stand for."""
        self.late_extended_master_secret = False
        """Whether the session claims the extended master secret, which its keys do not have."""
        self.asked_early = False
        """Whether a ClientHello had early_data."""
        self.first_binder = b""
        self._logged = 0
        self._derive = self._recordLayer.calcTLS1_3PendingState
        self._recordLayer.calcTLS1_3PendingState = self._on_secrets

    def _log(self, label: str, secret: bytes) -> None:
        if self.hello is not None and not self.keyless:
            self.keylog.append(f"{label} {bytes(self.hello.random).hex()} {bytes(secret).hex()}")

    def _on_secrets(self, suite: int, client: bytes, server: bytes, implementations: Any) -> None:
        if self._logged < len(LABELS):
            for label, secret in zip(LABELS[self._logged], (client, server), strict=True):
                self._log(label, secret)
        self._logged += 1
        self._derive(suite, client, server, implementations)

    def _calcPendingStates(  # noqa: N802 - tlslite-ng's name and arguments
        self, suite: int, master: bytes, client: bytes, server: bytes, implementations: Any
    ) -> None:
        self._log("CLIENT_RANDOM", master)
        super()._calcPendingStates(suite, master, client, server, implementations)
        if self.late_extended_master_secret:
            self.extendedMasterSecret = True

    def _shutdown(self, resumable: bool) -> None:  # noqa: ARG002, FBT001 - tlslite-ng's signature
        """Keep the keys: the harness still sends its close_notify."""
        self.closed = True

    def _getMsg(self, *arguments: Any, **named: Any) -> Iterator[Any]:  # noqa: N802 - tlslite-ng's name
        try:
            for result in super()._getMsg(*arguments, **named):
                self._note_received(result)
                yield result
        except TLSRemoteAlert as alert:
            self.alerts.append({"level": alert.level, "number": alert.description, "sent": False})
            raise

    def _note_received(self, result: object) -> None:
        if isinstance(result, ClientHello):
            self.hello = result
        elif isinstance(result, EncryptedExtensions):
            self.accepted_early = result.getExtension(ExtensionType.early_data) is not None

    def _changeWriteState(self) -> None:  # noqa: N802 - tlslite-ng's name
        """A client whose early data were accepted ends them with the last record under their key."""
        if self._client and self.accepted_early and self.early_keys is not None:
            keys, self.early_keys = self.early_keys, None
            self._handshake_hash.update(END_OF_EARLY_DATA)
            for each in self._mutated_end(keys.record(ContentType.handshake, bytes(END_OF_EARLY_DATA)), keys):
                self.sock.sendall(each.data)
        super()._changeWriteState()

    def _mutated_end(self, end: Raw, keys: EarlyKeys) -> Iterable[Raw]:
        if self.mutation is not None and self.mutation.on is EarlyKeys:
            return self.mutation.act(self, (end, keys)) or ()
        return (end,)

    def _sendMsg(self, msg: Any, *arguments: Any, **named: Any) -> Iterator[Any]:  # noqa: N802 - tlslite-ng's name
        if isinstance(msg, Alert):
            if msg.description == AlertDescription.close_notify and not self.closing:
                return
            self.alerts.append({"level": msg.level, "number": msg.description, "sent": True})
        for each in self._changed(msg):
            if isinstance(each, Raw):
                self.sock.send(each.data)
            else:
                yield from super()._sendMsg(each, *arguments, **named)
        if isinstance(msg, ClientHello):
            for each in self._early_records():
                self.sock.send(each.data)

    def _queue_message(self, msg: Any) -> None:
        for each in self._changed(msg):
            super()._queue_message(each)

    def _queue_flush(self) -> Iterator[Any]:
        """Send what is queued, which may be nothing."""
        if self._buffer:
            yield from super()._queue_flush()

    def _changed(self, msg: Any) -> tuple[Any, ...]:
        """What is sent in place of a message."""
        if isinstance(msg, ClientHello):
            self.hello = msg
            self.hellos += 1
            self._add_early(msg)
        elif isinstance(msg, ServerHello):
            self._note_answer(msg)
        suite = getattr(msg, "cipher_suite", None)
        sent: tuple[Any, ...] = (msg,)
        if self.mutation is not None and self.mutation.applies(msg, resuming=self.resuming):
            changed = self.mutation.act(self, msg)
            sent = sent if changed is None else tuple(changed)
            self.keyless = self.keyless or getattr(msg, "cipher_suite", None) != suite
        self.issued += isinstance(msg, TICKETS) and bool(sent)
        if isinstance(msg, ClientHello):
            self.asked_early = self.asked_early or msg.getExtension(ExtensionType.early_data) is not None
        return sent

    def _note_answer(self, msg: ServerHello) -> None:
        if msg.getExtension(ExtensionType.supported_versions) is not None:
            self.resuming = msg.getExtension(ExtensionType.pre_shared_key) is not None
        elif self.hello is not None:
            self.resuming = bool(msg.session_id) and msg.session_id == self.hello.session_id
            if not self.resuming and msg.getExtension(ExtensionType.session_ticket) is not None:
                msg.session_id = bytearray()  # a ticket is issued (RFC 5077, 3.4)

    def _add_early(self, hello: ClientHello) -> None:
        """A client that has early data says so in its first ClientHello, and takes it out of the second."""
        added = hello.getExtension(ExtensionType.early_data)
        if added is not None:
            hello.extensions.remove(added)
        elif self.early and self.hellos == 1 and psk_of(hello) is not None:
            add(hello, ExtensionType.early_data)
        else:
            return
        self.bind(hello)

    def _early_records(self) -> Iterator[Raw]:
        hello, self.early_keys = self.hello, None
        if hello is None or self.hellos > 1 or not self.early:
            return
        psk = self.psk()
        kind = hash_of(psk)
        early_secret = secureHMAC(bytearray(len(psk)), psk, kind)
        secret = derive_secret(early_secret, bytearray(b"c e traffic"), self._handshake_hash, kind)
        self._log("CLIENT_EARLY_TRAFFIC_SECRET", secret)
        self.early_keys = EarlyKeys(secret)
        honest = (self.early_keys.record(ContentType.application_data, self.early),)
        lies = self.mutation is not None and self.mutation.on is Raw
        yield from (self.mutation.act(self, honest[0]) or () if lies and self.mutation else honest)

    def psk(self) -> Any:
        """The PSK of the offered session's first ticket."""
        session = self.offered
        ticket = session.tickets[0]
        secret = session.resumptionMasterSecret
        return HKDF_expand_label(secret, b"resumption", ticket.ticket_nonce, len(secret), hash_of(secret))

    def _clientResume(self, session: Session | None, answer: ServerHello, *rest: Any) -> Iterator[Any]:  # noqa: N802
        """A ticket is accepted if the session id is echoed, of which tlslite-ng takes no notice (RFC 5077, 3.4)."""
        if session is not None and session.sessionID and answer.session_id == session.sessionID:
            yield from super()._clientResume(session, answer, *rest)

    def bind(self, hello: ClientHello, trailing: int = 0) -> None:
        """Compute the binders of the offered session's ticket again; those of other identities stay.

        ``trailing`` bytes follow the binders.
        """
        offer = psk_of(hello)
        if offer is None or hello.extensions[-1] is not offer or self.offered is None:
            return
        own = bytes(self.offered.tickets[0].ticket)
        kind = hash_of(self.offered.resumptionMasterSecret)
        hashes = self._handshake_hash.copy()
        binders = sum(1 + len(each) for each in offer.binders) + 2 + trailing
        hashes.update(hello.write()[:-binders])
        binder = HandshakeHelpers._calc_binder(kind, self.psk(), hashes, False)  # noqa: FBT003, SLF001 - no other way
        for index, identity in enumerate(offer.identities[: len(offer.binders)]):
            if bytes(identity.identity) == own:
                offer.binders[index] = binder


def hash_of(secret: bytes | bytearray) -> str:
    """The hash of a resumption master secret, by its length."""
    return "sha256" if len(secret) == 32 else "sha384"  # noqa: PLR2004 - bytes of SHA-256


def psk_of(hello: ClientHello) -> Any:
    """The pre_shared_key of a ClientHello; None if it offers no PSK."""
    return hello.getExtension(ExtensionType.pre_shared_key)


def add(message: Any, number: int, data: bytes = b"") -> None:
    """Add an extension; before pre_shared_key, which stays the last one."""
    made = TLSExtension(extType=number).create(bytearray(data))
    message.extensions = list(message.extensions or ())
    last = message.extensions[-1:] if message.extensions else []
    keep = bool(last) and isinstance(message, ClientHello) and last[0].extType == ExtensionType.pre_shared_key
    message.extensions.insert(len(message.extensions) - keep, made)


def remove(message: Any, number: int) -> None:
    """Remove an extension, if it is there."""
    message.extensions = [each for each in message.extensions or () if each.extType != number]


def message_of(kind: int, body: bytes) -> Message:
    """A handshake message of these bytes."""
    return Message(ContentType.handshake, bytearray((kind,)) + len(body).to_bytes(3, "big") + bytearray(body))
