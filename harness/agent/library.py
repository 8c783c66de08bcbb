"""The interface of a driver, which lets the agent drive a TLS library: its Protocols and errors.

A driver works on connected, non-blocking sockets and never waits. An operation that cannot continue raises
WantReadError or WantWriteError, and is called again when the socket is ready.

Optional verbs are methods of a context or a connection: the method has the verb's name, takes its fields as keyword
arguments, and returns the one member of its reply. A driver that does not support a verb has no such method, and gives
the reason in ``unsupported``.
"""

from __future__ import annotations

import contextlib
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from harness.agent.knobs import check_knobs, knobs_of, why_not
from harness.agent.verbs import OPTIONAL
from harness.agent.vocabulary import Role, default_timeout, release

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping

R = TypeVar("R")


class WantReadError(Exception):
    """The operation continues when the socket is readable."""


class WantWriteError(Exception):
    """The operation continues when the socket is writable."""


class LackError(Exception):
    """The library does not support a request; the text names the knob or the verb, and the reason."""


@dataclass
class TlsError(Exception):
    """The library refused: its error queue, oldest first, each ``{"lib": n, "reason": n, "text": "..."}``."""

    queue: list[dict[str, Any]] = field(default_factory=list)


def reason_numbers(*, since_3_0: bool) -> Iterator[int]:
    """Every number that a reason code may have: a library's own, and since OpenSSL 3.0 ERR_R_* with its flags (err.h).

    ERR_GET_REASON before 3.0 has 12 bits: what lies above them is another number's text.
    """
    yield from range(1, 4096)
    if since_3_0:
        yield from (flags | number for flags in (1 << 19, 3 << 18) for number in range(256, 288))


RSA = bytes.fromhex("06092a864886f70d0101")
"""The object identifiers of RSA keys in DER begin so: rsaEncryption and id-RSASSA-PSS (RFC 8017, appendix A.1)."""
CORRUPTS = release("3.0.4")
"""The one OpenSSL that writes beyond its memory with the private key of RSA, on a CPU with AVX512IFMA."""


def check_key(version: str, path: str, cpu: Path = Path("/proc/cpuinfo")) -> None:
    """LackError for a PEM key that corrupts the memory of an OpenSSL of this version on this CPU (CVE-2022-2274)."""
    if release(version) != CORRUPTS:
        return
    with contextlib.suppress(OSError, ValueError):
        text = Path(path).read_text("ascii")
        content = "".join(line for line in text.splitlines() if "-----" not in line)
        if ("BEGIN RSA" in text or RSA in b64decode(content)) and "avx512ifma" in cpu.read_text():
            raise LackError("OpenSSL 3.0.4 corrupts its memory with an RSA key on this CPU (CVE-2022-2274)")


def refused(error: TlsError) -> str:
    """Why a library lacks a value that it refused; the codes are what is compared."""
    return "; ".join(
        ["OpenSSL refuses it", *(f"lib={e.get('lib')} reason={e.get('reason')} {e.get('text')}" for e in error.queue)]
    )


@dataclass
class EndError(Exception):
    """No more application data: ``kind`` is ``close_notify``, ``eof``, ``reset`` or ``alert``."""

    kind: str
    queue: list[dict[str, Any]] = field(default_factory=list)


EXPORTER_LABEL = "EXPORTER-resumption-harness"
"""The label of the keying material that both ends export, without a context (SSL_export_keying_material(3))."""
EXPORTER_LENGTH = 32
"""Bytes of it; it stays in the agent, which reports a digest."""


class Guard(threading.local):
    """Keeps the exceptions of callbacks that a library would only print, until the call is over within which they came.

    Each thread has its own.
    """

    def __init__(self) -> None:
        self._failures: list[BaseException] = []

    def note(self, error: BaseException, callback: Callable[..., Any]) -> None:
        """Keep an exception that a callback raised."""
        error.add_note(f"raised in the callback {callback.__qualname__}")
        self._failures.append(error)

    def of(self, callback: Callable[..., R], failed: R) -> Callable[..., R]:
        """The callback, which returns ``failed`` in place of an exception."""

        def guarded(*arguments: Any) -> R:
            try:
                return callback(*arguments)
            except Exception as error:  # noqa: BLE001 - `check` raises it
                self.note(error, callback)
                return failed

        return guarded

    def check(self) -> None:
        """Raise the first exception that was kept since the last check."""
        if failures := self._failures:
            first, *_ = failures
            failures.clear()
            raise first


Bytes = str
"""Bytes as hexadecimal digits, two each: the protocol's type ``bytes``."""


