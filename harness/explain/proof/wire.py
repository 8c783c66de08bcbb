"""What a line of evidence may say of the wire, read again from the messages."""

from __future__ import annotations

from hashlib import new
from typing import TYPE_CHECKING

from harness.explain.facts.negotiated import alpn_on_wire, answer_of, asked_of
from harness.explain.finding import hash_of, suite_name
from harness.explain.proof.statement import Statement
from harness.model.tls import Role, TLSVersion
from harness.model.transcript import EARLY_DATA, EXTENDED_MASTER_SECRET, PRE_SHARED_KEY
from harness.wire.names import GROUPS, PSK_MODES, list_of
from harness.wire.session.certificate import host_names

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from harness.explain.proof.statement import Scope
    from harness.model.connection import Connection
    from harness.model.transcript import ClientHello, ServerHello

EXTENSIONS = {
    "early_data": EARLY_DATA,
    "extended_master_secret": EXTENDED_MASTER_SECRET,
    "pre_shared_key": PRE_SHARED_KEY,
}
MAX_FRAGMENT_LENGTH = 1
SUPPORTED_GROUPS = 10
SIGNALS = {0x00FF, 0x5600}
CERTIFICATES = {"Certificate", "CompressedCertificate"}


def _alerts(connection: Connection) -> Iterator[tuple[str, str]]:
    """Each alert with its place: after the last message before the first alert of its sender."""
    seen: dict[Role, str] = {}
    alerts = iter(connection.transcript.alerts)
    before = "before any message"
    for message in connection.transcript.messages:
        if message.type == "Alert":
            seen.setdefault(message.sender, before)
            yield str(next(alerts)), seen[message.sender]
        before = f"after the {message.sender}'s {message.type}"


def _alert_at(scope: Scope, found: re.Match[str]) -> bool:
    return (found[1], found[2]) in _alerts(scope.connection)


def _alert_in(scope: Scope, found: re.Match[str]) -> bool:
    return any(found[1] == alert for alert, _ in _alerts(scope.number(found[2])))


def _identities(scope: Scope) -> set[bytes]:
    """What the client sent as a ticket or an identity, or as an id where it sent none."""
    tickets = {sent for hello in scope.hellos for sent in (*hello.psk_tickets, hello.session_ticket) if sent}
    return tickets or {hello.session_id for hello in scope.hellos}


def _begins(ticket: bytes, shown: str) -> bool:
    """Whether a ticket begins with a key name, as it is shown: how long it is, its library says."""
    return ticket.hex().startswith(shown.removesuffix("…"))


def _offered_key(scope: Scope, found: re.Match[str]) -> bool:
    return any(len(sent) == int(found[1]) and _begins(sent, found[2]) for sent in _identities(scope))


def _issued_here(scope: Scope) -> set[bytes]:
    """The tickets that the connection's server issued, in this or another connection."""
    now = scope.connection.setup
    same = [one for one in scope.connections if now and one.setup and one.setup.server_context == now.server_context]
    return {ticket.ticket for one in (scope.connection, *same) for ticket in one.transcript.tickets or ()}


def _issued_key(scope: Scope, found: re.Match[str]) -> bool:
    return any(_begins(ticket, found[1]) for ticket in _issued_here(scope))


def _intact(scope: Scope, found: re.Match[str]) -> bool:
    held = {session.get("ticket") for session in scope.sessions}
    held |= {ticket.ticket for one in scope.connections for ticket in one.transcript.tickets or ()}
    return _issued_key(scope, found) and any(sent in held and _begins(sent, found[1]) for sent in _identities(scope))


def _differs(scope: Scope, found: re.Match[str]) -> bool:
    issued = scope.evidence.origin.session.get("ticket") if scope.evidence.origin else None
    place = int(found[2])
    return isinstance(issued, bytes) and any(
        len(sent) == int(found[1])
        and sent[:place] == issued[:place]
        and sent[place : place + 1] != issued[place : place + 1]
        for sent in _identities(scope)
    )


def _differing_id(scope: Scope, found: re.Match[str]) -> bool:
    origin, place = scope.evidence.origin, int(found[2])
    held = [origin.session.get(name) for name in ("session_id", "ticket")] if origin else []
    return any(
        len(sent) == int(found[1]) and sent[:place] == issued[:place] and sent[place:] != issued[place:]
        for sent in _identities(scope)
        for issued in held
        if isinstance(issued, bytes)
    )


def _names(scope: Scope, found: re.Match[str]) -> bool:
    chain = scope.connection.transcript.certificates.get(Role.SERVER)
    return bool(chain) and ", ".join((chain and host_names(chain[0])) or ("none",)) == found[1]


