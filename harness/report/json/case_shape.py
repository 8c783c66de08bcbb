"""The JSON object of a case as types: the one source of docs/json.md and docs/case.schema.json; it makes no object."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

SCHEMA = 1
"""Raised when a key changes its meaning or goes away; a new key does not raise it."""

Saw = Literal["full", "resumed", "aborted", "unknown"]
Outcome = Literal["full", "declined", "resumed", "aborted"]
Mechanism = Literal["session_id", "session_ticket", "psk"]
Role = Literal["client", "server"]
Tls = Literal["1.2", "1.3"]
Close = Literal["both", "client-only", "server-only", "eof", "rst"]
Ending = Literal["close_notify", "eof", "reset", "alert"]
Question = Literal["not_offered", "declined", "aborted", "resumed_but"]
Texts = dict[str, str]


class SessionObject(TypedDict):
    """A session (SSL_SESSION): every field, null where the stack that took it could not tell; no key material.

    Its further keys are the fields of harness.model.session, where each is described.
    """

    taken_by: Annotated[str, "`stack@build` of the client that took it, empty if nobody said"]
    taken_from: Annotated[str, "`stack@build` of its peer, empty if nobody said"]


class AlertObject(TypedDict):
    """An alert (RFC 8446, 6)."""

    number: Annotated[int, "the number; numbers are compared, names are for people"]
    name: Annotated[str, "the RFC's name of the number"]
    level: Annotated[int, "1 warning, 2 fatal"]
    sender: Annotated[Role | None, "who sent it, null if the witness could not know"]


class ViewObject(TypedDict):
    """What one witness saw of a connection."""

    name: Annotated[str, "`stack@build` of an endpoint, empty for the wire"]
    outcome: Annotated[Saw, "what the witness says; `unknown` if it could not know"]
    evidence: Annotated[list[str], "the lines, calls or message fields that it rests on"]
    alert: Annotated[AlertObject | None, "the fatal alert that this witness sent or received"]
    tickets: Annotated[int | None, "NewSessionTicket messages that it counted, null if it cannot know"]


class ViewsObject(TypedDict):
    """The three witnesses."""

    client: Annotated[ViewObject, "the client's view"]
    server: Annotated[ViewObject, "the server's view"]
    wire: Annotated[ViewObject, "what the bytes between them show"]


class EndpointObject(TypedDict):
    """What one end told of a connection when it was over; null is what its stack cannot know."""

    version: Annotated[Tls | None, "the protocol version that was negotiated"]
    cipher: Annotated[str | None, "OpenSSL's name of the cipher suite"]
    alpn: Annotated[str | None, "the ALPN protocol that was negotiated"]
    server_name: Annotated[str | None, "the host name of the SNI extension"]
    peer_certificate: Annotated[bool | None, "whether it holds a certificate of its peer"]
    early_data: Annotated[str | None, "`accepted`, `rejected` or `not_sent`"]
    ending: Annotated[Ending | None, "what it read at the end of its input"]
    errors: Annotated[list[str], "OpenSSL's error queue, oldest first"]


class EndpointsObject(TypedDict):
    """Both ends."""

    client: Annotated[EndpointObject, "the client"]
    server: Annotated[EndpointObject, "the server"]


class MessageObject(TypedDict):
    """A handshake message, alert, change_cipher_spec or application data record, in the order of the wire."""

    at: Annotated[float, "milliseconds since the connection was accepted"]
    sender: Annotated[Role, "who sent it"]
    type: Annotated[str, "its name in the RFC; `EncryptedRecord` if it could not be decrypted"]
    length: Annotated[int, "bytes of its body; of the ciphertext if it could not be decrypted"]
    encrypted: Annotated[bool, "whether it was encrypted on the wire"]
    fields: Annotated[Texts, "what of it matters for resumption, as text for people"]


class ExtensionObject(TypedDict):
    """An extension of a hello."""

    number: Annotated[int, "IANA's number"]
    name: Annotated[str, "IANA's name of the number, or its digits"]
    length: Annotated[int, "bytes of its body"]


class HelloObject(TypedDict):
    """A ClientHello, ServerHello or HelloRetryRequest that could be read."""

    sender: Annotated[Role, "who sent it"]
    type: Annotated[str, "its name in the RFC"]
    length: Annotated[int, "bytes of its body"]
    session_id_length: Annotated[int, "bytes of its session id"]
    cipher_suites: Annotated[list[int], "IANA's numbers of the suites, as they were sent; of a server the one it chose"]
    extensions: Annotated[list[ExtensionObject], "its extensions, as they were sent"]


class CommandsObject(TypedDict):
    """Commands that can be pasted into a shell."""

    client: Annotated[list[str], "the client's"]
    server: Annotated[list[str], "the server's"]


class FindingObject(TypedDict):
    """One reason, with what it rests on."""

    reason: Annotated[str, "its name, one of harness.model.reason"]
    title: Annotated[str, "the reason in one sentence, with the names and numbers of this connection"]
    evidence: Annotated[list[str], "what was seen that speaks for it, one fact each"]
    remedy: Annotated[str, "what would change it"]
    source: Annotated[str, "the RFC section, man page or OpenSSL function that makes it so; may be empty"]
    tell_apart: Annotated[str, "what would tell it from the other findings; empty if it is the only one"]


class ExplanationObject(TypedDict):
    """Why a connection did not resume, or what is to be known of one that did."""

    question: Annotated[Question, "what is explained"]
    findings: Annotated[
        list[FindingObject],
        "the reasons, the most likely first: one, unless the evidence leaves several; for `resumed_but` each one holds",
    ]


class ActionObject(TypedDict):
    """Something that was done to an end, or on an open connection; harness.model.setup names them."""

    name: Annotated[str, "the method's name"]
    role: Annotated[Role | None, "to which end, null for both"]
    values: Annotated[Texts, "its arguments, as text for people"]


class CircumstancesObject(TypedDict):
    """What is known of a connection and no witness tells."""

    client: Annotated[Texts, "the client's knobs, by name, as a user types them"]
    server: Annotated[Texts, "the server's knobs"]
    client_context: Annotated[int, "1 for the first client context of the case; another number is another context"]
    server_context: Annotated[int, "1 for the first server of the case; another number is another server"]
    before: Annotated[list[ActionObject], "what was done to an end since the last connection was begun, in order"]
    during: Annotated[list[ActionObject], "what was done between the handshake and the close, in order"]
    beside: Annotated[list[int], "numbers of the connections that were open when this one was begun"]


class ConnectionObject(TypedDict):
    """One connection."""

    number: Annotated[int, "1 for the first of the case"]
    outcome: Annotated[Outcome | None, "what became of it, null if the witnesses give no outcome"]
    mechanism: Annotated[Mechanism | None, "how it was resumed, null if it was not"]
    disagreement: Annotated[str | None, "why there is no outcome, with all the evidence; null if there is one"]
    explanation: Annotated[ExplanationObject | None, "why it is as it is, null if nothing is to be explained"]
    circumstances: Annotated[CircumstancesObject | None, "what no witness tells, null if nobody told"]
    views: Annotated[ViewsObject, "the three views"]
    was_offered: Annotated[bool, "whether the wire shows that a session was offered"]
    offered: Annotated[SessionObject | None, "the session that the client was given to offer"]
    alert: Annotated[AlertObject | None, "the first fatal alert, from whichever witness saw it"]
    tickets: Annotated[
        int | None, "NewSessionTicket messages that arrived; null if nobody could count, or counts differ"
    ]
    session: Annotated[SessionObject | None, "the session that a client would offer next (SSL_get1_session)"]
    session_difference: Annotated[
        list[str] | None, "the fields in which `session` is not as `offered`, null if one of both is"
    ]
    sessions: Annotated[int, "how many sessions the client was given"]
    close: Annotated[Close, "how both ends closed"]
    blocked: Annotated[str | None, "why a middlebox between both ends blocked it, null if none did"]
    problem: Annotated[str | None, "why the bytes on the wire could not be read to their end, null if they could"]
    endpoints: Annotated[EndpointsObject, "what both ends told when it was over"]
    messages: Annotated[list[MessageObject], "the messages in the order of the wire"]
    hellos: Annotated[list[HelloObject], "the hellos among the messages; one that is malformed is not here"]
    commands: Annotated[CommandsObject, "the commands that were run"]


class CountersObject(TypedDict):
    """The server's counters (SSL_CTX_sess_number(3)); null where its stack does not tell."""

    items: Annotated[int | None, "sessions in the cache now"]
    connect: Annotated[int | None, "handshakes begun as client"]
    connect_good: Annotated[int | None, "handshakes completed as client"]
    connect_renegotiate: Annotated[int | None, "renegotiations begun as client"]
    accept: Annotated[int | None, "handshakes begun as server"]
    accept_good: Annotated[int | None, "handshakes completed as server"]
    accept_renegotiate: Annotated[int | None, "renegotiations begun as server"]
    hits: Annotated[int | None, "sessions that were resumed"]
    callback_hits: Annotated[int | None, "sessions that came from an external cache"]
    misses: Annotated[int | None, "session ids that were not in the cache"]
    timeouts: Annotated[int | None, "sessions that were found and had expired"]
    overflows: Annotated[int | None, "sessions that were evicted because the cache was full"]
    cache_size: Annotated[int | None, "how many sessions the cache may hold, 0 for no limit"]


class KnobsObject(TypedDict):
    """The knobs that were set, by name, as a user types them; a knob that is absent was left at the stack's default."""

    client: Annotated[Texts, "the client's"]
    server: Annotated[Texts, "the server's"]
    then_client: Annotated[Texts, "what changed at the client before the second connection"]
    then_server: Annotated[Texts, "what changed at the server before the second connection"]


class CaseObject(TypedDict):
    """One case: a first connection and those that followed it."""

    schema: Annotated[int, "1; raised when a key changes its meaning or goes away"]
    client: Annotated[str, "`stack@build` of the client"]
    server: Annotated[str, "`stack@build` of the server"]
    tls: Annotated[Tls, "the protocol version of the case"]
    knobs: Annotated[KnobsObject, "the knobs that were set"]
    connections: Annotated[list[ConnectionObject], "every connection, in order"]
    counters: Annotated[CountersObject | None, "the last server's, null if its stack tells none"]
