"""The table of knobs: one row a setting, from which configurations, checks, abilities, flags and pages are derived.

To add an option of OpenSSL, add a field with its row here, and a scenario that shows what it changes. A row that names
functions also needs code in the drivers: ``set_NAME`` in libssl/settings.py, ``_set_NAME`` in pyopenssl/context.py and
ssl_/context.py, and a statement in reproduce/c/knob_statements.py. A driver without code for a knob refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from harness.agent import kinds
from harness.agent.fields import TEXT, RequestError
from harness.agent.knob import Flags, Lack, Option, knob, only, switch, takes
from harness.agent.vocabulary import (
    LEAST_LEVEL,
    LONGEST_LINE,
    QUIC_PROTOCOLS,
    CacheMode,
    Cookie,
    ExternalGet,
    PskCallback,
    PskCipher,
    PskMode,
    Role,
    TicketCallback,
    TLSVersion,
    Verify,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.knob import Knob
    from harness.agent.vocabulary import (
        CertCompression,
        NotResumable,
        TicketCipher,
        TicketKeyResult,
        TicketUse,
        Unset,
    )

FILES = ("ca", "certificate", "key", "expected_rpk", "external_cache")
"""What a context finds in the file system: PEM files, and the folder of an external cache."""
DEFAULT_CIPHERS = "DEFAULT"
CLIENT_CACHE = frozenset({CacheMode.CLIENT, CacheMode.NO_INTERNAL_STORE})
LONGEST_CONTEXT = 32
"""Bytes: SSL_MAX_SID_CTX_LENGTH."""
LONGEST_LABEL = 63
"""Bytes of a label of a host name (RFC 1035, 2.3.4)."""
NO_CERTIFICATE = "none"
"""The value of a knob for an end without a certificate."""
MOST_EARLY_DATA = LONGEST_LINE // 4
"""Bytes of early data that a client writes: an end reports them in one line. A server may allow more."""
MOST_IN_C = (1 << 31) - 1
PYTHON_CONTEXT = b"Python"
"""The session id context that Modules/_ssl.c sets on every SSLContext; it can be neither changed nor unset."""
NO_GENERATOR = Lack("SSL_CTX_set_generate_session_id is not bound", ("pyopenssl",))
NO_PYTHON_GENERATOR = Lack("SSLContext has no way to SSL_CTX_set_generate_session_id", ("ssl",))
NO_EXTERNAL_CACHE = (
    Lack("the cache of -ext_cache is one program's own, and its calls are not printed", ("openssl",)),
    Lack("SSL_CTX_sess_set_get_cb is not bound", ("pyopenssl",)),
    Lack("SSLContext has no way to SSL_CTX_sess_set_get_cb", ("ssl",)),
)
NO_TICKET_CALLBACK = (
    Lack("no flag sets a ticket key callback", ("openssl",)),
    Lack("SSL_CTX_set_tlsext_ticket_key_cb is not bound", ("pyopenssl",)),
    Lack("SSLContext has no way to SSL_CTX_set_tlsext_ticket_key_cb", ("ssl",)),
)
NO_TICKET_DATA = (
    Lack("no flag sets the ticket callbacks", ("openssl",)),
    Lack("SSL_CTX_set_session_ticket_cb is not bound", ("pyopenssl",)),
    Lack("SSLContext has no way to SSL_CTX_set_session_ticket_cb", ("ssl",)),
)
SSL_HAS_NO_DTLS = "Python's ssl has no DTLS"
PYOPENSSL_LACKS_SIGALGS = "cryptography 36 and 37 have no SSL_CTX_set1_sigalgs_list"
PYOPENSSL_HAS_DTLS = "3.1"
"""The OpenSSL of cryptography 40, the first that pyOpenSSL 23.1 can have."""
PYOPENSSL_LACKS_DTLS = Lack(
    "pyOpenSSL before 23.1 has no Connection.DTLSv1_get_timeout, which says when a flight is to be sent again",
    ("pyopenssl",),
    before=PYOPENSSL_HAS_DTLS,
)
NO_QUIC = {
    "openssl": "s_server has no QUIC",
    "pyopenssl": "SSL_new_listener and OSSL_QUIC_client_method are not bound",
    "ssl": "Python's ssl has no QUIC",
}
"""Why a stack has no QUIC.

