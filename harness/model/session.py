"""A Session: an SSL_SESSION as data, with who took it and from whom (harness.wire.session.codec decodes it)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar, cast, overload

from harness.model.errors import UnknownFieldError, UsageError, did_you_mean
from harness.model.tls import TLSVersion

if TYPE_CHECKING:
    from collections.abc import Mapping


T = TypeVar("T")


class Known(Generic[T]):
    """A field of a session that is readable only where it is known; reading another raises UnknownFieldError."""

    def __init__(self, kind: type[T], doc: str) -> None:
        self.__doc__ = doc
        self.kind = kind
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, session: None, owner: type) -> Known[T]: ...
    @overload
    def __get__(self, session: Session, owner: type) -> T: ...
    def __get__(self, session: Session | None, owner: type) -> T | Known[T]:
        if session is None:
            return self
        if self.name not in session.known:
            raise UnknownFieldError(
                f"{session.taken_by or 'this session'} does not have {self.name}; it knows: "
                f"{', '.join(sorted(session.known)) or 'nothing'}. A scenario that reads it says "
                'needs={"client": [Capability.SESSION_DATA]}'
            )
        return cast("T", session.known[self.name])


@dataclass(frozen=True, eq=False)
class Session:
    """One SSL_SESSION. ``der`` is what i2d_SSL_SESSION gave, None where the stack cannot export it.

    ``handle`` names the object inside the endpoint that holds it, for a stack that can offer it only from memory.
    """

    known: Mapping[str, object]
    der: bytes | None = None
    taken_by: str = ""
    taken_from: str = ""
    handle: object = field(default=None, repr=False)

    protocol = Known(str, "protocol of any kind: TLSv1.3, TLSv1, SSLv3, DTLSv1.2 (SSL_SESSION_get_protocol_version)")
    version = Known(TLSVersion, "the protocol, if the harness can speak it: TLS 1.0 to 1.3")
    cipher = Known(int, "IANA cipher suite number, 0x1302 for TLS_AES_256_GCM_SHA384")
    session_id = Known(bytes, "session id, 0 to 32 bytes; for TLS 1.3 a local name that was never sent")
    session_id_context = Known(bytes, "session id context, 0 to 32 bytes (SSL_CTX_set_session_id_context)")
    master_key_length = Known(int, "bytes of the master secret (TLS 1.2: 48) or of the resumption PSK (TLS 1.3)")
    time = Known(int, "when it was made, seconds since the epoch (SSL_SESSION_get_time)")
    timeout = Known(int, "seconds it may be resumed, by the owner's own setting (SSL_SESSION_get_timeout)")
    peer_certificate = Known(bytes, "DER of the peer's certificate, empty if there was none")
    verify_result = Known(int, "X509_V_ERR_* of the peer's certificate, 0 for X509_V_OK")
    server_name = Known(str, "host name of the SNI extension, empty if none (SSL_SESSION_get0_hostname)")
    has_ticket = Known(bool, "whether it holds a ticket (SSL_SESSION_has_ticket)")
    ticket = Known(bytes, "the ticket, empty if none (SSL_SESSION_get0_ticket)")
    ticket_length = Known(int, "bytes of the ticket, 0 if none")
    lifetime_hint = Known(int, "the server's ticket lifetime in seconds (SSL_SESSION_get_ticket_lifetime_hint)")
    age_add = Known(int, "ticket_age_add of a TLS 1.3 ticket, 0 in TLS 1.2 (RFC 8446, 4.6.1)")
    max_early_data = Known(int, "bytes of early data that the ticket allows, 0 for none")
    alpn = Known(bytes, "the ALPN protocol that was negotiated, empty if none")
    max_fragment_length_mode = Known(int, "TLSEXT_max_fragment_length_*, 0 for none (RFC 6066, 4)")
    flags = Known(int, "SSL_SESS_FLAG_*: bit 0 is extended master secret")
    extended_master_secret = Known(bool, "RFC 7627 was used (SSL_SESS_FLAG_EXTMS)")
    compression = Known(int, "number of the compression method, 0 for none (RFC 3749)")
    psk_identity_hint = Known(bytes, "identity hint of a server with a pre-shared key, empty if none (RFC 4279)")
    psk_identity = Known(bytes, "identity of a pre-shared key, empty if none (SSL_get_psk_identity)")
    srp_username = Known(bytes, "user name of SRP, empty if none (SSL_get_srp_username, RFC 5054)")
    peer_rpk = Known(
        bytes, "SubjectPublicKeyInfo of a peer with a raw public key, empty if none (RFC 7250; 3.2 and later)"
    )
    key_arg = Known(bytes, "key argument of SSLv2, empty otherwise (1.0.2 and older)")
    unknown_fields = Known(str, "fields whose tag no known OpenSSL writes, as [21]=0c0161; empty if none")
    ticket_appdata = Known(bytes, "application data inside the ticket (SSL_SESSION_set1_ticket_appdata)")
    kex_group = Known(int, "the IANA group of the key exchange, 0 if not recorded (3.0 and later)")
    resumable = Known(bool, "SSL_SESSION_is_resumable; known to stacks that can ask, it is not in the DER")

    @property
    def cached_id(self) -> bytes:
        """The id under which a server caches it: its stateful ticket in TLS 1.3, its session id before."""
        return self.ticket if self.version is TLSVersion.TLSv1_3 else self.session_id

    def get(self, name: str) -> object | None:
        """The field's value, or None where it is unknown; for reports, which show what there is."""
        return self.known.get(name)