@dataclass
class Facts:
    """What the library reports about one connection; None is unknown. Becomes the protocol's ``facts`` object.

    Fields and docstrings are the table of PROTOCOL.md, and a field that EndpointReport has by the same name becomes
    that. REQUIRED_FACTS names those that no agent may leave out.
    """

    finished: bool = False
    """the first handshake was completed (SSL_is_init_finished)"""
    reused: bool | None = None
    """SSL_session_reused after the first handshake"""
    reused_at_end: bool | None = None
    """SSL_session_reused after the last handshake; it differs from `reused` only after a renegotiation"""
    evidence: str = ""
    """the call and its result, for people, such as `SSL_session_reused() == 0`"""
    version: str | None = None
    """the protocol version: `1.2`, `1.3`, `dtls1.2`, `quic`"""
    cipher: str | None = None
    """OpenSSL's name of the cipher suite"""
    external_psk: Bytes | None = None
    """the identity of the external PSK of the first handshake; empty if it had none"""
    alpn: str | None = None
    """the protocol that was chosen, null if none was"""
    server_name: str | None = None
    """SSL_get_servername"""
    peer_certificate: bool | None = None
    """whether the peer has shown a certificate, in this handshake or in the resumed session's"""
    early_data: str | None = None
    """SSL_get_early_data_status: `not_sent`, `rejected` or `accepted`"""
    early_bytes: Bytes | None = None
    """the early data that a client wrote or a server read; null if it was to write or read none"""
    new_sessions: int | None = None
    """how often a client's new-session callback was called (SSL_CTX_sess_set_new_cb)"""
    group: str | None = None
    """the group of this connection's key exchange by the library's name, not the session's; empty if it had none"""
    peer_temp_key: str | None = None
    """the peer's ephemeral key (SSL_get_peer_tmp_key), as `X25519, 253 bits`; empty if there is none"""
    peer_chain: list[str] | None = None
    """SHA-256 of each certificate of SSL_get_peer_cert_chain as hexadecimal digits, the peer's own first"""
    ocsp_response: Bytes | None = None
    """the stapled OCSP response of this connection that a client that asked for it holds
    (SSL_get_tlsext_status_ocsp_resp); empty if it has none"""
    exporter: str | None = None
    """SHA-256, as hexadecimal digits, of 32 bytes of SSL_export_keying_material with the label
    `EXPORTER-resumption-harness` and no context"""
    tickets: int | None = None
    """NewSessionTicket messages that a client received or a server sent"""
    alerts: list[dict[str, Any]] | None = field(default_factory=list)
    """`{"level": 2, "number": 80, "sent": false}` in order, close_notify included; `sent` by this end; null if the
    library does not report each one"""
    keylog: list[str] = field(default_factory=list)
    """lines of SSL_CTX_set_keylog_callback"""
    errors: list[dict[str, Any]] = field(default_factory=list)
    """the entries of the error queues of all operations that failed on this connection"""
    counters: dict[str, int] | None = None
    """of a server's connection: what `counters` gives of its context, once the connection is freed; null if the
    library has none"""
    callback_calls: list[dict[str, Any]] | None = None
    """of a server's connection: the calls of its callbacks in order, with the removals from an external cache since the
    connection before, as `{"call": "get", "subject": bytes, "result": "session"}`. `call` is `get`, `new`, `remove`, or
    `wait` where the handshake was interrupted, and `subject` the session's id; or it is `encrypt` or `decrypt`, and
    `subject` the name of the ticket key; or it is `choose`, and `subject` the server name; or `put` or `take`, and
    `subject` application data of a ticket, or `ticket`, and `subject` the key name of a ticket that was read. Null
    without such callbacks"""


REQUIRED_FACTS = {
    *("finished", "reused", "evidence", "version", "cipher", "alpn", "server_name", "peer_certificate"),
    *("early_data", "tickets", "alerts", "keylog", "errors"),
}
"""The facts that an agent gives of each connection, if only as null; it may leave out every other one."""


class Tls(Protocol):
    """One connection of a driver (an SSL)."""

    unsupported: ClassVar[Mapping[str, str]]
    """Why a connection verb is not supported, by verb."""

    def handshake(self) -> None:
        """SSL_do_handshake, early data included; raises WantReadError, WantWriteError, TlsError or EndError."""
        ...

    def write(self, data: bytes) -> int:
        """SSL_write; returns how many bytes were accepted."""
        ...

    def read(self, size: int) -> bytes:
        """SSL_read, at least one byte; raises EndError at the end of the data."""
        ...

    def shutdown(self) -> None:
        """SSL_shutdown once: send close_notify."""
        ...

    def session(self) -> Mapping[str, Any] | None:
        """SSL_get1_session as the protocol's session object, None if there is none."""
        ...

    def sessions(self) -> list[Mapping[str, Any]]:
        """Every session so far, in order, as session objects."""
        ...

    def facts(self) -> Facts:
        """Return the facts so far."""
        ...

    def free(self) -> None:
        """SSL_free and nothing else; the socket is closed by the agent afterwards."""
        ...


