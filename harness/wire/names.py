"""The RFCs' and IANA's names of what the wire carries as numbers; nothing is decided by them."""

from __future__ import annotations

HANDSHAKES = {
    0: "HelloRequest",
    1: "ClientHello",
    2: "ServerHello",
    3: "HelloVerifyRequest",
    4: "NewSessionTicket",
    5: "EndOfEarlyData",
    8: "EncryptedExtensions",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    20: "Finished",
    22: "CertificateStatus",
    23: "SupplementalData",
    24: "KeyUpdate",
    25: "CompressedCertificate",
}
"""Message types by HandshakeType (RFC 5246, A.4; RFC 8446, B.3; RFC 8879)."""

EXTENSIONS = {
    0: "server_name",
    1: "max_fragment_length",
    5: "status_request",
    10: "supported_groups",
    11: "ec_point_formats",
    13: "signature_algorithms",
    16: "application_layer_protocol_negotiation",
    18: "signed_certificate_timestamp",
    19: "client_certificate_type",
    20: "server_certificate_type",
    21: "padding",
    22: "encrypt_then_mac",
    23: "extended_master_secret",
    27: "compress_certificate",
    28: "record_size_limit",
    35: "session_ticket",
    41: "pre_shared_key",
    42: "early_data",
    43: "supported_versions",
    44: "cookie",
    45: "psk_key_exchange_modes",
    47: "certificate_authorities",
    48: "oid_filters",
    49: "post_handshake_auth",
    50: "signature_algorithms_cert",
    51: "key_share",
    57: "quic_transport_parameters",
    13172: "next_protocol_negotiation",
    65281: "renegotiation_info",
}
"""IANA TLS ExtensionType Values."""

GROUPS = {
    1: "sect163k1",
    2: "sect163r1",
    3: "sect163r2",
    4: "sect193r1",
    5: "sect193r2",
    6: "sect233k1",
    7: "sect233r1",
    8: "sect239k1",
    9: "sect283k1",
    10: "sect283r1",
    11: "sect409k1",
    12: "sect409r1",
    13: "sect571k1",
    14: "sect571r1",
    15: "secp160k1",
    16: "secp160r1",
    17: "secp160r2",
    18: "secp192k1",
    19: "secp192r1",
    20: "secp224k1",
    21: "secp224r1",
    22: "secp256k1",
    23: "secp256r1",
    24: "secp384r1",
    25: "secp521r1",
    26: "brainpoolP256r1",
    27: "brainpoolP384r1",
    28: "brainpoolP512r1",
    29: "x25519",
    30: "x448",
    31: "brainpoolP256r1tls13",
    32: "brainpoolP384r1tls13",
    33: "brainpoolP512r1tls13",
    34: "GC256A",
    35: "GC256B",
    36: "GC256C",
    37: "GC256D",
    38: "GC512A",
    39: "GC512B",
    40: "GC512C",
    41: "curveSM2",
    256: "ffdhe2048",
    257: "ffdhe3072",
    258: "ffdhe4096",
    259: "ffdhe6144",
    260: "ffdhe8192",
    512: "MLKEM512",
    513: "MLKEM768",
    514: "MLKEM1024",
    4587: "SecP256r1MLKEM768",
    4588: "X25519MLKEM768",
    4589: "SecP384r1MLKEM1024",
    4590: "curveSM2MLKEM768",
}
"""IANA TLS Supported Groups."""

GROUP_ALIASES = {
    "prime256v1": "secp256r1",
    "prime192v1": "secp192r1",
    "p-192": "secp192r1",
    "p-224": "secp224r1",
    "p-256": "secp256r1",
    "p-384": "secp384r1",
    "p-521": "secp521r1",
    **{f"ml-kem-{size}": f"mlkem{size}" for size in (512, 768, 1024)},
    "b-163": "sect163r2",
    **{f"{kind}-{bits}": f"sect{bits}{kind}1".replace("b1", "r1") for kind in "kb" for bits in (233, 283, 409, 571)},
    "k-163": "sect163k1",
}
"""OpenSSL's and NIST's names of groups whose name at IANA is another."""
GROUPS_BY_NAME = {name.lower(): name for name in GROUPS.values()}


def group_named(text: str) -> str:
    """IANA's name of a group that a library names; the text itself if it is not a group of the table."""
    lower = text.lower()
    return GROUPS_BY_NAME.get(GROUP_ALIASES.get(lower, lower), text)


PSK_MODES = {0: "psk_ke", 1: "psk_dhe_ke"}
"""PskKeyExchangeMode (RFC 8446, 4.2.9)."""

VERSIONS = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
"""ProtocolVersion."""

LEVELS = {1: "warning", 2: "fatal"}
"""AlertLevel (RFC 8446, 6)."""


def name_of(names: dict[int, str], number: int) -> str:
    """The name, or the number in decimal digits where there is none."""
    return names.get(number) or str(number)


def list_of(names: dict[int, str], numbers: tuple[int, ...]) -> str:
    """The names of several numbers, separated by commas."""
    return ", ".join([names.get(number) or str(number) for number in numbers])
