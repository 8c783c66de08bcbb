"""A probe of a server as data: what was issued and offered, and the answers to its questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from harness.model.tls import Mechanism, Outcome, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELS = {
    Mechanism.PSK: "TLS 1.3",
    Mechanism.SESSION_TICKET: "TLS 1.2 ticket",
    Mechanism.SESSION_ID: "TLS 1.2 id",
}
"""What people read of a mechanism that is asked for apart from the others."""
VERSIONS = {
    Mechanism.PSK: TLSVersion.TLSv1_3,
    Mechanism.SESSION_TICKET: TLSVersion.TLSv1_2,
    Mechanism.SESSION_ID: TLSVersion.TLSv1_2,
}


class Topic(StrEnum):
    """A question about a server, in the order in which they are asked. The value is its name in JSON."""

    meaning: str
    """What is asked, for the documentation."""

    def __new__(cls, name: str, meaning: str) -> Self:
        """Make a member of the name and what is asked."""
        made = str.__new__(cls, name)
        made._value_ = name
        made.meaning = meaning
        return made

    CONTROL = "control", "Does a full handshake work, and what does it negotiate?"
    RESUMPTION = "resumption", "Does the server resume by this mechanism, and in how many of the shuffled offers?"
    BACK_ENDS = "back_ends", "How many groups of back ends are there, by ticket key and by the pattern of accepts?"
    LIFETIME = "lifetime", "How long does the server say that its tickets last?"
    TICKETS = "tickets", "How many tickets follow a full and a resumed TLS 1.3 handshake?"
    SINGLE_USE = "single_use", "Can a session be resumed more than once?"
    EARLY_DATA = "early_data", "Do the tickets allow early data?"
    EARLY_DATA_SENT = "early_data_sent", "Does the server accept early data, sent as a GET, and what does it answer?"
    REPLAY = "replay", "Does the server accept the same early data a second time?"
    OTHER_NAME = "other_name", "Does a session resume under another server name than its own?"
    BETWEEN = "between", "Does a session of one address resume at another one?"
    HOLDS = "holds", "How long does a session really resume?"
    ROTATION = "rotation", "When does the ticket key change, and is the old one still accepted?"
    CLIENT_CERTIFICATE = "client_certificate", "Does a session of a client with a certificate resume without it?"
    OLDER_SESSION = "older_session", "What becomes of a TLS 1.2 session where TLS 1.3 is spoken?"
    SESSION_FILE = "session_file", "Does a session that another program took resume (`--session-in`)?"
    TICKET_CONTENTS = "ticket_contents", "Can the tickets be forged, or does their encryption repeat itself?"


@dataclass(frozen=True, slots=True)
class Issued:
    """A session that the server issued in a full handshake."""

    number: int
    """The connection that yielded it."""
    identity: bytes
    """Its ticket, or its session id where it has none."""
    lifetime: int | None = None
    """Seconds that its ticket lasts, as the server says; None for a session id."""
    early_data: int = 0
    """Bytes of early data that its ticket allows."""
    secret: bytes = field(default=b"", repr=False)
    """Its TLS 1.2 master secret, or its TLS 1.3 PSK; empty if the client does not export it. It is never written."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A connection that offered a session."""

    number: int
    session: int
    """The place of the session in `Study.sessions`."""
    outcome: Outcome
    tickets: tuple[bytes, ...] = ()
    """The tickets that this connection issued."""
    age: float = 0.0
    """Seconds since the full handshake that gave the session."""

    @property
    def accepted(self) -> bool:
        """Whether the session was resumed."""
        return self.outcome is Outcome.RESUMED