openssl-s_client(1) has -quic since 3.2; openssl-s_server(1) of 3.5.9, 3.6.5 and 4.0.3 has nothing of QUIC.
"""
QUIC_SINCE = {
    Role.CLIENT: ("3.2", "OpenSSL before 3.2 has no QUIC"),
    Role.SERVER: ("3.5", "OpenSSL before 3.5 has no SSL_new_listener, which a server of QUIC needs"),
}
"""The first OpenSSL that has QUIC in a role, and why an earlier one has not."""
NO_DTLS = (PYOPENSSL_LACKS_DTLS, Lack(SSL_HAS_NO_DTLS, ("ssl",)))
RAW_PUBLIC_KEY_FIRST = bytes((2, 0))
"""TLSEXT_cert_type_rpk and TLSEXT_cert_type_x509, as s_server and s_client have them."""
NO_RAW_KEYS = (
    Lack("SSL_CTX_set1_server_cert_type and its like are not bound", ("pyopenssl",)),
    Lack("SSLContext has no way to SSL_CTX_set1_server_cert_type", ("ssl",)),
)
NO_CERT_COMPRESSION = (
    Lack("SSL_CTX_compress_certs and SSL_CTX_set1_cert_comp_preference are not bound", ("pyopenssl",)),
    Lack("SSLContext has no way to SSL_CTX_compress_certs and SSL_CTX_set1_cert_comp_preference", ("ssl",)),
)
NO_TX_CERT_COMPRESSION = 1 << 32
"""SSL_OP_NO_TX_CERTIFICATE_COMPRESSION."""
ALLOW_NO_DHE_KEX = Option("SSL_OP_ALLOW_NO_DHE_KEX", 10, values=(PskMode.BOTH, PskMode.KE), flag="-allow_no_dhe_kex")
"""Without it, each TLS 1.3 handshake has a key exchange: a stack that asks its library for the group looks at it."""
OLD_KEYS = "OpenSSL before 1.1.1 reads no Ed25519 key and no key for RSA-PSS alone"
NO_ML_DSA = "OpenSSL before 3.5 has no ML-DSA"
KEY_TYPES = (
    Lack(
        f"{OLD_KEYS}, and {NO_ML_DSA}",
        before="1.1.1",
        allows=lambda name: not name.startswith(("ed25519-", "rsa-pss-", "ml-dsa-")),
        values="certificates with ECDSA and RSA keys",
    ),
    Lack(NO_ML_DSA, before="3.5", allows=lambda name: not name.startswith("ml-dsa-"), values="other certificates"),
)
"""A certificate whose key is not ECDSA's begins with the type of the key (certs/issued.toml)."""
SSL_HAS_PSK = (3, 13)
"""The first Python with SSLContext.set_psk_client_callback and set_psk_server_callback."""
NO_PSK = Lack("SSLContext has no set_psk_client_callback before Python 3.13", ("ssl",), python=SSL_HAS_PSK)
SSL_GIVES_A_KEY = "SSLContext.set_psk_client_callback gives a key, for TLS 1.2 and for a suite with SHA-256 in TLS 1.3"
PYOPENSSL_FINDS_NO_SESSION = "cryptography before 37 does not bind SSL_CTX_set_psk_find_session_callback"
PYOPENSSL_USES_NO_SESSION = (
    "cryptography before 39 does not bind SSL_CTX_set_msg_callback, and nothing else shows the hash of a "
    "HelloRetryRequest's suite, for which SSL_CTX_set_psk_use_session_callback must not give a PSK of another hash"
)
PYOPENSSL_FINDS_SESSIONS = "3.0"
"""The OpenSSL of cryptography 37; that of 36 is 1.1.1."""
PYOPENSSL_USES_SESSIONS = "3.0.8"
"""The first OpenSSL that only cryptography 39 and later have."""


def _key_callbacks_alone(value: Any, values: str) -> tuple[Lack, ...]:
    """Why old bindings have the callbacks of TLS 1.2 and 1.3 only, and the value of a knob that goes with them."""
    since = (
        (Role.CLIENT, PYOPENSSL_USES_NO_SESSION, PYOPENSSL_USES_SESSIONS),
        (Role.SERVER, PYOPENSSL_FINDS_NO_SESSION, PYOPENSSL_FINDS_SESSIONS),
    )
    return tuple(
        Lack(why, ("pyopenssl",), role, first, allows=only(value), values=values) for role, why, first in since
    )


DEFAULT_IDENTITY = ("Client_identity",)
"""What s_client and s_server use without -psk_identity."""
ECDH_CURVES = {"P-256": "prime256v1", "secp256r1": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}
"""SSLContext.set_ecdh_curve accepts only OpenSSL's short names (OBJ_sn2nid)."""


def _versions(value: tuple[TLSVersion, ...]) -> list[str]:
    if value == (TLSVersion.QUICv1,):
        return ["-quic"]
    if len(value) == 1:
        return [f"-{value[0].name.replace('TLSv', 'tls').replace('D', 'd')}"]
    carrier = [] if over_streams(value) else ["-dtls"]
    return [*carrier, "-min_protocol", value[0].label, "-max_protocol", value[-1].label]


def over_streams(value: Any) -> bool:
    """Whether TCP carries all of these versions."""
    return not any(version.datagrams for version in value)


def over_no_quic(value: Any) -> bool:
    """Whether none of these versions is QUIC."""
    return TLSVersion.QUICv1 not in value


def _is_printable(value: Any) -> bool:
    return isinstance(value, bytes) and value.isascii() and value.decode("ascii").isprintable()


def _is_host_name(value: Any) -> bool:
    try:
        ip_address(str(value))
    except ValueError:
        labels = str(value).removesuffix(".").split(".")
        return str(value).isascii() and all(1 <= len(label) <= LONGEST_LABEL for label in labels)
    return False


