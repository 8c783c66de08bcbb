"""The areas of TLS to which reason codes and alerts belong, each with its Reason and its usual remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.reason import Reason

if TYPE_CHECKING:
    from harness.model.tls import Role


@dataclass(frozen=True, slots=True)
class Area:
    """One area. ``{me}`` is the end that reports the error, ``{peer}`` the other one."""

    reason: Reason
    remedy: str
    """What helps against most errors of the area."""


AREAS = {
    "certificate": Area(
        Reason.CERTIFICATE_REJECTED,
        "check the certificate chain of {peer} (key type, key usage, names, validity, signatures) and what {me} trusts",
    ),
    "version": Area(
        Reason.NO_COMMON_VERSION,
        "enable a common protocol version at both ends (SSL_CTX_set_min_proto_version, SSL_CTX_set_max_proto_version)",
    ),
    "cipher": Area(
        Reason.CIPHER_REJECTED,
        "enable a common cipher suite at both ends (SSL_CTX_set_cipher_list for TLS 1.2, SSL_CTX_set_ciphersuites for "
        "TLS 1.3)",
    ),
    "key_exchange": Area(Reason.KEY_EXCHANGE_FAILED, "enable a common group at both ends (SSL_CTX_set1_groups_list)"),
    "signature": Area(
        Reason.SIGNATURE_REJECTED,
        "check that the private key of {peer} belongs to its certificate, and enable a common signature algorithm at "
        "both ends (SSL_CTX_set1_sigalgs_list)",
    ),
    "session": Area(Reason.SESSION_REJECTED, "discard the session: a full handshake makes another one"),
    "early_data": Area(
        Reason.EARLY_DATA_ABORTED,
        "send no early data with this session, or only what its server allows (RFC 8446, 4.2.10)",
    ),
    "extension": Area(
        Reason.EXTENSION_REJECTED,
        "compare the extensions of both hellos: {peer}, or a device on the path, sent what {me} does not accept",
    ),
    "alpn": Area(
        Reason.NO_COMMON_ALPN,
        "offer a protocol that the server has (SSL_CTX_set_alpn_protos), or let the server go on without one "
        "(SSL_TLSEXT_ERR_NOACK in its ALPN callback)",
    ),
    "psk": Area(
        Reason.EXTERNAL_PSK_FAILED,
        "give both ends the same identity and key, and the callbacks that find them; or use certificates",
    ),
    "order": Area(
        Reason.MESSAGE_UNEXPECTED,
        "look at the messages before the alert: {peer}, or a device on the path, sent one that does not belong there",
    ),
    "format": Area(
        Reason.MESSAGE_MALFORMED,
        "look at the last message of {peer}: its implementation, or a device on the path, made it wrong",
    ),
    "record": Area(
        Reason.RECORD_UNREADABLE,
        "find out what changed the bytes on the path, or why both ends have different keys",
    ),
    "renegotiation": Area(
        Reason.RENEGOTIATION_REFUSED, "do not renegotiate, or allow secure renegotiation at both ends (RFC 5746)"
    ),
    "compression": Area(Reason.COMPRESSION_FAILED, "switch compression off at both ends (SSL_OP_NO_COMPRESSION)"),
    "ending": Area(
        Reason.PEER_WENT_AWAY, "find out why {peer} ended the connection: its log, a time-out, a device on the path"
    ),
    "transport": Area(Reason.TRANSPORT_FAILED, "look at both ends' use of QUIC, DTLS or SRTP"),
    "not_tls": Area(Reason.NOT_TLS, "check host, port and protocol: both ends must speak TLS there"),
    "setup": Area(Reason.END_MISCONFIGURED, "correct that call or setting in the application at {me}"),
    "library": Area(
        Reason.LIBRARY_FAILED,
        "look at the other entries of the error queue of {me}, and at its memory, providers and configuration",
    ),
}
"""By the name that the tables use."""


@dataclass(frozen=True, slots=True)
class Words:
    """What an error means. In the texts ``{me}`` is the end that reports it and ``{peer}`` the other one."""

    area: str
    what: str
    """What happened, a clause."""
    remedy: str = ""
    """What to change; empty for the remedy of the area."""

    @property
    def reason(self) -> Reason:
        """The reason of its area."""
        return AREAS[self.area].reason

    def title(self, me: Role) -> str:
        """What happened, when this end reports it."""
        return self.what.format(me=f"the {me}", peer=f"the {me.peer}")

    def help(self, me: Role) -> str:
        """What to change, when this end reports it."""
        return (self.remedy or AREAS[self.area].remedy).format(me=f"the {me}", peer=f"the {me.peer}")
