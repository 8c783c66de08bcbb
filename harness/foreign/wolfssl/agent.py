"""Drives wolfSSL for resumption-harness: the conversation of harness.agent with a driver for libwolfssl."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.agent.library import LackError, TlsError
from harness.agent.program import serve
from harness.agent.verbs import CONNECTION, CONTEXT, missing_capabilities
from harness.foreign.described import DescribedAgent, check
from harness.foreign.wolfssl.connection import WolfsslConnection
from harness.foreign.wolfssl.lacks import CAPABILITIES, CLIENT_KNOBS, KNOBS, OF_A_SERVER, SERVER_KNOBS, VERBS
from harness.foreign.wolfssl.native import DONE, checked, ffi, lib, text

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

PEM = 1
TLS12 = 3
"""WOLFSSL_TLSV1_2."""
VERIFY = {"none": 0, "optional": 1, "required": 3}
"""WOLFSSL_VERIFY_PEER and WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT."""
NO_MATCH_IS_AN_END = 2
"""WOLFSSL_ALPN_FAILED_ON_MISMATCH."""
KEYS = 80
"""Bytes of the name and of two ticket keys; when each of them ends follows, in four bytes."""
GROUPS_OF_TLS13 = "P-256:P-384:P-521"
"""Without a list, a client of TLS 1.3 also offers groups that RFC 8446, 4.2.7 forbids there."""
NAME = 16
"""Bytes of the name, whose last bit says which of the two keys made a ticket."""
NEVER = b"\x7f\xff\xff\xff"


RSA_PSS = bytes.fromhex("06092a864886f70d01010a")
"""id-RSASSA-PSS (RFC 4055, 3.1)."""
END = "-----END CERTIFICATE-----"


def first_of(chain: str) -> str:
    """The first certificate of a file."""
    return Path(chain).read_text(encoding="ascii").partition(END)[0] + END


def limits(role: str) -> dict[str, Any]:
    """The knobs of a role, as ``hello`` reports them."""
    return KNOBS | (CLIENT_KNOBS if role == "client" else SERVER_KNOBS)


class WolfsslContext:
    """A WOLFSSL_CTX in one role."""

    unsupported: ClassVar[Mapping[str, str]] = VERBS

    def __init__(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> None:
        check("wolfSSL", limits(role), knobs)
        self._role = role
        self._knobs = knobs
        versions = {version.value for version in knobs.get("versions") or ()}
        prefix = {frozenset({"1.2"}): "wolfTLSv1_2", frozenset({"1.3"}): "wolfTLSv1_3"}.get(frozenset(versions))
        context = lib.wolfSSL_CTX_new(getattr(lib, f"{prefix or 'wolfTLS'}_{role}_method")())
        self._context = ffi.gc(context, lib.wolfSSL_CTX_free)
        if prefix is None:
            checked(lib.wolfSSL_CTX_SetMinVersion(self._context, TLS12), "TLS 1.2 as the lowest version")
        lib.wolfSSL_CTX_set_verify(self._context, VERIFY[str(knobs.get("verify") or "none")], ffi.NULL)
        self._load(files)
        groups = knobs.get("groups") or (GROUPS_OF_TLS13 if role == "client" and versions == {"1.3"} else None)
        if groups:
            self._set_groups(groups, versions)
        if (tickets := knobs.get("num_tickets")) is not None:
            checked(lib.wolfSSL_CTX_set_num_tickets(self._context, tickets), f"{tickets} tickets")
        if (keys := knobs.get("ticket_keys")) is not None:
            given = bytes.fromhex(keys) if isinstance(keys, str) else bytes(keys)
            digest = bytearray(hashlib.shake_256(given).digest(KEYS))
            digest[NAME - 1] &= 0xFE
            made = bytes(digest) + NEVER + NEVER
            checked(lib.wolfSSL_CTX_set_tlsext_ticket_keys(self._context, made, len(made)), "the ticket keys")

    def _load(self, files: Mapping[str, str]) -> None:
        if "certificate" in files:
            chain, key = files["certificate"].encode(), files["key"].encode()
            if lib.wolfSSL_CTX_use_certificate_chain_file(self._context, chain) != DONE:
                raise LackError("context: wolfSSL refuses the certificate, whose type of key it may not know")
            if RSA_PSS in ssl.PEM_cert_to_DER_cert(first_of(files["certificate"])):
                raise LackError("context: wolfSSL finds no cipher suite for a key that is for RSA-PSS alone")
            checked(lib.wolfSSL_CTX_use_PrivateKey_file(self._context, key, PEM), "the key")
        if "ca" in files:
            checked(
                lib.wolfSSL_CTX_load_verify_locations(self._context, files["ca"].encode(), ffi.NULL), "the authority"
            )

    def _set_groups(self, groups: str, versions: set[str]) -> None:
        if versions == {"1.2"}:
            raise LackError("groups: wolfSSL takes a list of groups in TLS 1.3 only")
        if lib.wolfSSL_CTX_set1_groups_list(self._context, groups.encode()) != DONE:
            raise LackError(f"groups: wolfSSL refuses {groups}")

    def _connection(self, sock: socket.socket) -> tuple[Any, WolfsslConnection]:
        tls = lib.wolfSSL_new(self._context)
        if not tls:
            raise TlsError([{"lib": 0, "reason": 0, "text": "wolfSSL_new gives nothing"}])
        if protocols := self._knobs.get("alpn"):
            names = ",".join(protocols).encode()
            checked(lib.wolfSSL_UseALPN(tls, names, len(names), NO_MATCH_IS_AN_END), f"the protocols {protocols}")
        return tls, WolfsslConnection(tls, sock, self._role)

    def connect(self, sock: socket.socket, session: Mapping[str, Any] | None) -> WolfsslConnection:
        """A client, with a session that is made of its bytes."""
        tls, made = self._connection(sock)
        if name := self._knobs.get("server_name"):
            checked(lib.wolfSSL_UseSNI(tls, 0, name.encode(), len(name.encode())), f"the name {name}")
        if self._knobs.get("tickets") is not False:
            checked(lib.wolfSSL_UseSessionTicket(tls), "tickets")
        if session is not None:
            if session.get("opaque") is None:
                raise LackError(f"session import: {CAPABILITIES['session import']}")
            data = bytes.fromhex(session["opaque"])
            begin = ffi.new("unsigned char[]", data)
            read = lib.wolfSSL_d2i_SSL_SESSION(ffi.NULL, ffi.new("const unsigned char **", begin), len(data))
            if not read:
                raise TlsError([{"lib": 0, "reason": 0, "text": "wolfSSL_d2i_SSL_SESSION reads nothing"}])
            lib.wolfSSL_set_session(tls, read)  # it is refused if it has expired: then nothing is offered
            lib.wolfSSL_SESSION_free(read)
        return made

    def accept(self, sock: socket.socket) -> WolfsslConnection:
        """A server's connection."""
        return self._connection(sock)[1]

    def free(self) -> None:
        """Drop the WOLFSSL_CTX, which is freed after its connections."""
        del self._context


class WolfsslLibrary:
    """The libwolfssl of this machine."""

    name = "wolfssl"
    driven: ClassVar[Mapping[str, type]] = {CONTEXT: WolfsslContext, CONNECTION: WolfsslConnection}
    defaults: ClassVar[Mapping[str, Any]] = {
        "tickets": 1,
        "tickets_after_resumption": 1,
        "lifetime": {"1.2": 300, "1.3": 300},
        "key_name": 16,
    }

    def __init__(self) -> None:
        self.version = text(lib.wolfSSL_lib_version())
        self.description = f"wolfSSL {self.version}"

    def knobs(self, role: str) -> Mapping[str, Any]:
        """The knobs of a role."""
        return limits(role)

    def missing(self, role: str) -> Mapping[str, str]:
        """Why Capabilities are missing."""
        return CAPABILITIES | missing_capabilities(VERBS) | (OF_A_SERVER if role == "server" else {})

    def context(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> WolfsslContext:
        """Make a WOLFSSL_CTX."""
        return WolfsslContext(role, knobs, files)


if __name__ == "__main__":
    serve(lambda _words: WolfsslLibrary(), DescribedAgent)
