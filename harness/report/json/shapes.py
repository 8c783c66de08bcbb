"""The one declaration of the JSON of a case, a run and a difference: each key with its type, meaning and comparison."""

# Without `from __future__ import annotations`: msgspec and TypedDict read the annotations at run time.

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypedDict,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from msgspec import Meta

from harness.model.session import SESSION_FIELDS, Session
from harness.model.tls import TLSVersion
from harness.report.json.comparing import (
    ALERT,
    BREACHES,
    BY_LENGTH,
    BY_PRESENCE,
    BY_STACK,
    CALLS,
    CASE,
    CODES,
    COMPRESSION_METHODS,
    CONNECTIONS,
    EXACTLY,
    EXTENSION_LENGTH,
    EXTENSIONS,
    FIELDS,
    HELLO_LENGTH,
    HELLOS,
    INSIDE,
    IS_ZERO,
    KNOBS,
    LIST_LENGTH,
    MESSAGE_LENGTH,
    MESSAGES,
    NOT_AT_ALL,
    REASONS,
    SUITES,
    TICKET_LENGTH,
    Comparing,
)

SCHEMA = 1
"""Of a case. Raised when a key changes its meaning or is removed, not when a key is added."""


def about(meaning: str, compare: Comparing | None = None) -> Meta:
    """What a key means, for the documents, and how `diff` compares it: exactly by default, and objects key by key."""
    return Meta(description=meaning, extra={"compare": compare} if compare else None)


@dataclass(frozen=True)
class Field:
    """One key of an object, as it is declared."""

    kind: Any
    meaning: str
    compare: Comparing
    required: bool
    """Whether results of every version have it."""
    declared: Any
    """Its type as it was declared, with its meaning."""


@cache
def fields(kind: Hashable) -> Mapping[str, Field]:
    """The keys of an object type, in the order of their declaration."""
    return {name: _field(hint) for name, hint in get_type_hints(kind, include_extras=True).items()}


def _field(hint: Any) -> Field:
    required = get_origin(hint) is not NotRequired
    declared = hint if required else get_args(hint)[0]
    kind, meta = get_args(declared)
    nested = is_typeddict(kind) or (any(map(is_typeddict, get_args(kind))) and get_origin(kind) is not list)
    compare = (meta.extra or {}).get("compare") or (INSIDE if nested else EXACTLY)
    return Field(kind, meta.description, compare, required, declared)


@cache
def held(kind: Hashable) -> Any:
    """The object type inside of a type, as in ``list[X]`` or ``X | None``; None if there is none."""
    if is_typeddict(kind):
        return kind
    return next((found for part in get_args(kind) if (found := held(part))), None)


def objects(kind: Any) -> list[Any]:
    """An object type and those nested in it, each once, in the order of their declaration."""
    inner = [held(field.kind) for field in fields(kind).values()]
    return list(dict.fromkeys([kind, *(other for part in inner if part for other in objects(part))]))


Saw = Literal["full", "resumed", "aborted", "unknown"]
Outcome = Literal["full", "declined", "resumed", "aborted"]
Mechanism = Literal["session_id", "session_ticket", "psk"]
Role = Literal["client", "server"]
Tls = Literal["1.0", "1.1", "1.2", "1.3", "dtls1.0", "dtls1.2", "quic"]
Close = Literal[
    "both",
    "client-only",
    "server-only",
    "eof",
    "rst",
    "free",
    "shutdown-free",
    "eof-read-shutdown",
    "eof-shutdown-read",
    "rst-read-shutdown",
    "rst-shutdown-read",
    "unread",
]
Ending = Literal["close_notify", "eof", "reset", "alert"]
Level = Literal["MUST", "SHOULD"]
Question = Literal["not_offered", "declined", "aborted", "resumed_but", "psk_not_used"]
Texts = dict[str, str]

SESSION_RULES: Mapping[str, Comparing] = {
    "session_id": BY_LENGTH,
    "time": BY_PRESENCE,
    "peer_certificate": BY_PRESENCE,
    "peer_rpk": BY_LENGTH,
    "ticket": BY_PRESENCE,
    "ticket_length": TICKET_LENGTH,
    "age_add": IS_ZERO,
}
"""The fields of a session that are not compared exactly."""


