"""What each alert means where the end that sent it reports no reason code (RFC 8446, 6; RFC 5246, 7.2)."""

from __future__ import annotations

from harness.explain.openssl_errors.areas import Words

MEANINGS = {
    0: Words("ending", "{me} closed the connection during the handshake"),
    10: Words("order", "{me} got a message that does not belong at this place"),
    20: Words("record", "{me} cannot decrypt a record of {peer}: both ends have different keys, or bytes changed"),
    21: Words("record", "{me} cannot decrypt a record of {peer}"),
    22: Words("record", "{me} got a record that is longer than the limit"),
    30: Words("compression", "{me} cannot decompress a record of {peer}"),
    40: Words(
        "cipher",
        "{me} finds no acceptable parameters in what {peer} offers: cipher suites, groups, signature algorithms",
        "enable common cipher suites, groups and signature algorithms, and check that the server has a certificate "
        "that fits them",
    ),
    41: Words("certificate", "{me} has no certificate (SSL 3.0)"),
    42: Words(
        "certificate",
        "{me} got a certificate of {peer} that is corrupt, whose signature does not verify, or whose name or key {me} "
        "does not accept",
    ),
    43: Words("certificate", "{me} does not support the type of the certificate of {peer}"),
    44: Words(
        "certificate",
        "{me} knows that the issuer has revoked the certificate of {peer}",
        "give {peer} a new certificate",
    ),
    45: Words(
        "certificate",
        "the certificate of {peer} has expired, or is not valid yet, by the clock of {me}",
        "renew the certificate of {peer}, or correct the clock of {me}",
    ),
    46: Words("certificate", "{me} does not accept the certificate of {peer}, for a reason that it does not give"),
    47: Words("format", "{me} found a value in a message of {peer} that is out of range or contradicts another one"),
    48: Words(
        "certificate",
        "{me} does not trust the authority that issued the certificate of {peer}, or cannot find it",
        "make {me} trust the authority (SSL_CTX_load_verify_locations), or have {peer} send its whole chain",
    ),
    49: Words("certificate", "{me} accepts the certificate of {peer} and denies it access"),
    50: Words("format", "{me} cannot read a message of {peer}: a field or a length is wrong"),
    51: Words(
        "signature",
        "{me} could not verify a signature, a Finished message or a binder of {peer}",
        "check that the private key of {peer} belongs to its certificate and its session's secret to its ticket",
    ),
    60: Words("version", "{me} is bound by export rules that {peer} does not keep"),
    70: Words("version", "{me} enables none of the protocol versions of {peer}"),
    71: Words(
        "cipher",
        "{me} requires stronger parameters than {peer} offers",
        "use stronger parameters at {peer}, or lower the security level of {me} (SSL_CTX_set_security_level)",
    ),
    80: Words("library", "{me} failed for a reason of its own, such as its configuration or its memory"),
    86: Words("version", "{me} supports a higher version than the one to which {peer} fell back (RFC 7507)"),
    90: Words("ending", "the user of {me} cancelled the handshake"),
    100: Words("renegotiation", "{me} refuses to renegotiate"),
    109: Words("extension", "{me} misses an extension in a message of {peer}"),
    110: Words("extension", "{me} got an extension that it had not sent itself"),
    111: Words("certificate", "{me} cannot get the certificate of {peer} from its URL"),
    112: Words(
        "extension",
        "{me} does not know the server name that {peer} sent",
        "send a name that the server serves (SSL_set_tlsext_host_name)",
    ),
    113: Words("certificate", "{me} does not accept the OCSP response of {peer}"),
    114: Words("certificate", "the certificate of {peer} does not have the hash that was announced"),
    115: Words("psk", "{me} does not know the pre-shared key identity of {peer}"),
    116: Words(
        "certificate",
        "{me} requires a client certificate and {peer} sent none",
        "give {peer} a certificate that {me} trusts, or do not require one (SSL_VERIFY_FAIL_IF_NO_PEER_CERT)",
    ),
    120: Words("alpn", "{me} has none of the ALPN protocols that {peer} offers"),
}
"""By the alert's number; ``{me}`` is its sender."""
