"""The calls of the callbacks of a server: what they are about, and those without which it could not have answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.vocabulary import release
from harness.explain.finding import release_of
from harness.model.connection import HANDLE
from harness.model.tls import Role, TLSVersion
from harness.pair.audit.shown import Among, Shown, once

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.pair.audit.shown import Wire

MAKES_NO_TICKET = release("1.0.2l")
"""The first OpenSSL that sends an empty ticket if the callback returns 0 (ssl3_send_newsession_ticket)."""
KEY_NAME = 16
"""Bytes at the head of an OpenSSL ticket that name its key (TLSEXT_KEYNAME_LENGTH)."""


def visible_calls(wire: Wire, role: Role) -> object:
    """The calls whose subject the wire can show.

    A TLS 1.3 ticket that holds its session has no id, and what is not encrypted is not sent, as with a cipher with
    which OpenSSL makes no ticket; application data (put, take) are encrypted in the ticket.
    """
    calls = wire.report(role).callback_calls
    shown = {"get", "wait", "decrypt", "choose", "ticket", "psk"} | ({"new"} if _ids_are_sent(wire) else set())
    if calls is None:
        return None
    made = {"ok", "renew"} if wire.tickets or not _server_aborts(wire) else set()
    seen = [call for call in calls if call.call in shown or (call.call == "encrypt" and call.result in made)]
    return tuple(f"{call.call} {call.subject.hex()}" for call in seen)


def _server_aborts(wire: Wire) -> bool:
    """Whether the server sends an alert in place of what it would have encrypted."""
    return any(alert.sender is Role.SERVER and alert.fatal for alert in wire.transcript.alerts)


def _ids_are_sent(wire: Wire) -> bool:
    """Whether each session that the server makes has an id that it sends: before TLS 1.3, or in a stateful ticket."""
    hello = wire.first
    if hello is None or hello.version is not TLSVersion.TLSv1_3:
        return hello is not None
    return bool(wire.tickets) and wire.ticket_lengths == {HANDLE}


@once
def subjects(wire: Wire, _role: Role) -> Shown | None:
    """What is looked up or decrypted is what the client offers, and what is stored or encrypted what it is given."""
    if not wire.answers and not wire.unanswered:
        return None
    if wire.answers and wire.answers[0].version is TLSVersion.TLSv1_3 and wire.transcript.tickets is None:
        return None
    hellos = wire.transcript.client_hellos
    sent = {hello.session_id for hello in hellos}
    offered = sent.union(*(hello.psk_identities for hello in hellos))
    made = {hello.session_id for hello in wire.answers} | wire.tickets
    allowed = {f"get {each.hex()}" for each in offered} | {f"wait {each.hex()}" for each in sent}
    allowed |= {f"new {each.hex()}" for each in made if isinstance(each, bytes)}
    tickets = offered.union(hello.session_ticket or b"" for hello in hellos)
    allowed |= {f"{call} {each[:KEY_NAME].hex()}" for call in ("decrypt", "ticket") for each in tickets} | {"ticket "}
    allowed |= {f"encrypt {each[:KEY_NAME].hex()}" for each in wire.tickets if isinstance(each, bytes)}
    named = {each for hello in hellos for each in hello.psk_identities} | {wire.transcript.psk_identity or b""}
    allowed |= {f"psk {each.hex()}" for name in named for each in (name, name.partition(b"\0")[0])}  # a string in C
    allowed |= {f"choose {name.encode().hex()}" for name in _names(wire)}
    return Shown(Among(allowed), "other sessions or names", ())


class _Holding:
    """Every tuple that has one of each of these."""

    def __init__(self, needed: Collection[Collection[str]]) -> None:
        self._needed = needed

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, tuple) and all(any(each in reported for each in some) for some in self._needed)


def all_calls(wire: Wire, role: Role) -> object:
    """Every call of its callbacks with its result."""
    calls = wire.report(role).callback_calls
    return None if calls is None else tuple(f"{call.call} {call.subject.hex()} {call.result}" for call in calls)


def _ignores_none(wire: Wire) -> bool:
    """Whether the server takes a callback's 0 for success: s3_srvr.c up to 1.0.2k asks for less than 0 alone."""
    version = release_of(wire.connection, Role.SERVER)
    return version[:1].isdigit() and release(version) < MAKES_NO_TICKET


@once
def needed(wire: Wire, _role: Role) -> Shown | None:
    """The calls without which the server could not have sent what it sent: of its ticket keys, and of an external PSK.

    Another context that it goes over to may have no such callback.
    """
    setup = wire.connection.setup
    if setup is None or not wire.answers or setup.chosen is not None or not setup.server_library.is_openssl:
        return None
    needed: list[list[str]] = []
    if setup.server.ticket_ring is not None and not _goes_over(wire):
        taken = {ticket[:KEY_NAME] for ticket in wire.tickets if isinstance(ticket, bytes) and len(ticket) > HANDLE}
        makes = ("ok", "renew", "none") if _ignores_none(wire) else ("ok", "renew")
        needed += [[f"encrypt {name.hex()} {result}" for result in makes] for name in taken]
        used = _resumed_ticket(wire)
        needed += [[f"decrypt {used[:KEY_NAME].hex()} {result}" for result in ("ok", "renew")]] if used else []
    psk = wire.selected_psk.identity if wire.selected_psk else wire.transcript.psk_identity
    if psk is not None and setup.server.psk_key is not None and not _goes_over(wire):
        names = {psk.hex(), psk.partition(b"\0")[0].hex()}
        needed += [[f"psk {name} {result}" for name in names for result in ("key", "session")]]
    return Shown(_Holding(needed), "what the callbacks of the server made", ())


def _goes_over(wire: Wire) -> bool:
    """Whether the server went over to another context (SSL_set_SSL_CTX)."""
    calls = wire.connection.server.callback_calls or ()
    return any(call.call == "choose" and call.result == "chosen" for call in calls)


def _resumed_ticket(wire: Wire) -> bytes | None:
    """The ticket that the first handshake resumed, if it holds its session."""
    first = wire.handshakes[0]
    if not first.resumed or not first.hellos:
        return None
    tickets = first.hellos[-1].psk_tickets if first.tls13 else (first.hellos[-1].session_ticket or b"",)
    chosen = first.answer.selected_psk or 0 if first.tls13 else 0
    ticket = tickets[chosen] if chosen < len(tickets) else b""
    return ticket if len(ticket) > HANDLE else None


def _names(wire: Wire) -> set[str]:
    """The server names that a server can see: the client's, and before TLS 1.3 that of the session."""
    names = {hello.server_name for hello in wire.transcript.client_hellos}
    offered = wire.connection.offered
    return {str(name) for name in (*names, offered.get("server_name") if offered else None) if name}