IN_FILES = ("brief", "parts")
"""Keys that only the results of a run have."""

ADDED_TO_SESSIONS = (
    *("protocol", "compression", "psk_identity_hint", "psk_identity", "srp_username", "peer_rpk", "key_arg"),
    "unknown_fields",
)
"""Fields that results of older versions do not have."""


def _session_field(name: str) -> Any:
    known = getattr(Session, name)
    kind: Any = {bytes: str, TLSVersion: Tls}.get(known.kind, known.kind)
    if name in {"time", "age_add"}:
        kind = kind | str  # what a brief connection has in its place
    unit = "; lower-case hex" if known.kind is bytes else ""
    declared = Annotated[kind | None, about(f"{known.__doc__}{unit}", SESSION_RULES.get(name))]
    return NotRequired[declared] if name in ADDED_TO_SESSIONS else declared


if TYPE_CHECKING:

    class SessionObject(TypedDict):
        """The fields of harness.model.session, which only data names."""

else:
    SessionObject = TypedDict(
        "SessionObject",
        {
            "taken_by": Annotated[str, about("`stack@build` of the client that took it, empty if unknown", BY_STACK)],
            "taken_from": Annotated[str, about("`stack@build` of its peer, empty if unknown", BY_STACK)],
            **{name: _session_field(name) for name in SESSION_FIELDS},
        },
    )
    SessionObject.__doc__ = (
        "A session (SSL_SESSION): every field, null if the stack that took it does not report it; no key material."
    )


class AlertObject(TypedDict):
    """An alert (RFC 8446, 6)."""

    number: Annotated[int, about("the number; only numbers are compared")]
    name: Annotated[str, about("the RFC's name of the number")]
    level: Annotated[int, about("1 warning, 2 fatal")]
    sender: Annotated[Role | None, about("who sent it, null if unknown")]


class ViewObject(TypedDict):
    """What one witness saw of a connection."""

    name: Annotated[str, about("`stack@build` of an endpoint, empty for the wire", BY_STACK)]
    outcome: Annotated[Saw, about("the outcome that the witness reports")]
    evidence: Annotated[list[str], about("the lines, calls or message fields that show it", NOT_AT_ALL)]
    alert: Annotated[AlertObject | None, about("the fatal alert that this witness sent or received", ALERT)]
    tickets: Annotated[int | None, about("NewSessionTicket messages that it counted, null if unknown")]


class ViewsObject(TypedDict):
    """The three witnesses."""

    client: Annotated[ViewObject, about("the client's view")]
    server: Annotated[ViewObject, about("the server's view")]
    wire: Annotated[ViewObject, about("the wire's view")]


class EndpointObject(TypedDict):
    """What one end reported after the connection; null if its stack does not report it."""

    version: Annotated[Tls | None, about("the protocol version that was negotiated")]
    cipher: Annotated[str | None, about("OpenSSL's name of the cipher suite")]
    alpn: Annotated[str | None, about("the ALPN protocol that was negotiated")]
    server_name: Annotated[str | None, about("the host name of the SNI extension")]
    peer_certificate: Annotated[bool | None, about("whether it holds a certificate of its peer")]
    early_data: Annotated[str | None, about("`accepted`, `rejected` or `not_sent`")]
    group: NotRequired[
        Annotated[
            str | None,
            about("the group of this connection's key exchange, not the session's; empty if it had none"),
        ]
    ]
    peer_temp_key: NotRequired[
        Annotated[str | None, about("the peer's ephemeral key, `X25519, 253 bits`; empty if there is none")]
    ]
    peer_chain: NotRequired[
        Annotated[
            list[str] | None,
            about("SHA-256 of each certificate that it holds of its peer's chain, the peer's own first", LIST_LENGTH),
        ]
    ]
    ending: Annotated[Ending | None, about("how its input ended")]
    errors: Annotated[list[str], about("OpenSSL's error queue, oldest first", CODES)]


