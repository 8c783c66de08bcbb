"""The table of verbs: what each acts on, its fields, its reply, and when it is allowed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.agent.fields import BOOL, HEX, INT, OBJECT, OBJECT_NAME, TEXT, integer, optional, word
from harness.agent.kinds import RING
from harness.agent.vocabulary import ChosenAt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.fields import Field

AGENT, CONTEXT, LISTENER, CONNECTION = "agent", "context", "listener", "connection"
"""What a verb acts on; a request names the object in the field of that name, unless it is the agent."""
ALWAYS = "at any time"
BEFORE_FAILURE = "until the handshake has failed"
AFTER_HANDSHAKE = "after a completed handshake"


@dataclass(frozen=True)
class Verb:
    """One row of the table."""

    name: str
    on: str
    meaning: str
    """What it does, for PROTOCOL.md."""
    fields: Mapping[str, Field] = field(default_factory=dict)
    """Its fields without ``id``, ``verb`` and the object that it acts on."""
    result: Mapping[str, str] = field(default_factory=dict)
    """The members of its reply, with type and meaning."""
    when: str = ALWAYS
    optional: bool = False
    """Whether it is optional; a driver without a method for it replies with an error of kind ``lack``."""
    needs: str | None = None
    """The value of the Capability that it needs; only for optional verbs."""
    field_needs: Mapping[str, str] = field(default_factory=dict)
    """The Capability that a field needs, by field, if some libraries do not support it."""

    @cached_property
    def members(self) -> Mapping[str, Field]:
        """Return the fields of a request; the object that it acts on comes first."""
        return self.fields if self.on == AGENT else {self.on: OBJECT_NAME.about("name"), **self.fields}

    def reply(self, value: Any) -> dict[str, Any]:
        """Return the reply with a driver's result; a driver's verb has one member or none."""
        return dict.fromkeys(self.result, value)


ROLE = word("client", "server").about("`client` or `server`")
PORT = integer(1, 65535, "a port, 1 to 65535").about("integer")
SIZE = integer(0, (1 << 31) - 1, "a number of entries, 0 or more").about("integer, entries")
AS = OBJECT_NAME.about("name")
ID = HEX.about("bytes")

_ROWS = (
    Verb(
        "hello",
        AGENT,
        "Identify this agent.",
        result={
            "protocol": "integer, 2",
            "library": "string: `libssl`, `pyopenssl`, `ssl` or another name",
            "version": "string: the version of the TLS library as loaded, `3.0.19`; it begins with numbers",
            "description": "string: how the library describes itself",
            "pid": "integer",
            "lacks": "object: the reason for each optional verb that this library does not support, by verb; optional",
            "family": "string: the lineage of the library, `openssl`, `gnutls`, `go`; versions of different families "
            "are never compared",
            "roles": "list: `client`, `server` or both",
            "knobs": "object: by role and knob null if the library can set it, a list of the only possible values, or "
            "the reason why it cannot; one that is not named cannot be set",
            "capabilities": "object: by role and capability null if the agent has it, or the reason why not; one that "
            "is not named is missing",
            "defaults": "object, see below",
        },
    ),
    Verb(
        "context",
        AGENT,
        "Make a context: an SSL_CTX in one role. `files` are paths of PEM files: `ca`, the authority to trust; "
        "`certificate`, a chain that starts with this endpoint's own; `key`, its unencrypted key; and of a folder: "
        "`external_cache`, made if it is missing, in which each session is a file with its DER, named by its id. "
        "Default CA bundles must not be loaded. The knobs are listed below.",
        {
            "as": AS,
            "role": ROLE,
            "knobs": optional(OBJECT).about("object"),
            "files": optional(OBJECT).about("object"),
        },
    ),
    Verb("free_context", CONTEXT, "Free the context with its listeners and connections."),
    Verb(
        "counters",
        CONTEXT,
        "Read SSL_CTX_sess_* and SSL_CTX_sess_get_cache_size.",
        result={
            "counters": "object of integers, of which a library may report only some: `items`, `connect`, "
            "`connect_good`, `connect_renegotiate`, `accept`, `accept_good`, `accept_renegotiate`, `hits`, "
            "`callback_hits`, `misses`, `timeouts`, `overflows`, `cache_size`"
        },
        optional=True,
        needs="counters",
    ),
    Verb(
        "flush",
        CONTEXT,
        "SSL_CTX_flush_sessions: remove cached sessions that have expired by that time.",
        {"at": INT.about("integer, seconds since the epoch")},
        {"done": "boolean, true"},
        optional=True,
        needs="flush",
    ),
    Verb(
        "resize_cache",
        CONTEXT,
        "SSL_CTX_sess_set_cache_size.",
        {"size": SIZE},
        {"done": "boolean, true"},
        optional=True,
        needs="resize cache",
    ),
    Verb(
        "remove",
        CONTEXT,
        "SSL_CTX_remove_session. The id of a stateful TLS 1.3 session at the server is its ticket.",
        {"session_id": ID},
        {"done": "boolean, false if no cached session has that id"},
        optional=True,
        needs="remove session",
    ),
    Verb(
        "age_sessions",
        CONTEXT,
        "Backdate every cached session by this many seconds, and every ticket that is issued "
        "from now on. Repeated calls add up.",
        {"seconds": INT.about("integer")},
        {"done": "boolean, true"},
        optional=True,
        needs="age server session",
    ),
    Verb(
        "set_timeouts",
        CONTEXT,
        "SSL_SESSION_set_timeout of every cached session, and of every ticket that is issued from now on.",
        {"seconds": INT.about("integer")},
        {"done": "boolean, true"},
        optional=True,
        needs="set timeouts",
    ),
    Verb(
        "has_session",
        CONTEXT,
        "SSL_has_matching_session_id, for any protocol version.",
        {"session_id": ID},
        {"done": "boolean, whether there is one"},
        optional=True,
        needs="matching session id",
    ),
    Verb(
        "callback_calls",
        CONTEXT,
        "The calls of callbacks that no connection has reported or will report: removals from an external cache since "
        "the last connection was released.",
        result={"callback_calls": "list of calls, as the fact of that name; null without such callbacks"},
        optional=True,
        needs="callback calls",
    ),
    Verb(
        "rotate_keys",
        CONTEXT,
        "Give the ticket key callback another ring of keys, as the knob `ticket_ring` has it.",
        {"ring": RING.field().about("list of bytes")},
        {"done": "boolean, true"},
        optional=True,
        needs="rotate keys",
    ),
    Verb(
        "choose_context",
        CONTEXT,
        "Go over to another server context of this agent where a client asks for this server name (SSL_set_SSL_CTX), "
        "and take its verify mode and options, in one of two callbacks.",
        {
            "server_name": TEXT.about("string"),
            "other": OBJECT_NAME.about("name of a context"),
            "at": word(*ChosenAt).about("`server_name` or `client_hello`"),
        },
        {"done": "boolean, true"},
        optional=True,
        needs="choose context",
    ),
    Verb(
        "add_session",
        CONTEXT,
        "SSL_CTX_add_session of the session with this id in the external cache.",
        {"session_id": ID},
        {"done": "boolean, whether it returned 1; false if the external cache has no such session"},
        optional=True,
        needs="add session",
    ),
    Verb(
        "listen",
        CONTEXT,
        "Listen on 127.0.0.1, on a port that the kernel chooses, with a backlog of at least 128; with DTLS and QUIC on "
        "UDP.",
        {"as": AS},
        {"port": "integer"},
    ),
    Verb(
        "connect",
        CONTEXT,
        "Connect to 127.0.0.1 and set the session to offer: a fresh object made from its `der`, or the object that "
        "`handle` names if the library cannot read DER. The handshake is a separate request.",
        {
            "as": AS,
            "port": PORT,
            "session": optional(OBJECT).about("session or null"),
        },
    ),
    Verb(
        "accept",
        LISTENER,
        "Accept the next TCP connection, with DTLS and QUIC the first datagram of the next client. The reply is sent "
        "when it arrives; the handshake is a separate request.",
        {"as": AS},
    ),
    Verb(
        "unlisten",
        LISTENER,
        "Close the listener. Its connections stay open; a waiting `accept` gets a `usage` error.",
    ),
    Verb(
        "early_data",
        CONNECTION,
        "Set what the handshake of a client writes as early data, in place of the pattern, if the session allows that "
        "much; the knob `max_early_data` is at least as much. If the server rejects it, the handshake writes it again "
        "as application data (RFC 8446, 4.2.10).",
        {"data": HEX.about("bytes")},
        {"done": "boolean, whether it will be sent"},
        optional=True,
        needs="early data content",
    ),
    Verb(
        "handshake",
        CONNECTION,
        "Complete the handshake, with early data if the knobs enable it. Errors: `tls`, or `end` if the peer ended "
        "the connection. `together`: in a thread of its own, which begins when so many connections of the context "
        "have been asked; each takes a reference of its session object there (SSL_SESSION_up_ref).",
        {"together": optional(integer(1, 64, "a number of connections, 1 to 64")).about("integer or null")},
        when=BEFORE_FAILURE,
        field_needs={"together": "threads"},
    ),
    Verb(
        "write",
        CONNECTION,
        "Write all of the data as application data.",
        {"data": HEX.about("bytes")},
        when=AFTER_HANDSHAKE,
    ),
    Verb(
        "read_line",
        CONNECTION,
        "Read application data up to and including the first newline. The rest is kept for the next `read_line`.",
        result={
            "data": "bytes; those received so far if the input ended before a newline",
            "end": "null, or how the input ended before a newline: `close_notify`, `eof`, `reset` or `alert`",
        },
        when=AFTER_HANDSHAKE,
    ),
    Verb(
        "renegotiate",
        CONNECTION,
        "SSL_renegotiate or SSL_renegotiate_abbreviated, then SSL_do_handshake as far as possible without the peer; "
        "later reads and writes complete it.",
        {
            "abbreviated": optional(BOOL, default=False).about("boolean"),
            "ciphers": optional(TEXT).about("string or null, SSL_set_cipher_list before it"),
            "no_extended_master_secret": optional(BOOL, default=False).about("boolean, SSL_set_options before it"),
        },
        when=AFTER_HANDSHAKE,
        optional=True,
        needs="renegotiation",
        field_needs={
            "abbreviated": "abbreviated renegotiation",
            "ciphers": "changed renegotiation",
            "no_extended_master_secret": "changed renegotiation",
        },
    ),
    Verb(
        "authenticate",
        CONNECTION,
        "SSL_verify_client_post_handshake at a TLS 1.3 server, then SSL_do_handshake to send the CertificateRequest; "
        "later reads complete it. The knob `verify` is not `none`.",
        {},
        {"done": "boolean, false if the library refuses, as when the client does not allow it"},
        when=AFTER_HANDSHAKE,
        optional=True,
        needs="authenticate",
    ),
    Verb(
        "new_ticket",
        CONNECTION,
        "SSL_new_session_ticket at a server: the next write sends a further TLS 1.3 ticket.",
        result={"done": "boolean, whether it returned 1"},
        when=AFTER_HANDSHAKE,
        optional=True,
        needs="new ticket",
    ),
    Verb(
        "session",
        CONNECTION,
        "SSL_get1_session now.",
        result={"session": "session, or null if there is none, or if it has no cipher yet"},
    ),
    Verb(
        "sessions",
        CONNECTION,
        "Every session that the library has reported so far, in order; SSL_get1_session's is last if it is "
        "not among them.",
        result={"sessions": "list of sessions"},
    ),
    Verb(
        "keep_session",
        CONNECTION,
        "SSL_get1_session now, held as the same object until the context is freed. What the connection "
        "does to it later affects what `connect` offers by its handle: SSL_free without close_notify makes "
        "it non-resumable. `duplicate`: hold what SSL_SESSION_dup returns for it. `older`, `timeout`: backdate it by "
        "these seconds (SSL_SESSION_set_time), and give it this timeout (SSL_SESSION_set_timeout). `ssl`: hold the "
        "SSL, not its session; `release` does not free it, and the `connect` that gets its handle, once, connects "
        "again with it after SSL_clear, without SSL_set_session.",
        {
            "duplicate": optional(BOOL, default=False).about("boolean"),
            "older": optional(INT, default=0).about("integer, seconds"),
            "timeout": optional(INT).about("integer, seconds, or null"),
            "ssl": optional(BOOL, default=False).about("boolean"),
        },
        result={"session": "session with a `handle` and no `der`, or null if there is none"},
        optional=True,
        needs="session in memory",
        field_needs={
            "duplicate": "session duplicate",
            "older": "session times",
            "timeout": "session times",
            "ssl": "clear and connect again",
        },
    ),
    Verb(
        "shutdown",
        CONNECTION,
        "SSL_shutdown once: send close_notify without waiting.",
        when=AFTER_HANDSHAKE,
    ),
    Verb(
        "await_end",
        CONNECTION,
        "Read and discard input until it ends.",
        result={
            "ending": "`close_notify`, `eof` (TCP ended without one, or an empty datagram came), `reset`, or `alert` "
            "(a fatal one arrived)"
        },
        when=AFTER_HANDSHAKE,
    ),
    Verb(
        "leave_unread",
        CONNECTION,
        "Let the release close TCP without reading what has arrived, so that the peer is reset.",
        optional=True,
        needs="close in order",
    ),
    Verb(
        "release",
        CONNECTION,
        "Free the connection without another SSL_shutdown (SSL_free), read pending input to avoid a reset, "
        "and close TCP with FIN; with DTLS and QUIC, send an empty datagram and close the socket. The name is free "
        "afterwards.",
        result={"facts": "object, see below"},
    ),
)
VERBS: dict[str, Verb] = {row.name: row for row in _ROWS}
"""Every verb, by its name."""
OPTIONAL: tuple[Verb, ...] = tuple(row for row in _ROWS if row.optional)
"""The optional verbs."""


ONLY_CLIENTS_OFFER = "only a client offers a session"
"""Why a server lacks what is about offers."""
ONLY_SERVERS_ASK = "only a server asks for a certificate after the handshake"
"""Why a client lacks ``authenticate``."""
ONLY_SERVERS_CHOOSE = "only a server chooses a context"
"""Why a client lacks ``choose_context``."""
ONLY_CLIENTS_GET_ONE = "only a client is sent a response"
"""Why a server reports no stapled response."""


def missing_capabilities(reasons: Mapping[str, str]) -> dict[str, str]:
    """Return the unsupported Capabilities with their reasons; ``reasons`` are by verb or field."""
    found = {row.needs: reasons[row.name] for row in OPTIONAL if row.needs is not None and row.name in reasons}
    for row in OPTIONAL:
        for name, needs in row.field_needs.items():
            if reason := reasons.get(name) or reasons.get(row.name):
                found[needs] = reason
    return found
