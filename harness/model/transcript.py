"""What the wire showed of one connection: its TCP, and its messages, of which sealed ones only if they were opened."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.errors import UnsupportedError
    from harness.model.tls import Alert, Role, TLSVersion


ENCRYPT_THEN_MAC = 22
"""RFC 7366, 2."""
EXTENDED_MASTER_SECRET = 23
"""RFC 7627."""
SESSION_TICKET = 35
"""RFC 5077."""
PRE_SHARED_KEY = 41
"""RFC 8446, 4.2.11."""
EARLY_DATA = 42
"""RFC 8446, 4.2.10."""


CONNECTION_CLOSE = "CONNECTION_CLOSE"
"""The type of the message with which an end of QUIC closes a connection, if it carries no alert (RFC 9000, 19.19)."""
NO_ERROR = "0"
"""The error code of one that closes without an error, as it is shown."""


@dataclass(frozen=True, slots=True)
class TcpEnd:
    """An end of TCP; ``at`` is seconds since the tap accepted the connection."""

    sender: Role | None
    """Whose FIN or RST the tap met; None where the tap itself sent it, towards both ends."""
    at: float
    reset: bool
    """RST, else FIN."""


@dataclass(frozen=True, slots=True)
class Tcp:
    """All of it is on 127.0.0.1. The client connects to the tap's port, the tap to the server's."""

    began: int
    """When the tap accepted the connection, nanoseconds since 1970 (time.time_ns)."""
    client_port: int
    tap_port: int
    server_port: int
    ends: tuple[TcpEnd, ...] = ()
    """In order; empty while both directions are open."""
    datagrams: bool = False
    """Whether it is UDP in place of TCP; an end is then an empty datagram, with which its sender leaves."""

    @property
    def in_memory(self) -> bool:
        """Whether nothing carried it, as both ends are in one process: it has no ports, and no time passes."""
        return not self.client_port


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as the tap relayed them, of UDP one datagram; ``at`` is seconds since the tap accepted the connection."""

    sender: Role
    at: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One handshake message, alert, change_cipher_spec, application data record, or of QUIC Retry or CONNECTION_CLOSE.

    ``length`` is the handshake body's or the record's plaintext length in bytes (the ciphertext's if not decrypted).
    ``fields`` holds what matters for resumption, ready to print.
    """

    sender: Role
    type: str
    length: int
    at: float
    encrypted: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    content: Content = field(default=None, repr=False, compare=False)
    """What was read of it; None for a message of a type that is not read, or that is malformed."""


@dataclass(frozen=True, slots=True)
class ExternalPsk:
    """An identity that is proven to be an external PSK's: its binder verifies with a key that no session gave."""

    identity: bytes
    holders: frozenset[Role]
    """The ends with whose key the binder verifies (RFC 8446, 4.2.11.2: ``ext binder``)."""


@dataclass(frozen=True, slots=True)
class ClientHello:
    """A ClientHello (RFC 8446, 4.1.2). Extension bodies are raw bytes by IANA number, in the order sent."""

    legacy_version: int
    random: bytes
    session_id: bytes
    cipher_suites: tuple[int, ...]
    extensions: Mapping[int, bytes]
    supported_versions: tuple[int, ...] = ()
    psk_identities: tuple[bytes, ...] = ()
    """The identities of pre_shared_key, empty if the extension is absent."""
    psk_ages: tuple[int, ...] = ()
    """obfuscated_ticket_age of each identity, milliseconds modulo 2**32."""
    psk_binders: tuple[bytes, ...] = ()
    psk_modes: tuple[int, ...] = ()
    """psk_key_exchange_modes: 0 psk_ke, 1 psk_dhe_ke."""
    key_share_groups: tuple[int, ...] = ()
    server_name: str | None = None
    alpn: tuple[str, ...] = ()
    length: int = 0
    """Bytes of the body."""
    compression_methods: bytes = b"\0"
    supported_groups: tuple[int, ...] = ()
    cookie: bytes | None = None
    """The cookie of DTLS, empty where the client has none (RFC 6347, 4.2.1); None in TLS."""
    external_psks: tuple[ExternalPsk, ...] = ()
    """Those of the identities that are proven to be external PSKs."""

    @property
    def psk_tickets(self) -> tuple[bytes, ...]:
        """The identities that are not proven to be external PSKs: tickets, as far as is known."""
        if not self.external_psks:
            return self.psk_identities
        external = {psk.identity for psk in self.external_psks}
        return tuple(identity for identity in self.psk_identities if identity not in external)

    @property
    def session_ticket(self) -> bytes | None:
        """Body of the session_ticket extension (RFC 5077, 3.2): None if absent, empty if it asks for one."""
        return self.extensions.get(SESSION_TICKET)

    @property
    def extended_master_secret(self) -> bool:
        """Whether extension 23 is present (RFC 7627)."""
        return EXTENDED_MASTER_SECRET in self.extensions

    @property
    def early_data(self) -> bool:
        """Whether extension 42 is present (RFC 8446, 4.2.10)."""
        return EARLY_DATA in self.extensions


@dataclass(frozen=True, slots=True)
class ServerHello:
    """A ServerHello or HelloRetryRequest (RFC 8446, 4.1.3)."""

    legacy_version: int
    random: bytes
    session_id: bytes
    cipher_suite: int
    extensions: Mapping[int, bytes]
    version: TLSVersion | None
    """The version that was negotiated, None if the harness has no name for it."""
    hello_retry_request: bool = False
    selected_psk: int | None = None
    """Index into the client's identities, None if pre_shared_key is absent."""
    length: int = 0
    """Bytes of the body."""
    compression: int = 0
    """The method that was chosen, 0 for none (RFC 3749, 2)."""
    group: int | None = None
    """The group of its key share, or the one that a HelloRetryRequest asks for (RFC 8446, 4.2.8)."""
    alpn: tuple[str, ...] = ()

    @property
    def session_ticket(self) -> bytes | None:
        """Body of the session_ticket extension: empty announces a NewSessionTicket (RFC 5077, 3.2)."""
        return self.extensions.get(SESSION_TICKET)

    @property
    def extended_master_secret(self) -> bool:
        """Whether extension 23 was answered (RFC 7627)."""
        return EXTENDED_MASTER_SECRET in self.extensions


@dataclass(frozen=True, slots=True)
class NewSessionTicket:
    """A NewSessionTicket (RFC 5077, 3.3; RFC 8446, 4.6.1). ``lifetime`` is in seconds."""

    lifetime: int
    ticket: bytes
    age_add: int = 0
    nonce: bytes = b""
    max_early_data: int = 0


@dataclass(frozen=True, slots=True)
class EncryptedExtensions:
    """The server's extensions that TLS 1.3 encrypts (RFC 8446, 4.3.1), by IANA number, in the order sent."""

    extensions: Mapping[int, bytes]
    alpn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """The DER of each certificate, the sender's own first (RFC 8446, 4.4.2; RFC 5246, 7.4.2)."""

    chain: tuple[bytes, ...]
    ocsp_response: bytes = b""
    """The response that TLS 1.3 staples to the first of them (RFC 8446, 4.4.2.1), empty without one."""


@dataclass(frozen=True, slots=True)
class RawPublicKey:
    """A Certificate message with a SubjectPublicKeyInfo in place of certificates (RFC 7250), empty if it has none."""

    key: bytes


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """The OCSP response that a server staples to its certificate before TLS 1.3 (RFC 6066, 8)."""

    ocsp_response: bytes


@dataclass(frozen=True, slots=True)
class KeyExchange:
    """A ServerKeyExchange or ClientKeyExchange (RFC 5246, 7.4.3 and 7.4.7)."""

    group: int | None = None
    """The server's group of ECDHE (RFC 8422, 5.4)."""
    dh_bits: int | None = None
    """Bits of the server's prime of DHE."""
    dh_group: int | None = None
    """The group of RFC 7919 whose prime that is, by its number; None for a prime of another origin."""
    psk: bytes | None = None
    """With a PSK the server's hint, or the client's identity (RFC 4279, 2)."""


Content: TypeAlias = (
    "ClientHello | ServerHello | EncryptedExtensions | Certificate | RawPublicKey | CertificateStatus | KeyExchange"
    " | NewSessionTicket | Alert | bytes | None"
)
"""What is read of a message; bytes are a change_cipher_spec as it was sent."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """All messages of one connection in the order in which the tap saw them.

    ``tickets`` is None where TLS 1.3 records could not be decrypted, so that their number is unknown.
    ``handshakes`` counts ServerHellos that are not a HelloRetryRequest; above one there was a renegotiation.
    """

    messages: tuple[Message, ...] = ()
    client_hellos: tuple[ClientHello, ...] = ()
    server_hellos: tuple[ServerHello, ...] = ()
    tickets: tuple[NewSessionTicket, ...] | None = None
    alerts: tuple[Alert, ...] = ()
    change_cipher_specs: Mapping[Role, int] = field(default_factory=dict)
    """How many plaintext change_cipher_spec records each role sent."""
    decrypted: bool = False
    named_curve: int | None = None
    """The group of the last ServerKeyExchange, if it names one (RFC 8422, 5.4)."""
    problem: str = ""
    """Why the bytes could not be read to their end, empty if they could."""
    quic: bool = False
    """Whether packets of QUIC carried the messages (RFC 9001)."""
    encrypted_extensions: Mapping[int, bytes] | None = None
    """The extensions of the first EncryptedExtensions (RFC 8446, 4.3.1) by IANA number; None if none was read."""
    raw_public_keys: Mapping[Role, bytes] = field(default_factory=dict)
    """The SubjectPublicKeyInfo that each role sent in place of a certificate (RFC 7250), empty if it had none."""
    ocsp_responses: Mapping[Role, bytes] = field(default_factory=dict)
    """The OCSP response that each role stapled to its certificate (RFC 6066, 8; RFC 8446, 4.4.2.1), as DER."""
    certificates: Mapping[Role, tuple[bytes, ...]] = field(default_factory=dict)
    """The chain of each role's first Certificate message as DER, also of a CompressedCertificate of zlib (RFC 8879).

    A role that sent none is absent.
    """
    early_data: bytes | None = None
    """The early data that the client sent (RFC 8446, 2.3); None if none was read."""
    sealed: Mapping[Role, int] = field(default_factory=dict)
    """How many records of each role no key opened."""
    psk_identity: bytes | None = None
    """The identity that the first ClientKeyExchange of a TLS 1.2 suite with a PSK names (RFC 4279, 2)."""
    psk_identity_hint: bytes | None = None
    """The hint of the first ServerKeyExchange of such a suite."""
    misfits: Mapping[Role, int] = field(default_factory=dict)
    """How many records of each role did not open although the key log has all secrets of that direction."""

    @property
    def closed(self) -> bool:
        """Whether an end of QUIC sent a CONNECTION_CLOSE without an error, which ends both directions."""
        return any(m.type == CONNECTION_CLOSE and m.fields.get("error") == NO_ERROR for m in self.messages)

    @property
    def client_hello(self) -> ClientHello:
        """The first ClientHello; IndexError if the client sent none."""
        return self.client_hellos[0]

    @property
    def server_hello(self) -> ServerHello:
        """The first ServerHello that is not a HelloRetryRequest; StopIteration if the server sent none."""
        return next(hello for hello in self.server_hellos if not hello.hello_retry_request)

    @property
    def handshakes(self) -> int:
        """How many ServerHellos there are, HelloRetryRequests not counted."""
        return sum(not hello.hello_retry_request for hello in self.server_hellos)

    def types(self, sender: Role | None = None) -> tuple[str, ...]:
        """The messages' types in order, of one role or of both."""
        return tuple(m.type for m in self.messages if sender is None or m.sender is sender)

    def finished(self, sender: Role) -> bool:
        """Whether its Finished is there; sealed, it is the first handshake message that is (RFC 5246, 7.4.9)."""
        kinds = {"Finished"} if self.quic else {"Finished", "EncryptedHandshake"}
        return any(kind in kinds for kind in self.types(sender))

    def data_before(self, *begins: str) -> bool:
        """Whether application data follow the first Finished, before any message of these types that comes after it."""
        types = self.types()
        after = types[types.index("Finished") :] if "Finished" in types else ()
        end = next((number for number, kind in enumerate(after) if kind in begins), None)
        return "ApplicationData" in after[:end]


ENCRYPTED = frozenset(
    {
        "messages",
        "tickets",
        "alerts",
        "encrypted_extensions",
        "raw_public_keys",
        "ocsp_responses",
        "certificates",
        "early_data",
    }
)
"""What TLS 1.3 encrypts of a Transcript, so that without a key log it is absent or not whole."""


class SealedTranscript(Transcript):
    """A Transcript of which neither end has a key log: what TLS 1.3 encrypts cannot be asked for."""

    __slots__ = ("_why",)
    _why: UnsupportedError

    @classmethod
    def of(cls, transcript: Transcript, why: UnsupportedError) -> SealedTranscript:
        """The same messages; to read what is ENCRYPTED raises ``why``."""
        made = cls(**{one.name: getattr(transcript, one.name) for one in fields(transcript)})
        object.__setattr__(made, "_why", why)
        return made

    def __getattribute__(self, name: str) -> Any:
        """Raise the UnsupportedError for a name that is ENCRYPTED."""
        if name in ENCRYPTED:
            raise object.__getattribute__(self, "_why")
        return super().__getattribute__(name)
