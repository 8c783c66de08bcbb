"""Drives GnuTLS for resumption-harness: the conversation of harness.agent with a driver for libgnutls."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

from harness.agent.library import LackError, TlsError
from harness.agent.program import serve
from harness.agent.verbs import CONNECTION, CONTEXT, missing_capabilities
from harness.foreign.described import DescribedAgent, check
from harness.foreign.gnutls.connection import GnutlsConnection
from harness.foreign.gnutls.lacks import (
    CAPABILITIES,
    CLIENT_KNOBS,
    KNOBS,
    OF_A_CLIENT,
    OF_A_SERVER,
    SERVER_KNOBS,
    VERBS,
)
from harness.foreign.gnutls.native import UNKNOWN_KEY_ALGORITHM, VERIFIED_IF_SENT, checked, ffi, lib, text

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

SERVER, CLIENT, NONBLOCK, NO_SIGNAL = 1, 2, 1 << 3, 1 << 6
PEM = X509 = DNS = 1
LIFETIME = 21600
"""Seconds: the default of gnutls_db_set_cache_expiration, and so of a ticket."""
TICKET_KEY = 64
"""Bytes of a ticket key: name, cipher key and MAC key (lib/ext/session_ticket.h, TICKET_MASTER_KEY_SIZE)."""
REQUESTS = {"none": 0, "optional": 1, "required": 2}
GROUPS = {
    "x25519": "X25519",
    "x448": "X448",
    "p-256": "SECP256R1",
    "prime256v1": "SECP256R1",
    "p-384": "SECP384R1",
    "p-521": "SECP521R1",
    "ffdhe2048": "FFDHE2048",
    "ffdhe3072": "FFDHE3072",
    "ffdhe4096": "FFDHE4096",
    "ffdhe6144": "FFDHE6144",
    "ffdhe8192": "FFDHE8192",
}


def limits(role: str) -> dict[str, Any]:
    """The knobs of a role, as ``hello`` reports them."""
    return KNOBS | (CLIENT_KNOBS if role == "client" else SERVER_KNOBS)


class GnutlsContext:
    """What GnuTLS has no object for: the credentials, the ticket key and the settings of every session of a role."""

    unsupported: ClassVar[Mapping[str, str]] = VERBS

    def __init__(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> None:
        check("GnuTLS", limits(role), knobs)
        self._role = role
        self._knobs = knobs
        self._priority = priority(knobs)
        credentials = ffi.new("void **")
        checked(lib.gnutls_certificate_allocate_credentials(credentials))
        self._credentials = credentials[0]
        if "ca" in files:
            checked(lib.gnutls_certificate_set_x509_trust_file(self._credentials, files["ca"].encode(), PEM))
        if "certificate" in files:
            paths = files["certificate"].encode(), files["key"].encode()
            code = lib.gnutls_certificate_set_x509_key_file(self._credentials, *paths, PEM)
            if code == UNKNOWN_KEY_ALGORITHM:
                raise LackError("context: GnuTLS does not know keys of this type")
            checked(code)
        self._key = ffi.new("gnutls_datum_t *")
        if role == "server":
            self._make_key(knobs.get("ticket_keys"))

    def _make_key(self, given: Any) -> None:
        checked(lib.gnutls_session_ticket_key_generate(self._key))
        if given is not None:
            wanted = hashlib.sha512(bytes.fromhex(given) if isinstance(given, str) else bytes(given)).digest()
            ffi.buffer(self._key.data, self._key.size)[:] = wanted[: self._key.size]

    def _session(self, flags: int) -> Any:
        made = ffi.new("session_t *")
        checked(lib.gnutls_init(made, flags | NONBLOCK | NO_SIGNAL))
        session = made[0]
        if lib.gnutls_priority_set_direct(session, self._priority.encode(), ffi.NULL) < 0:
            lib.gnutls_deinit(session)
            raise TlsError([{"lib": 0, "reason": 0, "text": f"GnuTLS refuses the priority {self._priority}"}])
        checked(lib.gnutls_credentials_set(session, X509, self._credentials))
        return session

    def _connection(self, session: Any, sock: socket.socket) -> GnutlsConnection:
        lib.gnutls_transport_set_int2(session, sock.fileno(), sock.fileno())
        kept: list[Any] = []
        if protocols := self._knobs.get("alpn"):
            datums = ffi.new("gnutls_datum_t[]", len(protocols))
            for datum, name in zip(datums, protocols, strict=True):
                kept.append(ffi.new("char[]", name.encode()))
                datum.data, datum.size = ffi.cast("unsigned char *", kept[-1]), len(name.encode())
            checked(lib.gnutls_alpn_set_protocols(session, datums, len(protocols), 0))
        return GnutlsConnection(session, self._role, kept)

    def connect(self, sock: socket.socket, session: Mapping[str, Any] | None) -> GnutlsConnection:
        """A client's session, with the data of one that is to be resumed."""
        made = self._session(CLIENT)
        if name := self._knobs.get("server_name"):
            checked(lib.gnutls_server_name_set(made, DNS, name.encode(), len(name.encode())))
        if self._knobs.get("verify") == "required":
            lib.gnutls_session_set_verify_cert(made, ffi.NULL, 0)
        if session is not None:
            if session.get("opaque") is None:
                raise LackError(f"session import: {CAPABILITIES['session import']}")
            data = bytes.fromhex(session["opaque"])
            checked(lib.gnutls_session_set_data(made, data, len(data)))
        return self._connection(made, sock)

    def accept(self, sock: socket.socket) -> GnutlsConnection:
        """A server's session."""
        made = self._session(SERVER)
        checked(lib.gnutls_session_ticket_enable_server(made, self._key))
        wanted = str(self._knobs.get("verify") or "none")
        lib.gnutls_certificate_server_set_request(made, REQUESTS[wanted])
        if wanted == "required":
            lib.gnutls_session_set_verify_cert(made, ffi.NULL, 0)
        elif wanted == "optional":
            lib.gnutls_session_set_verify_function(made, VERIFIED_IF_SENT)
        return self._connection(made, sock)

    def free(self) -> None:
        """Free the credentials."""
        lib.gnutls_certificate_free_credentials(self._credentials)


