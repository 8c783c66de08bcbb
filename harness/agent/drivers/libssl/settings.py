"""The knobs of a context, each set by the OpenSSL function that its documentation names."""

from __future__ import annotations

from ssl import PEM_cert_to_DER_cert
from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl import native as calls
from harness.agent.kinds import MAX_FRAGMENT_LENGTHS, SHORT_TICKET_KEYS, short_keys
from harness.agent.knobs import NO_TX_CERT_COMPRESSION, RAW_PUBLIC_KEY_FIRST, knobs_of
from harness.agent.library import LackError, TlsError, refused
from harness.agent.vocabulary import Role, Unset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from harness.agent.drivers.libssl.native import Native
    from harness.agent.vocabulary import CacheMode, CertCompression, TLSVersion, Verify

EVERY_ALGORITHM = 0
"""TLSEXT_comp_cert_none, with which SSL_CTX_compress_certs makes one of each algorithm."""
NOT_OF_A_CONTEXT = frozenset(
    {
        *(
            "cookie",
            "retransmit_after",
            "expected_name",
            "not_resumable",
            "server_name",
            "session_id",
            "session_id_prefix",
            "external_get",
            "external_keeps",
        ),
        *("ocsp", "ticket_ring", "ticket_callback", "ticket_cipher", "ticket_encrypts", "ticket_decrypts"),
        *("ticket_data", "ticket_use"),
        *("psk_key", "psk_identity", "psk_cipher", "psk_callback"),
    }
)
"""Knobs that a connection or a callback applies instead."""

NEED_COMPRESSION = frozenset({"cert_compression", "cert_decompression"})
NO_COMPRESSION = "this OpenSSL is built without zlib, brotli and zstd"
END_OF_CERTIFICATE = "-----END CERTIFICATE-----"