@dataclass(frozen=True, kw_only=True)
class CommonKnobs:
    """The knobs that both roles have."""

    versions: tuple[TLSVersion, ...] | None = knob(
        kind=kinds.VERSIONS,
        meaning="protocol versions that are enabled",
        libssl="SSL_CTX_set_min_proto_version",
        pyopenssl="Context.set_min_proto_version",
        ssl="SSLContext.minimum_version",
        openssl=Flags(
            "-tls1, -tls1_1, -tls1_2, -tls1_3, -dtls1, -dtls1_2, -quic, -min_protocol, -max_protocol", _versions
        ),
        lacks=(
            Lack(f"{SSL_HAS_NO_DTLS}, and no QUIC", ("ssl",), allows=over_streams, values="versions of TLS"),
            replace(PYOPENSSL_LACKS_DTLS, allows=over_streams, values="versions of TLS"),
            Lack(NO_QUIC["pyopenssl"], ("pyopenssl",), allows=over_no_quic, values="all but quic"),
            Lack(NO_QUIC["openssl"], ("openssl",), Role.SERVER, allows=over_no_quic, values="all but quic"),
            Lack(
                QUIC_SINCE[Role.CLIENT][1],
                ("openssl",),
                Role.CLIENT,
                before=QUIC_SINCE[Role.CLIENT][0],
                allows=over_no_quic,
                values="all but quic",
            ),
            Lack(
                "OpenSSL before 1.1.1 has no TLS 1.3",
                before="1.1.1",
                allows=lambda value: not {TLSVersion.TLSv1_3, TLSVersion.QUICv1} & set(value),
                values="all but 1.3 and quic",
            ),
            *(
                Lack(why, ("libssl",), role, before=since, allows=over_no_quic, values="all but quic")
                for role, (since, why) in QUIC_SINCE.items()
            ),
        ),
    )
    security_level: int | None = knob(
        kind=kinds.LEVEL,
        meaning="the security level; by default 0 where versions has 1.0 or 1.1, else the library's own",
        libssl="SSL_CTX_set_security_level",
        pyopenssl="Context.set_cipher_list, with @SECLEVEL",
        ssl="SSLContext.set_ciphers, with @SECLEVEL",
        openssl=Flags("-cipher, with @SECLEVEL"),
        since="1.1.0",
        older=LEAST_LEVEL,
        older_why=" and allows what level 0 does",
    )
    tickets: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="off: no TLS 1.2 tickets, and stateful TLS 1.3 tickets at a server",
        options=(Option("SSL_OP_NO_TICKET", 14, values=(False,)),),
        openssl=switch(off="-no_ticket"),
    )
    cache_mode: frozenset[CacheMode] | None = knob(
        kind=kinds.CACHE_MODES,
        meaning="which sessions the cache holds: flags, joined by commas",
        libssl="SSL_CTX_set_session_cache_mode",
        pyopenssl="Context.set_session_cache_mode",
        openssl={
            Role.SERVER: Flags("-no_cache", lambda value: ["-no_cache"] if value == {CacheMode.OFF} else []),
            Role.CLIENT: Flags("fixed"),
        },
        lacks=(
            Lack("SSLContext has no way to SSL_CTX_set_session_cache_mode", ("ssl",)),
            Lack(
                "-no_cache is off, and without it the mode is server",
                ("openssl",),
                Role.SERVER,
                allows=only({CacheMode.OFF}, {CacheMode.SERVER}),
                values="off, server",
            ),
            Lack(
                "s_client fixes it",
                ("openssl",),
                Role.CLIENT,
                allows=only(CLIENT_CACHE),
                values="client,no_internal_store",
            ),
        ),
    )
    cache_size: int | None = knob(
        kind=kinds.ENTRIES,
        meaning="how many sessions the cache holds",
        libssl="SSL_CTX_sess_set_cache_size",
        openssl={Role.SERVER: Flags("fixed")},
        lacks=(
            Lack("s_server fixes it", ("openssl",), Role.SERVER, allows=only(128), values="128"),
            Lack("no flag sets it", ("openssl",)),
            Lack("SSL_CTX_ctrl, and with it SSL_CTX_sess_set_cache_size, is not bound", ("pyopenssl",)),
            Lack("Python's ssl has no SSL_CTX_sess_set_cache_size", ("ssl",)),
        ),
    )
    timeout: int | None = knob(
        kind=kinds.SECONDS,
        meaning="how long a new session can be resumed; a server sends it as the lifetime of its tickets",
        libssl="SSL_CTX_set_timeout",
        pyopenssl="Context.set_timeout",
        lacks=(
            Lack("no flag sets a session timeout", ("openssl",)),
            Lack("SSLContext has no way to SSL_CTX_set_timeout", ("ssl",)),
        ),
    )
    middlebox_compat: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="the middlebox compatibility mode (RFC 8446, D.4)",
        options=(Option("SSL_OP_ENABLE_MIDDLEBOX_COMPAT", 20, default=True, conf="MiddleboxCompat"),),
        openssl=switch(off="-no_middlebox"),
        since="1.1.1",
    )
    extended_master_secret: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="the extended master secret (RFC 7627)",
        options=(Option("SSL_OP_NO_EXTENDED_MASTER_SECRET", 0, values=(False,)),),
        openssl=switch(off="-no_ems"),
        since="3.0",
        older=True,
        lacks=(
            Lack(
                "OpenSSL before 1.1.0 has no extended master secret",
                before="1.1.0",
                allows=only(*[False]),
                values="off",
            ),
            Lack(
                "-no_ems is not a flag of each OpenSSL before 3.2",
                ("openssl",),
                before="3.2",
                allows=only(*[True]),
                values="on",
            ),
        ),
    )
    ciphers: str | None = knob(
        kind=kinds.CIPHER_LIST,
        meaning="TLS 1.2 ciphers",
        libssl="SSL_CTX_set_cipher_list",
        pyopenssl="Context.set_cipher_list",
        ssl="SSLContext.set_ciphers",
        openssl=takes("-cipher"),
    )
    ciphersuites: str | None = knob(
        kind=kinds.SUITES,
        meaning="TLS 1.3 ciphers",
        libssl="SSL_CTX_set_ciphersuites",
        pyopenssl="SSL_CTX_set_ciphersuites",
        openssl=takes("-ciphersuites"),
        since="1.1.1",
        lacks=(Lack("SSLContext.set_ciphers sets TLS 1.2 ciphers only; TLS 1.3 ones cannot be set", ("ssl",)),),
    )
    groups: str | None = knob(
        kind=kinds.GROUPS,
        meaning="key exchange groups",
        libssl="SSL_CTX_set1_groups_list",
        pyopenssl="SSL_CTX_set1_curves_list",
        ssl="SSLContext.set_ecdh_curve",
        openssl=takes("-groups"),
        lacks=(
            Lack(
                "SSLContext.set_ecdh_curve takes one group", ("ssl",), allows=lambda v: ":" not in v, values="one group"
            ),
            Lack(
                "cryptography before 47 has no SSL_CTX_set1_curves_list, and Context.set_tmp_ecdh takes one curve",
                ("pyopenssl",),
                before="4.0",  # cryptography 47 is the first wheel with 4.0
            ),
            Lack(
                "a server before 1.1.0 uses no certificate whose curve its own groups lack (tls1_check_ec_key), "
                "and that is P-256",
                role=Role.SERVER,
                before="1.1.0",
                allows=lambda value: "P-256" in value,
                values="lists with P-256",
            ),
        ),
    )
    signature_algorithms: str | None = knob(
        kind=kinds.GROUPS,
        meaning="signature algorithms (RFC 8446, 4.2.3), which also say the keys of certificates",
        libssl="SSL_CTX_set1_sigalgs_list",
        pyopenssl="SSL_CTX_set1_sigalgs_list",
        openssl=takes("-sigalgs"),
        lacks=(
            Lack("SSLContext has no way to SSL_CTX_set1_sigalgs_list", ("ssl",)),
            Lack(
                PYOPENSSL_LACKS_SIGALGS,
                ("pyopenssl",),
                since="1.1.1m",  # the OpenSSL of cryptography 36
                before="3.0.6",  # that of cryptography 38.0.2
            ),
        ),
    )
    psk_modes: PskMode | None = knob(
        kind=kinds.PSK_MODE,
        meaning="key exchange with a TLS 1.3 PSK (RFC 8446, 4.2.9)",
        options=(
            ALLOW_NO_DHE_KEX,
            Option(
                "SSL_OP_PREFER_NO_DHE_KEX",
                35,
                values=(PskMode.KE,),
                since="3.3",
                without=", so psk_dhe_ke wins where a client offers it",
                flag="-prefer_no_dhe_kex",
            ),
        ),
        since="1.1.1",
        lacks=(
            Lack(
                "an OpenSSL client always offers psk_dhe_ke (tls_construct_ctos_psk_kex_modes)",
                role=Role.CLIENT,
                allows=only(PskMode.DHE, PskMode.BOTH),
                values="psk_dhe_ke, both",
            ),
        ),
    )
    psk_key: str | None = knob(
        kind=kinds.PSK,
        meaning="the key of an external PSK, which the end has only with this knob; ends with the same name share it",
        libssl="SSL_CTX_set_psk_use_session_callback",
        pyopenssl="SSL_CTX_set_psk_use_session_callback",
        ssl="SSLContext.set_psk_client_callback",
        openssl=Flags("-psk", lambda value: ["-psk", kinds.psk_of(value)]),
        lacks=(NO_PSK,),
    )
    psk_identity: tuple[str, ...] | None = knob(
        kind=kinds.IDENTITIES,
        meaning="the identity of the external PSK; of a server, each one that it knows. By default Client_identity",
        libssl="SSL_CTX_set_psk_use_session_callback",
        pyopenssl="SSL_CTX_set_psk_use_session_callback",
        ssl="SSLContext.set_psk_client_callback",
        openssl=takes("-psk_identity"),
        lacks=(
            NO_PSK,
            Lack(
                "OpenSSL offers one external PSK",
                role=Role.CLIENT,
                allows=lambda names: len(names) == 1,
                values="one identity",
            ),
            Lack("-psk_identity takes one", ("openssl",), allows=lambda names: len(names) == 1, values="one identity"),
        ),
    )
    psk_cipher: PskCipher | None = knob(
        kind=kinds.PSK_CIPHER,
        meaning="the TLS 1.3 suite whose hash the external PSK has; by default TLS_AES_128_GCM_SHA256",
        libssl="SSL_SESSION_set_cipher",
        pyopenssl="SSL_SESSION_set_cipher",
        ssl="SSLContext.set_psk_client_callback",
        openssl=Flags("-psk_session"),
        since="1.1.1",
        lacks=(
            NO_PSK,
            Lack(SSL_GIVES_A_KEY, ("ssl",), allows=only(PskCipher.AES_128), values=PskCipher.AES_128.value),
            *_key_callbacks_alone(PskCipher.AES_128, PskCipher.AES_128.value),
        ),
    )
    psk_callback: PskCallback | None = knob(
        kind=kinds.PSK_CALLBACK,
        meaning="which generations of callback have the external PSK; by default all that the OpenSSL has",
        libssl="SSL_CTX_set_psk_use_session_callback",
        pyopenssl="SSL_CTX_set_psk_use_session_callback",
        ssl="SSLContext.set_psk_client_callback",
        openssl=Flags("-psk, -psk_session"),
        lacks=(
            NO_PSK,
            Lack(SSL_GIVES_A_KEY, ("ssl",), allows=only(PskCallback.PSK), values=PskCallback.PSK.value),
            *_key_callbacks_alone(PskCallback.PSK, PskCallback.PSK.value),
            Lack(
                "-psk sets both, and -psk_session that of TLS 1.3 alone",
                ("openssl",),
                allows=lambda value: value is not PskCallback.PSK,
                values="session, both",
            ),
            Lack(
                "OpenSSL before 1.1.1 has no SSL_CTX_set_psk_use_session_callback",
                before="1.1.1",
                allows=only(PskCallback.PSK),
                values="psk",
            ),
        ),
    )
    alpn: tuple[str, ...] | None = knob(
        kind=kinds.PROTOCOLS,
        meaning="ALPN protocols (RFC 7301): a client offers them, a server chooses from them in its order",
        libssl="SSL_CTX_set_alpn_protos",
        pyopenssl="Context.set_alpn_protos",
        ssl="SSLContext.set_alpn_protocols",
        openssl=takes("-alpn"),
        lacks=(
            Lack(
                "SSLContext.set_alpn_protocols takes ASCII",
                ("ssl",),
                allows=lambda names: all(name.isascii() for name in names),
                values="names in ASCII",
            ),
        ),
    )
    verify: Verify | None = knob(
        kind=kinds.VERIFY,
        meaning="whether the peer's certificate is asked for and verified; host names are not compared",
        libssl="SSL_CTX_set_verify",
        pyopenssl="Context.set_verify",
        ssl="SSLContext.verify_mode",
        openssl=Flags("-verify, -Verify"),
        lacks=(
            Lack(
                "a client that verifies requires a certificate",
                ("openssl",),
                Role.CLIENT,
                allows=only(Verify.NONE, Verify.REQUIRED),
                values="none, required",
            ),
            Lack(
                "OpenSSL before 1.1.1 has no SSL_VERIFY_POST_HANDSHAKE",
                before="1.1.1",
                allows=lambda value: value is not Verify.LATER,
                values="none, optional, once, required",
            ),
            Lack(
                "only a server asks once or later",
                role=Role.CLIENT,
                allows=only(Verify.NONE, Verify.OPTIONAL, Verify.REQUIRED),
                values="none, optional, required",
            ),
            Lack(
                "SSLContext.verify_mode has no SSL_VERIFY_CLIENT_ONCE",
                ("ssl",),
                allows=lambda value: value is not Verify.ONCE,
                values="none, optional, later, required",
            ),
        ),
    )
    max_early_data: int | None = knob(
        kind=kinds.BYTE_COUNT,
        meaning="server: how much early data it reads; client: how much it writes, if the session allows as much",
        libssl="SSL_CTX_set_max_early_data",
        pyopenssl="SSL_CTX_set_max_early_data",
        openssl={
            Role.SERVER: Flags(
                "-early_data, -max_early_data",
                lambda value: [*(["-early_data"] if value else []), "-max_early_data", str(value)],
            ),
            Role.CLIENT: Flags("-early_data"),
        },
        since="1.1.1",
        lacks=(
            Lack("Python's ssl has no early data", ("ssl",)),
            Lack(
                "SSL_get_early_data_status is not bound: a client cannot tell whether its early data was accepted",
                ("pyopenssl",),
                Role.CLIENT,
            ),
            Lack(
                "a client of the harness writes no more early data",
                role=Role.CLIENT,
                allows=lambda size: size <= MOST_EARLY_DATA,
                values=f"0 to {MOST_EARLY_DATA}",
            ),
            Lack(
                "-max_early_data takes a C int",
                ("openssl",),
                Role.SERVER,
                allows=lambda size: size <= MOST_IN_C,
                values=f"0 to {MOST_IN_C}",
            ),
        ),
    )
    renegotiation: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether this end takes part in renegotiations; off asks for none and refuses each",
        options=(Option("SSL_OP_NO_RENEGOTIATION", 30, values=(False,)),),
        openssl=switch(off="-no_renegotiation"),
        since="1.1.0h",
        older=True,
    )
    ignore_unexpected_eof: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether the end of TCP without close_notify is an end like any other",
        options=(Option("SSL_OP_IGNORE_UNEXPECTED_EOF", 7),),
        openssl=switch(on="-ignore_unexpected_eof"),
        since="3.0",
    )
    retransmit_after: int | None = knob(
        kind=kinds.TIMER,
        meaning="DTLS: how long it waits before it sends a flight again, and twice as long each further time; by "
        "default 1000",
        libssl="DTLS_set_timer_cb",
        since="1.1.1",
        lacks=(
            Lack("DTLS_set_timer_cb is not bound", ("pyopenssl",)),
            Lack("s_client and s_server have OpenSSL's timers, a second at first", ("openssl",)),
            *NO_DTLS,
        ),
    )
    quiet_shutdown: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether SSL_shutdown sends no close_notify and waits for none, and all the same counts as one",
        libssl="SSL_CTX_set_quiet_shutdown",
        lacks=(
            Lack("no flag sets it", ("openssl",)),
            Lack("SSL_CTX_set_quiet_shutdown is not bound", ("pyopenssl",)),
            Lack("SSLContext has no way to SSL_CTX_set_quiet_shutdown", ("ssl",)),
        ),
    )
    ocsp: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="client: whether it asks for a stapled OCSP response (RFC 6066, 8); server: whether it sends one",
        libssl="SSL_CTX_set_tlsext_status_cb",
        pyopenssl="Context.set_ocsp_server_callback, Connection.request_ocsp",
        openssl={Role.CLIENT: switch(on="-status")},
        lacks=(
            Lack("-status_file wants a response of the certificate's authority", ("openssl",), Role.SERVER),
            Lack("SSLContext has no way to SSL_CTX_set_tlsext_status_cb", ("ssl",)),
        ),
    )
    server_rpk: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether a raw public key may take the place of the server's certificate (RFC 7250)",
        libssl="SSL_CTX_set1_server_cert_type",
        openssl=switch(on="-enable_server_rpk"),
        since="3.2",
        lacks=NO_RAW_KEYS,
    )
    client_rpk: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether a raw public key may take the place of the client's certificate (RFC 7250)",
        libssl="SSL_CTX_set1_client_cert_type",
        openssl=switch(on="-enable_client_rpk"),
        since="3.2",
        lacks=NO_RAW_KEYS,
    )
    expected_rpk: str | None = knob(
        kind=kinds.CERTIFICATE,
        meaning="the certificate whose key a peer with a raw public key must have; by default it trusts none",
        libssl="SSL_add_expected_rpk",
        since="3.2",
        lacks=(Lack("no flag names a raw public key", ("openssl",)), *NO_RAW_KEYS),
    )
    cert_compressions: tuple[CertCompression, ...] | None = knob(
        kind=kinds.CERT_COMPRESSIONS,
        meaning="the algorithms of certificate compression, the best one first; by default all that its OpenSSL has",
        libssl="SSL_CTX_set1_cert_comp_preference",
        since="3.2",
        lacks=(Lack("no flag names an algorithm of certificate compression", ("openssl",)), *NO_CERT_COMPRESSION),
    )
    cert_compression: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether it compresses its certificate for a peer that takes it so (RFC 8879); by default a client "
        "does, and a server does not. On needs an OpenSSL with zlib, brotli or zstd",
        libssl="SSL_CTX_compress_certs",
        openssl={
            Role.SERVER: switch(on="-cert_comp", off="-no_tx_cert_comp"),
            Role.CLIENT: switch(off="-no_tx_cert_comp"),
        },
        since="3.2",
        older=False,
        lacks=NO_CERT_COMPRESSION,
    )
    cert_decompression: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether it asks its peer to compress its certificate (RFC 8879, 3); by default it does if its OpenSSL "
        "has zlib, brotli or zstd, without which it cannot be on",
        options=(Option("SSL_OP_NO_RX_CERTIFICATE_COMPRESSION", 33, values=(False,)),),
        openssl=switch(off="-no_rx_cert_comp"),
        since="3.2",
        older=False,
        lacks=(
            Lack(
                "it cannot be asked whether its OpenSSL has zlib, brotli or zstd",
                ("pyopenssl", "ssl"),
                allows=only(*[False]),
                values="off",
            ),
        ),
    )
    mutation: str | None = knob(
        kind=kinds.MUTATION,
        meaning="the rule of an RFC that this end breaks; by default it keeps them",
        lacks=(Lack("only the stack tlslite breaks rules (docs/mutations.md)"),),
    )
    clock: int | None = knob(
        kind=kinds.CLOCK,
        meaning="how far this end's clock is moved from the true time",
        libssl="libfaketime",
        pyopenssl="libfaketime",
        ssl="libfaketime",
        openssl=Flags("libfaketime"),
    )


