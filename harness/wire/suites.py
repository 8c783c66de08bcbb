"""The AEAD cipher suites by IANA number: how records are protected; suites with a MAC of their own are not here."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Aead(Enum):
    """The AEAD algorithms of TLS (RFC 5288, RFC 6655, RFC 7905, RFC 8446 B.4); tags are 16 bytes."""

    AES_GCM = "AES-GCM"
    AES_CCM = "AES-CCM"
    CHACHA20_POLY1305 = "ChaCha20-Poly1305"


class Suite(NamedTuple):
    """A cipher suite: IANA's name, its AEAD, bytes of its key, the hash of its key derivation."""

    name: str
    aead: Aead
    key: int
    hash: str


SUITES = {
    0x009C: Suite("TLS_RSA_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0x009D: Suite("TLS_RSA_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0x009E: Suite("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0x009F: Suite("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0x00A0: Suite("TLS_DH_RSA_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0x00A1: Suite("TLS_DH_RSA_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0x00A2: Suite("TLS_DHE_DSS_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0x00A3: Suite("TLS_DHE_DSS_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0x00A4: Suite("TLS_DH_DSS_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0x00A5: Suite("TLS_DH_DSS_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0x00A6: Suite("TLS_DH_anon_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0x00A7: Suite("TLS_DH_anon_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0x00A8: Suite("TLS_PSK_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0x00A9: Suite("TLS_PSK_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0x00AA: Suite("TLS_DHE_PSK_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0x00AB: Suite("TLS_DHE_PSK_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0x00AC: Suite("TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0x00AD: Suite("TLS_RSA_PSK_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0x1301: Suite("TLS_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0x1302: Suite("TLS_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0x1303: Suite("TLS_CHACHA20_POLY1305_SHA256", Aead.CHACHA20_POLY1305, 32, "sha256"),
    0x1304: Suite("TLS_AES_128_CCM_SHA256", Aead.AES_CCM, 16, "sha256"),
    0xC02B: Suite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0xC02C: Suite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0xC02D: Suite("TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0xC02E: Suite("TLS_ECDH_ECDSA_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0xC02F: Suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0xC030: Suite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0xC031: Suite("TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256", Aead.AES_GCM, 16, "sha256"),
    0xC032: Suite("TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384", Aead.AES_GCM, 32, "sha384"),
    0xC09C: Suite("TLS_RSA_WITH_AES_128_CCM", Aead.AES_CCM, 16, "sha256"),
    0xC09D: Suite("TLS_RSA_WITH_AES_256_CCM", Aead.AES_CCM, 32, "sha256"),
    0xC09E: Suite("TLS_DHE_RSA_WITH_AES_128_CCM", Aead.AES_CCM, 16, "sha256"),
    0xC09F: Suite("TLS_DHE_RSA_WITH_AES_256_CCM", Aead.AES_CCM, 32, "sha256"),
    0xC0AC: Suite("TLS_ECDHE_ECDSA_WITH_AES_128_CCM", Aead.AES_CCM, 16, "sha256"),
    0xC0AD: Suite("TLS_ECDHE_ECDSA_WITH_AES_256_CCM", Aead.AES_CCM, 32, "sha256"),
    0xCCA8: Suite("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Aead.CHACHA20_POLY1305, 32, "sha256"),
    0xCCA9: Suite("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Aead.CHACHA20_POLY1305, 32, "sha256"),
    0xCCAA: Suite("TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Aead.CHACHA20_POLY1305, 32, "sha256"),
    0xCCAB: Suite("TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", Aead.CHACHA20_POLY1305, 32, "sha256"),
    0xCCAC: Suite("TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", Aead.CHACHA20_POLY1305, 32, "sha256"),
    0xCCAD: Suite("TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256", Aead.CHACHA20_POLY1305, 32, "sha256"),
    0xCCAE: Suite("TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256", Aead.CHACHA20_POLY1305, 32, "sha256"),
}
"""IANA TLS Cipher Suites."""
