"""What one SSL reports of its key exchange, its peer's chain and its exporter."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl import constants as c
from harness.agent.knobs import ALLOW_NO_DHE_KEX
from harness.agent.library import EXPORTER_LABEL, EXPORTER_LENGTH
from harness.agent.vocabulary import BEFORE_1_3

if TYPE_CHECKING:
    from harness.agent.drivers.libssl.native import Native

NAME = 64
"""Bytes that the name of a group may have."""


def peer_temp_key(native: Native, ssl: Any) -> str | None:
    """SSL_get_peer_tmp_key as s_client prints it; empty if there is none. None before 3.0."""
    if not native.has("SSL_group_to_name"):
        return None
    ffi, crypto = native.ffi, native.crypto
    found = ffi.new("void **")
    if native.ssl.SSL_ctrl(ssl, c.CTRL_GET_PEER_TMP_KEY, 0, found) <= 0:
        return ""
    key = found[0]
    try:
        words = [native.text(crypto.EVP_PKEY_get0_type_name(key)) or "", f"{crypto.EVP_PKEY_get_bits(key)} bits"]
        name = ffi.new("char[]", NAME)
        if words[0] == "EC" and crypto.EVP_PKEY_get_group_name(key, name, NAME, ffi.NULL) == 1:
            words = ["ECDH", native.text(name) or "", words[1]]
        return ", ".join(words)
    finally:
        crypto.EVP_PKEY_free(key)
        crypto.ERR_clear_error()


def group(native: Native, ssl: Any, *, reused: bool) -> str | None:
    """SSL_get_negotiated_group, if this connection had a key exchange; empty if it had none. None if unknown.

    Without one OpenSSL gives the session's group: after a TLS 1.2 resumption, and in TLS 1.3 with psk_ke. There it
    keeps no temporary key, as it does on a client that used a KEM.
    """
    if not native.has("SSL_group_to_name"):
        return None
    tls13 = c.VERSION_NAMES.get(native.ssl.SSL_version(ssl)) not in BEFORE_1_3
    if reused and not tls13:
        return ""
    number = native.ssl.SSL_ctrl(ssl, c.CTRL_GET_NEGOTIATED_GROUP, 0, native.ffi.NULL)
    name = (native.text(native.ssl.SSL_group_to_name(ssl, number)) or "") if number > 0 else ""
    if reused and not peer_temp_key(native, ssl) and native.ssl.SSL_get_options(ssl) & ALLOW_NO_DHE_KEX.mask:
        return None if "MLKEM" in name else ""
    return name


def peer_chain(native: Native, ssl: Any, *, server: bool) -> list[str]:
    """SHA-256 of each certificate of SSL_get_peer_cert_chain, which at a server lacks the peer's own."""
    stack = native.ssl.SSL_get_peer_cert_chain(ssl)
    own = [_digest(native, certificate) for certificate in _own(native, ssl)] if server else []
    if stack == native.ffi.NULL:
        return own
    modern = hasattr(native.crypto, "OPENSSL_sk_num")
    crypto = native.crypto
    count, value = (crypto.OPENSSL_sk_num, crypto.OPENSSL_sk_value) if modern else (crypto.sk_num, crypto.sk_value)
    return own + [_digest(native, value(stack, place)) for place in range(count(stack))]


def ocsp_response(native: Native, ssl: Any) -> str:
    """SSL_get_tlsext_status_ocsp_resp as hexadecimal digits; empty if the SSL holds none."""
    found = native.ffi.new("unsigned char **")
    length = native.ssl.SSL_ctrl(ssl, c.CTRL_GET_STATUS_RESPONSE, 0, found)
    return "" if length <= 0 or found[0] == native.ffi.NULL else bytes(native.ffi.buffer(found[0], length)).hex()


def _own(native: Native, ssl: Any) -> list[Any]:
    """The peer's certificate, if there is one; before 3.0 the call takes a reference."""
    borrowed = native.has("SSL_get0_peer_certificate")
    found = (native.ssl.SSL_get0_peer_certificate if borrowed else native.ssl.SSL_get_peer_certificate)(ssl)
    if found == native.ffi.NULL:
        return []
    return [found if borrowed else native.ffi.gc(found, native.crypto.X509_free)]


def _digest(native: Native, certificate: Any) -> str:
    size = native.crypto.i2d_X509(certificate, native.ffi.NULL)
    data = native.ffi.new("unsigned char[]", size)
    native.crypto.i2d_X509(certificate, native.ffi.new("unsigned char **", data))
    return hashlib.sha256(native.ffi.buffer(data, size)).hexdigest()


def exporter(native: Native, ssl: Any) -> str | None:
    """SHA-256 of what SSL_export_keying_material gives; None if the library refuses."""
    material = native.ffi.new("unsigned char[]", EXPORTER_LENGTH)
    label = EXPORTER_LABEL.encode()
    done = native.ssl.SSL_export_keying_material(
        ssl, material, EXPORTER_LENGTH, label, len(label), native.ffi.NULL, 0, 0
    )
    native.crypto.ERR_clear_error()
    return hashlib.sha256(native.ffi.buffer(material, EXPORTER_LENGTH)).hexdigest() if done == 1 else None
