"""Reads a connection's bytes into its Transcript; it never raises for what the peers sent.

Rules. Records are read in the order in which the tap saw them, so a ServerHello is known before anything that the
client sends because of it. From the ServerHello's version on, it is known which records are sealed: in TLS 1.3 those of
type application_data, before it those after the sender's change_cipher_spec. A sealed record is opened if the key log
has its key; else it stands in the transcript as EncryptedHandshake, EncryptedAlert or ApplicationData (TLS 1.2 shows
the type), or as EncryptedRecord (TLS 1.3 hides it). A direction whose framing is broken is read no further; a message
that is malformed within its frame is noted, and reading goes on.

Of QUIC, packets take the place of records. Initial packets hide nothing, as anybody can derive their keys; all others
are sealed. An alert is what a CONNECTION_CLOSE carries of it (RFC 9001, 4.8).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from harness.model.errors import WireFormatError
from harness.model.tls import Alert, Role, TLSVersion
from harness.model.transcript import (
    CONNECTION_CLOSE,
    Certificate,
    CertificateStatus,
    Message,
    RawPublicKey,
    Transcript,
)
from harness.wire import binders, hellos, messages, summary
from harness.wire.decrypt import EarlyEpoch, Keyring
from harness.wire.direction import Direction
from harness.wire.dtls.records import epoch_of, is_datagram
from harness.wire.key_log import KeyLog
from harness.wire.names import HANDSHAKES
from harness.wire.quic.conversation import Conversation
from harness.wire.quic.frames import CLOSES, CRYPTO, NEW_TOKEN, STREAMS
from harness.wire.quic.packets import PacketType, is_quic
from harness.wire.records import ContentType
from harness.wire.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.model.transcript import Chunk, ClientHello, Content, KeyExchange, NewSessionTicket, ServerHello
    from harness.wire.quic.frames import Frame
    from harness.wire.quic.packets import Packet
    from harness.wire.records import Handshake, Record

CERTIFICATE_TYPES = {Role.CLIENT: 19, Role.SERVER: 20}
"""The extensions client_certificate_type and server_certificate_type (RFC 7250)."""
RAW_PUBLIC_KEY = b"\2"
CLIENT_HELLO: Final = 1
SERVER_HELLO: Final = 2
AGAIN = "retransmitted "
"""Before the type of a message that DTLS sends again: it is the same message, and counts once."""
FATAL = 2
"""The level that an alert has in QUIC, which sends none (RFC 9001, 4.8)."""
BOTH_SECRETS = 2
"""The handshake secret and the application traffic secret of one direction."""
NO_PSKS: Mapping[Role, bytes] = {}
NOTHING: Mapping[str, str] = {}
"""The fields of most messages."""
UNREAD = {
    ContentType.CHANGE_CIPHER_SPEC: "ChangeCipherSpec",
    ContentType.ALERT: "EncryptedAlert",
    ContentType.HANDSHAKE: "EncryptedHandshake",
    ContentType.APPLICATION_DATA: "ApplicationData",
}
"""What a sealed TLS 1.2 record is called where no key opens it."""


def read(chunks: Sequence[Chunk], keylog: Iterable[str] = (), psks: Mapping[Role, bytes] = NO_PSKS) -> Transcript:
    """Read all messages of one connection; the sealed ones too where ``keylog`` has their keys (NSS format).

    ``psks`` are the external PSKs of the ends, with which binders prove their identities.

    Garbage and truncation end up in ``problem``, with the role and the offset in its stream, and all before is kept.
    """
    first = chunks[0].data if chunks else b""
    reader = _Reader(KeyLog(keylog), psks, datagrams=is_datagram(first), quic=is_quic(first))
    for chunk in chunks:
        reader.feed(chunk)
    return reader.transcript()


class _Reader:
    def __init__(
        self, keylog: KeyLog, psks: Mapping[Role, bytes], *, datagrams: bool = False, quic: bool = False
    ) -> None:
        self._keylog = keylog
        self._quic = Conversation() if quic else None
        self._psks = psks
        self._hello_messages: list[bytes] = []
        """The hellos so far, as they were sent; only where external PSKs are known."""
        self._psk: dict[str, bytes] = {}
        """What the key exchange of TLS 1.2 shows of a PSK, by the fields of the transcript."""
        self._client, self._server = (Direction(role, datagrams=datagrams) for role in Role)
        self._messages: list[Message] = []
        self._client_hellos: list[ClientHello] = []
        self._server_hellos: list[ServerHello] = []
        self._tickets: list[NewSessionTicket] = []
        self._alerts: list[Alert] = []
        self._problems: list[str] = []
        self._certificates: dict[Role, tuple[bytes, ...]] = {}
        self._raw_public_keys: dict[Role, bytes] = {}
        self._ocsp_responses: dict[Role, bytes] = {}
        self._raw_key = dict.fromkeys(Role, False)
        """Whether a role's Certificate has a raw public key."""
        self._encrypted_extensions: Mapping[int, bytes] | None = None
        self._early_data: bytes | None = None
        self._named_curve: int | None = None
        self._tls13: bool | None = None
        self._at = 0.0

    def feed(self, chunk: Chunk) -> None:
        """Read what the chunk completes."""
        end = self._client if chunk.sender is Role.CLIENT else self._server
        if end.broken:
            return
        self._at = chunk.at
        if self._quic is not None:
            self._datagram(self._quic, end, chunk.data)
            return
        try:
            for record in end.records.feed(chunk.data):
                self._record(end, record)
        except WireFormatError as error:
            end.broken = not end.datagrams
            self._complain(end, error)

    def transcript(self) -> Transcript:
        """All that was read, when there are no more bytes."""
        ends = (self._client, self._server)
        for end in ends:
            self._pass_change(end)
        unread = sum(end.unread for end in ends)
        server = self._server
        # before TLS 1.3 the first sealed handshake record is the Finished, and only a renegotiation makes more of them
        hidden = server.unread_handshakes > 1 if self._tls13 is False else server.unread > 0
        return Transcript(
            messages=tuple(self._messages),
            client_hellos=tuple(self._client_hellos),
            server_hellos=tuple(self._server_hellos),
            tickets=None if hidden else tuple(self._tickets),
            alerts=tuple(self._alerts),
            change_cipher_specs={end.role: end.plain_ccs for end in ends},
            decrypted=not unread and any(end.opened for end in ends),
            problem="; ".join(filter(None, [*self._problems, *(self._unfinished(end) for end in ends)])),
            quic=self._quic is not None,
            encrypted_extensions=self._encrypted_extensions,
            certificates=self._certificates,
            raw_public_keys=self._raw_public_keys,
            ocsp_responses=self._ocsp_responses,
            early_data=self._early_data,
            named_curve=self._named_curve,
            sealed={end.role: end.unread for end in ends},
            misfits={end.role: end.misfits for end in ends},
            psk_identity=self._psk.get("psk_identity"),
            psk_identity_hint=self._psk.get("psk_identity_hint"),
        )

    def _unfinished(self, end: Direction) -> str:
        """What of an end's messages never came, empty if nothing."""
        if self._quic is None:
            return end.finish()
        try:
            self._quic.finish(end.role)
        except WireFormatError as error:
            return end.complaint(error)
        return ""

    def _datagram(self, quic: Conversation, end: Direction, data: bytes) -> None:
        """Read the packets of a datagram; one that is malformed is noted, and the next one is read."""
        try:
            for packet in quic.packets(end.role, data):
                self._packet(quic, end, packet)
        except WireFormatError as error:
            self._complain(end, error)

    def _packet(self, quic: Conversation, end: Direction, packet: Packet) -> None:
        if packet.type is PacketType.RETRY:
            self._add(end, "Retry", len(packet.token), sealed=False, shown=NOTHING)
            return
        frames = quic.open(end.role, packet)
        if frames is None and not self._server_hellos:
            end.packets.append(packet)
            return
        sealed = packet.type is not PacketType.INITIAL
        if frames is None:
            end.unread += 1
            end.misfits += end.keys.whole
            named = "EncryptedHandshake" if packet.type is PacketType.HANDSHAKE else "EncryptedRecord"
            self._add(end, named, len(packet.sealed), sealed=True, shown=NOTHING)
            return
        end.opened += sealed
        for frame in frames:
            self._frame(quic, end, packet, frame)

    def _frame(self, quic: Conversation, end: Direction, packet: Packet, frame: Frame) -> None:
        sealed = packet.type is not PacketType.INITIAL
        if frame.type == CRYPTO:
            for message in quic.messages(end.role, packet, frame):
                self._handshake(end, message, sealed=sealed)
            for each in (self._client, self._server) if self._server_hellos else ():
                waiting, each.packets = each.packets, []
                for earlier in waiting:
                    self._packet(quic, each, earlier)
        elif frame.type in STREAMS:
            fresh = quic.data(end.role, frame)
            if fresh:
                self._add(end, "ApplicationData", len(fresh), sealed=sealed, shown=NOTHING)
        elif frame.type == NEW_TOKEN:
            self._add(end, "NEW_TOKEN", len(frame.data), sealed=sealed, shown=NOTHING)
        elif frame.type in CLOSES and not end.closed:
            end.closed = True
            self._close(end, frame, sealed=sealed)

    def _close(self, end: Direction, frame: Frame, *, sealed: bool) -> None:
        """The end of a connection, which is sent in each kind of packet that the other end may be able to open."""
        if frame.alert is not None:
            alert = Alert(frame.alert, end.role, FATAL)
            self._alerts.append(alert)
            self._add(end, "Alert", 0, sealed=sealed, shown=summary.Lazy(summary.alert_fields, alert), content=alert)
            return
        shown = {"error": str(frame.error), "of": "the transport" if frame.type == CLOSES[0] else "the application"}
        if frame.data:
            shown["reason"] = frame.data.decode(errors="backslashreplace")
        self._add(end, CONNECTION_CLOSE, 0, sealed=sealed, shown=shown)

    def _add(
        self, end: Direction, kind: str, length: int, *, sealed: bool, shown: Mapping[str, str], content: Content = None
    ) -> None:
        if sealed:
            self._pass_change(end)
        self._messages.append(Message(end.role, kind, length, self._at, sealed, shown, content))

    def _pass_change(self, end: Direction) -> None:
        """Add the change_cipher_spec of DTLS in its place: before all that is sealed, however the datagrams came."""
        if end.change is not None:
            self._messages.append(end.change)
            end.change = None

    def _record(self, end: Direction, record: Record) -> None:
        sealed = end.seals(record, tls13=self._tls13)
        kind, content = record.type, record.payload
        if sealed:
            if self._too_early(end, record):
                return
            opened = end.open(record)
            if opened is None:
                self._unread(end, record)
                return
            kind, content = opened
            end.opened += 1
        if kind == ContentType.HANDSHAKE:
            for message in end.join(record, content, sealed=sealed):
                self._met(end, message)
        elif kind == ContentType.ALERT:
            self._alert(end, content, record.offset + 5, sealed=sealed)
        elif kind == ContentType.CHANGE_CIPHER_SPEC:
            self._change_cipher_spec(end, record, content, sealed=sealed)
        else:
            name = "ApplicationData" if kind == ContentType.APPLICATION_DATA else f"record of type {kind}"
            if sealed and kind == ContentType.APPLICATION_DATA and isinstance(end.keys.current, EarlyEpoch):
                self._early_data = (self._early_data or b"") + content
            self._add(end, name, len(content), sealed=sealed, shown=NOTHING)

    def _too_early(self, end: Direction, record: Record) -> bool:
        """Whether a sealed record of DTLS waits for the ServerHello; its epoch says of which handshake."""
        epoch = epoch_of(record)
        if not end.datagrams or epoch <= end.epoch:
            return False
        if len(self._server_hellos) >= epoch:
            end.spent[end.epoch], end.keys, end.epoch = end.keys, Keyring(), epoch
            self._seal(end)
            return False
        end.waiting.append(record)
        return True

    def _change_cipher_spec(self, end: Direction, record: Record, content: bytes, *, sealed: bool) -> None:
        if end.datagrams and epoch_of(record) < end.changes:
            self._add(end, AGAIN + "ChangeCipherSpec", len(content), sealed=sealed, shown=NOTHING)
            return
        if end.datagrams:
            end.changes += 1
            end.change = Message(end.role, "ChangeCipherSpec", len(content), self._at, sealed, NOTHING, content)
        else:
            self._add(end, "ChangeCipherSpec", len(content), sealed=sealed, shown=NOTHING, content=content)
        end.plain_ccs += not sealed
        self._rekey(end)

    def _unread(self, end: Direction, record: Record) -> None:
        end.unread += 1
        end.misfits += end.keys.whole
        end.unread_handshakes += record.type == ContentType.HANDSHAKE
        named = UNREAD.get(ContentType(record.type)) if self._tls13 is False else None
        self._add(end, named or "EncryptedRecord", len(record.payload), sealed=True, shown=NOTHING)
        if record.type == ContentType.CHANGE_CIPHER_SPEC:
            self._rekey(end)

    def _rekey(self, end: Direction) -> None:
        """A change_cipher_spec seals what comes after it, but for that of TLS 1.3, which means nothing (D.4)."""
        if self._tls13 is False and not end.datagrams:
            self._seal(end)

    def _seal(self, end: Direction) -> None:
        """Take the keys with which all further records of TLS 1.2, and those of an epoch of DTLS, are sealed."""
        end.sealed = True
        known = self._keylog and self._client_hellos
        keys = self._keylog.tls12(self._client_hellos[-1], self._server_hellos[-1], end.role) if known else []
        end.keys.replace(*keys)
        end.keys.whole = bool(keys)

    def _alert(self, end: Direction, content: bytes, offset: int, *, sealed: bool) -> None:
        if len(content) % 2 or not content:
            raise WireFormatError(f"an alert record of {len(content)} bytes", offset)
        for level, number in zip(content[::2], content[1::2], strict=True):
            alert = Alert(number, end.role, level)
            self._alerts.append(alert)
            shown = summary.Lazy(summary.alert_fields, alert)
            self._add(end, "Alert", 2, sealed=sealed, shown=shown, content=alert)

    def _met(self, end: Direction, message: Handshake) -> None:
        """A message, which may be one of DTLS that is sent again, or one that others waited for."""
        if message.again:
            kind = HANDSHAKES.get(message.type, f"handshake message of type {message.type}")
            self._add(end, AGAIN + kind, len(message.body), sealed=message.sealed, shown=NOTHING)
            return
        self._handshake(end, message, sealed=message.sealed)
        for each in (self._client, self._server) if self._server_hellos else ():
            waiting, each.waiting = each.waiting, []
            for record in waiting:
                self._record(each, record)

    def _handshake(self, end: Direction, message: Handshake, *, sealed: bool) -> None:
        kind = HANDSHAKES.get(message.type, f"handshake message of type {message.type}")
        shown: Mapping[str, str]
        content: Content = None
        try:
            if message.type == CLIENT_HELLO and end.role is Role.CLIENT:
                content = hello = self._client_hello(end, message)
                shown = summary.Lazy(summary.client_hello_fields, hello)
            elif message.type == SERVER_HELLO and end.role is Role.SERVER:
                content = answer = self._server_hello(message)
                kind = "HelloRetryRequest" if answer.hello_retry_request else kind
                shown = summary.Lazy(summary.server_hello_fields, answer)
            elif message.type == messages.NEW_SESSION_TICKET and end.role is Role.SERVER:
                tls13 = self._tls13 is True
                complain = partial(self._complain, end)
                content = ticket = messages.new_session_ticket(
                    message.body, message.offset, tls13=tls13, complain=complain
                )
                self._tickets.append(ticket)
                shown = summary.Lazy(partial(summary.ticket_fields, tls13=tls13), ticket)
            elif message.type in messages.OF_CERTIFICATES:
                content, shown = self._of_certificate(end.role, message)
            elif message.type == messages.ENCRYPTED_EXTENSIONS:
                content = encrypted = messages.encrypted_extensions(message.body, message.offset)
                self._encrypted_extensions = self._encrypted_extensions or encrypted.extensions
                self._certificate_types(encrypted.extensions)
                shown = messages.encrypted_extensions_fields(encrypted.extensions)
            elif message.type in {messages.SERVER_KEY_EXCHANGE, messages.CLIENT_KEY_EXCHANGE}:
                content, shown = self._key_exchange(message)
            else:
                shown = messages.fields_of(message.type, message.body, message.offset)
        except WireFormatError as error:
            self._complain(end, error)
            shown = {"malformed": str(error)}
        self._add(end, kind, len(message.body), sealed=sealed, shown=shown, content=content)

    def _complain(self, end: Direction, error: WireFormatError) -> None:
        self._problems.append(end.complaint(error))

    def _key_exchange(self, message: Handshake) -> tuple[KeyExchange, Mapping[str, str]]:
        """The group of TLS 1.2, and with a PSK the hint of the server and the identity of the client (RFC 4279, 2)."""
        suite = SUITES.get(self._server_hellos[-1].cipher_suite) if self._server_hellos else None
        server = message.type == messages.SERVER_KEY_EXCHANGE
        found = messages.key_exchange(message.body, message.offset, suite.name if suite else "", server=server)
        if server:
            self._named_curve = found.group
        if found.psk is None:
            return found, NOTHING
        name = "psk_identity_hint" if server else "psk_identity"
        self._psk.setdefault(name, found.psk)
        return found, {name: found.psk.decode(errors="backslashreplace") or "empty"}

    def _of_certificate(self, role: Role, message: Handshake) -> tuple[Content, Mapping[str, str]]:
        """A certificate, compressed or not, or the response that is stapled to it before TLS 1.3."""
        if message.type == messages.CERTIFICATE:
            return self._certificate(role, message.body, message.offset)
        if message.type == messages.CERTIFICATE_STATUS:
            response = messages.certificate_status(message.body, message.offset)
            return CertificateStatus(response), self._stapled(role, response)
        unpacked, shown = messages.compressed_certificates(message.body, message.offset)
        if unpacked is None:
            return None, shown
        content, more = self._certificate(role, unpacked, message.offset)
        return content, {**shown, **more}

    def _certificate(self, role: Role, body: bytes, offset: int) -> tuple[Content, Mapping[str, str]]:
        """A chain of certificates, or the raw public key in its place."""
        tls13 = self._tls13 is True
        if self._raw_key[role]:
            key = messages.raw_public_key(body, offset, tls13=tls13)
            self._raw_public_keys.setdefault(role, key)
            self._certificates.setdefault(role, ())
            return RawPublicKey(key), {"raw_public_key": f"{len(key)} bytes"}
        chain = messages.certificates(body, offset, tls13=tls13)
        self._certificates.setdefault(role, chain)
        response = messages.certificate_response(body, offset) if tls13 else b""
        if response:
            return Certificate(chain, response), messages.certificate_fields(chain) | self._stapled(role, response)
        return Certificate(chain), summary.Lazy(messages.certificate_fields, chain)

    def _stapled(self, role: Role, response: bytes) -> dict[str, str]:
        """Keep the first OCSP response of a role; what is worth printing of it."""
        if not response:
            return {}
        self._ocsp_responses.setdefault(role, response)
        return {"ocsp_response": f"{len(response)} bytes"}

    def _certificate_types(self, extensions: Mapping[int, bytes]) -> None:
        """What a server says about the type of either end's certificate."""
        for role, number in CERTIFICATE_TYPES.items():
            self._raw_key[role] = self._raw_key[role] or extensions.get(number) == RAW_PUBLIC_KEY

    def _client_hello(self, end: Direction, message: Handshake) -> ClientHello:
        hello = hellos.client_hello(message.body, message.offset, partial(self._complain, end))
        if self._psks:
            sent = message.whole
            hello = binders.proven(hello, sent, self._hello_messages, self._psks)
            self._hello_messages.append(sent)
        self._client_hellos.append(hello)
        if hello.early_data and self._keylog:
            end.keys.add(*self._keylog.early(hello))
        return hello

    def _server_hello(self, message: Handshake) -> ServerHello:
        hello = hellos.server_hello(message.body, message.offset)
        self._server_hellos.append(hello)
        if self._psks:
            self._hello_messages.append(message.whole)
        self._tls13 = hello.version is TLSVersion.TLSv1_3
        self._certificate_types(hello.extensions)
        if self._tls13 and not hello.hello_retry_request and self._keylog and self._client_hellos:
            for end in (self._client, self._server):
                hellos_of_it = self._client_hellos[-1], hello
                if self._quic is not None:
                    packet_keys = self._keylog.quic(*hellos_of_it, end.role)
                    self._quic.know(end.role, packet_keys)
                    end.keys.whole = len(packet_keys) == BOTH_SECRETS
                    continue
                keys = self._keylog.tls13(*hellos_of_it, end.role)
                end.keys.add(*keys)
                end.keys.whole = len(keys) == BOTH_SECRETS
        return hello
