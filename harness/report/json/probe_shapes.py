"""The declaration of the JSON of a probe: each key with its type and meaning."""

# Without `from __future__ import annotations`: msgspec and TypedDict read the annotations at run time.

from typing import Annotated, Literal, TypedDict

from harness.report.json.shapes import Mechanism, Outcome, about

Topic = Literal[
    "control",
    "resumption",
    "back_ends",
    "lifetime",
    "tickets",
    "single_use",
    "early_data",
    "early_data_sent",
    "replay",
    "other_name",
    "between",
    "holds",
    "rotation",
    "client_certificate",
    "older_session",
    "session_file",
    "ticket_contents",
]
"""The names of harness.model.probe.Topic."""


class IssuedObject(TypedDict):
    """A session that the server issued in a full handshake. Neither its ticket nor its secret is written."""

    number: Annotated[int, about("the connection that yielded it")]
    length: Annotated[int, about("bytes of its ticket, or of its session id where it has none")]
    key: Annotated[str | None, about("the name of its ticket's key, lower-case hex, null if none is proven")]
    lifetime: Annotated[int | None, about("how long its ticket lasts, as the server says; null for a session id")]
    early_data: Annotated[int, about("bytes of early data that its ticket allows")]


class OfferObject(TypedDict):
    """A connection that offered a session."""

    number: Annotated[int, about("the connection's number")]
    session: Annotated[int, about("the place of the session in `sessions`, from 0 on")]
    outcome: Annotated[Outcome, about("what became of it")]
    tickets: Annotated[int, about("tickets that this connection issued")]


class StudyObject(TypedDict):
    """Everything that was seen of one mechanism."""

    mechanism: Annotated[Mechanism, about("the mechanism")]
    refused: Annotated[str | None, about("why there was no full handshake, null if there was one")]
    accepted: Annotated[int, about("how many offers were accepted")]
    rate: Annotated[list[float] | None, about("the share of accepted offers, then Wilson's interval for 95 %")]
    sessions: Annotated[list[IssuedObject], about("the sessions that were offered, in the order of their connections")]
    offers: Annotated[list[OfferObject], about("the offers, in their order")]


class AnswerObject(TypedDict):
    """The answer to one question."""

    topic: Annotated[Topic, about("the question")]
    label: Annotated[str, about("what it is about, such as `TLS 1.2 ticket`")]
    text: Annotated[str, about("the answer in one line")]
    flag: Annotated[str | None, about("what is wrong, in a few words; null if nothing is")]
    change: Annotated[str | None, about("what would change it, null if nothing has to change")]
    evidence: Annotated[list[str], about("the observations that it rests on")]
    holds: Annotated[
        dict[str, bool | None], about("by expectation of `--expect`, whether it holds; null if it could not be judged")
    ]


class CrossingObject(TypedDict):
    """Sessions of one address that another one was offered."""

    mechanism: Annotated[Mechanism, about("the mechanism")]
    source: Annotated[str, about("HOST:PORT that issued them")]
    destination: Annotated[str, about("HOST:PORT that was offered them")]
    refused: Annotated[str | None, about("why there was no full handshake, null if there was one")]
    accepted: Annotated[int, about("how many offers were accepted")]
    offers: Annotated[int, about("how many there were")]


class HeldObject(TypedDict):
    """An offer of a session that is some time old."""

    mechanism: Annotated[Mechanism, about("the mechanism")]
    age: Annotated[float, about("seconds since it was made")]
    key: Annotated[str | None, about("the name of its ticket's key, null if none is proven")]
    outcome: Annotated[Outcome, about("what became of it; `full` if it had expired at the client")]


class RoundObject(TypedDict):
    """One round of `--every`."""

    number: Annotated[int, about("from 1 on; a round that nobody made is left out")]
    at: Annotated[float, about("when it began, seconds since the epoch")]
    error: Annotated[str | None, about("why the server could not be probed, null if it could")]
    keys: Annotated[
        dict[Mechanism, list[str]], about("by mechanism: the names of the ticket keys in use, `` if unknown")
    ]
    offers: Annotated[list[HeldObject], about("the sessions that were offered")]


class ProbeObject(TypedDict):
    """The probe of one address."""

    address: Annotated[str, about("HOST:PORT as it was given")]
    reached: Annotated[str, about("the IP address and port that was connected to")]
    client: Annotated[str, about("`stack@build` of the client")]
    software: Annotated[str | None, about("the server's software, null if unknown")]
    witnesses: Annotated[list[Literal["client", "wire"]], about("who saw the connections: the server is not a witness")]
    seed: Annotated[int, about("what `--seed` repeats")]
    connections: Annotated[int, about("how many were made")]
    seconds: Annotated[float, about("how long it took")]
    studies: Annotated[list[StudyObject], about("one for each mechanism")]
    answers: Annotated[list[AnswerObject], about("in the order of the questions")]
    notes: Annotated[list[str], about("what was not done as requested")]
    crossings: Annotated[list[CrossingObject], about("with `--from` and `--to`: one for each way and mechanism")]
    rounds: Annotated[list[RoundObject], about("with `--every`: one for each round")]
    unmet: Annotated[list[str], about("one sentence for each expectation that does not hold")]


class ProbesObject(TypedDict):
    """What `resumption probe --json` prints."""

    schema: Annotated[int, about("1; raised when a key changes its meaning or is removed")]
    probes: Annotated[list[ProbeObject], about("one for each address, in their order")]