class EndpointsObject(TypedDict):
    """Both ends."""

    client: Annotated[EndpointObject, about("the client")]
    server: Annotated[EndpointObject, about("the server")]


class MessageObject(TypedDict):
    """A handshake message, alert, change_cipher_spec or application data record, in the order of the wire."""

    at: Annotated[
        float | None,
        about("milliseconds since the connection was accepted, null in a brief connection", NOT_AT_ALL),
    ]
    sender: Annotated[Role, about("who sent it")]
    type: Annotated[str, about("its name in the RFC; `EncryptedRecord` if it could not be decrypted")]
    length: Annotated[
        int | None,
        about(
            "bytes of its body; of the ciphertext if it could not be decrypted; null if it is random and the "
            "connection is brief",
            MESSAGE_LENGTH,
        ),
    ]
    encrypted: Annotated[bool, about("whether it was encrypted on the wire")]
    fields: Annotated[Texts, about("its fields that matter for resumption, as readable text", FIELDS)]


class ExtensionObject(TypedDict):
    """An extension of a hello."""

    number: Annotated[int, about("IANA's number")]
    name: Annotated[str, about("IANA's name of the number, or its digits")]
    length: Annotated[int, about("bytes of its body", EXTENSION_LENGTH)]


class HelloObject(TypedDict):
    """A ClientHello, ServerHello or HelloRetryRequest that could be read."""

    sender: Annotated[Role, about("who sent it")]
    type: Annotated[str, about("its name in the RFC")]
    length: Annotated[int, about("bytes of its body", HELLO_LENGTH)]
    session_id_length: Annotated[int, about("bytes of its session id")]
    compression_methods: NotRequired[
        Annotated[int, about("how many compression methods it names; of a server 1", COMPRESSION_METHODS)]
    ]
    cipher_suites: Annotated[
        list[int], about("IANA's numbers of the suites, as they were sent; of a server the one it chose", SUITES)
    ]
    extensions: Annotated[list[ExtensionObject], about("its extensions, as they were sent", EXTENSIONS)]


class CommandsObject(TypedDict):
    """Commands to paste into a shell."""

    client: Annotated[list[str], about("the client's")]
    server: Annotated[list[str], about("the server's")]


class FindingObject(TypedDict):
    """One reason, with its evidence."""

    reason: Annotated[str, about("its name, one of harness.model.reason")]
    title: Annotated[str, about("the reason in one sentence, with the names and numbers of this connection")]
    evidence: Annotated[list[str], about("the observations that support it, one fact each")]
    remedy: Annotated[str, about("what would change it")]
    source: Annotated[str, about("the RFC section, man page or OpenSSL function behind it; may be empty")]
    tell_apart: Annotated[str, about("the check that would confirm it; empty if it is the only finding")]


class BreachObject(TypedDict):
    """A rule of an RFC that a connection breaks."""

    rule: Annotated[str, about("its name; docs/rules.md lists them")]
    who: Annotated[Role | None, about("the end that can break it, null for either")]
    level: Annotated[Level, about("how strongly the RFC demands it")]
    source: Annotated[str, about("the section of the RFC")]
    sentence: Annotated[str, about("the rule in one sentence")]
    evidence: Annotated[list[str], about("what shows the breach, one fact each")]


class ExplanationObject(TypedDict):
    """Why a connection did not resume, or the caveats of one that did."""

    question: Annotated[Question, about("what is explained")]
    findings: Annotated[
        list[FindingObject],
        about(
            "the reasons, the most likely first: one, unless the evidence leaves several; for `resumed_but` each holds"
        ),
    ]


class LimitObject(TypedDict):
    """How old a session may be for one end."""

    age: Annotated[int | None, about("its age in seconds by this end's clock when it was resumed, null if unknown")]
    first_expired: Annotated[
        int | None,
        about("the least age in seconds at which this end does not resume it, null if none is too old, or if unknown"),
    ]
    why: Annotated[str, about("the rule, with its source in OpenSSL or an RFC; empty if unknown")]