class Settings:
    """Applies knobs to an SSL_CTX."""

    def __init__(self, native: Native, ctx: Any, role: str) -> None:
        self._native = native
        self._ssl = native.ssl
        self._ffi = native.ffi
        self._ctx = ctx
        self._role = Role(role)

    def apply(self, knob: str, value: Any) -> None:
        """Set one knob; LackError if this OpenSSL lacks it or a name in its value, TlsError if it refuses the value."""
        if knob in NOT_OF_A_CONTEXT:
            return
        row = knobs_of(self._role).get(knob)
        if knob in NEED_COMPRESSION and value is True and not self._native.cert_compressions:
            raise LackError(f"{knob}: {NO_COMPRESSION}")
        if row is not None and row.options:
            for option in row.options_in(self._native.version):
                calls.set_option(self._native, self._ctx, option.mask, on=option.is_set(value))
            return
        setter: Callable[[Any], None] | None = getattr(self, f"set_{knob}", None)
        if setter is None:
            raise LackError(f"{knob}: the libssl driver has no code for it")
        self._native.before()
        try:
            setter(value)
        except TlsError as error:
            if row is None or not row.kind.of_library:
                raise
            raise LackError(f"{knob} = {value!r}: {refused(error)}") from error

    def _ctrl(self, command: int, number: int = 0, pointer: Any = None) -> int:
        return int(self._ssl.SSL_CTX_ctrl(self._ctx, command, number, pointer or self._ffi.NULL))

    def set_versions(self, versions: tuple[TLSVersion, ...]) -> None:
        """SSL_CTX_set_min_proto_version and SSL_CTX_set_max_proto_version."""
        if calls.is_older(self._native):
            calls.set_versions(self._native, self._ctx, versions)
            return
        numbers = [version.wire for version in versions]  # those of DTLS go down
        self._native.must(self._ctrl(c.CTRL_SET_MIN_VERSION, numbers[0]), "versions")
        self._native.must(self._ctrl(c.CTRL_SET_MAX_VERSION, numbers[-1]), "versions")

    def set_server_rpk(self, on: bool) -> None:  # noqa: FBT001 - as in the row
        """SSL_CTX_set1_server_cert_type."""
        if on:
            function = self._native.need("SSL_CTX_set1_server_cert_type", "server_rpk")
            self._native.must(function(self._ctx, RAW_PUBLIC_KEY_FIRST, len(RAW_PUBLIC_KEY_FIRST)), "server_rpk")

    def set_client_rpk(self, on: bool) -> None:  # noqa: FBT001 - as in the row
        """SSL_CTX_set1_client_cert_type."""
        if on:
            function = self._native.need("SSL_CTX_set1_client_cert_type", "client_rpk")
            self._native.must(function(self._ctx, RAW_PUBLIC_KEY_FIRST, len(RAW_PUBLIC_KEY_FIRST)), "client_rpk")

    def set_cert_compression(self, on: bool) -> None:  # noqa: FBT001 - as in the row
        """SSL_OP_NO_TX_CERTIFICATE_COMPRESSION; a server that compresses does so once: see `compress`."""
        calls.set_option(self._native, self._ctx, NO_TX_CERT_COMPRESSION, on=not on)

    def compress(self) -> None:
        """SSL_CTX_compress_certs, when the certificate is loaded; a client compresses its own in each handshake."""
        function = self._native.need("SSL_CTX_compress_certs", "cert_compression")
        self._native.must(function(self._ctx, EVERY_ALGORITHM), "cert_compression")

    def set_cert_compressions(self, names: tuple[CertCompression, ...]) -> None:
        """SSL_CTX_set1_cert_comp_preference."""
        function = self._native.need("SSL_CTX_set1_cert_comp_preference", "cert_compressions")
        if lacking := [name for name in names if name not in self._native.cert_compressions]:
            raise LackError(f"cert_compressions: this OpenSSL is built without {' and '.join(lacking)}")
        numbers = self._ffi.new("int[]", [name.number for name in names])
        self._native.must(function(self._ctx, numbers, len(names)), "cert_compressions")

    def set_security_level(self, level: int) -> None:
        """SSL_CTX_set_security_level; OpenSSL 1.0.2 has none, and allows what level 0 does."""
        if not calls.is_older(self._native):
            self._ssl.SSL_CTX_set_security_level(self._ctx, level)

    def set_cache_mode(self, words: frozenset[CacheMode]) -> None:
        """SSL_CTX_set_session_cache_mode."""
        mode = 0
        for word in words:
            mode |= word.number
        self._ctrl(c.CTRL_SET_CACHE_MODE, mode)

    def set_cache_size(self, size: int) -> None:
        """SSL_CTX_sess_set_cache_size."""
        self._ctrl(c.CTRL_SET_CACHE_SIZE, size)

    def set_timeout(self, seconds: int) -> None:
        """SSL_CTX_set_timeout."""
        self._ssl.SSL_CTX_set_timeout(self._ctx, seconds)

    def set_quiet_shutdown(self, on: bool) -> None:  # noqa: FBT001 - as in the row
        """SSL_CTX_set_quiet_shutdown."""
        self._ssl.SSL_CTX_set_quiet_shutdown(self._ctx, int(on))

    def set_num_tickets(self, number: int) -> None:
        """SSL_CTX_set_num_tickets."""
        self._native.must(self._native.need("SSL_CTX_set_num_tickets", "num_tickets")(self._ctx, number), "num_tickets")

    def set_max_early_data(self, size: int) -> None:
        """SSL_CTX_set_max_early_data; for a client, the connection applies it."""
        if self._role == "server":
            function = self._native.need("SSL_CTX_set_max_early_data", "max_early_data")
            self._native.must(function(self._ctx, size), "max_early_data")

    def set_session_id_context(self, value: bytes | Unset) -> None:
        """SSL_CTX_set_session_id_context."""
        if not isinstance(value, Unset):
            result = self._ssl.SSL_CTX_set_session_id_context(self._ctx, value, len(value))
            self._native.must(result, "session_id_context")

    def set_ticket_keys(self, keys: bytes) -> None:
        """SSL_CTX_set_tlsext_ticket_keys; a call with NULL returns their length."""
        length = self._ctrl(c.CTRL_SET_TICKET_KEYS)
        if length == SHORT_TICKET_KEYS:
            keys = short_keys(keys)
        if length != len(keys):
            raise LackError(f"ticket_keys: this OpenSSL takes {length} bytes, not {len(keys)}")
        self._native.must(self._ctrl(c.CTRL_SET_TICKET_KEYS, length, self._ffi.from_buffer(keys)), "ticket_keys")

    def set_ciphers(self, ciphers: str) -> None:
        """SSL_CTX_set_cipher_list."""
        self._native.must(self._ssl.SSL_CTX_set_cipher_list(self._ctx, ciphers.encode()), "ciphers")

    def set_ciphersuites(self, suites: str) -> None:
        """SSL_CTX_set_ciphersuites."""
        function = self._native.need("SSL_CTX_set_ciphersuites", "ciphersuites")
        self._native.must(function(self._ctx, suites.encode()), "ciphersuites")

    def set_max_fragment_length(self, size: int) -> None:
        """SSL_CTX_set_tlsext_max_fragment_length: its code, 1 for 512 bytes to 4 for 4096."""
        function = self._native.need("SSL_CTX_set_tlsext_max_fragment_length", "max_fragment_length")
        self._native.must(function(self._ctx, MAX_FRAGMENT_LENGTHS.index(size) + 1), "max_fragment_length")

    def set_groups(self, groups: str) -> None:
        """SSL_CTX_set1_groups_list."""
        text = self._ffi.new("char[]", groups.encode())
        self._native.must(self._ctrl(c.CTRL_SET_GROUPS_LIST, 0, text), "groups")

    def set_signature_algorithms(self, names: str) -> None:
        """SSL_CTX_set1_sigalgs_list."""
        text = self._ffi.new("char[]", names.encode())
        self._native.must(self._ctrl(c.CTRL_SET_SIGALGS_LIST, 0, text), "signature_algorithms")

    def set_dhe(self, on: bool) -> None:  # noqa: FBT001 - as in the row
        """SSL_CTX_set_dh_auto."""
        self._native.must(self._ctrl(c.CTRL_SET_DH_AUTO, int(on)), "dhe")

    def set_alpn(self, names: tuple[str, ...]) -> None:
        """SSL_CTX_set_alpn_protos, which returns 0 on success; for a server, a callback applies it."""
        if self._role == "client":
            wire = alpn_wire(names)
            self._native.must(1 - self._ssl.SSL_CTX_set_alpn_protos(self._ctx, wire, len(wire)), "alpn")

    def set_post_handshake_auth(self, on: bool) -> None:  # noqa: FBT001 - as in the row
        """SSL_CTX_set_post_handshake_auth."""
        self._native.need("SSL_CTX_set_post_handshake_auth", "post_handshake_auth")(self._ctx, int(on))

    def set_psk_hint(self, hint: str) -> None:
        """SSL_CTX_use_psk_identity_hint."""
        self._native.must(self._ssl.SSL_CTX_use_psk_identity_hint(self._ctx, hint.encode()), "psk_hint")

    def set_verify(self, word: Verify) -> None:
        """SSL_CTX_set_verify."""
        self._ssl.SSL_CTX_set_verify(self._ctx, word.number, self._ffi.NULL)