def _name(scope: Scope, found: re.Match[str]) -> bool:
    hello = asked_of(scope.number(found[1]))
    return hello is not None and (hello.server_name or "") == (found[2] or "")


def _answer(scope: Scope, number: str | None = None) -> ServerHello:
    answer = answer_of(scope.number(number))
    if answer is None:
        raise LookupError(number)
    return answer


def _versions(scope: Scope, found: re.Match[str]) -> bool:
    hello = scope.hellos[0]
    offered = hello.supported_versions or (hello.legacy_version,)
    known = sorted(version.label for version in TLSVersion if version.wire in offered)
    return found[1] == (" and ".join(known) or "no known version")


def _suites(scope: Scope, found: re.Match[str]) -> bool:
    named = found[1].split(", ")
    return any(set(named) <= {suite_name(suite) for suite in hello.cipher_suites} for hello in scope.hellos) and all(
        suite_name(signal) not in named for signal in SIGNALS
    )


def _groups(scope: Scope, found: re.Match[str]) -> bool:
    body = scope.hellos[0].extensions.get(SUPPORTED_GROUPS, b"")
    numbers = [int.from_bytes(body[i : i + 2]) for i in range(2, len(body), 2)]
    return found[1] == list_of(GROUPS, tuple(numbers))


def _suite(answer: ServerHello | None, found: re.Match[str]) -> bool:
    if answer is None:
        return False
    hashed = found[2] is None or found[2] == (hash_of(answer.cipher_suite) or "hash unknown") or found[2] == "unknown"
    return suite_name(answer.cipher_suite) == found[1] and hashed


def _no_close_notify(scope: Scope, found: re.Match[str]) -> bool:
    connection = scope.number(found[1])
    notified = any(a.number == 0 and a.sender is Role.CLIENT for a in connection.transcript.alerts)
    return not notified and connection.close == found[2]


def _lifetime(scope: Scope, found: re.Match[str]) -> bool:
    tickets = scope.number(found[2]).transcript.tickets or ()
    held = {session.get("ticket") for session in scope.sessions} - {None}
    offered = [ticket for ticket in tickets if ticket.ticket in held] or tickets
    return any(ticket.lifetime == int(found[1]) for ticket in offered)


def _claimed_age(scope: Scope, found: re.Match[str]) -> bool:
    ages = [age for hello in scope.hellos for age in hello.psk_ages[:1]]
    added = [add for session in scope.sessions if isinstance(add := session.get("age_add"), int)]
    return any(f"{(age - add) % 2**32 / 1000:g}" == found[1] for age in ages for add in added)


def _no_early_data(scope: Scope, _found: re.Match[str]) -> bool:
    tickets = scope.connection.transcript.tickets
    return bool(tickets) and not any(ticket.max_early_data for ticket in tickets or ())


def _other_hash(scope: Scope, found: re.Match[str]) -> bool:
    connection = scope.number(found[1])
    cipher = connection.offered.get("cipher") if connection.offered else None
    return isinstance(cipher, int) and (hash_of(cipher), hash_of(_answer(scope, found[1]).cipher_suite)) == (
        found[2],
        found[3],
    )


def _asked_for_ticket(scope: Scope, found: re.Match[str]) -> bool:
    connection = scope.number(found[1])
    hello = asked_of(connection)
    asks = hello is not None and hello.session_ticket is not None
    return asks is (found[2] == "requests a") and not any(t.ticket for t in connection.transcript.tickets or ())


def _lacks(scope: Scope, found: re.Match[str]) -> bool:
    hello = scope.hellos[0]
    return not (hello.psk_tickets or hello.session_ticket or (found[1] and hello.session_id))


def _not_announced(scope: Scope, found: re.Match[str]) -> bool:
    lengths = {len(hello.session_ticket or b"") for hello in scope.hellos}
    return int(found[1] or 0) in lengths and _answer(scope).session_ticket is None


def _fragment(scope: Scope, found: re.Match[str]) -> bool:
    body = scope.hellos[0].extensions.get(MAX_FRAGMENT_LENGTH, b"")
    return found[1] == (str(body[0]) if body and body[0] else "absent")


def _offered_by(scope: Scope, found: re.Match[str]) -> bool:
    hello = next((one for one in scope.hellos if one.psk_tickets or one.session_ticket), None)
    kind = "psk" if hello and hello.psk_tickets else "session ticket" if hello else "session id"
    if not scope.hellos:
        return found[1] == "an unreadable ClientHello"
    return kind == found[1] and any(len(sent) == int(found[2]) for sent in _identities(scope))


def _alpn(scope: Scope, found: re.Match[str]) -> bool:
    chosen = alpn_on_wire(scope.number(found[2]))
    return chosen is not None and (chosen or "none") == found[1]