class ExpiryObject(TypedDict):
    """When the session of a resumed connection expires."""

    client: Annotated[LimitObject, about("the client, which does not offer what is too old")]
    server: Annotated[LimitObject, about("the server, which declines what is too old")]
    copy: Annotated[int, about("seconds by which the client's copy alone was made older, 0 if it was not")]


class ActionObject(TypedDict):
    """An action on an end or on an open connection; harness.model.setup names them."""

    name: Annotated[str, about("the method's name")]
    role: Annotated[Role | None, about("the end that it applies to, null for both")]
    values: Annotated[Texts, about("its arguments, as readable text")]


class CircumstancesObject(TypedDict):
    """The setup of a connection: what is known without a witness."""

    client: Annotated[Texts, about("the client's knobs, by name, as a user types them")]
    server: Annotated[Texts, about("the server's knobs")]
    client_context: Annotated[
        int, about("1 for the first client context of the case; another number is another context")
    ]
    server_context: Annotated[int, about("1 for the first server of the case; another number is another server")]
    before: Annotated[list[ActionObject], about("the actions on the ends since the last connection began, in order")]
    during: Annotated[list[ActionObject], about("the actions between the handshake and the close, in order")]
    beside: Annotated[list[int], about("numbers of the connections that were open when this one began")]


class CountersObject(TypedDict):
    """The server's counters (SSL_CTX_sess_number(3)); null if its stack does not report it."""

    items: Annotated[int | None, about("sessions in the cache now")]
    connect: Annotated[int | None, about("handshakes begun as client")]
    connect_good: Annotated[int | None, about("handshakes completed as client")]
    connect_renegotiate: Annotated[int | None, about("renegotiations begun as client")]
    accept: Annotated[int | None, about("handshakes begun as server")]
    accept_good: Annotated[int | None, about("handshakes completed as server")]
    accept_renegotiate: Annotated[int | None, about("renegotiations begun as server")]
    hits: Annotated[int | None, about("sessions that were resumed")]
    callback_hits: Annotated[int | None, about("sessions that came from an external cache")]
    misses: Annotated[int | None, about("session ids that were not in the cache")]
    timeouts: Annotated[int | None, about("sessions that were found and had expired")]
    overflows: Annotated[int | None, about("sessions that were evicted because the cache was full")]
    cache_size: Annotated[int | None, about("how many sessions the cache may hold, 0 for no limit")]


class CallbackCallObject(TypedDict):
    """One call of a server's callback about sessions."""

    call: Annotated[
        str,
        about(
            "of an external cache `get`, `new` or `remove`, and `wait` if the client-hello callback interrupted the "
            "handshake; of ticket keys `encrypt` or `decrypt`; of server names `choose`; of "
            "tickets `put` and `take` of application data, and `ticket` for one that was read"
        ),
    ]
    subject: Annotated[
        str,
        about(
            "the session's id, the name with which a ticket begins, or the server name, as hexadecimal digits",
            NOT_AT_ALL,
        ),
    ]
    result: Annotated[
        str,
        about(
            "of `get` what it returned, a value of the knob `external_get`, `absent` or `unreadable`; of `new` "
            "`copied` or `kept`; of `remove` `removed` or `absent`; of ticket keys `ok`, `renew`, `none`, `error`, or "
            "`unknown` for a ticket of another key; of `choose` `chosen` or `kept`; of `ticket` a "
            "value of the knob `ticket_use`, `empty` or `no_decrypt`"
        ),
    ]


