"""What the client offered, and how the server looked it up, by both hellos."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.explain.facts.key_name import proven
from harness.explain.facts.negotiated import version_named
from harness.model.connection import HANDLE
from harness.model.tls import Mechanism, TLSVersion

if TYPE_CHECKING:
    from harness.explain.facts.evidence import Evidence
    from harness.model.connection import Connection
    from harness.model.knobs import ServerConfig
    from harness.model.transcript import ClientHello


@dataclass(frozen=True)
class Offer:
    """The offer of one connection."""

    evidence: Evidence

    @cached_property
    def hello(self) -> ClientHello | None:
        """The first ClientHello with an offer; after a HelloRetryRequest the second may have none."""
        hellos = self.evidence.transcript.client_hellos[: 2 if self.evidence.retry else 1]
        return next((hello for hello in hellos if hello.psk_tickets or hello.session_ticket), None) or (
            hellos[0] if hellos else None
        )

    @cached_property
    def by(self) -> Mechanism | None:
        """The mechanism that offered the session; None if no ClientHello could be read."""
        if self.hello is None:
            return None
        if self.hello.psk_tickets:
            return Mechanism.PSK
        return Mechanism.SESSION_TICKET if self.hello.session_ticket else Mechanism.SESSION_ID

    @property
    def identity(self) -> bytes:
        """The ticket, or the session id if no ticket was sent."""
        if self.hello is None:
            return b""
        if self.hello.psk_tickets:
            return self.hello.psk_tickets[0]
        return self.hello.session_ticket or self.hello.session_id

    @property
    def server_config(self) -> ServerConfig | None:
        """The server's knobs in this connection."""
        return self.evidence.now.server if self.evidence.now else None

    # the session, as the client has it, or as the connection that created it showed it

    @cached_property
    def version(self) -> TLSVersion | None:
        """The session's protocol version."""
        known = self._field("version")
        if isinstance(known, TLSVersion) or self.by is None:
            return known if isinstance(known, TLSVersion) else None
        return TLSVersion.TLSv1_3 if self.by is Mechanism.PSK else version_named(self.hello)

    @cached_property
    def cipher(self) -> int | None:
        """The session's cipher suite."""
        known = self._field("cipher")
        if isinstance(known, int):
            return known
        made = self._made_in
        return made.server_hello.cipher_suite if made and made.server_hello else None

    @cached_property
    def extended_master_secret(self) -> bool | None:
        """Whether the session has it (RFC 7627)."""
        known = self._field("extended_master_secret")
        if isinstance(known, bool):
            return known
        made = self._made_in
        if made is None or made.answered is None or made.server_hello is None:
            return None
        return made.answered.extended_master_secret and made.server_hello.extended_master_secret

    def _field(self, name: str) -> object | None:
        return self.evidence.offered.get(name) if self.evidence.offered else None

    @cached_property
    def _made_in(self) -> Evidence | None:
        origin = self.evidence.origin
        return type(self.evidence)(origin.connection, (), None) if origin else None

    @cached_property
    def issued(self) -> bytes | None:
        """The ticket as it was issued, before any edit; empty if there was none, None if unknown."""
        origin = self.evidence.origin
        if origin is None:
            return None
        ticket = origin.session.get("ticket")
        if isinstance(ticket, bytes):
            return ticket
        on_wire = origin.connection.transcript.tickets or ()
        return self.identity if any(each.ticket == self.identity for each in on_wire) else None

    @cached_property
    def issued_id(self) -> bytes | None:
        """The key of the server's cache as it was issued, where the session is offered by such a key; None if unknown.

        It is a session id, or in TLS 1.3 a handle in place of the ticket.
        """
        origin = self.evidence.origin
        if origin is None or self.by is Mechanism.SESSION_TICKET:
            return None
        if self.by is Mechanism.PSK:
            return self.issued if self.issued and len(self.issued) == HANDLE else None
        found = origin.session.get("session_id")
        held = origin.session.get("ticket_length")
        return found if isinstance(found, bytes) and not held else None

    @cached_property
    def used_beside(self) -> tuple[Connection, ...]:
        """The later connections, made at the same time, that resumed the same session in the same server context."""
        now = self.evidence.now
        return tuple(
            one
            for one in self.evidence.offers_beside
            if now and one.setup and one.setup.server_context == now.server_context and one.observed_mechanism
        )

    @cached_property
    def offered_here_before(self) -> tuple[Connection, ...]:
        """The earlier connections that offered the same session to the same server context."""
        now = self.evidence.now
        return tuple(
            one
            for one in self.evidence.offers_before
            if now and one.setup and one.setup.server_context == now.server_context
        )

    @cached_property
    def first_declined_here(self) -> Evidence | None:
        """The evidence about the first of them that did not resume it; after that, the session is not in the cache."""
        declined = (one for one in self.offered_here_before if one.observed_mechanism is None)
        first = next(declined, None)
        return self.evidence.about(first) if first else None

    # what the server did

    @cached_property
    def external_answer(self) -> str | None:
        """What the get callback of the server's external cache returned for it; None if it was not called."""
        calls = self.evidence.connection.server.callback_calls or ()
        return next((call.result for call in calls if call.call == "get" and call.subject == self.identity), None)

    @cached_property
    def new_tickets(self) -> tuple[bytes, ...]:
        """The tickets that the server issued in this connection, or else in another one with the same context."""
        return self._tickets_of(0) or next(filter(None, map(self._tickets_of, range(1, len(self._neighbours)))), ())

    @cached_property
    def _neighbours(self) -> tuple[Evidence, ...]:
        evidence = self.evidence
        now = evidence.now
        others = [
            one
            for one in (*evidence.later, *reversed(evidence.earlier))
            if now and one.setup and one.setup.server_context == now.server_context
        ]
        return tuple(type(evidence)(one, (), None) for one in (evidence.connection, *others))

    def _tickets_of(self, index: int) -> tuple[bytes, ...]:
        one = self._neighbours[index]
        same = index == 0 or (
            one.server_hello is not None
            and self.evidence.server_hello is not None
            and one.server_hello.version is self.evidence.server_hello.version
        )
        return tuple(ticket.ticket for ticket in one.transcript.tickets or ()) if same else ()

    @cached_property
    def looked_up(self) -> bool | None:
        """Whether the server took the offer for a key to its cache, not for a ticket to decrypt; None if unknown.

        Before TLS 1.3 a server that has read a ticket which does not resume announces another one (ServerHello,
        extension 35; ssl_get_prev_session); another library may announce none (RFC 5077, 3.3). In TLS 1.3 it issues
        what it reads (tls_parse_ctos_psk).
        """
        server = self.evidence.server_hello
        calls = self.evidence.connection.server.callback_calls or ()
        if any(call.call == "ticket" and call.subject and self.identity.startswith(call.subject) for call in calls):
            return False
        if self.by is Mechanism.PSK:
            if self.new_tickets:
                return all(len(ticket) == HANDLE for ticket in self.new_tickets)
            config = self.server_config
            return None if config is None else config.tickets is False or single_use(config)
        if self.by is Mechanism.SESSION_TICKET:
            if server is None:
                return None
            now = self.evidence.now
            silent = now is not None and not now.server_library.is_openssl and now.server.tickets is not False
            return server.session_ticket is None and not silent
        return True if self.by else None

    @cached_property
    def key_name(self) -> int:
        """Bytes at the head of this server's tickets that name their key; 0 if none do, or if that is unknown.

        Its library says so, or tickets that agree prove it: two of its own, or the offered one and one of its own.
        """
        library = self.evidence.now.server_library if self.evidence.now else None
        if library is not None and library.key_name is not None:
            return library.key_name
        own = (ticket for place in range(len(self._neighbours)) for ticket in self._tickets_of(place))
        return proven(ticket for ticket in (self.identity, *own) if len(ticket) > HANDLE)

    @property
    def key_names(self) -> tuple[bytes, bytes] | None:
        """The key name of the offered ticket and of those that the server issues; None where one is unknown.

        Where a ticket begins with something else, as with Go's random IV, it says nothing about its key.
        """
        tickets = [ticket for ticket in self.new_tickets if len(ticket) > HANDLE]
        if not tickets or not self.key_name or len(self.identity) < self.key_name:
            return None
        return self.identity[: self.key_name], tickets[0][: self.key_name]


def single_use(config: ServerConfig) -> bool:
    """Whether a server caches its TLS 1.3 sessions and removes each one that is offered (anti-replay)."""
    return bool(config.max_early_data) and config.anti_replay is not False