def priority(knobs: Mapping[str, Any]) -> str:
    """The priority string of a session; LackError names a group that GnuTLS does not have."""
    words = ["NORMAL"]
    if versions := knobs.get("versions"):
        words += ["-VERS-ALL", *(f"+VERS-TLS{version.value}" for version in sorted(versions, reverse=True))]
    if groups := knobs.get("groups"):
        words.append("-GROUP-ALL")
        for name in groups.split(":"):
            if name.lower() not in GROUPS:
                raise LackError(f"groups: GnuTLS has no group {name}")
            words.append(f"+GROUP-{GROUPS[name.lower()]}")
    return ":".join(words)


class GnutlsLibrary:
    """The libgnutls of this machine."""

    name = "gnutls"
    driven: ClassVar[Mapping[str, type]] = {CONTEXT: GnutlsContext, CONNECTION: GnutlsConnection}
    defaults: ClassVar[Mapping[str, Any]] = {
        "tickets": 2,
        "tickets_after_resumption": 2,
        "lifetime": {"1.2": LIFETIME, "1.3": LIFETIME},
        "timeout": {"server": LIFETIME},
        "key_name": 16,
    }

    def __init__(self) -> None:
        self.version = text(lib.gnutls_check_version(ffi.NULL))
        self.description = f"GnuTLS {self.version}"

    def knobs(self, role: str) -> Mapping[str, Any]:
        """The knobs of a role."""
        return limits(role)

    def missing(self, role: str) -> Mapping[str, str]:
        """Why Capabilities are missing."""
        return CAPABILITIES | missing_capabilities(VERBS) | (OF_A_CLIENT if role == "client" else OF_A_SERVER)

    def context(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> GnutlsContext:
        """Make what the sessions of a role share."""
        return GnutlsContext(role, knobs, files)


if __name__ == "__main__":
    serve(lambda _words: GnutlsLibrary(), DescribedAgent)
