"""Renders the knobs of a context as C statements, with the function that its documentation names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.knobs import RAW_PUBLIC_KEY_FIRST
from harness.agent.vocabulary import OVER_TCP, QUIC_PROTOCOLS, Cookie, ExternalGet, PskCallback, release
from harness.model.knobs import UNSET, CacheMode, Verify, knobs_of
from harness.model.tls import Role, TLSVersion
from harness.reproduce import quoting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from harness.agent.knob import Knob, Option
    from harness.agent.vocabulary import CertCompression
    from harness.reproduce.story import Context

    Statements = Callable[[Any, Context], list[str]]

VERSIONS = {version: f"{version.name.replace('TLSv', 'TLS')}_VERSION" for version in TLSVersion}
LONGEST = (1 << 63) - 1


def number(value: int) -> str:
    """Return a literal of type long; its least value has none."""
    return f"{value}L" if value >= -LONGEST else f"(-{LONGEST}L - 1)"


def set_option(name: str) -> list[str]:
    """Return the statement with SSL_CTX_set_options."""
    return [f"SSL_CTX_set_options(ctx, {name});"]


def must(call: str) -> list[str]:
    """Return the check of a call that returns 1 on success."""
    return [f"MUST({call});"]


def _versions(value: Iterable[TLSVersion], _context: Context) -> list[str]:
    chosen = sorted(value)
    least = must(f"SSL_CTX_set_min_proto_version(ctx, {VERSIONS[chosen[0]]})")
    return least + must(f"SSL_CTX_set_max_proto_version(ctx, {VERSIONS[chosen[-1]]})")


def _cache_mode(value: Iterable[CacheMode], _context: Context) -> list[str]:
    flags = [mode.constant for mode in CacheMode if mode in set(value)]
    return [f"SSL_CTX_set_session_cache_mode(ctx, {' | '.join(flags)});"]


def wire(names: Iterable[str]) -> bytes:
    """Return protocol names in the format of ALPN, each after its length (RFC 7301, 3.1)."""
    encoded = [name.encode("utf-8", "surrogateescape") for name in names]
    return b"".join(bytes([len(name)]) + name for name in encoded)


def _alpn(value: Iterable[str], context: Context) -> list[str]:
    if context.role is Role.SERVER:
        return [f"SSL_CTX_set_alpn_select_cb(ctx, choose_protocol_{context.number}, NULL);"]
    data = wire(value)
    literal = f"(const unsigned char *){quoting.c(data)}"
    return must(f"SSL_CTX_set_alpn_protos(ctx, {literal}, {len(data)}) == 0")


def _verify(value: Verify, _context: Context) -> list[str]:
    if value is Verify.NONE:
        return []
    also = " | SSL_VERIFY_POST_HANDSHAKE" if value is Verify.LATER else ""
    also += " | SSL_VERIFY_CLIENT_ONCE" if value is Verify.ONCE else ""
    also += " | SSL_VERIFY_FAIL_IF_NO_PEER_CERT" if value is Verify.REQUIRED else ""
    trust = must('SSL_CTX_load_verify_locations(ctx, beside("authority", ".pem"), NULL)')
    return [*trust, f"SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER{also}, NULL);"]


def _id_context(value: object, _context: Context) -> list[str]:
    if value is UNSET or not isinstance(value, bytes):
        return []
    literal = f"(const unsigned char *){quoting.c(value)}"
    return must(f"SSL_CTX_set_session_id_context(ctx, {literal}, {len(value)})")


def _make_id(_value: bytes, context: Context) -> list[str]:
    return must(f"SSL_CTX_set_generate_session_id(ctx, make_session_id_{context.number})")


def _early_data(value: int, context: Context) -> list[str]:
    return must(f"SSL_CTX_set_max_early_data(ctx, {value}u)") if context.role is Role.SERVER else []


def _ticket_ring(value: str, context: Context) -> list[str]:
    return [
        f"SSL_CTX_set_app_data(ctx, {quoting.c(value)});",
        f"MUST(SET_TICKET_KEY_CB(ctx, use_ring_{context.number}));",
    ]


def _external_cache(_value: str, context: Context) -> list[str]:
    number = context.number
    return [
        f"SSL_CTX_sess_set_new_cb(ctx, external_new_{number});",
        f"SSL_CTX_sess_set_get_cb(ctx, external_get_{number});",
        f"SSL_CTX_sess_set_remove_cb(ctx, external_remove_{number});",
    ]


GENERATIONS = {
    Role.CLIENT: {
        PskCallback.PSK: "SSL_CTX_set_psk_client_callback(ctx, psk_client_",
        PskCallback.SESSION: "SSL_CTX_set_psk_use_session_callback(ctx, psk_use_",
    },
    Role.SERVER: {
        PskCallback.PSK: "SSL_CTX_set_psk_server_callback(ctx, psk_server_",
        PskCallback.SESSION: "SSL_CTX_set_psk_find_session_callback(ctx, psk_find_",
    },
}
"""The call that sets each generation of callback of an external PSK; the number of the context and ``);`` follow."""


def generations(context: Context) -> frozenset[PskCallback]:
    """Return the generations of callback that have a context's external PSK."""
    wanted = context.knobs.get("psk_callback", PskCallback.BOTH)
    both = frozenset({PskCallback.PSK, PskCallback.SESSION})
    return both if wanted is PskCallback.BOTH else both & {wanted}