def alpn_wire(names: Iterable[str]) -> bytes:
    """Encode protocol names for ALPN, each prefixed by its length (RFC 7301, 3.1)."""
    encoded = [name.encode() for name in names]
    return b"".join(bytes([len(name)]) + name for name in encoded)


class PublicKey:
    """The key of the first certificate in a PEM file, which a peer with a raw public key must have (RFC 7250)."""

    def __init__(self, native: Native, file: Path) -> None:
        self._native = native
        ffi, crypto = native.ffi, native.crypto
        der = PEM_cert_to_DER_cert(file.read_text().partition(END_OF_CERTIFICATE)[0] + END_OF_CERTIFICATE)
        data = ffi.new("unsigned char[]", der)
        certificate = crypto.d2i_X509(ffi.NULL, ffi.new("const unsigned char **", data), len(der))
        native.must(int(certificate != ffi.NULL), "expected_rpk")
        self._key = ffi.gc(crypto.X509_get_pubkey(certificate), crypto.EVP_PKEY_free)
        crypto.X509_free(certificate)

    def expect(self, connection: Any) -> None:
        """SSL_add_expected_rpk, which needs DANE (SSL_dane_enable)."""
        self._native.must(self._native.ssl.SSL_dane_enable(connection, self._native.ffi.NULL), "expected_rpk")
        self._native.must(self._native.ssl.SSL_add_expected_rpk(connection, self._key), "expected_rpk")
