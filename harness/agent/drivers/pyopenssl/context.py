"""A pyOpenSSL Context made from knobs; connections are in ``connection``."""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from OpenSSL import SSL

from harness.agent.drivers.pyopenssl import bindings as below
from harness.agent.drivers.pyopenssl import compat as older
from harness.agent.drivers.pyopenssl import external_psk
from harness.agent.drivers.pyopenssl import unsupported as lacks
from harness.agent.drivers.pyopenssl.bindings import version
from harness.agent.drivers.pyopenssl.conf import conf
from harness.agent.drivers.pyopenssl.connection import PyopensslConnection, queue_of
from harness.agent.drivers.pyopenssl.evidence import Watch
from harness.agent.knobs import knobs_of
from harness.agent.library import LackError, TlsError, check_key, refused
from harness.agent.verbs import ONLY_SERVERS_CHOOSE
from harness.agent.vocabulary import COOKIE_SIZE, TRY_LATER, ChosenAt, Cookie, Role, Unset, release

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from harness.agent.drivers.pyopenssl.evidence import Evidence
    from harness.agent.vocabulary import CacheMode, TLSVersion, Verify

DEFAULT_ID_CONTEXT = b"resumption"
"""A server that verifies clients needs one: without it, every resumption fails (ssl_get_prev_session)."""
OP_COOKIE_EXCHANGE = 1 << 13
"""SSL.OP_COOKIE_EXCHANGE, which the stubs of pyOpenSSL take for optional."""


