"""The enumerations of the protocol, and the order of OpenSSL's releases."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property, lru_cache

PROTOCOL = 2
"""The version of the protocol; it changes when old agents or harnesses become incompatible."""
LONGEST_LINE = 1 << 24
"""Bytes of a line of the protocol, in either direction: some 8000 sessions."""


DATAGRAM_NUMBERS = {"dtls1.0": 0xFEFF, "dtls1.2": 0xFEFD}
"""The ProtocolVersions of DTLS on the wire (RFC 4347, 4.1; RFC 6347, 4.1)."""
QUIC_NUMBER = 1
"""The version of QUIC in its packets (RFC 9000, 15), and what SSL_version returns (OSSL_QUIC1_VERSION)."""


OVER_TCP = "TLS over TCP"
"""What carries all versions of TLS but those of DTLS and QUIC."""


class TLSVersion(StrEnum):
    """A protocol version; the value is what a user types."""

    TLSv1 = "1.0"
    TLSv1_1 = "1.1"
    TLSv1_2 = "1.2"
    TLSv1_3 = "1.3"
    DTLSv1 = "dtls1.0"
    DTLSv1_2 = "dtls1.2"
    QUICv1 = "quic"
    """QUIC version 1, whose handshake is that of TLS 1.3 (RFC 9001)."""

    @property
    def datagrams(self) -> bool:
        """Whether UDP carries it: DTLS (RFC 6347) and QUIC (RFC 9000)."""
        return self.carrier != OVER_TCP

    @cached_property
    def carrier(self) -> str:
        """What carries its handshake, for people; an end speaks versions of one carrier."""
        if self.value == "quic":
            return "QUIC"
        return "DTLS" if self.value.startswith("dtls") else OVER_TCP

    @property
    def handshake(self) -> TLSVersion:
        """The version of the handshake's messages, and of the session that it makes."""
        return TLSVersion.TLSv1_3 if self is TLSVersion.QUICv1 else self

    @property
    def label(self) -> str:
        """The name OpenSSL prints, and the one in a cell id: ``TLSv1.3``, ``QUICv1``, and ``TLSv1`` for TLS 1.0."""
        if self is TLSVersion.QUICv1:
            return self.name
        return f"{'D' if self.carrier == 'DTLS' else ''}TLSv{self.value.removeprefix('dtls').removesuffix('.0')}"

    @classmethod
    def labelled(cls, label: str) -> TLSVersion | None:
        """The version with this label; None if there is none."""
        return next((version for version in cls if version.label == label), None)

    @property
    def wire(self) -> int:
        """The ProtocolVersion on the wire: 0x0301 to 0x0304 (RFC 2246, 6.2.1; RFC 8446, 4.2.1) or 0xFEFD (RFC 6347).

        That of QUIC is in its packets; the hellos within have the one of TLS 1.3.
        """
        own = {"1.0": 0x0301, "1.1": 0x0302, "1.2": 0x0303, "1.3": 0x0304, "quic": QUIC_NUMBER}
        return {**own, **DATAGRAM_NUMBERS}[self.value]

    @property
    def no_option(self) -> int:
        """The option that disables it, for OpenSSL 1.0.2 and pyOpenSSL before 21: SSL_OP_NO_TLSv1 to NO_TLSv1_3.

        SSL_OP_NO_DTLSv1 and NO_DTLSv1_2 have the numbers of NO_TLSv1 and NO_TLSv1_2. QUIC has none, as 0 says.
        """
        if self is TLSVersion.QUICv1:
            return 0
        return 1 << {"1.0": 26, "1.1": 28, "1.2": 27, "1.3": 29}[self.value.removeprefix("dtls")]


