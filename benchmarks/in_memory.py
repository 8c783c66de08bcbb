"""The floor: a full and a resumed handshake of libssl with itself over a BIO pair, in this process, with no harness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cffi import FFI

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl.native import Native
from harness.agent.drivers.libssl.settings import Settings

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.model.tls import TLSVersion
    from harness.runtime.pki import Issued

BIO = """
int BIO_new_bio_pair(void **bio1, size_t writebuf1, void **bio2, size_t writebuf2);
"""
"""What the agent does not declare; its declarations are parsed already and take no more."""
LINE = b"Stats please\n"
"""What the server sends after the handshake: a client must read once to have a TLS 1.3 ticket."""


class Handshakes:
    """Both ends of one TLS version, with the options and the certificate of a pair of the harness."""

    def __init__(self, build: Build, tls: TLSVersion, issued: Issued) -> None:
        self._native = Native(str(build.libssl), str(build.libcrypto))
        self._own = FFI()
        self._own.cdef(BIO)
        self._bio: Any = self._own.dlopen(str(build.libcrypto))
        self._tls = tls
        self._issued = issued
        self._contexts = self._made()

    def _context(self, role: str) -> Any:
        ssl = self._native.ssl
        ctx = self._native.ffi.gc(ssl.SSL_CTX_new(ssl.TLS_method()), ssl.SSL_CTX_free)
        settings = Settings(self._native, ctx, role)
        settings.apply("versions", (self._tls,))
        if role == "server":
            settings.apply("session_id_context", b"resumption")
            certificate, key = (str(path).encode() for path in (self._issued.certificate, self._issued.key))
            self._native.must(ssl.SSL_CTX_use_certificate_chain_file(ctx, certificate), "certificate")
            self._native.must(ssl.SSL_CTX_use_PrivateKey_file(ctx, key, c.FILETYPE_PEM), "key")
        return ctx

    def _made(self) -> tuple[Any, Any]:
        return self._context("client"), self._context("server")

    def handshakes(self) -> None:
        """A full handshake and one that resumes it, with the contexts that there are; RuntimeError if it does not."""
        session = self._connection(None)
        self._native.ssl.SSL_SESSION_free(self._connection(session))
        self._native.ssl.SSL_SESSION_free(session)

    def whole_case(self) -> None:
        """The same with contexts of its own, as each pair of the harness has."""
        kept, self._contexts = self._contexts, self._made()
        self.handshakes()
        for ctx in self._contexts:
            self._native.ffi.release(ctx)
        self._contexts = kept

    def _connection(self, offered: Any) -> Any:
        ssl, ffi = self._native.ssl, self._native.ffi
        client, server = (ssl.SSL_new(ctx) for ctx in self._contexts)
        made = self._own.new("void *[2]")
        self._bio.BIO_new_bio_pair(made, 0, made + 1, 0)
        ends = [ffi.cast("BIO *", int(self._own.cast("uintptr_t", each))) for each in made]
        ssl.SSL_set_bio(client, ends[0], ends[0])
        ssl.SSL_set_bio(server, ends[1], ends[1])
        ssl.SSL_set_connect_state(client)
        ssl.SSL_set_accept_state(server)
        if offered is not None:
            ssl.SSL_set_session(client, offered)
        while not all([self._went_on(client), self._went_on(server)]):  # a list: both take their turn
            pass
        buffer = ffi.new("unsigned char[]", len(LINE))
        ssl.SSL_write(server, LINE, len(LINE))
        ssl.SSL_read(client, buffer, len(LINE))
        if bytes(ffi.buffer(buffer)) != LINE or bool(ssl.SSL_session_reused(client)) != (offered is not None):
            raise RuntimeError(f"TLS {self._tls} in memory did not go as it was to go")
        session = ssl.SSL_get1_session(client)
        for end in (client, server):
            ssl.SSL_shutdown(end)
            ssl.SSL_free(end)
        return session

    def _went_on(self, end: Any) -> bool:
        """Do what of the handshake can be done now; True once it is complete. TlsError or EndError if it fails."""
        self._native.before()
        result = self._native.ssl.SSL_do_handshake(end)
        if result > 0:
            return True
        if self._native.ssl.SSL_get_error(end, result) != c.ERROR_WANT_READ:
            self._native.raise_for(end, result)
        return False