SESSION_FIELDS: tuple[str, ...] = tuple(n for n, v in vars(Session).items() if isinstance(v, Known))
"""The names of all fields, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Turned:
    """Octets with the lowest bit of the byte ``at`` turned, counted from the end if negative; None turns every bit."""

    at: int | None = None


Value = int | bytes | str | Turned
"""What a field of a session can be changed to."""
INVERT, FLIP = "invert", "flip:"
DERIVED = ("version", "master_key_length", "has_ticket", "ticket_length", "unknown_fields", "resumable", "key_arg")
"""Fields that follow from others, are not in the DER, or are in that of SSLv2 alone."""
EDITABLE: dict[str, type] = {
    **{name: getattr(Session, name).kind for name in SESSION_FIELDS if name not in DERIVED},
    "master_key": bytes,
}
"""The fields that can be changed before a session is offered, each with the type of its value."""


def parse_edit(name: str, text: str) -> Value:
    """The value of a changed field as a user types it; UsageError says what is allowed.

    Numbers are decimal or begin with 0x, octets are hexadecimal digits, ``flip:N`` or ``invert``: see `Turned`.
    """
    kind = EDITABLE.get(name)
    if kind is None:
        hint = did_you_mean(name, EDITABLE)
        raise UsageError(f"no field {name!r} of a session can be changed{hint}; those that can: {', '.join(EDITABLE)}")
    allowed = "hexadecimal digits, flip:N or invert"
    try:
        if kind is bool:
            allowed = "on or off"
            return int({"on": True, "off": False}[text])
        if kind is int:
            allowed = "a number, decimal or with 0x"
            return int(text, 0)
        if kind is str:
            return text
        if text == INVERT or text.startswith(FLIP):
            return Turned(None if text == INVERT else int(text.removeprefix(FLIP)))
        return bytes.fromhex(text)
    except (ValueError, KeyError):
        raise UsageError(f"{name} of a session cannot be {text!r}; allowed: {allowed}") from None


def show_edit(name: str, value: Value) -> str:
    """The value of a changed field as a user types it."""
    if isinstance(value, Turned):
        return INVERT if value.at is None else f"{FLIP}{value.at}"
    if isinstance(value, bytes):
        return value.hex()
    if EDITABLE[name] is bool:
        return "on" if value else "off"
    return f"0x{value:04x}" if name == "cipher" else str(value)