@dataclass(frozen=True, kw_only=True)
class ClientKnobs:
    """The knobs that only a client has."""

    legacy_server_connect: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether it connects to a server without secure renegotiation (RFC 5746); by default since 3.0 not",
        options=(Option("SSL_OP_LEGACY_SERVER_CONNECT", 2),),
        openssl=switch(on="-legacy_server_connect", off="-no_legacy_server_connect"),
        older=True,
    )
    server_name: str | None = knob(
        kind=kinds.HOST_NAME,
        meaning="the host name that is sent (RFC 6066, 3); by default none",
        libssl="SSL_set_tlsext_host_name",
        pyopenssl="Connection.set_tlsext_host_name",
        ssl="SSLContext.wrap_bio(server_hostname)",
        openssl=takes("-servername"),
        lacks=(
            Lack(
                "Python's ssl encodes a server name by IDNA and sends none for an IP address",
                ("ssl",),
                allows=_is_host_name,
                values="a host name in ASCII, with labels of 1 to 63 bytes",
            ),
        ),
    )
    expected_name: str | None = knob(
        kind=kinds.HOST_NAME,
        meaning="the host name that the server's certificate must have, where the client verifies; by default any",
        libssl="SSL_set1_host",
        openssl=takes("-verify_hostname"),
        since="1.1.0",
        lacks=(
            Lack("SSL_set1_host is not bound", ("pyopenssl",)),
            Lack("SSLContext.check_hostname takes the name that is sent, and no other", ("ssl",)),
        ),
    )
    client_certificate: str | None = knob(
        kind=kinds.CERTIFICATE,
        meaning="which certificate the client has; by default none",
        libssl="SSL_CTX_use_certificate_chain_file",
        pyopenssl="Context.use_certificate_chain_file",
        ssl="SSLContext.load_cert_chain",
        openssl=Flags("-cert, -key"),
        lacks=KEY_TYPES,
    )
    post_handshake_auth: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether the client can be asked for its certificate after the handshake (RFC 8446, 4.6.2)",
        libssl="SSL_CTX_set_post_handshake_auth",
        pyopenssl="SSL_CTX_set_post_handshake_auth",
        ssl="SSLContext.post_handshake_auth",
        openssl=switch(on="-enable_pha"),
        since="1.1.1",
    )
    max_fragment_length: int | None = knob(
        kind=kinds.FRAGMENT,
        meaning="bytes of a fragment that is asked for (RFC 6066, 4); by default nothing is",
        libssl="SSL_CTX_set_tlsext_max_fragment_length",
        openssl=takes("-maxfraglen"),
        since="1.1.1",
        lacks=(
            Lack("SSL_CTX_set_tlsext_max_fragment_length is not bound", ("pyopenssl",)),
            Lack("SSLContext has no way to SSL_CTX_set_tlsext_max_fragment_length", ("ssl",)),
        ),
    )


