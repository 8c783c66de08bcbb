"""The callbacks that give an external PSK to OpenSSL, of both generations and both roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl.native import Kept
from harness.agent.knobs import DEFAULT_IDENTITY
from harness.agent.vocabulary import PskCallback, PskCipher, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.drivers.libssl.callbacks.calls import Calls
    from harness.agent.drivers.libssl.connection import LibsslTls
    from harness.agent.drivers.libssl.native import Native

GIVEN = {PskCallback.PSK: "key", PskCallback.SESSION: "session"}
"""The result of a call that gave the PSK."""
UNKNOWN = "unknown"
"""The result for an identity that the server does not know."""


class ExternalPsk:
    """The external PSK of one context; ``key`` is empty if it has none."""

    def __init__(
        self, native: Native, role: str, knobs: Mapping[str, Any], connections: Mapping[Any, LibsslTls], calls: Calls
    ) -> None:
        self.key: bytes = knobs.get("psk_key", b"")
        self._native = native
        self._role = role
        self._identities = [name.encode() for name in knobs.get("psk_identity", DEFAULT_IDENTITY)]
        self._cipher: PskCipher = knobs.get("psk_cipher", PskCipher.AES_128)
        newest = PskCallback.BOTH if native.has("SSL_CTX_set_psk_use_session_callback") else PskCallback.PSK
        self._callback: PskCallback = knobs.get("psk_callback", newest)
        self._connections = connections
        self._calls = calls
        self._keep = Kept(native)
        self._identity = native.ffi.from_buffer(self._identities[0])

    def set(self, ctx: Any) -> None:
        """Set the callbacks of an SSL_CTX."""
        ssl, client = self._native.ssl, self._role == "client"
        if self._callback is not PskCallback.SESSION and client:
            signature = "unsigned int(SSL *, const char *, char *, unsigned int, unsigned char *, unsigned int)"
            ssl.SSL_CTX_set_psk_client_callback(ctx, self._keep(signature, self._offer_key))
        elif self._callback is not PskCallback.SESSION:
            signature = "unsigned int(SSL *, const char *, unsigned char *, unsigned int)"
            ssl.SSL_CTX_set_psk_server_callback(ctx, self._keep(signature, self._find_key))
        if self._callback is not PskCallback.PSK and client:
            signature = "int(SSL *, const void *, const unsigned char **, size_t *, SSL_SESSION **)"
            ssl.SSL_CTX_set_psk_use_session_callback(ctx, self._keep(signature, self._offer_session))
        elif self._callback is not PskCallback.PSK:
            signature = "int(SSL *, const unsigned char *, size_t, SSL_SESSION **)"
            ssl.SSL_CTX_set_psk_find_session_callback(ctx, self._keep(signature, self._find_session))

    def _given(self, ssl: Any, identity: bytes, generation: PskCallback) -> None:
        """Record that OpenSSL got the PSK."""
        self._calls.note(ssl, "psk", identity, GIVEN[generation])
        connection = self._connections.get(ssl)
        if connection is not None:
            connection.psk = identity.decode(errors="surrogateescape")

    def _offer_key(self, ssl: Any, _hint: Any, identity: Any, room: int, psk: Any, most: int) -> int:
        name = self._identities[0]
        if len(name) >= room or len(self.key) > most:
            return 0
        self._native.ffi.memmove(identity, name + b"\0", len(name) + 1)
        self._native.ffi.memmove(psk, self.key, len(self.key))
        self._given(ssl, name, PskCallback.PSK)
        return len(self.key)

    def _find_key(self, ssl: Any, identity: Any, psk: Any, most: int) -> int:
        name = bytes(self._native.ffi.string(identity))
        if name not in self._identities or len(self.key) > most:
            self._calls.note(ssl, "psk", name, UNKNOWN)
            return 0
        self._native.ffi.memmove(psk, self.key, len(self.key))
        self._given(ssl, name, PskCallback.PSK)
        return len(self.key)

    def _offer_session(self, ssl: Any, digest: Any, identity: Any, size: Any, session: Any) -> int:
        made, cipher = self._session(ssl)
        if digest != self._native.ffi.NULL and self._native.ssl.SSL_CIPHER_get_handshake_digest(cipher) != digest:
            self._native.ssl.SSL_SESSION_free(made)  # the PSK has another hash than the HelloRetryRequest's suite
            return 1
        identity[0], size[0], session[0] = self._identity, len(self._identities[0]), made
        self._given(ssl, self._identities[0], PskCallback.SESSION)
        return 1

    def _find_session(self, ssl: Any, identity: Any, size: int, session: Any) -> int:
        name = bytes(self._native.ffi.buffer(identity, size)[:])
        if name not in self._identities:
            self._calls.note(ssl, "psk", name, UNKNOWN)
            return 1
        session[0] = self._session(ssl)[0]
        self._given(ssl, name, PskCallback.SESSION)
        return 1

    def _session(self, ssl: Any) -> tuple[Any, Any]:
        """A session of TLS 1.3 with the key, which OpenSSL will own, and its cipher."""
        library = self._native.ssl
        cipher = library.SSL_CIPHER_find(ssl, self._cipher.number.to_bytes(2, "big"))
        made = library.SSL_SESSION_new()
        self._native.must(library.SSL_SESSION_set1_master_key(made, self.key, len(self.key)), "psk_key")
        self._native.must(library.SSL_SESSION_set_cipher(made, cipher), "psk_cipher")
        self._native.must(library.SSL_SESSION_set_protocol_version(made, TLSVersion.TLSv1_3.wire), "psk_key")
        return made, cipher