class ConnectionObject(TypedDict):
    """One connection."""

    number: Annotated[int, about("1 for the first of the case", NOT_AT_ALL)]
    brief: NotRequired[
        Annotated[
            bool,
            about(
                "whether only what `diff` compares was kept, as in a cell that passed: without evidence, commands and "
                "times; random values are `present`, or how many bytes they take",
                NOT_AT_ALL,
            ),
        ]
    ]
    parts: NotRequired[
        Annotated[
            list[int],
            about("only in `results.json`: places in its `parts`, whose keys this connection has too", NOT_AT_ALL),
        ]
    ]
    outcome: Annotated[Outcome | None, about("its outcome, null if the witnesses disagree or do not know")]
    mechanism: Annotated[Mechanism | None, about("how it was resumed, null if it was not")]
    disagreement: Annotated[
        str | None, about("why there is no outcome, with all the evidence; null if there is one", BY_PRESENCE)
    ]
    explanation: NotRequired[
        Annotated[
            ExplanationObject | None, about("why it has this outcome, null if there is nothing to explain", REASONS)
        ]
    ]
    expiry: NotRequired[
        Annotated[
            ExpiryObject | None,
            about("when the resumed session expires, null if it was not resumed or no limit is known", NOT_AT_ALL),
        ]
    ]
    breaches: NotRequired[
        Annotated[list[BreachObject], about("the rules of the RFCs that it breaks, in the order of the list", BREACHES)]
    ]
    circumstances: NotRequired[Annotated[CircumstancesObject | None, about("the setup, null if unknown", NOT_AT_ALL)]]
    views: Annotated[ViewsObject, about("the three views")]
    was_offered: Annotated[bool, about("whether the wire shows that a session was offered")]
    offered: Annotated[SessionObject | None, about("the session that the client was set up to offer", BY_PRESENCE)]
    alert: Annotated[AlertObject | None, about("the first fatal alert, from whichever witness saw it", ALERT)]
    tickets: Annotated[
        int | None, about("NewSessionTicket messages that arrived; null if unknown or if the counts differ")
    ]
    session: Annotated[SessionObject | None, about("the session that a client would offer next (SSL_get1_session)")]
    session_difference: NotRequired[
        Annotated[
            list[str] | None,
            about("the fields in which `session` differs from `offered`, null if either is null", NOT_AT_ALL),
        ]
    ]
    alpn: NotRequired[
        Annotated[str | None, about("the ALPN protocol of this connection, null if none was chosen", NOT_AT_ALL)]
    ]
    external_psk: NotRequired[
        Annotated[
            str | None,
            about(
                "the identity of the external PSK with which the handshake was made, null if without one", NOT_AT_ALL
            ),
        ]
    ]
    group: NotRequired[
        Annotated[
            str | None,
            about(
                "the group of this connection's key exchange, empty if it had none, null if unknown",
                NOT_AT_ALL,
            ),
        ]
    ]
    exporters_equal: NotRequired[
        Annotated[bool | None, about("whether both ends exported the same keying material, null if unknown")]
    ]
    renegotiation_resumed: NotRequired[
        Annotated[
            bool | None, about("whether its last renegotiation was abbreviated, null if it had none, or if unknown")
        ]
    ]
    callback_calls: NotRequired[
        Annotated[
            list[CallbackCallObject] | None,
            about(
                "the calls of the server's callbacks, in order, with the removals since the connection before; "
                "null without such callbacks",
                CALLS,
            ),
        ]
    ]
    sessions: Annotated[int, about("how many sessions the client received")]
    close: Annotated[Close, about("how both ends closed")]
    blocked: Annotated[str | None, about("why a middlebox blocked it, null if none did", BY_PRESENCE)]
    tampered: NotRequired[Annotated[list[str], about("what the tap did to messages on their way, one sentence each")]]
    strays: Annotated[list[str], about("connections of others to the tap's port, which were set aside", NOT_AT_ALL)]
    problem: Annotated[
        str | None, about("why the bytes on the wire could not be read to the end, null if they could", BY_PRESENCE)
    ]
    endpoints: Annotated[EndpointsObject, about("what both ends reported after the connection")]
    messages: Annotated[list[MessageObject], about("the messages in the order of the wire", MESSAGES)]
    hellos: Annotated[list[HelloObject], about("the hellos among the messages, without malformed ones", HELLOS)]
    commands: Annotated[CommandsObject, about("the commands that were run", NOT_AT_ALL)]
    counters: NotRequired[
        Annotated[
            CountersObject | None,
            about("the server's counters after it, null if its stack reports none then", NOT_AT_ALL),
        ]
    ]


