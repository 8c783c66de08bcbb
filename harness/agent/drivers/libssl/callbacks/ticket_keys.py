"""Ticket keys in a callback, of either generation: one key encrypts, several decrypt."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl.native import Kept
from harness.agent.kinds import SHORT_TICKET_KEYS
from harness.agent.vocabulary import TicketCallback, TicketCipher, TicketKeyResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.drivers.libssl.callbacks.calls import Calls
    from harness.agent.drivers.libssl.native import Native

NAME = 16
"""Bytes of the name with which keys and a ticket begin."""
IV = 16
"""Bytes of an IV at most; a cipher with a shorter one takes the first."""
TRIPLE_DES_KEY = 24
"""Bytes of the key of des_ede3_cbc."""
UNKNOWN = "unknown"
"""The result for a ticket whose key the ring does not have."""


class TicketKeys:
    """The ticket key callback of one server; ``keys`` is its ring, which may change."""

    def __init__(self, native: Native, knobs: Mapping[str, Any], calls: Calls) -> None:
        self._native = native
        self.keys: tuple[bytes, ...] = knobs["ticket_ring"]
        newest = TicketCallback.EVP_MAC if native.has("SSL_CTX_set_tlsext_ticket_key_evp_cb") else TicketCallback.HMAC
        self._generation: TicketCallback = knobs.get("ticket_callback", newest)
        self._cipher: TicketCipher = knobs.get("ticket_cipher", TicketCipher.AES_CBC)
        self._encrypts: TicketKeyResult = knobs.get("ticket_encrypts", TicketKeyResult.OK)
        self._decrypts: TicketKeyResult | None = knobs.get("ticket_decrypts")
        self._calls = calls
        self._keep = Kept(native)

    def set(self, ctx: Any) -> None:
        """Set the callback of an SSL_CTX."""
        signature = "int(SSL *, unsigned char *, unsigned char *, void *, void *, int)"
        use = self._keep(signature, self._use)
        if self._generation is TicketCallback.EVP_MAC:
            function = self._native.need("SSL_CTX_set_tlsext_ticket_key_evp_cb", "ticket_callback")
            self._native.must(function(ctx, use), "ticket_ring")
        else:
            generic = self._native.ffi.cast("void (*)(void)", use)
            self._native.must(
                self._native.ssl.SSL_CTX_callback_ctrl(ctx, c.CTRL_SET_TICKET_KEY_CB, generic), "ticket_ring"
            )

    def _use(self, ssl: Any, name: Any, iv: Any, cipher: Any, mac: Any, encrypts: int) -> int:
        return self._encrypt(ssl, name, iv, cipher, mac) if encrypts else self._decrypt(ssl, name, iv, cipher, mac)

    def _encrypt(self, ssl: Any, name: Any, iv: Any, cipher: Any, mac: Any) -> int:
        key = self.keys[0]
        self._native.ffi.memmove(name, key[:NAME], NAME)
        self._native.ffi.memmove(iv, os.urandom(IV), IV)
        self._calls.note(ssl, "encrypt", key[:NAME], self._encrypts)
        self._prepare(self._native.crypto.EVP_EncryptInit_ex, key, iv, cipher, mac)
        return self._encrypts.number

    def _decrypt(self, ssl: Any, name: Any, iv: Any, cipher: Any, mac: Any) -> int:
        wanted = bytes(self._native.ffi.buffer(name, NAME)[:])
        key = next((key for key in self.keys if key[:NAME] == wanted), None)
        if key is None:
            self._calls.note(ssl, "decrypt", wanted, UNKNOWN)
            return TicketKeyResult.NONE.number
        result = self._decrypts or (TicketKeyResult.OK if key == self.keys[0] else TicketKeyResult.RENEW)
        self._calls.note(ssl, "decrypt", wanted, result)
        self._prepare(self._native.crypto.EVP_DecryptInit_ex, key, iv, cipher, mac)
        return result.number

    def _prepare(self, init: Any, key: bytes, iv: Any, cipher: Any, mac: Any) -> None:
        """Give both contexts their halves of the key: of the cipher, and of HMAC with SHA-256."""
        crypto, null = self._native.crypto, self._native.ffi.NULL
        half = (len(key) - NAME) // 2
        secret, own = key[NAME : NAME + half], key[NAME + half :]
        if self._cipher is TicketCipher.DES_EDE3_CBC:
            own = (own + own)[:TRIPLE_DES_KEY]
        self._native.must(init(cipher, self._evp_cipher(len(key)), null, own, iv), "ticket_ring")
        if self._generation is TicketCallback.EVP_MAC:
            word, digest = self._native.ffi.new("char[]", b"digest"), self._native.ffi.new("char[]", b"SHA256")
            params = self._native.ffi.new("OSSL_PARAM[2]")
            params[0].key, params[0].data_type = word, c.PARAM_UTF8_STRING
            params[0].data, params[0].data_size = digest, len(digest) - 1
            self._native.must(crypto.EVP_MAC_init(mac, secret, half, params), "ticket_ring")
        else:
            self._native.must(crypto.HMAC_Init_ex(mac, secret, half, crypto.EVP_sha256(), null), "ticket_ring")

    def _evp_cipher(self, length: int) -> Any:
        """The EVP_CIPHER of a key of so many bytes."""
        crypto = self._native.crypto
        if self._cipher is TicketCipher.DES_EDE3_CBC:
            return crypto.EVP_des_ede3_cbc()
        short = length == SHORT_TICKET_KEYS
        if self._cipher is TicketCipher.AES_CTR:
            return crypto.EVP_aes_128_ctr() if short else crypto.EVP_aes_256_ctr()
        return crypto.EVP_aes_128_cbc() if short else crypto.EVP_aes_256_cbc()