class PyopensslContext:
    """One Context in one role."""

    unsupported: ClassVar[Mapping[str, str]] = lacks.VERBS

    def __init__(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> None:
        self._server_name: str | None = knobs.get("server_name")
        self._early_data = role == "server" and bool(knobs.get("max_early_data"))
        self._role = role
        self._datagrams = any(version.datagrams for version in knobs.get("versions", ()))
        self._context = SSL.Context(older.method(role, datagrams=self._datagrams))
        text = conf(role, knobs)
        if text is not None and text != _started_with():
            raise LackError(f"middlebox_compat = off, num_tickets: {lacks.AT_START}")
        given = dict(knobs)
        if role == "server":
            given.setdefault("session_id_context", DEFAULT_ID_CONTEXT)
        for name, value in given.items():
            if name not in external_psk.KNOBS:
                self._set(name, value)
        try:
            self._load(files)
        except SSL.Error as error:
            raise TlsError(queue_of(error)) from error
        self._watch = Watch(self._context)
        self._psk = external_psk.ExternalPsk(role, knobs, self._watch) if "psk_key" in knobs else None
        if self._psk is not None:
            self._psk.set(self._context)
        self._asks = role == "client" and bool(knobs.get("ocsp"))
        if self._asks:
            self._context.set_ocsp_client_callback(self._on_response)
        self._chosen: dict[bytes, PyopensslContext] = {}
        """The contexts that the servername callback chooses, by name."""
        self._kept: dict[str, SSL.Session] = {}
        """Held Sessions by handle; each belongs to this Context (pyOpenSSL 26.3)."""

    def _load(self, files: Mapping[str, str]) -> None:
        if "certificate" in files:
            check_key(version(), files["key"])
            self._context.use_certificate_chain_file(files["certificate"])
            self._context.use_privatekey_file(files["key"])
        if "ca" in files:
            self._context.load_verify_locations(files["ca"])

    def _set(self, name: str, value: Any) -> None:
        row = knobs_of(Role(self._role)).get(name)
        if row is not None and row.options:
            for option in row.options_in(version()):
                self._context.set_options(option.mask if option.is_set(value) else 0)
            return
        setter = getattr(self, f"_set_{name}", None)
        if setter is None:
            raise LackError(f"{name}: the pyopenssl driver has no code for it")
        try:
            setter(value)
        except (SSL.Error, ValueError) as error:
            queue = (
                queue_of(error) if isinstance(error, SSL.Error) else [{"lib": None, "reason": None, "text": str(error)}]
            )
            refusal = TlsError([{**entry, "knob": name} for entry in queue])
            if row is None or not row.kind.of_library:
                raise refusal from error
            raise LackError(f"{name} = {value!r}: {refused(refusal)}") from error

    def _set_versions(self, value: tuple[TLSVersion, ...]) -> None:
        older.set_versions(self._context, value)

    def _set_security_level(self, value: int) -> None:
        if release(version()) >= (1, 1):
            self._context.set_cipher_list(f"DEFAULT:@SECLEVEL={value}".encode())

    def _set_cache_mode(self, value: frozenset[CacheMode]) -> None:
        mode = 0
        for word in value:
            mode |= word.number
        self._context.set_session_cache_mode(mode)

    def _set_timeout(self, value: int) -> None:
        self._context.set_timeout(value)

    def _set_num_tickets(self, value: int) -> None:
        """Already set when the process started."""

    def _set_ciphers(self, value: str) -> None:
        self._context.set_cipher_list(value.encode())

    def _set_ciphersuites(self, value: str) -> None:
        if not below.set_ciphersuites(self._context, value):
            raise ValueError("it has an unknown name")

    def _set_signature_algorithms(self, value: str) -> None:
        if not below.set_signature_algorithms(self._context, value):
            raise ValueError("it has an unknown name")

    def _set_groups(self, value: str) -> None:
        if not below.set_groups(self._context, value):
            raise ValueError("it has an unknown name")

    def _set_psk_hint(self, value: str) -> None:
        if not below.set_psk_hint(self._context, value):
            raise ValueError("SSL_CTX_use_psk_identity_hint refuses it")

    def _set_max_early_data(self, value: int) -> None:
        below.set_max_early_data(self._context, value)

    def _set_session_id_context(self, value: bytes | Unset) -> None:
        if not isinstance(value, Unset):
            self._context.set_session_id(value)

    def _set_alpn(self, value: tuple[str, ...]) -> None:
        names = [name.encode() for name in value]
        if self._role == "client":
            self._context.set_alpn_protos(names)
            return

        def select(_connection: SSL.Connection, offered: list[bytes]) -> Any:
            return next((name for name in names if name in offered), SSL.NO_OVERLAPPING_PROTOCOLS)

        self._context.set_alpn_select_callback(select)

    def _set_verify(self, value: Verify) -> None:
        older.set_verify(self._context, value.number)

    def _set_post_handshake_auth(self, value: bool) -> None:  # noqa: FBT001 - as in the row
        below.set_post_handshake_auth(self._context, on=value)

    def _set_cookie(self, value: Cookie) -> None:
        """SSL_OP_COOKIE_EXCHANGE, as in the driver of libssl; DTLSv1_listen wants a server that keeps nothing."""
        if value is Cookie.NONE:
            return
        secret = os.urandom(COOKIE_SIZE)

        def verify(_connection: SSL.Connection, cookie: bytes) -> bool:
            return value is Cookie.ACCEPT and hmac.compare_digest(cookie, secret)

        self._context.set_options(OP_COOKIE_EXCHANGE)
        self._context.set_cookie_generate_callback(lambda _connection: secret)
        self._context.set_cookie_verify_callback(verify)

    def _set_ocsp(self, value: bool) -> None:  # noqa: FBT001 - as in the row
        """A server's response; a client asks on each Connection."""
        if value and self._role == "server":
            self._context.set_ocsp_server_callback(lambda _connection, _data: TRY_LATER)

    def _on_response(self, connection: SSL.Connection, response: bytes, _data: object) -> bool:
        self._watch.responded(connection, response)
        return True

    def _set_server_name(self, value: str) -> None:
        """Nothing: it is set on each Connection."""

    def connect(self, sock: socket.socket, session: Mapping[str, Any] | None) -> PyopensslConnection:
        """Make a client connection; the offered session is a fresh object from its DER, or the held object."""
        connection = SSL.Connection(self._context, sock)
        connection.set_connect_state()
        if self._server_name is not None:
            connection.set_tlsext_host_name(self._server_name.encode())
        if self._asks:
            connection.request_ocsp()
        if session is not None and session.get("handle") in self._kept:
            connection.set_session(self._kept[session["handle"]])
        elif session is not None:
            if session.get("der") is None:
                raise LackError("session import: this stack needs the session's DER, and there is none")
            if not below.offer(connection, bytes.fromhex(session["der"])):
                raise TlsError([{"lib": None, "reason": None, "text": "d2i_SSL_SESSION cannot read the session"}])
        return PyopensslConnection(connection, self._watch, self._kept, psk=self._psk, datagrams=self._datagrams)

    def choose_context(self, server_name: str, other: Callable[[], PyopensslContext], at: ChosenAt) -> bool:
        """Context.set_tlsext_servername_callback, which goes over to the other Context for this name."""
        if self._role != "server":
            raise LackError(f"choose_context: {ONLY_SERVERS_CHOOSE}")
        if at is not ChosenAt.SERVER_NAME:
            raise LackError(f"choose_context: {lacks.CHOOSE_EARLY}")
        chosen = other()
        if not below.can_take_over(self._context, chosen._context):  # noqa: SLF001 - of the same class
            raise LackError(f"choose_context: {lacks.TAKES_NOT_ALL}")
        if not self._chosen:
            try:
                self._context.set_tlsext_servername_callback(below.GUARD.of(self._named, None))
            except ValueError as error:
                raise LackError(f"choose_context after the first connection: {error}") from error
        self._chosen[server_name.encode()] = chosen
        return True

    def _named(self, connection: SSL.Connection) -> None:
        other, evidence = self._chosen.get(connection.get_servername() or b""), self._watch.of(connection)
        if other is not None and evidence is not None:
            other._adopt(connection, evidence)  # noqa: SLF001 - of the same class

    def _adopt(self, connection: SSL.Connection, evidence: Evidence) -> None:
        """Make a connection of another context one of this one, with its verify mode and options."""
        self._watch.adopt(connection, evidence)
        evidence.closed.append(self._watch.closed)
        connection.set_context(self._context)
        below.take_over(connection, self._context)

    def accept(self, sock: socket.socket) -> PyopensslConnection:
        """A server connection."""
        connection = SSL.Connection(self._context, sock)
        connection.set_accept_state()
        early, datagrams = self._early_data, self._datagrams
        return PyopensslConnection(
            connection, self._watch, self._kept, psk=self._psk, early_data=early, server=True, datagrams=datagrams
        )

    def free(self) -> None:
        """Drop the Context and its callbacks."""
        self._kept.clear()
        del self._context, self._watch, self._psk


def _started_with() -> str:
    """Return the content of OPENSSL_CONF, which does not change while the process runs."""
    path = os.environ.get("OPENSSL_CONF")
    return Path(path).read_text() if path and Path(path).is_file() else ""