def _length(scope: Scope, found: re.Match[str]) -> bool:
    return any(m.type == "NewSessionTicket" and m.length == int(found[1]) for m in scope.connection.transcript.messages)


def _psk(scope: Scope, found: re.Match[str]) -> bool:
    """An external PSK of the last ClientHello, and the hash of its binder."""
    sizes = _binder_sizes(scope.hellos[-1], found[1])
    return bool(sizes) and (found[2] is None or new(found[2]).digest_size in sizes)


def _binder_sizes(hello: ClientHello, name: str) -> set[int]:
    """The bytes of the binders of the external PSK that has this name; empty if the hello has none."""
    return {
        len(hello.psk_binders[hello.psk_identities.index(psk.identity)])
        for psk in hello.external_psks
        if repr(psk.identity.decode(errors="backslashreplace")) == name
    }


def _psk_hash(scope: Scope, found: re.Match[str]) -> bool:
    """The hash of the binder of an external PSK of another connection, and that of the suite which its server chose."""
    sizes = _binder_sizes(scope.number(found[2]).transcript.client_hellos[-1], found[1])
    return new(found[3]).digest_size in sizes and hash_of(_answer(scope, found[2]).cipher_suite) == found[4]


def _holders(scope: Scope, found: re.Match[str]) -> bool:
    said = {role for role in Role if f"the {role}'s" in found[1]}
    return any(psk.holders == said for psk in scope.hellos[-1].external_psks)


def _named(scope: Scope, found: re.Match[str]) -> bool:
    identity = scope.connection.transcript.psk_identity
    return identity is not None and repr(identity.decode(errors="backslashreplace")) == found[1]