class KnobsObject(TypedDict):
    """The knobs that were set, by name, as a user types them; an absent knob has the stack's default."""

    client: Annotated[Texts, about("the client's", KNOBS)]
    server: Annotated[Texts, about("the server's", KNOBS)]
    then_client: Annotated[Texts, about("what changed at the client before the second connection", KNOBS)]
    then_server: Annotated[Texts, about("what changed at the server before the second connection", KNOBS)]


class CaseObject(TypedDict):
    """One case: a first connection and those that followed it."""

    schema: Annotated[int, about("1; raised when a key changes its meaning or is removed", NOT_AT_ALL)]
    client: Annotated[str, about("`stack@build` of the client", BY_STACK)]
    server: Annotated[str, about("`stack@build` of the server", BY_STACK)]
    tls: Annotated[Tls, about("the protocol version of the case")]
    knobs: Annotated[KnobsObject, about("the knobs that were set")]
    connections: Annotated[list[ConnectionObject], about("every connection, in order", CONNECTIONS)]
    counters: Annotated[CountersObject | None, about("the last server's, null if its stack reports none")]
    story: NotRequired[
        Annotated[
            dict[str, Any] | None,
            about(
                "its [story](stories.md), which `--story` runs again; null if it is not known; of brief connections, "
                "without the names of its ends, which are the case's",
                NOT_AT_ALL,
            ),
        ]
    ]
    parts: NotRequired[
        Annotated[
            list[int], about("only in `results.json`: places in its `parts`, whose keys this case has too", NOT_AT_ALL)
        ]
    ]


Verdict = Literal["passed", "failed", "unsupported", "error"]


class AssertionObject(TypedDict):
    """The assert that failed."""

    file: Annotated[str, about("the file, below the folder that pytest runs in")]
    line: Annotated[int, about("the number of its line")]
    source: Annotated[str, about("the statement")]
    left: Annotated[str | None, about("the value on the left of its comparison, null if there is no comparison")]
    right: Annotated[str | None, about("the value on the right of its comparison")]


class DeclaredObject(TypedDict):
    """What some builds do differently, as a scenario declares it (`Differs`)."""

    role: Annotated[Role, about("the end at which they do it")]
    builds: Annotated[str, about("which builds, `gnutls` or `*@>=1.1.1,<3.0`; without a family, of OpenSSL")]
    seen: Annotated[str, about("the day on which that was seen, ISO 8601")]
    evidence: Annotated[str, about("what shows it, and what an RFC says of it")]


class CellObject(TypedDict):
    """One finished cell of the matrix. In results.jsonl, which a killed run leaves, each cell is one line."""

    cell: Annotated[str, about("its id: client, server, TLS version and the knobs that vary", NOT_AT_ALL)]
    scenario: Annotated[
        str, about("the file and the test, `scenarios/tls13_ticket.py::test_ticket_resumes`", NOT_AT_ALL)
    ]
    client: Annotated[str, about("`stack@build` of the client", BY_STACK)]
    server: Annotated[str, about("`stack@build` of the server", BY_STACK)]
    tls: Annotated[Tls, about("the protocol version of the cell")]
    verdict: Annotated[
        Verdict, about("`error` means no verdict about the scenario: a time-out, or witnesses that disagree")
    ]
    reason: Annotated[str, about("why it is not `passed`; the first line is a summary", NOT_AT_ALL)]
    seconds: Annotated[float, about("set-up, test and tear-down together", NOT_AT_ALL)]
    folder: Annotated[str | None, about("where its evidence is kept, null if it passed or is unsupported", NOT_AT_ALL)]
    lost: NotRequired[
        Annotated[
            bool,
            about(
                "whether an `error` says nothing about a build: an endpoint did not start or answer, or a worker died",
                NOT_AT_ALL,
            ),
        ]
    ]
    over: NotRequired[
        Annotated[
            Literal["memory", "both"],
            about("how its ends met: in `memory`, or `both` ways, over TCP too; absent if over TCP alone", NOT_AT_ALL),
        ]
    ]
    assertion: NotRequired[
        Annotated[AssertionObject | None, about("the assert that failed, null if none did", NOT_AT_ALL)]
    ]
    declared: NotRequired[
        Annotated[
            list[DeclaredObject],
            about(
                "the declared differences that the test went by; absent if it expected what holds for all", NOT_AT_ALL
            ),
        ]
    ]
    case: Annotated[
        CaseObject | None, about("the connections, null if the test did not begin or its worker died", CASE)
    ]