@dataclass(frozen=True, kw_only=True)
class ServerKnobs:
    """The knobs that only a server has."""

    num_tickets: int | None = knob(
        kind=kinds.TICKETS,
        meaning="TLS 1.3 tickets after a full handshake",
        libssl="SSL_CTX_set_num_tickets",
        pyopenssl="NumTickets in an OPENSSL_CONF",
        ssl="SSLContext.num_tickets",
        openssl=takes("-num_tickets"),
        since="1.1.1",
    )
    session_id_context: bytes | Unset | None = knob(
        kind=kinds.ID_CONTEXT,
        meaning="the session id context; none leaves it unset. Each stack sets one by default",
        libssl="SSL_CTX_set_session_id_context",
        pyopenssl="Context.set_session_id",
        ssl="fixed",
        openssl=takes("-context"),
        lacks=(
            Lack(
                "_ssl.c sets the session id context of every SSLContext to b'Python', for good",
                ("ssl",),
                allows=only(PYTHON_CONTEXT),
                values=PYTHON_CONTEXT.decode(),
            ),
            Lack(
                "-context takes text, s_server always sets a context, and one that OpenSSL refuses ends it",
                ("openssl",),
                allows=lambda value: _is_printable(value) and 0 < len(value) <= LONGEST_CONTEXT,
                values="text of 1 to 32 bytes",
            ),
        ),
    )
    session_id_prefix: bytes | None = knob(
        kind=kinds.octets(0, 31, "at most 31 bytes"),
        meaning="session ids begin with it and go on at random",
        libssl="SSL_CTX_set_generate_session_id",
        openssl=takes("-id_prefix"),
        lacks=(
            Lack("-id_prefix takes text", ("openssl",), allows=_is_printable, values="text"),
            NO_GENERATOR,
            NO_PYTHON_GENERATOR,
        ),
    )
    session_id: bytes | None = knob(
        kind=kinds.octets(1, 32, "1 to 32 bytes"),
        meaning="every session id is this one, so that a second one collides",
        libssl="SSL_CTX_set_generate_session_id",
        lacks=(
            Lack("-id_prefix sets the beginning of an id, no flag sets all of it", ("openssl",)),
            NO_GENERATOR,
            NO_PYTHON_GENERATOR,
        ),
    )
    not_resumable: NotResumable | None = knob(
        kind=kinds.NOT_RESUMABLE,
        meaning="a callback makes each new session not resumable, set for the context or for each connection",
        libssl="SSL_CTX_set_not_resumable_session_callback",
        since="1.1.0",
        lacks=(
            Lack("no flag sets the callback", ("openssl",)),
            Lack("SSL_CTX_set_not_resumable_session_callback is not bound", ("pyopenssl",)),
            Lack("SSLContext has no way to SSL_CTX_set_not_resumable_session_callback", ("ssl",)),
        ),
    )
    ticket_keys: str | None = knob(
        kind=kinds.KEYS,
        meaning="servers with the same name share their ticket keys; by default random ones",
        libssl="SSL_CTX_set_tlsext_ticket_keys",
        lacks=(
            Lack("no flag sets ticket keys", ("openssl",)),
            Lack("SSL_CTX_ctrl, and with it SSL_CTX_set_tlsext_ticket_keys, is not bound", ("pyopenssl",)),
            Lack("SSLContext has no way to SSL_CTX_set_tlsext_ticket_keys", ("ssl",)),
        ),
    )
    ticket_ring: str | None = knob(
        kind=kinds.RING,
        meaning="ticket keys in a callback: the first name's encrypts, all of them decrypt, all but the first renew",
        libssl="SSL_CTX_set_tlsext_ticket_key_evp_cb",
        lacks=NO_TICKET_CALLBACK,
    )
    ticket_callback: TicketCallback | None = knob(
        kind=kinds.TICKET_CALLBACK,
        meaning="which generation of callback has the keys of the ring; by default the newest that the OpenSSL has",
        libssl="SSL_CTX_set_tlsext_ticket_key_evp_cb",
        lacks=(
            *NO_TICKET_CALLBACK,
            Lack(
                "OpenSSL before 3.0 has no SSL_CTX_set_tlsext_ticket_key_evp_cb",
                before="3.0",
                allows=only(TicketCallback.HMAC),
                values="hmac",
            ),
        ),
    )
    ticket_cipher: TicketCipher | None = knob(
        kind=kinds.TICKET_CIPHER,
        meaning="the cipher that the callback of the ring sets for a ticket, by default aes_cbc",
        libssl="SSL_CTX_set_tlsext_ticket_key_evp_cb",
        lacks=NO_TICKET_CALLBACK,
    )
    ticket_encrypts: TicketKeyResult | None = knob(
        kind=kinds.TICKET_KEY_RESULT,
        meaning="what the callback of the ring returns when a ticket is made; by default ok",
        libssl="SSL_CTX_set_tlsext_ticket_key_evp_cb",
        lacks=NO_TICKET_CALLBACK,
    )
    ticket_decrypts: TicketKeyResult | None = knob(
        kind=kinds.TICKET_KEY_RESULT,
        meaning="what it returns for a ticket whose key it has; by default ok for the first key and renew for others",
        libssl="SSL_CTX_set_tlsext_ticket_key_evp_cb",
        lacks=NO_TICKET_CALLBACK,
    )
    ticket_data: bytes | None = knob(
        kind=kinds.APPDATA,
        meaning="application data that the server puts into each ticket, in the callbacks for tickets",
        libssl="SSL_CTX_set_session_ticket_cb",
        since="1.1.1",
        lacks=NO_TICKET_DATA,
    )
    ticket_use: TicketUse | None = knob(
        kind=kinds.TICKET_USE,
        meaning="what the callback for a decrypted ticket returns, beside ticket_data; by default use",
        libssl="SSL_CTX_set_session_ticket_cb",
        since="1.1.1",
        lacks=NO_TICKET_DATA,
    )
    external_cache: str | None = knob(
        kind=kinds.CACHE_NAME,
        meaning="servers with the same name share a session cache outside of OpenSSL, whatever their stack and build",
        libssl="SSL_CTX_sess_set_get_cb",
        lacks=NO_EXTERNAL_CACHE,
    )
    external_get: ExternalGet | None = knob(
        kind=kinds.EXTERNAL_GET,
        meaning="what the get callback of the external cache returns; by default the session",
        libssl="SSL_CTX_sess_set_get_cb",
        lacks=(
            *NO_EXTERNAL_CACHE,
            Lack(
                "OpenSSL before 1.1.1 has no SSL_SESSION_set1_id (1.1.0) and no SSL_CTX_set_client_hello_cb",
                before="1.1.1",
                allows=lambda value: value not in {ExternalGet.OTHER_ID, ExternalGet.LATER},
                values="session, copy, nothing, expired, not_resumable",
            ),
        ),
    )
    external_keeps: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether the new callback of the external cache keeps the session object, which it says by returning 1",
        libssl="SSL_CTX_sess_set_new_cb",
        lacks=NO_EXTERNAL_CACHE,
    )
    cookie: Cookie | None = knob(
        kind=kinds.COOKIE,
        meaning="DTLS: what it says of the cookie that it asks each client to return (HelloVerifyRequest), none if "
        "it asks for none, as it does by default, but for s_server",
        libssl="SSL_CTX_set_cookie_generate_cb",
        pyopenssl="Context.set_cookie_generate_callback",
        openssl=Flags("-dtls1, -dtls1_2"),
        lacks=(
            Lack(
                "s_server asks each client for a cookie, its own",
                ("openssl",),
                allows=only(Cookie.ACCEPT),
                values="accept",
            ),
            Lack(
                "the driver calls no Connection.DTLSv1_listen",
                ("pyopenssl",),
                allows=lambda value: value is not Cookie.LISTEN,
                values="none, accept, refuse",
            ),
            Lack(
                "DTLSv1_listen is a macro before OpenSSL 1.1.0, with another kind of address",
                ("libssl",),
                before="1.1.0",
                allows=lambda value: value is not Cookie.LISTEN,
                values="none, accept, refuse",
            ),
            *NO_DTLS,
        ),
    )
    anti_replay: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether early data are accepted once for each session, which makes tickets stateful (RFC 8446, 8)",
        options=(Option("SSL_OP_NO_ANTI_REPLAY", 24, values=(False,)),),
        openssl=switch(on="-anti_replay", off="-no_anti_replay"),
        since="1.1.1",
        lacks=(Lack("it matters only with early data, which Python's ssl has not", ("ssl",)),),
    )
    client_renegotiation: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether a client may renegotiate; by default off, before 3.0 always on",
        options=(Option("SSL_OP_ALLOW_CLIENT_RENEGOTIATION", 8),),
        openssl=switch(on="-client_renegotiation"),
        since="3.0",
        older=True,
        older_why="; a client may always renegotiate",
        lacks=(
            Lack("s_server before 3.0 has no -client_renegotiation; it accepts it always", ("openssl",), before="3.0"),
        ),
    )
    resumption_on_renegotiation: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether a renegotiation may resume a session; off makes each a full handshake",
        options=(Option("SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION", 16, values=(False,)),),
        openssl=switch(off="-no_resumption_on_reneg"),
    )
    server_preference: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether the server's order of cipher suites counts, not the client's; by default only in Python's ssl",
        options=(Option("SSL_OP_CIPHER_SERVER_PREFERENCE", 22),),
        openssl=switch(on="-serverpref"),
    )
    dhe: bool | None = knob(
        kind=kinds.SWITCH,
        meaning="whether it negotiates TLS 1.2 suites with DHE; by default only s_server does",
        libssl="SSL_CTX_set_dh_auto",
        openssl=switch(off="-no_dhe"),
        since="1.1.0",
        lacks=(
            Lack("SSL_CTX_set_dh_auto is not bound", ("pyopenssl",)),
            Lack("SSLContext has no way to SSL_CTX_set_dh_auto", ("ssl",)),
        ),
    )
    psk_hint: str | None = knob(
        kind=kinds.IDENTITY,
        meaning="the hint that a server sends with TLS 1.2 suites for PSKs (RFC 4279, 5.2); by default none",
        libssl="SSL_CTX_use_psk_identity_hint",
        pyopenssl="SSL_CTX_use_psk_identity_hint",
        ssl="SSLContext.set_psk_server_callback",
        openssl=takes("-psk_hint"),
        lacks=(NO_PSK,),
    )
    server_certificate: str | None = knob(
        kind=kinds.CERTIFICATE,
        meaning="which certificate the server has; none for a server that has only an external PSK",
        libssl="SSL_CTX_use_certificate_chain_file",
        pyopenssl="Context.use_certificate_chain_file",
        ssl="SSLContext.load_cert_chain",
        openssl=Flags("-cert, -key"),
        lacks=KEY_TYPES,
    )


