"""The callbacks of a context, which record what they see in the connection concerned."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl.native import Kept
from harness.agent.drivers.libssl.sessions import export, make_older
from harness.agent.drivers.libssl.settings import alpn_wire
from harness.agent.vocabulary import TRY_LATER, NotResumable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.drivers.libssl.connection import LibsslTls
    from harness.agent.drivers.libssl.native import Native

SESSION_ID_LENGTH = 32
MESSAGE_NUMBER = slice(4, 6)
"""Where a handshake message of DTLS has its number (RFC 6347, 4.2.2)."""
HELLO_RANDOM = slice(14, 46)
"""Where a ServerHello of DTLS has its random, after that header and the version."""
RECORDED = frozenset({c.RECORD_ALERT, c.RECORD_HANDSHAKE})
"""The content types of SSL_CTX_set_msg_callback that are used; record headers and change_cipher_spec are not."""


class Callbacks:
    """Sets the C callbacks of one context and keeps them alive."""

    def __init__(self, native: Native, connections: Mapping[Any, LibsslTls]) -> None:
        self._native = native
        self._connections = connections
        """By SSL pointer; a missing one is being created or freed."""
        self.not_resumable: Any = None
        """The callback that makes each new session not resumable; None without the knob."""
        self._ticket_age = 0
        self._ticket_timeout: int | None = None
        self._changes_tickets = False
        self._keep = Kept(native)
        self._id_start = b""
        self._whole_id = False
        self._alpn = native.ffi.NULL

    def set(self, ctx: Any, role: str, knobs: Mapping[str, Any]) -> None:
        """Set every callback that this role and these knobs need."""
        ssl = self._native.ssl
        ssl.SSL_CTX_set_msg_callback(
            ctx, self._keep("void(int, int, int, const void *, size_t, SSL *, void *)", self._message)
        )
        if self._native.has("SSL_CTX_set_keylog_callback"):
            ssl.SSL_CTX_set_keylog_callback(ctx, self._keep("void(const SSL *, const char *)", self._keylog))
        if role == "client":
            ssl.SSL_CTX_sess_set_new_cb(ctx, self._keep("int(SSL *, SSL_SESSION *)", self._new_session))
            return
        name_callback = self._keep("int(SSL *, int *, void *)", self._name)
        ssl.SSL_CTX_callback_ctrl(ctx, c.CTRL_SET_SERVERNAME_CB, self._native.ffi.cast("void (*)(void)", name_callback))
        if "session_id" in knobs or "session_id_prefix" in knobs:
            self._id_start = knobs.get("session_id") or knobs["session_id_prefix"]
            self._whole_id = "session_id" in knobs
            generator = self._keep("int(SSL *, unsigned char *, unsigned int *)", self._make_id)
            ssl.SSL_CTX_set_generate_session_id(ctx, generator)
        if "not_resumable" in knobs:
            self.not_resumable = self._keep("int(SSL *, int)", lambda _ssl, _forward_secure: 1)
            if knobs["not_resumable"] is NotResumable.CONTEXT:
                function = self._native.need("SSL_CTX_set_not_resumable_session_callback", "not_resumable")
                function(ctx, self.not_resumable)
        if knobs.get("ocsp"):
            staple = self._keep("int(SSL *, void *)", self._staple)
            ssl.SSL_CTX_callback_ctrl(ctx, c.CTRL_SET_STATUS_CB, self._native.ffi.cast("void (*)(void)", staple))
        if "alpn" in knobs:
            self._alpn = self._native.ffi.new("unsigned char[]", alpn_wire(knobs["alpn"]))
            signature = (
                "int(SSL *, const unsigned char **, unsigned char *, const unsigned char *, unsigned int, void *)"
            )
            ssl.SSL_CTX_set_alpn_select_cb(ctx, self._keep(signature, self._choose), self._native.ffi.NULL)

    def age_tickets(self, ctx: Any, seconds: int) -> None:
        """Backdate each further ticket by this many seconds; calls add up."""
        self._ticket_age += seconds
        self._change_tickets(ctx)

    def time_out_tickets(self, ctx: Any, seconds: int) -> None:
        """Give each further ticket this timeout."""
        self._ticket_timeout = seconds
        self._change_tickets(ctx)

    def _change_tickets(self, ctx: Any) -> None:
        """Change each ticket's session before it is encrypted (SSL_CTX_set_session_ticket_cb)."""
        if self._changes_tickets:
            return
        function = self._native.need("SSL_CTX_set_session_ticket_cb", "age_sessions")
        null = self._native.ffi.NULL
        self._native.must(function(ctx, self._keep("int(SSL *, void *)", self._issue), null, null), "age_sessions")
        self._changes_tickets = True

    def _message(self, sent: int, _version: int, kind: int, data: Any, size: int, ssl: Any, _argument: Any) -> None:
        if kind not in RECORDED or not size:
            return
        connection = self._connections.get(ssl)
        if connection is None:
            return
        if connection.secrets is not None and kind == c.RECORD_HANDSHAKE:
            line = connection.secrets.line(ssl, data, size)
            connection.keylog += [line] if line else []
        head = self._native.ffi.buffer(data, min(size, MESSAGE_NUMBER.stop))[:]
        if kind == c.RECORD_ALERT:
            connection.alerts.append({"level": head[0], "number": head[1], "sent": bool(sent)})
        elif head[0] == c.NEW_SESSION_TICKET:
            number = connection.handshake_random + head[MESSAGE_NUMBER] if connection.datagrams else b""
            connection.tickets += number not in connection.ticket_numbers
            connection.ticket_numbers |= {number} - {b""}
        elif head[0] == c.SERVER_HELLO and connection.datagrams:
            connection.handshake_random = self._native.ffi.buffer(data, size)[HELLO_RANDOM]

    def _keylog(self, ssl: Any, line: Any) -> None:
        connection = self._connections.get(ssl)
        if connection is not None:
            connection.keylog.append(self._native.text(line) or "")

    def _new_session(self, ssl: Any, session: Any) -> int:
        connection = self._connections.get(ssl)
        exported = export(self._native, session)
        if connection is not None:
            connection.new_sessions = (connection.new_sessions or 0) + 1
        if connection is not None and exported is not None:
            connection.given.append(exported)
        return 0  # no reference is kept: a session is offered from its DER

    def _name(self, ssl: Any, _alert: Any, _argument: Any) -> int:
        named = self._native.ssl.SSL_get_servername(ssl, 0) != self._native.ffi.NULL
        return c.TLSEXT_OK if named else c.TLSEXT_NOACK

    def _make_id(self, _ssl: Any, buffer: Any, length: Any) -> int:
        start = self._id_start
        wanted = start if self._whole_id else start + os.urandom(max(length[0], SESSION_ID_LENGTH))[len(start) :]
        wanted = wanted[: length[0]]
        self._native.ffi.memmove(buffer, wanted, len(wanted))
        length[0] = len(wanted)
        return 1

    def _choose(self, _ssl: Any, out: Any, out_length: Any, offered: Any, length: int, _argument: Any) -> int:
        chosen = self._native.ffi.cast("unsigned char **", out)
        ours = len(self._alpn) - 1
        found = self._native.ssl.SSL_select_next_proto(chosen, out_length, self._alpn, ours, offered, length)
        return c.TLSEXT_OK if found == c.NPN_NEGOTIATED else c.TLSEXT_ALERT_FATAL

    def _staple(self, ssl: Any, _argument: Any) -> int:
        """SSL_set_tlsext_status_ocsp_resp, which takes memory of OPENSSL_malloc."""
        ffi, size = self._native.ffi, len(TRY_LATER)
        memory = self._native.crypto.CRYPTO_malloc(size, ffi.NULL, 0)
        ffi.memmove(memory, TRY_LATER, size)
        self._native.ssl.SSL_ctrl(ssl, c.CTRL_SET_STATUS_RESPONSE, size, memory)
        return c.TLSEXT_OK

    def _issue(self, ssl: Any, _argument: Any) -> int:
        session = self._native.ssl.SSL_get_session(ssl)
        make_older(self._native, session, self._ticket_age)
        if self._ticket_timeout is not None:
            self._native.ssl.SSL_SESSION_set_timeout(session, self._ticket_timeout)
        return 1