class ResultsObject(TypedDict):
    """The file results.json of a run. The first line of results.jsonl has its keys up to `servers`."""

    schema: Annotated[int, about("2; raised when a key changes its meaning or is removed. 1 had no `parts`")]
    started: Annotated[str, about("when the run began, ISO 8601, UTC")]
    clients: Annotated[list[str], about("`stack@build` of every client of the run")]
    servers: Annotated[list[str], about("`stack@build` of every server of the run")]
    finished: Annotated[str, about("when the run ended, ISO 8601, UTC")]
    exit_status: Annotated[int, about("pytest's exit code; 2 if the run was interrupted")]
    unmatched: Annotated[list[str], about("declared differences that apply to no build of this run")]
    shard: NotRequired[Annotated[str, about("which part of the run this is, `1/3`; absent if it is the whole run")]]
    code: NotRequired[Annotated[Texts, about("a digest of each scenario file and of `harness`; only in shards")]]
    parts: NotRequired[
        Annotated[
            list[dict[str, Any]],
            about(
                "what several cells share, each part once: an object with keys of a connection or of a case. In "
                'results.jsonl each is a line `{"part": …}` before the first cell that names its place'
            ),
        ]
    ]
    cells: Annotated[list[CellObject], about("every cell, in the order in which they ended")]


Fate = Literal["passed", "failed", "unsupported", "error", "absent"]


class PlaceObject(TypedDict):
    """Where a difference was observed."""

    scenario: Annotated[str, about("the file and the test")]
    cell: Annotated[str, about("the cell's id without its builds")]
    connection: Annotated[int | None, about("the connection's number, null for the whole cell")]


class DifferenceObject(TypedDict):
    """One observable that differs between two builds. Its values are text; random ones are masked."""

    observable: Annotated[str, about("its path of keys in the object of a cell, without the connection's number")]
    before: Annotated[str, about("with the first build; `none` for null, `absent` for an item that is not in the list")]
    after: Annotated[str, about("with the second build")]
    cells: Annotated[int, about("in how many cells")]
    places: Annotated[list[PlaceObject], about("every place, in the order of the run")]


class OneSidedObject(TypedDict):
    """A cell that has a result with only one of the builds, so that it cannot be compared."""

    scenario: Annotated[str, about("the file and the test")]
    cell: Annotated[str, about("the cell's id without its builds")]
    before: Annotated[Fate, about("its verdict with the first build; `absent` if the cell does not exist there")]
    after: Annotated[Fate, about("its verdict with the second build")]
    reason: Annotated[str, about("why it is unsupported")]


class LostObject(TypedDict):
    """A cell that the harness lost with one of the builds or with both, so that it is not compared."""

    scenario: Annotated[str, about("the file and the test")]
    cell: Annotated[str, about("the cell's id without its builds")]
    before: Annotated[Fate, about("its verdict with the first build")]
    after: Annotated[Fate, about("its verdict with the second build")]
    reason: Annotated[str, about("what the harness lost")]


class SpanObject(TypedDict):
    """Neighbouring builds that show the same."""

    builds: Annotated[str, about("a version, or the first and the last one: `3.0.13-3.1.5`")]
    value: Annotated[str, about("the value of the observable on them")]