def for_programs(given: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The knobs as s_server and s_client of a version take them.

    The security level is a word of the cipher list, and a PSK of the callbacks of TLS 1.3 alone is in a file.
    """
    found = dict(given)
    if given.get("versions") == (TLSVersion.QUICv1,):
        found.setdefault("alpn", QUIC_PROTOCOLS)
    if found.get("psk_callback") is PskCallback.SESSION:
        found.pop("psk_key", None)
    if "security_level" in given and knobs_of(Role.CLIENT)["security_level"].exists_in(version):
        found["ciphers"] = f"{given.get('ciphers', DEFAULT_CIPHERS)}:@SECLEVEL={given['security_level']}"
    return found


def psk_in_a_file(given: Mapping[str, Any]) -> bool:
    """Whether s_server and s_client get the external PSK as a session in a file, by -psk_session."""
    alone, cipher = given.get("psk_callback") is PskCallback.SESSION, given.get("psk_cipher", PskCipher.AES_128)
    return "psk_key" in given and (alone or cipher is not PskCipher.AES_128)


def early_data(size: int) -> bytes:
    """The early data that a client writes: each 8 bytes are their offset, so that a loss or a mix-up shows."""
    return b"".join(b"%08x" % offset for offset in range(0, size, 8))[:size]


@cache
def knobs_of(role: Role) -> Mapping[str, Knob]:
    """The rows of a role by name, in order."""
    own = ClientKnobs if role is Role.CLIENT else ServerKnobs
    return {field.name: field.metadata["knob"] for table in (CommonKnobs, own) for field in fields(table)}


def check_knobs(role: str, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """The decoded values of the knobs of a request, without those that are null; RequestError says what is allowed."""
    table = {name: row for name, row in knobs_of(Role(role)).items() if row.kind.carried}
    unknown = [name for name in knobs if name not in table]
    if unknown:
        raise RequestError(f"a {role} has no knob {', '.join(unknown)}; its knobs are: {', '.join(table)}")
    given = {name: knobs[name] for name in table if knobs.get(name) is not None}
    return {name: table[name].kind.field().value(raw, "knob", name) for name, raw in given.items()}


def why_not(stack: str, role: str, version: str, name: str, value: Any) -> str | None:
    """Why the stack on that OpenSSL cannot give the knob this value, None if it can."""
    lack = knobs_of(Role(role))[name].lack(stack, Role(role), version)
    return str(lack) if lack is not None and lack.forbids(value) else None


def check_files(files: Mapping[str, Any]) -> dict[str, str]:
    """The paths of the PEM files; those that are null are left out."""
    unknown = [name for name in files if name not in FILES]
    if unknown:
        raise RequestError(f"there is no file {', '.join(unknown)}; the files are: {', '.join(FILES)}")
    return {name: TEXT.value(raw, "file", name) for name, raw in files.items() if raw is not None}
