"""The messages of one connection, or of two side by side, with the fields that matter for resumption."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.model.tls import TLSVersion
from harness.report.alignment import aligned
from harness.report.recognition import Recognition, abbreviated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model.connection import Connection
    from harness.model.transcript import ClientHello, Message, NewSessionTicket, ServerHello

    Parts = tuple[str, ...]

SAME = frozenset(
    {"version", "supported_versions", "psk_key_exchange_modes", "key_share", "server_name", "alpn", "early_data"}
    | {"request_update", "malformed"}
)
"""Fields that are shown as the wire's reader reports them (harness.wire.summary)."""
HANDSHAKE_WEIGHT = 4
"""How many application data messages weigh as much as one of the handshake."""
ORDER = (
    "version",
    "cipher_suite",
    "session_id",
    "session_ticket",
    "extended_master_secret",
    "supported_versions",
    "pre_shared_key",
    "psk_key_exchange_modes",
    "key_share",
    "early_data",
    "server_name",
    "alpn",
)
"""The fields of hellos."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: the text beside its name, and its fields, each in parts that stay on one line."""

    message: Message
    beside: str
    fields: Mapping[str, Parts] = field(default_factory=dict)


Row = tuple[Entry | None, Entry | None]


def timeline(connection: Connection, before: Connection | None = None) -> list[Row]:
    """One row per message: that of ``before``, which yielded the offered session, and that of ``connection``.

    A message that only one of them has is alone in its row. Does not mark a connection as asserted.
    """
    right = list(_Reader(Recognition(connection, before=before)).entries())
    left = list(_Reader(Recognition(before, after=connection)).entries()) if before else []
    return aligned(left, right, _kind, _weight)


def _kind(entry: Entry) -> tuple[str, ...]:
    """What makes two messages the same kind; a close_notify does not match a fatal alert."""
    alert = entry.beside if entry.message.type == "Alert" else ""
    return entry.message.sender, entry.message.type, alert


def _weight(entry: Entry) -> int:
    """How much pairing this message counts: the order of application data and tickets is random."""
    return 1 if entry.message.type == "ApplicationData" else HANDSHAKE_WEIGHT


class _Reader:
    """Combines the messages of a connection with its hellos and tickets, each used once."""

    def __init__(self, recognition: Recognition) -> None:
        self._recognition = recognition
        transcript = recognition.connection.transcript
        self._messages = transcript.messages
        self._client_hellos = iter(transcript.client_hellos)
        self._server_hellos = iter(transcript.server_hellos)
        self._tickets = iter(transcript.tickets or ())
        self._asked: ClientHello | None = None
        """The last ClientHello."""
        self._tls13 = any(hello.version is TLSVersion.TLSv1_3 for hello in transcript.server_hellos)

    def entries(self) -> Iterator[Entry]:
        read = {
            "ClientHello": self._client_hello,
            "ServerHello": self._server_hello,
            "HelloRetryRequest": self._server_hello,
            "NewSessionTicket": self._ticket,
            "EncryptedExtensions": self._encrypted_extensions,
        }
        for message in self._messages:
            if message.type == "Alert":
                fatal = "fatal " if message.fields.get("level") == "fatal" else ""
                yield Entry(message, f"{fatal}{message.fields.get('alert', '')}")
            elif "malformed" in message.fields or message.type not in read:
                yield Entry(message, f"({message.length})", self._reported(message))
            else:
                yield Entry(message, f"({message.length})", read[message.type](message))

    @staticmethod
    def _reported(message: Message) -> dict[str, Parts]:
        return {name: (text,) for name, text in message.fields.items() if name in SAME}

    def _ordered(self, message: Message, own: Mapping[str, Parts]) -> dict[str, Parts]:
        """All fields of a hello, in the same order for both senders."""
        found = {**self._reported(message), **own}
        return dict(sorted(found.items(), key=lambda item: ORDER.index(item[0].partition(" ")[0])))

    def _client_hello(self, message: Message) -> dict[str, Parts]:
        hello = next(self._client_hellos, None)
        self._asked = hello
        own = self._shared(message)
        if hello is None:
            return self._ordered(message, own)
        own["session_id"] = _parts(abbreviated(hello.session_id), self._recognition.id_offered(hello.session_id))
        if hello.session_ticket:
            known = self._recognition.ticket_offered(hello.session_ticket)
            own["session_ticket"] = _parts(abbreviated(hello.session_ticket), known)
        return self._ordered(message, {**own, **self._identities(hello)})

    def _identities(self, hello: ClientHello) -> dict[str, Parts]:
        found = {}
        for index, identity in enumerate(hello.psk_identities):
            name = "pre_shared_key" if len(hello.psk_identities) == 1 else f"pre_shared_key {index}"
            bound = index < len(hello.psk_binders)
            binder = f"binder ({len(hello.psk_binders[index])})" if bound else "no binder"
            known = self._recognition.ticket_offered(identity)
            age = self._recognition.age(identity, hello.psk_ages[index])
            found[name] = _parts(abbreviated(identity), known, age, binder)
        return found

    def _server_hello(self, message: Message) -> dict[str, Parts]:
        hello: ServerHello | None = next(self._server_hellos, None)
        own = self._shared(message)
        if "cipher_suite" in message.fields:
            own["cipher_suite"] = (message.fields["cipher_suite"].partition(" (")[0],)
        if hello is None:
            return self._ordered(message, own)
        known = self._recognition.id_answered(hello.session_id, self._asked)
        own["session_id"] = _parts(abbreviated(hello.session_id), known)
        if hello.selected_psk is not None:
            own["pre_shared_key"] = (f"identity {hello.selected_psk} is accepted",)
        elif self._asked and self._asked.psk_identities and not hello.hello_retry_request:
            own["pre_shared_key"] = ("absent", "none accepted")
        return self._ordered(message, own)

    def _shared(self, message: Message) -> dict[str, Parts]:
        """The fields of both hellos; TLS 1.3 always has an extended master secret (RFC 7627, 1)."""
        names = ("session_id", "session_ticket") + (() if self._tls13 else ("extended_master_secret",))
        return {name: (message.fields[name],) for name in names if name in message.fields}

    def _ticket(self, message: Message) -> dict[str, Parts]:
        ticket: NewSessionTicket | None = next(self._tickets, None)
        values = message.fields
        own: dict[str, Parts] = {"ticket": (values["ticket"],)} if "ticket" in values else {}
        if ticket is not None:
            own["ticket"] = _parts(abbreviated(ticket.ticket), self._recognition.ticket_received(ticket.ticket))
        own |= {"lifetime": (values["lifetime"],)} if "lifetime" in values else {}
        if ticket is not None and ticket.max_early_data:
            own["max_early_data"] = (f"{ticket.max_early_data} bytes",)
        return own

    def _encrypted_extensions(self, message: Message) -> dict[str, Parts]:
        refused = self._asked and self._asked.early_data and "early_data" not in message.fields
        return {**self._reported(message), **({"early_data": ("absent", "refused")} if refused else {})}


def _parts(*parts: str) -> tuple[str, ...]:
    """The parts that are not empty."""
    return tuple(filter(None, parts))