class CauseObject(TypedDict):
    """What changed between two builds in some cells, with all that changed in the same cells."""

    observable: Annotated[str, about("the strongest observable that changed, as in a difference")]
    strength: Annotated[str, about("`outcome`, `mechanism`, `alert`, `tickets`, `counters`, `session` or `wire`")]
    before: Annotated[str, about("its value with the first build")]
    after: Annotated[str, about("its value with the second build")]
    values: Annotated[int, about("how many pairs of values it has; the most frequent one is shown")]
    cells: Annotated[int, about("in how many cells")]
    scenarios: Annotated[list[str], about("the files of their scenarios")]
    beside: Annotated[list[str], about("the weaker observables that changed in the same cells")]
    declared: Annotated[str | None, about("the scenario that declares it, with the range of builds; null if none does")]
    options: NotRequired[
        Annotated[str | None, about("the options of the builds that it comes from, null if it does not")]
    ]
    since: NotRequired[
        Annotated[str | None, about("the first build with the change of those that are here, null if unknown")]
    ]
    not_in: NotRequired[
        Annotated[str | None, about("the last build without the change of those that are here, null if unknown")]
    ]
    commit: NotRequired[
        Annotated[str | None, about("the commit that it comes from, its date and its title; null without `--commits`")]
    ]
    table: Annotated[list[SpanObject], about("the value in the first cell on every build that is here")]
    command: Annotated[str, about("runs the first cell again on the second build")]


class BehaviourObject(TypedDict):
    """An observable that has other values on other builds, in the cells where it changes alike."""

    observable: Annotated[str, about("as in a difference")]
    strength: Annotated[str, about("`outcome`, `mechanism`, `alert`, `tickets`, `counters`, `session` or `wire`")]
    connection: Annotated[int | None, about("the connection's number, null for the whole cell")]
    cells: Annotated[list[str], about("the cells that show it, without their builds")]
    beside: Annotated[list[str], about("the weaker observables that change between the same builds")]
    table: Annotated[list[SpanObject], about("the value on every build, the oldest first")]
    known: Annotated[
        list[str | None],
        about(
            "for each change of the value where it is declared, the option that it comes from, or the stronger "
            "observable that it follows from; null if unknown"
        ),
    ]
    failed: Annotated[list[str], about("the builds on which one of these cells failed, the oldest first")]


class BehavioursObject(TypedDict):
    """What `resumption behaviours --json` prints."""

    schema: Annotated[int, about("1; raised when a key changes its meaning or is removed")]
    builds: Annotated[list[str], about("a line about each build, the oldest first: who built it, and its options")]
    behaviours: Annotated[list[BehaviourObject], about("what differs, the strongest first")]


class BuiltObject(TypedDict):
    """Where a build comes from."""

    labels: Annotated[list[str], about("its `stack@build`")]
    origin: Annotated[str, about("who built it: `debian`, `wheel`, `system`")]
    options: Annotated[
        list[str] | None,
        about(
            "of `zlib`, `brotli`, `zstd`, `ssl3`, `srp` and `seclevel2` those that it was built with, null if unknown"
        ),
    ]


class DiffObject(TypedDict):
    """What `resumption diff --json` prints."""

    schema: Annotated[int, about("1; raised when a key changes its meaning or is removed")]
    before: Annotated[list[str], about("`stack@build` of the endpoints of the first build")]
    after: Annotated[list[str], about("`stack@build` of the endpoints of the second build")]
    compared: Annotated[int, about("how many cells have a result with both")]
    unsupported: Annotated[int, about("how many are unsupported with both")]
    lost: Annotated[list[LostObject], about("the cells that the harness lost, also when it ran them again")]
    one_sided: Annotated[list[OneSidedObject], about("the cells with a result on one side only")]
    differences: Annotated[list[DifferenceObject], about("what differs, in the order of the keys of a cell")]
    meeting: NotRequired[
        Annotated[
            bool,
            about(
                "true if the cells are those in which the builds meet, and what differs is unlike each of them alone; "
                "ids of cells keep their builds then"
            ),
        ]
    ]
    builds: NotRequired[Annotated[list[BuiltObject], about("where both builds come from, empty if they are one")]]
    causes: NotRequired[Annotated[list[CauseObject], about("the differences by cause, the strongest first")]]