class Context(Protocol):
    """One SSL_CTX of a driver, in one role."""

    unsupported: ClassVar[Mapping[str, str]]
    """Why a context verb is not supported, by verb."""

    def connect(self, sock: socket.socket, session: Mapping[str, Any] | None) -> Tls:
        """Make a client on a connected socket; it offers a fresh object made from the DER of ``session``."""
        ...

    def accept(self, sock: socket.socket) -> Tls:
        """Make a server connection on an accepted socket."""
        ...

    def free(self) -> None:
        """SSL_CTX_free."""
        ...


OPENSSL = "openssl"
"""The family of every library that the harness's own drivers load."""


class Library(Protocol):
    """A TLS library as loaded in this process."""

    name: str
    """``libssl``, ``pyopenssl`` or ``ssl``."""
    version: str
    """The version of the loaded OpenSSL, such as ``3.0.19``; not the one it was compiled against."""
    description: str
    """OpenSSL_version(OPENSSL_VERSION), whole."""
    driven: ClassVar[Mapping[str, type]]
    """The driver's classes for ``context`` and ``connection``, whose methods are the verbs."""

    def missing(self, role: str) -> Mapping[str, str]:
        """Return why Capabilities are missing in a role, by their values."""
        ...

    def context(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> Context:
        """Make a context. ``files`` are paths: ``ca``, and ``certificate`` and ``key`` if this endpoint has them."""
        ...


NO_CODE = "the driver has no code for it"


def facts_after(context: Context, tls: Tls | None) -> dict[str, Any]:
    """Return the facts that a server's context has of a connection once it is freed; None for what it lacks."""
    found: dict[str, Any] = {"counters": None, "callback_calls": None}
    for name, arguments in (("counters", {}), ("callback_calls", {"of": tls})):
        with contextlib.suppress(LackError):
            found[name] = carry_out(context, name, arguments)
    return found


def carry_out(driven: Context | Tls, verb: str, arguments: Mapping[str, Any]) -> Any:
    """Call the driver's method for a verb; LackError with the driver's reason if there is none."""
    method = getattr(driven, verb, None)
    if method is None:
        raise LackError(f"{verb}: {driven.unsupported.get(verb, NO_CODE)}")
    return method(**arguments)


def refuse_fields(reasons: Mapping[str, str], fields: Mapping[str, object]) -> None:
    """LackError with the driver's reason for the first of these fields of a verb that has a value."""
    for name, value in fields.items():
        if value:
            raise LackError(f"{name}: {reasons[name]}")


def lacking(driven: Mapping[str, type]) -> dict[str, str]:
    """Return why optional verbs are not supported, by verb, from the driver's classes for context and connection."""
    return {
        row.name: driven[row.on].unsupported.get(row.name, NO_CODE)  # type: ignore[attr-defined]  # see Context, Tls
        for row in OPTIONAL
        if row.on in driven and not hasattr(driven[row.on], row.name)
    }


def knobs_reported(stack: str, role: str, version: str) -> dict[str, str | None]:
    """Return the knobs of a role with the reason why the library cannot set one; None if it can, for some values."""
    table = {name: row for name, row in knobs_of(Role(role)).items() if row.kind.carried}
    lacks = {name: row.lack(stack, Role(role), version) for name, row in table.items()}
    return {name: lack.why if lack and lack.allows is None else None for name, lack in lacks.items()}


def defaults_reported(version: str) -> dict[str, Any]:
    """Return what an OpenSSL does if nobody configures it (TLSEXT_KEYNAME_LENGTH)."""
    seconds = default_timeout(version)
    tls13 = release(version) >= (1, 1, 1)
    return {
        "tickets": 2 if tls13 else 0,
        "tickets_after_resumption": 1 if tls13 else 0,
        "lifetime": {"1.2": seconds, "1.3": seconds} if tls13 else {"1.2": seconds},
        "timeout": {"client": seconds, "server": seconds},
        "key_name": 16,
        "least_hint": 0,
    }


def accepted(stack: str, version: str, role: str, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decoded knobs of a request, without nulls; LackError if the stack does not support one."""
    values = check_knobs(role, knobs)
    for name, value in values.items():
        if (why := why_not(stack, role, version, name, value)) is not None:
            raise LackError(f"{name}: {why}")
    return values
