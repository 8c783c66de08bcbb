"""Certificates with keys that trustme does not make, each signed by an authority of trustme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model.errors import UnsupportedError

if TYPE_CHECKING:
    import trustme

ECDSA, RSA, RSA_PSS, ED25519, ML_DSA = "ecdsa", "rsa", "rsa-pss", "ed25519", "ml-dsa-65"
KEYS = (ECDSA, RSA, RSA_PSS, ED25519, ML_DSA)
"""What ``key`` in certs/issued.toml can be."""


def _new(kind: str) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - few runs need any of these
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa  # noqa: PLC0415

    if kind == RSA_PSS:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind == ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa  # noqa: PLC0415

        return mldsa.MLDSA65PrivateKey.generate()
    except (ImportError, UnsupportedAlgorithm) as error:
        raise UnsupportedError("the cryptography here", f"a {kind} key", "pip install -U cryptography") from error


def _only_for_pss(certificate: bytes, key: bytes, issuer: Any) -> tuple[bytes, bytes]:
    """The DER of both with the key declared for RSA-PSS alone (RFC 4055, 1.2), signed again."""
    from asn1crypto import algos, keys, x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    shown, held = x509.Certificate.load(certificate), keys.PrivateKeyInfo.load(key)
    shown["tbs_certificate"]["subject_public_key_info"]["algorithm"] = keys.PublicKeyAlgorithm(
        {"algorithm": "rsassa_pss"}
    )
    held["private_key_algorithm"] = keys.PrivateKeyAlgorithm({"algorithm": "rsassa_pss"})
    shown["signature_algorithm"] = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})
    shown["signature_value"] = issuer.sign(shown["tbs_certificate"].dump(force=True), ec.ECDSA(hashes.SHA256()))
    return shown.dump(force=True), held.dump(force=True)


def reissued(leaf: trustme.LeafCert, issuer: trustme.CA, kind: str) -> tuple[bytes, bytes]:
    """A certificate as ``leaf``, but with a new key of this kind, and that key: PEM both.

    UnsupportedError if the installed cryptography cannot make such a key.
    """
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415

    like = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
    signer: Any = serialization.load_pem_private_key(issuer.private_key_pem.bytes(), None)
    key = _new(kind)
    builder = x509.CertificateBuilder(like.issuer, like.subject, key.public_key(), like.serial_number)
    builder = builder.not_valid_before(like.not_valid_before_utc).not_valid_after(like.not_valid_after_utc)
    for extension in like.extensions:
        own = isinstance(extension.value, x509.SubjectKeyIdentifier)
        value = x509.SubjectKeyIdentifier.from_public_key(key.public_key()) if own else extension.value
        builder = builder.add_extension(value, extension.critical)
    der, pem = serialization.Encoding.DER, serialization.Encoding.PEM
    certificate = builder.sign(signer, hashes.SHA256())
    plain = serialization.NoEncryption()
    if kind != RSA_PSS:
        private: bytes = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
        return certificate.public_bytes(pem), private
    from asn1crypto import pem as armour  # noqa: PLC0415

    shown, held = _only_for_pss(
        certificate.public_bytes(der), key.private_bytes(der, serialization.PrivateFormat.PKCS8, plain), signer
    )
    return armour.armor("CERTIFICATE", shown), armour.armor("PRIVATE KEY", held)