def _psk_key(_value: str, context: Context) -> list[str]:
    calls = GENERATIONS[context.role].items()
    return [f"{call}{context.number});" for name, call in calls if name in generations(context)]


OLDEST = "1.1.1"
"""The oldest OpenSSL that the program supports."""


def _options(row: Knob, value: object) -> list[str]:
    """Return the statements that set or clear the options of a knob; none for those with their default."""
    changed = [option for option in row.options if option.is_set(value) is not option.default]
    return [line for option in changed for line in _option(option, option.since or row.since, value == row.older)]


def _option(option: Option, since: str, older: bool) -> list[str]:  # noqa: FBT001 - as in the row
    call = f"SSL_CTX_{'clear' if option.default else 'set'}_options(ctx, {option.name});"
    if not since or release(since) <= release(OLDEST):
        return [call]
    otherwise = [] if older else ["#else", f'cannot("{option.name}, which this OpenSSL has not");']
    return [f"#ifdef {option.name}", call, *otherwise, "#endif"]


def _where(macro: str, lines: Iterable[str], what: str) -> list[str]:
    """Return statements that need headers with a macro."""
    return [f"#ifdef {macro}", *lines, "#else", f'cannot("{what}, which this OpenSSL has not");', "#endif"]


def _cert_compression(value: bool, context: Context) -> list[str]:  # noqa: FBT001 - as in the row
    if not value:
        return [
            "#ifdef SSL_OP_NO_TX_CERTIFICATE_COMPRESSION",
            *set_option("SSL_OP_NO_TX_CERTIFICATE_COMPRESSION"),
            "#endif",
        ]
    if context.role is Role.CLIENT:
        return []
    return _where("TLSEXT_comp_cert_zlib", must("SSL_CTX_compress_certs(ctx, 0)"), "SSL_CTX_compress_certs")


def _cert_compressions(value: Iterable[CertCompression], _context: Context) -> list[str]:
    names = [f"TLSEXT_comp_cert_{each}" for each in value]
    literal = f"(int[]){{{', '.join(names)}}}"
    call = must(f"SSL_CTX_set1_cert_comp_preference(ctx, {literal}, {len(names)})")
    return _where("TLSEXT_comp_cert_zlib", call, "SSL_CTX_set1_cert_comp_preference")


def _rpk(function: str) -> Statements:
    def statements(value: bool, _context: Context) -> list[str]:  # noqa: FBT001 - as in the row
        call = f"{function}(ctx, (const unsigned char *){quoting.c(RAW_PUBLIC_KEY_FIRST)}, {len(RAW_PUBLIC_KEY_FIRST)})"
        return _where("TLSEXT_cert_type_rpk", must(call), function) if value else []

    return statements


def _text(function: str) -> Statements:
    return lambda value, _context: must(f"{function}(ctx, {quoting.c(value)})")