@dataclass(frozen=True, slots=True)
class Study:
    """Everything that was seen of one mechanism: sessions from full handshakes, then shuffled offers of them."""

    mechanism: Mechanism
    sessions: tuple[Issued, ...] = ()
    offers: tuple[Offer, ...] = ()
    full: tuple[int, ...] = ()
    """How many tickets each full handshake yielded."""
    refused: str = ""
    """Why there is no full handshake, empty if there is one."""
    aborts: tuple[str, ...] = ()
    """What ended the connections that an offer aborted, each once."""
    late: int = 0
    """Offers that are left out: their session had reached the lifetime that the server says."""
    at: int = 0
    """When the study ended, seconds since the epoch."""

    @property
    def version(self) -> TLSVersion:
        """The protocol version of the mechanism."""
        return VERSIONS[self.mechanism]

    @property
    def label(self) -> str:
        """What people read of the mechanism."""
        return LABELS[self.mechanism]

    @property
    def accepted(self) -> int:
        """How many offers were accepted."""
        return sum(offer.accepted for offer in self.offers)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question."""

    topic: Topic
    label: str
    """What it is about, such as the mechanism."""
    text: str
    """The answer in one line."""
    flag: str = ""
    """What is wrong, in a few words; empty if nothing is."""
    change: str = ""
    """What would change it, in the settings of the server's software; empty if nothing has to change."""
    evidence: tuple[str, ...] = ()
    """The observations that it rests on, one fact each."""
    holds: Mapping[str, bool | None] = field(default_factory=dict)
    """By expectation: whether it holds as far as this answer goes; None if it could not be judged."""


@dataclass(frozen=True, slots=True)
class EarlyData:
    """What became of a GET that was sent as early data, and of the same flight when it was sent again."""

    request: int
    """Bytes of the GET."""
    outcome: Outcome
    """Of the offer that it was sent with."""
    accepted: bool
    """Whether the server accepted it as early data (RFC 8446, 4.2.10)."""
    number: int
    """The connection that sent it."""
    status: int | None
    """The HTTP status of the answer; None if there was none."""
    again: tuple[bool | None, ...] = ()
    """For each time that the flight was sent again, byte for byte: whether it was accepted; None if unknown."""
    details: tuple[str, ...] = ()
    """What each of them showed."""
    before_finished: bool = False
    """Whether the answer began while the client's Finished was held back, so that the GET was early to the server."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Sessions of one mechanism that one address issued and another one was offered, each of them once."""

    mechanism: Mechanism
    source: str
    destination: str
    sessions: tuple[Issued, ...] = ()
    """What the source issued."""
    offers: tuple[Offer, ...] = ()
    """At the destination."""
    issued: tuple[bytes, ...] = ()
    """Tickets of the destination."""
    refused: str = ""
    """Why there was no full handshake at one of them; empty if there was."""

    @property
    def accepted(self) -> int:
        """How many offers were accepted."""
        return sum(offer.accepted for offer in self.offers)


@dataclass(frozen=True, slots=True)
class Held:
    """An offer of a session that is some time old."""

    age: float
    """Seconds since it was made."""
    key: str
    """The name of its ticket's key, hexadecimal digits; empty if none is proven."""
    outcome: Outcome
    """FULL if the client itself did not offer it, because it had expired."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one round of a long probe saw of one mechanism."""

    at: float
    """Seconds since the epoch."""
    keys: tuple[str, ...]
    """The names of the ticket keys in use, hexadecimal digits; empty if none is proven."""
    offers: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a long probe."""

    number: int
    """1 for the first; a number is left out if the probe did not run when it was due."""
    at: float
    """When it began, seconds since the epoch."""
    looks: Mapping[Mechanism, Look] = field(default_factory=dict)
    error: str = ""
    """Why the server could not be probed; empty if it could."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The result of a probe of one address by one client, or between several addresses."""

    address: str
    """HOST:PORT as the user gave it; between addresses all of them."""
    reached: str
    """The IP address and port that the connections went to."""
    client: str
    """``stack@build`` of the client."""
    software: str
    """The server's software, as given or as its Server header says; empty if unknown."""
    seed: int
    connections: int
    seconds: float
    studies: tuple[Study, ...]
    answers: tuple[Answer, ...]
    notes: tuple[str, ...] = ()
    """What was not done as requested, one sentence each."""
    crossings: tuple[Crossing, ...] = ()
    """Between addresses: from each source to each destination, by each mechanism."""
    rounds: tuple[Round, ...] = ()
    """Of a long probe (``--every``)."""