USUAL_VERSIONS = (TLSVersion.TLSv1_2, TLSVersion.TLSv1_3)
"""Those of cells, probes and clients that name none."""
DEPRECATED = (TLSVersion.TLSv1, TLSVersion.TLSv1_1, TLSVersion.DTLSv1)
"""Those that RFC 8996 deprecates."""
BEFORE_1_3 = frozenset(TLSVersion) - {TLSVersion.TLSv1_3, TLSVersion.QUICv1}
"""Those that resume by a session id or a ticket of RFC 5077; TLS 1.3 has PSKs in their place (RFC 8446, 2.2)."""
NO_SSLV3 = 1 << 25
"""SSL_OP_NO_SSLv3."""
LEAST_LEVEL = 0
"""The security level at which all OpenSSL speak TLS 1.0 and 1.1: since 3.1 at no other (openssl/openssl#18236)."""


class Role(StrEnum):
    """The role of an endpoint in a connection."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def peer(self) -> Role:
        """The other role."""
        return Role.SERVER if self is Role.CLIENT else Role.CLIENT


class CacheMode(StrEnum):
    """Flags of SSL_CTX_set_session_cache_mode."""

    OFF = "off"
    CLIENT = "client"
    SERVER = "server"
    BOTH = "both"
    NO_AUTO_CLEAR = "no_auto_clear"
    NO_INTERNAL_LOOKUP = "no_internal_lookup"
    NO_INTERNAL_STORE = "no_internal_store"
    NO_INTERNAL = "no_internal"

    @property
    def constant(self) -> str:
        """Its name in openssl/ssl.h; pyOpenSSL leaves out ``SSL_``."""
        return f"SSL_SESS_CACHE_{self.name}"

    @property
    def number(self) -> int:
        """The value of that constant."""
        bits = {"off": 0, "client": 1, "server": 2, "both": 3, "no_auto_clear": 0x80}
        return (bits | {"no_internal_lookup": 0x100, "no_internal_store": 0x200, "no_internal": 0x300})[self.value]


class PskMode(StrEnum):
    """What psk_key_exchange_modes offers (client) or accepts (server): RFC 8446, 4.2.9."""

    DHE = "psk_dhe_ke"
    KE = "psk_ke"
    BOTH = "both"


class Verify(StrEnum):
    """Whether an endpoint requests and verifies its peer's certificate."""

    NONE = "none"
    OPTIONAL = "optional"
    """A server requests a certificate and verifies it if there is one (SSL_VERIFY_PEER)."""
    ONCE = "once"
    """A server requests one in the first handshake, and in no renegotiation (SSL_VERIFY_CLIENT_ONCE)."""
    LATER = "later"
    """A server requests none in the handshake, but may do so after it (SSL_VERIFY_POST_HANDSHAKE, RFC 8446, 4.6.2)."""
    REQUIRED = "required"
    """SSL_VERIFY_PEER with SSL_VERIFY_FAIL_IF_NO_PEER_CERT at a server, SSL_VERIFY_PEER at a client."""

    @property
    def number(self) -> int:
        """The mode of SSL_CTX_set_verify: PEER is 1, FAIL_IF_NO_PEER_CERT 2, CLIENT_ONCE 4, POST_HANDSHAKE 8."""
        return {"none": 0, "optional": 1, "once": 5, "later": 9, "required": 3}[self.value]


class ExternalGet(StrEnum):
    """What the get callback of an external cache returns (SSL_CTX_sess_set_get_cb(3))."""

    SESSION = "session"
    """A new object, which OpenSSL then owns."""
    COPY = "copy"
    """An object that the application keeps, too."""
    NOTHING = "nothing"
    """No session."""
    OTHER_ID = "other_id"
    """A session whose id is not the one that was asked for."""
    EXPIRED = "expired"
    """A session that is a second older than its timeout."""
    NOT_RESUMABLE = "not_resumable"
    """A session that is marked as not resumable."""
    LATER = "later"
    """The session, after the client-hello callback has interrupted the handshake once (SSL_CLIENT_HELLO_RETRY)."""


class Cookie(StrEnum):
    """What a server says of a cookie that a client returns to it (SSL_CTX_set_cookie_verify_cb)."""

    NONE = "none"
    """It asks for none."""
    ACCEPT = "accept"
    """It is the server's own."""
    REFUSE = "refuse"
    """It is not, whatever it is."""
    LISTEN = "listen"
    """It is the server's own, which keeps nothing of a client until its cookie comes (DTLSv1_listen)."""


