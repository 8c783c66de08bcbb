"""Private keys of contexts: each is decoded once, as OpenSSL 3 takes longer for that than for a resumed handshake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl import constants as c

if TYPE_CHECKING:
    from harness.agent.drivers.libssl.native import Native


class PrivateKeys:
    """The keys by the content of their files; they live as long as the agent."""

    def __init__(self, native: Native) -> None:
        self._native = native
        self._kept: dict[bytes, Any] = {}

    def use(self, ctx: Any, path: str) -> None:
        """Give the SSL_CTX the key of a PEM file; TlsError if OpenSSL does not read it, or it fits no certificate."""
        ssl, crypto = self._native.ssl, self._native.crypto
        try:
            content = Path(path).read_bytes()
        except OSError:  # OpenSSL says what is wrong with it
            content = b""
        kept = self._kept.get(content)
        if kept is not None:
            self._native.must(ssl.SSL_CTX_use_PrivateKey(ctx, kept), "key")
            return
        self._native.must(ssl.SSL_CTX_use_PrivateKey_file(ctx, path.encode(), c.FILETYPE_PEM), "key")
        if hasattr(crypto, "EVP_PKEY_up_ref"):  # since 1.1.0
            key = ssl.SSL_CTX_get0_privatekey(ctx)
            crypto.EVP_PKEY_up_ref(key)
            self._kept[content] = key
