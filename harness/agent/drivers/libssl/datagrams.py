"""DTLS: the BIO of a UDP socket, the timer of a flight that has no answer, and the cookies of a server."""

from __future__ import annotations

import hmac
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl.native import set_option
from harness.agent.library import WantReadError
from harness.agent.vocabulary import COOKIE_SIZE, Cookie

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.drivers.libssl.native import Native

SET_CONNECTED = 32
"""BIO_CTRL_DGRAM_SET_CONNECTED: the peer of a connected socket."""
GET_TIMEOUT, HANDLE_TIMEOUT = 73, 74
"""DTLSv1_get_timeout and DTLSv1_handle_timeout, which are macros over SSL_ctrl."""
OP_COOKIE_EXCHANGE = 1 << 13
SOCKADDR = 28
"""Bytes of the union of addresses in OpenSSL 1.0.2 (struct sockaddr_in6)."""


def address_of(native: Native, sock: socket.socket) -> Any:
    """Return the BIO_ADDR of the peer of a connected UDP socket; in 1.0.2 the sockaddr in its place."""
    host, port = sock.getpeername()
    address, null = socket.inet_aton(host), native.ffi.NULL
    if hasattr(native.crypto, "BIO_ADDR_new"):
        peer = native.ffi.gc(native.crypto.BIO_ADDR_new(), native.crypto.BIO_ADDR_free)
        made = native.crypto.BIO_ADDR_rawmake(peer, socket.AF_INET, address, len(address), socket.htons(port))
        native.must(int(peer != null and made), "connection")
    else:
        raw = socket.AF_INET.to_bytes(2, sys.byteorder) + port.to_bytes(2, "big") + address
        peer = native.ffi.new("unsigned char[]", raw.ljust(SOCKADDR, b"\0"))
    return peer


def attach(native: Native, ssl: Any, sock: socket.socket) -> None:
    """Let a connection speak through a connected UDP socket (BIO_new_dgram)."""
    bio = native.crypto.BIO_new_dgram(sock.fileno(), 0)
    native.crypto.BIO_ctrl(bio, SET_CONNECTED, 0, address_of(native, sock))
    native.ssl.SSL_set_bio(ssl, bio, bio)


def time_left(native: Native, ssl: Any) -> float | None:
    """Return the seconds until a flight is to be sent again; None if none waits for an answer."""
    left = native.ffi.new("long[2]")
    if not native.ssl.SSL_ctrl(ssl, GET_TIMEOUT, 0, left):
        return None
    return float(left[0] + left[1] / 1_000_000)


class Datagrams:
    """The callbacks of a context that speaks DTLS; it keeps them alive."""

    def __init__(self, native: Native, knobs: Mapping[str, Any]) -> None:
        self._native = native
        self._secret = os.urandom(COOKIE_SIZE)
        self._says: Cookie | None = knobs.get("cookie")
        self._first: int | None = knobs.get("retransmit_after")
        self._timer = native.callback("unsigned int(SSL *, unsigned int)", self._next)
        self._generate = native.callback("int(SSL *, unsigned char *, unsigned int *)", self._make)
        self._verify = native.callback("int(SSL *, const unsigned char *, unsigned int)", self._check)

    def set(self, ctx: Any) -> None:
        """Let a server ask for cookies, if the knob says so; DTLSv1_listen sets the option itself."""
        if self._says not in {None, Cookie.NONE}:
            set_option(self._native, ctx, OP_COOKIE_EXCHANGE, on=self._says is not Cookie.LISTEN)
            self._native.ssl.SSL_CTX_set_cookie_generate_cb(ctx, self._generate)
            self._native.ssl.SSL_CTX_set_cookie_verify_cb(ctx, self._verify)

    def begin(self, ssl: Any, sock: socket.socket) -> None:
        """Prepare a new connection."""
        attach(self._native, ssl, sock)
        if self._first is not None:
            self._native.need("DTLS_set_timer_cb", "retransmit_after")(ssl, self._timer)

    @property
    def listens(self) -> bool:
        """Whether a server keeps nothing of a client until its cookie comes."""
        return self._says is Cookie.LISTEN

    def listen(self, ssl: Any) -> None:
        """DTLSv1_listen: answer a ClientHello without a cookie; WantReadError until one with a cookie is there."""
        native = self._native
        client = native.ffi.gc(native.crypto.BIO_ADDR_new(), native.crypto.BIO_ADDR_free)
        result = native.need("DTLSv1_listen", "cookie")(ssl, client)
        native.check_callbacks()
        if result == 0:  # what it dropped is in the queue of errors
            native.errors()
            raise WantReadError
        if result < 0:
            native.raise_for(ssl, result)

    def _next(self, _ssl: Any, before: int) -> int:
        """Return the microseconds of a timer; ``before`` are those of the one that ran out, 0 for the first."""
        return 2 * before if before else (self._first or 0) * 1000

    def _make(self, _ssl: Any, cookie: Any, length: Any) -> int:
        self._native.ffi.memmove(cookie, self._secret, COOKIE_SIZE)
        length[0] = COOKIE_SIZE
        return 1

    def _check(self, _ssl: Any, cookie: Any, length: int) -> int:
        own = hmac.compare_digest(bytes(self._native.ffi.buffer(cookie, length)), self._secret)
        return int(own and self._says in {Cookie.ACCEPT, Cookie.LISTEN})