KNOBS: Mapping[str, Statements] = {
    "versions": _versions,
    "security_level": lambda value, _: [f"SSL_CTX_set_security_level(ctx, {value});"],
    "cache_mode": _cache_mode,
    "cache_size": lambda value, _: [f"SSL_CTX_sess_set_cache_size(ctx, {number(value)});"],
    "timeout": lambda value, _: [f"SSL_CTX_set_timeout(ctx, {number(value)});"],
    "ciphers": _text("SSL_CTX_set_cipher_list"),
    "ciphersuites": _text("SSL_CTX_set_ciphersuites"),
    "groups": _text("SSL_CTX_set1_groups_list"),
    "signature_algorithms": _text("SSL_CTX_set1_sigalgs_list"),
    "dhe": lambda value, _: [f"SSL_CTX_set_dh_auto(ctx, {int(value)});"],
    "alpn": _alpn,
    "verify": _verify,
    "post_handshake_auth": lambda value, _: [f"SSL_CTX_set_post_handshake_auth(ctx, {int(value)});"],
    "max_early_data": _early_data,
    "max_fragment_length": lambda value, _: must(
        f"SSL_CTX_set_tlsext_max_fragment_length(ctx, TLSEXT_max_fragment_length_{value})"
    ),
    "quiet_shutdown": lambda value, _: [f"SSL_CTX_set_quiet_shutdown(ctx, {int(value)});"],
    "not_resumable": lambda _value, _: ["SSL_CTX_set_not_resumable_session_callback(ctx, not_resumable);"],
    "num_tickets": lambda value, _: must(f"SSL_CTX_set_num_tickets(ctx, {value}u)"),
    "session_id_context": _id_context,
    "session_id_prefix": _make_id,
    "session_id": _make_id,
    "ticket_keys": lambda value, _: [f"set_ticket_keys(ctx, {quoting.c(value)});"],
    "ticket_ring": _ticket_ring,
    "ticket_callback": lambda _value, _context: [],  # both generations make the same tickets
    "ticket_cipher": lambda _value, _context: [],  # of the callback that ticket_ring sets, as the next two
    "ticket_encrypts": lambda _value, _context: [],
    "ticket_decrypts": lambda _value, _context: [],
    "external_cache": _external_cache,
    "external_get": lambda _value, _context: [],  # of the callbacks that external_cache sets
    "external_keeps": lambda _value, _context: [],
    "psk_key": _psk_key,
    "psk_identity": lambda _value, _context: [],  # of the callbacks that psk_key sets
    "psk_cipher": lambda _value, _context: [],
    "psk_callback": lambda _value, _context: [],
    "psk_hint": _text("SSL_CTX_use_psk_identity_hint"),
    "ocsp": lambda value, context: (
        must("SSL_CTX_set_tlsext_status_cb(ctx, staple)") if value and context.role is Role.SERVER else []
    ),
    "server_rpk": _rpk("SSL_CTX_set1_server_cert_type"),
    "client_rpk": _rpk("SSL_CTX_set1_client_cert_type"),
    "expected_rpk": lambda _value, _: must("SSL_CTX_dane_enable(ctx)"),
    "cert_compression": _cert_compression,
    "cert_compressions": _cert_compressions,
    "cookie": lambda _value, _context: [],  # of each server, whether it is given or not
    "retransmit_after": lambda _value, _context: [],  # where a flight is lost, the program sends it again at once
    "clock": lambda _value, _context: [],  # of each connection
    "server_name": lambda _value, _context: [],
    "expected_name": lambda _value, _context: [],
    "client_certificate": lambda _value, _context: [],  # the context's certificate
    "server_certificate": lambda _value, _context: [],
}
"""For each knob that is not an option: its value and its context to statements."""


def carrier_of(context: Context) -> str:
    """Return what carries the versions of a context."""
    versions = context.knobs.get("versions")
    return versions[0].carrier if isinstance(versions, tuple) else OVER_TCP


def cookie_of(context: Context) -> Cookie:
    """Return what a context says of the cookies of DTLS; s_server asks for one in any case."""
    asks = context.stack == "openssl" and context.role is Role.SERVER and carrier_of(context) == "DTLS"
    given = context.knobs.get("cookie", Cookie.ACCEPT if asks else Cookie.NONE)
    return Cookie(str(given))


COOKIES = {Cookie.ACCEPT: "accept_cookie", Cookie.REFUSE: "refuse_cookie", Cookie.LISTEN: "accept_cookie"}
"""The callback of the program that looks at a cookie."""


def _cookies(context: Context) -> list[str]:
    if (said := cookie_of(context)) is Cookie.NONE:
        return []
    return [
        *set_option("SSL_OP_COOKIE_EXCHANGE"),
        "SSL_CTX_set_cookie_generate_cb(ctx, make_cookie);",
        f"SSL_CTX_set_cookie_verify_cb(ctx, {COOKIES[said]});",
    ]


def knob_lacks(context: Context) -> list[str]:
    """Return the knobs of a context that the program does not support, each with the reason."""
    rows = knobs_of(context.role)
    unknown = [
        f"{name} of {context.name}: the program does not know this knob"
        for name in context.knobs
        if name not in KNOBS and not rows[name].options
    ]
    if context.knobs.get("external_get") is ExternalGet.LATER:
        unknown.append(f"external_get = later of {context.name}: its client-hello callback looks for offers")
    if context.knobs.get("cookie") is Cookie.LISTEN:
        unknown.append(f"cookie = listen of {context.name}: DTLSv1_listen needs sockets, and both ends have memory")
    return unknown


def statements(context: Context) -> list[str]:
    """Return the statements for the knobs of a context, in the order of the table of knobs."""
    lines: list[str] = []
    quic = carrier_of(context) == "QUIC"
    knobs = {**({"alpn": QUIC_PROTOCOLS} if quic else {}), **context.knobs}
    for name, row in knobs_of(context.role).items():
        if name in knobs and not (quic and name == "versions"):  # its method says it
            value = knobs[name]
            lines += _options(row, value) if row.options else KNOBS[name](value, context)
    lines += _cookies(context)
    if context.stack == "ssl" and "ignore_unexpected_eof" not in context.knobs:  # Modules/_ssl.c of CPython since 3.10
        lines += ["#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF", *set_option("SSL_OP_IGNORE_UNEXPECTED_EOF"), "#endif"]
    return lines