COOKIE_SIZE = 20
"""Bytes of a cookie, of which DTLS 1.0 allows 32 (RFC 6347, 4.2.1)."""
QUIC_PROTOCOLS = ("resumption",)
"""The ALPN protocol of an end of QUIC without the knob: it needs one (RFC 9001, 8.1)."""
TRY_LATER = bytes.fromhex("30030a0103")
"""An OCSPResponse without a body, of the status tryLater (RFC 6960, 4.2.1): an end does not look into it."""


class TicketKeyResult(StrEnum):
    """What a ticket key callback returns (SSL_CTX_set_tlsext_ticket_key_evp_cb(3))."""

    OK = "ok"
    RENEW = "renew"
    NONE = "none"
    ERROR = "error"

    @property
    def number(self) -> int:
        """The return value."""
        return {"ok": 1, "renew": 2, "none": 0, "error": -1}[self.value]


class TicketCipher(StrEnum):
    """The cipher that a ticket key callback sets; of AES by the length of the key, 256 or 128 bits."""

    AES_CBC = "aes_cbc"
    """An IV of 16 bytes, and padding to a block of 16."""
    AES_CTR = "aes_ctr"
    """An IV of 16 bytes, and no padding."""
    DES_EDE3_CBC = "des_ede3_cbc"
    """An IV of 8 bytes, and padding to a block of 8."""


class TicketCallback(StrEnum):
    """A generation of ticket key callbacks."""

    EVP_MAC = "evp_mac"
    """SSL_CTX_set_tlsext_ticket_key_evp_cb, since 3.0."""
    HMAC = "hmac"
    """SSL_CTX_set_tlsext_ticket_key_cb, which 3.0 deprecates."""


class PskCallback(StrEnum):
    """The generations of callbacks for external PSKs that an end sets."""

    PSK = "psk"
    """SSL_CTX_set_psk_client_callback and SSL_CTX_set_psk_server_callback, of TLS 1.2 and 1.3."""
    SESSION = "session"
    """SSL_CTX_set_psk_use_session_callback and SSL_CTX_set_psk_find_session_callback, of TLS 1.3, since 1.1.1."""
    BOTH = "both"
    """Both; TLS 1.3 asks the session's first, as in s_client and s_server."""


class PskCipher(StrEnum):
    """The TLS 1.3 cipher suite of an external PSK, whose hash it is bound to (RFC 8446, 4.2.11)."""

    AES_128 = "TLS_AES_128_GCM_SHA256"
    AES_256 = "TLS_AES_256_GCM_SHA384"

    @property
    def number(self) -> int:
        """IANA's number of the suite."""
        return {"TLS_AES_128_GCM_SHA256": 0x1301, "TLS_AES_256_GCM_SHA384": 0x1302}[self.value]

    def has_hash_of(self, suite: int | None) -> bool:
        """Whether a suite of TLS 1.3 by its number has the same hash: SHA-384 has this one alone (RFC 8446, B.4)."""
        return (suite == PskCipher.AES_256.number) is (self is PskCipher.AES_256)


class CertCompression(StrEnum):
    """An algorithm with which a certificate is compressed (RFC 8879, 3)."""

    ZLIB = "zlib"
    BROTLI = "brotli"
    ZSTD = "zstd"

    @property
    def number(self) -> int:
        """IANA's number of it (TLSEXT_comp_cert_zlib to TLSEXT_comp_cert_zstd)."""
        return {"zlib": 1, "brotli": 2, "zstd": 3}[self.value]


class TicketUse(StrEnum):
    """What the callback for a decrypted ticket returns (SSL_CTX_set_session_ticket_cb(3))."""

    ABORT = "abort"
    IGNORE = "ignore"
    IGNORE_RENEW = "ignore_renew"
    USE = "use"
    USE_RENEW = "use_renew"

    @property
    def number(self) -> int:
        """The SSL_TICKET_RETURN of that name."""
        return list(type(self)).index(self)