STATEMENTS = tuple(
    Statement("wire", pattern, holds)
    for pattern, holds in (
        (r"alert (.+), (before any message|after the \w+'s .+)", _alert_at),
        (r"(.+ \(\d+\) sent by the \w+) in connection (\d+)", _alert_in),
        (
            r"the ClientHello has the (early_data) extension",
            lambda scope, found: any(EXTENSIONS[found[1]] in hello.extensions for hello in scope.hellos),
        ),
        (
            r"the ClientHello has no (pre_shared_key|extended_master_secret)",
            lambda scope, found: EXTENSIONS[found[1]] not in scope.hellos[-1].extensions,
        ),
        (r"its ClientHello has no pre_shared_key, no session ticket(, no session id)?", _lacks),
        (r"the offered ticket of (\d+) bytes begins with (?:the key name )?(\S+)", _offered_key),
        (r"the tickets that this server issues begin with (\S+)", _issued_key),
        (r"the ticket is intact, and its key name is one of this server's, (\S+)", _intact),
        (r"a ticket of (\d+) bytes was offered, which differs from byte (\d+) on", _differs),
        (r"a session id of (\d+) bytes was offered, which differs from byte (\d+) on", _differing_id),
        (r"the server's certificate has the names (.+)", _names),
        (
            r"the session id of the ServerHello is not that of the ClientHello",
            lambda scope, _found: _answer(scope).session_id not in {hello.session_id for hello in scope.hellos},
        ),
        (
            r"the ServerHello of connection (\d+) chooses (\S+)",
            lambda scope, found: suite_name(_answer(scope, found[1]).cipher_suite) == found[2],
        ),
        (
            r"the offered ticket has (\d+) bytes, a handle has 32",
            lambda scope, found: any(len(sent) == int(found[1]) for sent in _identities(scope)),
        ),
        (
            r"(\d+) NewSessionTicket messages in connection (\d+)",
            lambda scope, found: len(scope.number(found[2]).transcript.tickets or ()) == int(found[1]),
        ),
        (
            r"(\d+) records of connection (\d+) stay sealed",
            lambda scope, found: sum(scope.number(found[2]).transcript.sealed.values()) == int(found[1]),
        ),
        (r"the NewSessionTicket has (\d+) bytes", _length),
        (
            r"the ClientHello has (\d+) bytes, (\d+) of them its ticket",
            lambda scope, found: (
                (scope.hellos[-1].length, len(scope.hellos[-1].session_ticket or b"")) == (int(found[1]), int(found[2]))
            ),
        ),
        (
            r"the client's certificate has (\d+) bytes",
            lambda scope, found: len(scope.connection.transcript.certificates[Role.CLIENT][0]) == int(found[1]),
        ),
        (
            r"the server sent no NewSessionTicket after the client's Finished",
            lambda scope, _found: (
                scope.connection.transcript.finished(Role.CLIENT)
                and "NewSessionTicket" not in scope.connection.transcript.types(Role.SERVER)
            ),
        ),
        (r"the server gave the ticket a lifetime of (\d+) seconds in connection (\d+)", _lifetime),
        (r"the ClientHello of connection (\d+) has (?:server name (.+)|no server name)", _name),
        (
            r"the ServerHello negotiates (\S+)",
            lambda scope, found: getattr(_answer(scope).version, "label", None) == found[1],
        ),
        (r"the ClientHello offers (D?TLSv1(?:\.\d)?(?: and D?TLSv1(?:\.\d)?)*|no known version)", _versions),
        (r"the ClientHello offers (TLS_\S+(?:, TLS_\S+)*)", _suites),
        (r"the ClientHello offers no other known suite", lambda scope, _found: bool(scope.hellos)),
        (r"the ClientHello offers the groups (.+)", _groups),
        (
            r"the ClientHello offers the ALPN protocols (.+)",
            lambda scope, found: ", ".join(scope.hellos[0].alpn) == found[1],
        ),
        (
            r"no Certificate was sent; the certificate and its verification result come from the session",
            lambda scope, _found: not CERTIFICATES & set(scope.connection.transcript.types()),
        ),
        (
            r"no CertificateRequest was sent: a resumption has none \(RFC 8446, 4.3.2\)",
            lambda scope, _found: "CertificateRequest" not in scope.connection.transcript.types(),
        ),
        (r"the server chose (.+?)(?: in connection (\d+))?", _alpn),
        (r"the ServerHello chooses (\S+)(?: \((.+)\))?", lambda scope, found: _suite(_answer(scope), found)),
        (
            r"the HelloRetryRequest chooses (\S+)(?: \((.+)\))?",
            lambda scope, found: _suite(scope.evidence.retry, found),
        ),
        (r"max_fragment_length (\d+|absent)", _fragment),
        (
            r"the session id in the ServerHello of connection (\d+) is empty",
            lambda scope, found: not _answer(scope, found[1]).session_id,
        ),
        (
            r"the ClientHello of connection (\d+) (requests a|has no) .+, and the server sent no ticket",
            _asked_for_ticket,
        ),
        (r"the client sent no close_notify in connection (\d+) \(close mode (\S+)\)", _no_close_notify),
        (r"a HelloRetryRequest came before the ServerHello", lambda scope, _found: scope.evidence.retry is not None),
        (r"no HelloRetryRequest was sent", lambda scope, _found: scope.evidence.retry is None),
        (r"obfuscated_ticket_age minus the session's age_add is (\S+) seconds", _claimed_age),
        (
            r"the ClientHello and the ServerHello have extended_master_secret",
            lambda scope, _found: scope.hellos[-1].extended_master_secret and _answer(scope).extended_master_secret,
        ),
        (
            r"the first ClientHello has pre_shared_key, the second does not",
            lambda scope, _found: [bool(hello.psk_tickets) for hello in scope.hellos] == [True, False],
        ),
        (
            r"the second ClientHello offers other identities than the first",
            lambda scope, _found: (
                bool(scope.hellos[1].psk_tickets)
                and not {*scope.hellos[0].psk_tickets} & {*scope.hellos[1].psk_tickets}
            ),
        ),
        (r"the tickets that it sent in this connection do not allow early data", _no_early_data),
        (r"connection (\d+) offered a session for (\w+), and its ServerHello chooses a suite with (\w+)", _other_hash),
        (r"the external PSK ('.*') of connection (\d+) has (\w+), and its ServerHello (\w+)", _psk_hash),
        (
            r"the ClientHello has (?:a ticket of (\d+) bytes|no ticket), and the ServerHello does not announce .+",
            _not_announced,
        ),
        (r"no ClientHello was sent", lambda scope, _found: not scope.connection.transcript.client_hellos),
        (r"offered by (psk|session ticket|session id|an unreadable ClientHello), (\d+) bytes", _offered_by),
        (
            r"psk_key_exchange_modes in the ClientHello is (.+)",
            lambda scope, found: any(
                (list_of(PSK_MODES, hello.psk_modes) or "absent") == found[1] for hello in scope.hellos
            ),
        ),
        (
            r"the ServerHello echoes the session id of the ClientHello",
            lambda scope, _found: (
                bool(scope.hellos[0].session_id) and scope.hellos[0].session_id == _answer(scope).session_id
            ),
        ),
        (r"the ClientHello offers the external PSK ('.*')(?: with (\w+))?", _psk),
        (r"its binder verifies with (.+) key(?:, and not with the \w+'s)?", _holders),
        (r"the ClientKeyExchange names the identity ('.*')", _named),
        (r"(.+)", lambda scope, found: found[1] in scope.connection.wire.evidence),
    )
)
"""Each sentence; the last is a line of the wire's own view."""
