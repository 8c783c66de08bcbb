"""The table of verbs: what each acts on, its fields, its reply, what it needs and when it is allowed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.agent.fields import BOOL, HEX, INT, OBJECT, OBJECT_NAME, integer, optional, word

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
    """What it does, for the page of the protocol."""
    fields: Mapping[str, Field] = field(default_factory=dict)
    """Its fields without ``id``, ``verb`` and the object that it acts on."""
    result: Mapping[str, str] = field(default_factory=dict)
    """The members of its reply, each with its type and meaning."""
    when: str = ALWAYS
    optional: bool = False
    """Whether a library may lack it; a driver that has no method for it answers with an error of kind ``lack``."""
    needs: str | None = None
    """The value of the Capability that a stack must have for it; only for an optional one."""
    field_needs: Mapping[str, str] = field(default_factory=dict)
    """The same for a field that some libraries cannot set, by its name."""

    @cached_property
    def members(self) -> Mapping[str, Field]:
        """The fields of a request, the object that it acts on first."""
        return self.fields if self.on == AGENT else {self.on: OBJECT_NAME.about("name"), **self.fields}

    def reply(self, value: Any) -> dict[str, Any]:
        """The reply in which a driver's result stands; a verb of a driver has one member or none."""
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
        "Say what this agent is.",
        result={
            "protocol": "integer, 1",
            "library": "string: `libssl`, `pyopenssl`, `ssl` or another name",
            "version": "string: the version of the TLS library as loaded, `3.0.19`",
            "description": "string: how the library describes itself",
            "pid": "integer",
            "lacks": "object: the reason for each optional verb that this library lacks, by the verb; may be left out",
        },
    ),
    Verb(
        "context",
        AGENT,
        "Make a context: an SSL_CTX in one role. `files` are paths of PEM files: `ca`, whom a verifying end trusts; "
        "`certificate`, a chain that begins with this end's own; `key`, its unencrypted key. "
        "Default CA bundles must not be loaded. The knobs stand below.",
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
            "counters": "object of integers, of which a library may know some only: `items`, `connect`, "
            "`connect_good`, `connect_renegotiate`, `accept`, `accept_good`, `accept_renegotiate`, `hits`, "
            "`callback_hits`, `misses`, `timeouts`, `overflows`, `cache_size`"
        },
        optional=True,
        needs="counters",
    ),
    Verb(
        "flush",
        CONTEXT,
        "SSL_CTX_flush_sessions: remove the cached sessions that have expired at that time.",
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
        "Set back the time of every cached session by so many seconds, and the time of every ticket that is issued "
        "from now on. Repeated, it adds up.",
        {"seconds": INT.about("integer")},
        {"done": "boolean, true"},
        optional=True,
        needs="age server session",
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
        "listen",
        CONTEXT,
        "Listen on 127.0.0.1, on a port that the kernel chooses, with a backlog of at least 128.",
        {"as": AS},
        {"port": "integer"},
    ),
    Verb(
        "connect",
        CONTEXT,
        "Connect to 127.0.0.1 and set the session to offer: a fresh object made from its `der`, or the object that "
        "`handle` names if the library cannot read a DER. The handshake is a request of its own.",
        {
            "as": AS,
            "port": PORT,
            "session": optional(OBJECT).about("session or null"),
        },
    ),
    Verb(
        "accept",
        LISTENER,
        "Take the next TCP connection. The reply comes when there is one; the handshake is a request of its own.",
        {"as": AS},
    ),
    Verb(
        "unlisten",
        LISTENER,
        "Close the listener. Its connections live on; an `accept` that still waits gets a `usage` error.",
    ),
    Verb(
        "handshake",
        CONNECTION,
        "Complete the handshake, with early data if the knobs ask for it. Errors: `tls`, or `end` if the peer ended "
        "the connection.",
        when=BEFORE_FAILURE,
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
        "Read application data up to and with the first newline. What comes after it is kept for the next `read_line`.",
        result={
            "data": "bytes; what came before the end if the input ended before a newline",
            "end": "null, or how the input ended before a newline: `close_notify`, `eof`, `reset` or `alert`",
        },
        when=AFTER_HANDSHAKE,
    ),
    Verb(
        "renegotiate",
        CONNECTION,
        "SSL_renegotiate or SSL_renegotiate_abbreviated, then SSL_do_handshake as far as it goes without the peer; "
        "later reads and writes complete it.",
        {"abbreviated": optional(BOOL, default=False).about("boolean")},
        when=AFTER_HANDSHAKE,
        optional=True,
        needs="renegotiation",
        field_needs={"abbreviated": "abbreviated renegotiation"},
    ),
    Verb(
        "session",
        CONNECTION,
        "SSL_get1_session now.",
        result={"session": "session, or null if there is none, or only one that has no cipher yet"},
    ),
    Verb(
        "sessions",
        CONNECTION,
        "Every session that the library has given so far, in order; the one of SSL_get1_session is last if it is "
        "none of them.",
        result={"sessions": "list of sessions"},
    ),
    Verb(
        "keep_session",
        CONNECTION,
        "SSL_get1_session now, kept as the very object that it is until the context is freed. What the connection "
        "does to it afterwards is done to what `connect` offers by its handle: SSL_free without close_notify makes "
        "it non-resumable.",
        result={"session": "session with a `handle` and no `der`, or null if there is none"},
        optional=True,
        needs="session in memory",
    ),
    Verb(
        "shutdown",
        CONNECTION,
        "SSL_shutdown once: send close_notify, and wait for nothing.",
        when=AFTER_HANDSHAKE,
    ),
    Verb(
        "await_end",
        CONNECTION,
        "Read until the input ends, and drop what was read.",
        result={"ending": "`close_notify`, `eof` (TCP ended without one), `reset`, or `alert` (a fatal one came)"},
        when=AFTER_HANDSHAKE,
    ),
    Verb(
        "release",
        CONNECTION,
        "Free the connection without another SSL_shutdown (SSL_free), read what is there so that nothing is reset, "
        "and close TCP with FIN. The name is free afterwards.",
        result={"facts": "object, see below"},
    ),
)
VERBS: dict[str, Verb] = {row.name: row for row in _ROWS}
"""Every verb, by its name."""
OPTIONAL: tuple[Verb, ...] = tuple(row for row in _ROWS if row.optional)
"""The verbs that a library may lack."""


def missing_capabilities(reasons: Mapping[str, str]) -> dict[str, str]:
    """The Capabilities that a driver lacks, with the reason; ``reasons`` are by the names of verbs and fields."""
    found = {row.needs: reasons[row.name] for row in OPTIONAL if row.needs is not None and row.name in reasons}
    for row in OPTIONAL:
        for name, needs in row.field_needs.items():
            if reason := reasons.get(name) or reasons.get(row.name):
                found[needs] = reason
    return found