class NotResumable(StrEnum):
    """The call that sets the callback which makes sessions not resumable."""

    CONTEXT = "context"
    """SSL_CTX_set_not_resumable_session_callback."""
    CONNECTION = "connection"
    """SSL_set_not_resumable_session_callback."""


class ChosenAt(StrEnum):
    """The callback in which a server chooses another context by the server name."""

    SERVER_NAME = "server_name"
    """SSL_CTX_set_tlsext_servername_callback, which comes after the lookup of the session."""
    CLIENT_HELLO = "client_hello"
    """SSL_CTX_set_client_hello_cb, which comes before it."""


class Unset(StrEnum):
    """The value that switches a knob off; None means the stack's default."""

    UNSET = "none"


UNSET = Unset.UNSET


class Capability(StrEnum):
    """Each value is what the tables print; the docstring says what a stack that has it can do."""

    SESSION_DATA = "session data"
    """Export a session as DER (i2d_SSL_SESSION), so that every field is known."""
    SESSION_FIELDS = "session fields"
    """Report a session's id, time, timeout, lifetime hint, and whether it has a ticket."""
    SESSION_COPY = "session copy"
    """Keep a session as a copy, which a connection that is not closed properly cannot make non-resumable."""
    SESSION_IMPORT = "session import"
    """Offer a session from its DER (d2i_SSL_SESSION), also one that another stack took."""
    SESSION_BEFORE_TICKET = "session before ticket"
    """Take the session between the end of the handshake and the first read."""
    SESSION_IN_MEMORY = "session in memory"
    """Offer the very object that an earlier connection of the same context held, whatever has become of it."""
    SESSION_DUPLICATE = "session duplicate"
    """Duplicate a session object in a client's memory (SSL_SESSION_dup)."""
    SESSION_TIMES = "session times"
    """Change the time and the timeout of a client's session object (SSL_SESSION_set_time, SSL_SESSION_set_timeout)."""
    CLEAR = "clear and connect again"
    """Connect again with the SSL of an earlier connection (SSL_clear)."""
    THREADS = "threads"
    """Offer one session object from several threads of a client at once (SSL_SESSION_up_ref)."""
    EVERY_TICKET = "every ticket"
    """Yield each TLS 1.3 ticket's session, not only the last (new-session callback)."""
    NEW_SESSION_CALLBACK = "new-session callback"
    """Report how often a client's new-session callback was called (SSL_CTX_sess_set_new_cb)."""
    SERVER_NAME = "server name"
    """Report the host name of a connection (SSL_get_servername)."""
    NEGOTIATED_GROUP = "negotiated group"
    """Report the group of a connection's key exchange (SSL_get_negotiated_group)."""
    PEER_CHAIN = "peer chain"
    """Report the certificates of the peer's chain (SSL_get_peer_cert_chain)."""
    OCSP_RESPONSE = "OCSP response"
    """Report the stapled OCSP response that a client holds (SSL_get_tlsext_status_ocsp_resp)."""
    EXPORTER = "exporter"
    """Export keying material (SSL_export_keying_material)."""
    RESUMABLE = "is_resumable"
    """Ask SSL_SESSION_is_resumable."""
    COUNTERS = "counters"
    """SSL_CTX_sess_* of a context at any time."""
    RUNNING_COUNTERS = "running counters"
    """The server's items, hits, misses, time-outs and overflows while a connection is open."""
    FLUSH = "flush"
    """SSL_CTX_flush_sessions by hand."""
    RESIZE_CACHE = "resize cache"
    """SSL_CTX_sess_set_cache_size on a running server."""
    REMOVE_SESSION = "remove session"
    """SSL_CTX_remove_session."""
    AGE_SERVER_SESSION = "age server session"
    """Make the server's own copy older (SSL_SESSION_set_time, in its cache and in the tickets that it issues)."""
    SET_TIMEOUTS = "set timeouts"
    """Give the server's own copy another timeout (SSL_SESSION_set_timeout, in its cache and in its tickets)."""
    RENEGOTIATION = "renegotiation"
    """A further TLS 1.2 handshake on the same connection (SSL_renegotiate)."""
    ABBREVIATED_RENEGOTIATION = "abbreviated renegotiation"
    """A renegotiation that resumes the session of the connection (SSL_renegotiate_abbreviated)."""
    CHANGED_RENEGOTIATION = "changed renegotiation"
    """A renegotiation with other ciphers, or without extended master secret (SSL_set_cipher_list, SSL_set_options)."""
    REFUSED_RENEGOTIATION = "refused renegotiation"
    """Go on, or end, when a client of DTLS refuses a renegotiation (the alert no_renegotiation)."""
    AUTHENTICATE = "authenticate"
    """Ask a client for its certificate after the handshake (SSL_verify_client_post_handshake)."""
    CONCURRENT = "concurrent"
    """Several connections open at the same time at one endpoint."""
    MATCHING_SESSION_ID = "matching session id"
    """SSL_has_matching_session_id."""
    CLOSE_CLIENT_ONLY = "close client-only"
    """Take its part in Close.CLIENT_ONLY."""
    CLOSE_SERVER_ONLY = "close server-only"
    """Take its part in Close.SERVER_ONLY."""
    CLOSE_IN_ORDER = "close in order"
    """Call SSL_shutdown, SSL_read and SSL_free in any order, or leave calls out: Close.FREE to Close.UNREAD."""
    NEW_TICKET = "new ticket"
    """Send a further TLS 1.3 ticket with the next write (SSL_new_session_ticket)."""
    CALLBACK_CALLS = "callback calls"
    """Report each call of a server's callbacks: of an external cache, of ticket keys, of server names."""
    ROTATE_KEYS = "rotate keys"
    """Change the ticket keys of a running server."""
    CHOOSE_CONTEXT = "choose context"
    """Go over to another context by the client's server name (SSL_set_SSL_CTX)."""
    CHOOSE_EARLY = "choose context early"
    """Do so in the client-hello callback, before OpenSSL looks up the session (SSL_CTX_set_client_hello_cb)."""
    ADD_SESSION = "add session"
    """SSL_CTX_add_session of a session that the external cache has."""
    EARLY_DATA = "early data"
    """Write or read early data (SSL_write_early_data, SSL_read_early_data)."""
    EARLY_DATA_CONTENT = "early data content"
    """Write early data of the user's choice, and write it again if the server rejects it."""
    CLOCK = "clock"
    """Run with a moved clock."""
    PSK_IDENTITIES = "psk identities"
    """Refuse a client's external PSK whose identity it does not know."""
    SESSION_ID = "session id"
    """Resume a TLS 1.2 session by its id, without a ticket."""
    DATAGRAMS = "datagrams"
    """Speak DTLS over UDP."""
    KEY_LOG = "key log"
    """Report the secrets of TLS 1.3 (SSL_CTX_set_keylog_callback): if neither end has it, the wire reads no ticket."""
    QUIC = "QUIC"
    """Speak QUIC over UDP, whose handshake is that of TLS 1.3 (RFC 9001)."""
    OPENSSL_CHOICES = "OpenSSL's choices"
    """Be an OpenSSL, of any release: a scenario that pins what OpenSSL alone chooses needs it; `family` says it."""


@lru_cache(maxsize=1024)
def release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, in OpenSSL's order: ``3.0.19`` is (3, 0, 19), ``1.1.1w`` (1, 1, 1, 23).

    ValueError for a text that does not begin with a number. A suffix after the letters, such as ``-beta1``, is ignored.
    """
    found = re.match(r"(\d+(?:\.\d+)*)([a-z]*)", version)
    if found is None:
        raise ValueError(version)
    letters = (sum(ord(letter) - ord("a") + 1 for letter in found[2]),) if found[2] else ()
    return (*map(int, found[1].split(".")), *letters)


def default_timeout(version: str) -> int:
    """Return how many seconds a session of an OpenSSL lasts if nobody sets it; the empty version is the newest.

    tls1_default_timeout; ssl23_default_timeout of 1.0.2.
    """
    return 7200 if not version or release(version) >= (1, 1) else 300
