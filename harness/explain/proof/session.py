"""What a line of evidence may say of a session, read again from its fields, and from the wire where it shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.facts.negotiated import answer_of, holds, version_named, version_of
from harness.explain.facts.origin import origin_of
from harness.explain.finding import hash_of, suite_name
from harness.explain.no_session import describe, usable
from harness.explain.proof.statement import Statement
from harness.model.errors import SessionFormatError
from harness.model.tls import Outcome, TLSVersion
from harness.wire.session.certificate import host_names
from harness.wire.session.codec import decode

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from harness.explain.proof.statement import Scope
    from harness.model.session import Session


def _field(name: str, read: Callable[[re.Match[str]], object]) -> Callable[[Scope, re.Match[str]], bool]:
    """Whether a session has this value in a field."""
    return lambda scope, found: any(session.get(name) == read(found) for session in scope.sessions)


def _text(found: re.Match[str]) -> str:
    return "" if found[1] == "empty" else found[1]


def _version(scope: Scope, found: re.Match[str]) -> bool:
    known = [version for session in scope.sessions if isinstance(version := session.get("version"), TLSVersion)]
    origin = scope.evidence.origin
    version = known[0] if known else version_of(origin.connection) if origin else _by_offer(scope)
    return found[1] == (version.label if version else "unknown")


def _by_offer(scope: Scope) -> TLSVersion | None:
    """The version of a session of unknown origin: only TLS 1.3 has identities."""
    if not scope.connection.was_offered:
        return None
    psk = any(hello.psk_tickets for hello in scope.hellos)
    return TLSVersion.TLSv1_3 if psk else version_named(next(iter(scope.hellos), None))


def _ciphers(scope: Scope) -> set[int]:
    """The session's cipher suite by its fields, by the ServerHello of its origin where they do not show it."""
    known = {cipher for session in scope.sessions if isinstance(cipher := session.get("cipher"), int)}
    answer = answer_of(scope.evidence.origin.connection) if scope.evidence.origin else None
    return known or ({answer.cipher_suite} if answer else set())


def _cipher(scope: Scope, found: re.Match[str]) -> bool:
    named = {(suite_name(cipher), hash_of(cipher) or "hash unknown") for cipher in _ciphers(scope)}
    return (found[1], found[2]) in (named or {(suite_name(None), "hash unknown")})


def _cipher_and_version(scope: Scope, found: re.Match[str]) -> bool:
    return found[1] in ({suite_name(cipher) for cipher in _ciphers(scope)} or {suite_name(None)})


def _yielded(scope: Scope, found: re.Match[str]) -> bool:
    connection = scope.number(found[1])
    session = usable(connection)
    label, version = (found[2] or "").removeprefix("for ").strip(), version_of(connection)
    resumed = connection.observed_outcome() is Outcome.RESUMED
    return (
        session is not None
        and describe(session) == found[3]
        and label == (version.label if version else "")
        and resumed is bool(found[4])
    )


def _extended_master_secret(scope: Scope, found: re.Match[str]) -> bool:
    known = {flag for session in scope.sessions if isinstance(flag := session.get("extended_master_secret"), bool)}
    origin = scope.evidence.origin
    if not known and origin is not None:
        made = type(scope.evidence)(origin.connection, (), None)
        hello, answer = made.answered, made.server_hello
        known = {hello.extended_master_secret and answer.extended_master_secret} if hello and answer else set()
    return (found[1] == "unknown" and not known) or found[1] in {str(flag).lower() for flag in known}


def _lifetime(scope: Scope, found: re.Match[str]) -> bool:
    held = scope.connection.offered
    return held is not None and held.get("lifetime_hint") == int(found[1])


def _edits(scope: Scope, found: re.Match[str]) -> bool:
    origin = origin_of(scope.connection.offered, scope.evidence.earlier)
    return origin is not None and ", ".join(origin.edits) == found[1]


def _kex_group(scope: Scope, _found: re.Match[str]) -> bool:
    der = scope.connection.offered.der if scope.connection.offered else None
    return der is not None and bool(decode(der).known.get("kex_group"))


def _not_a_session(scope: Scope, found: re.Match[str]) -> bool:
    der = scope.connection.offered.der if scope.connection.offered else None
    try:
        return der is not None and decode(der) is None
    except SessionFormatError as error:
        return str(error) == found[1]


def _issued(scope: Scope, found: re.Match[str]) -> bool:
    length = int(found[1])
    on_wire = [ticket for one in scope.evidence.earlier for ticket in one.transcript.tickets or ()]
    return any(len(ticket.ticket) == length for ticket in on_wire) or _field("ticket_length", lambda _: length)(
        scope, found
    )


def _issued_id(scope: Scope, found: re.Match[str]) -> bool:
    """An id, or in TLS 1.3 the handle that a ticket is."""
    origin = scope.evidence.origin
    held = [origin.session.get(name) for name in ("session_id", "ticket")] if origin else []
    return any(isinstance(each, bytes) and len(each) == int(found[1]) for each in held)


def _comes_from(scope: Scope, found: re.Match[str]) -> bool:
    origin = scope.evidence.origin
    return found[1] == (f"connection {origin.connection.number}" if origin else "an unknown connection")


def _names(session: Session) -> str:
    held = session.get("peer_certificate")
    return ", ".join((host_names(held) if isinstance(held, bytes) else None) or ("none",))


STATEMENTS = tuple(
    Statement("session", pattern, true)
    for pattern, true in (
        (r"edited since it was issued \((.+)\)", _edits),
        (r"version (\S+)", _version),
        (r"(.+?) \((\w+|hash unknown)\)", _cipher),
        (r"(.+?), (?:D?TLSv1(?:\.\d)?|version unknown)", _cipher_and_version),
        (r"connection (\d+) yielded one (for \S+ )?with (.+?)(, after it was resumed)?", _yielded),
        (
            r"connection (\d+) yielded one that could have been offered",
            lambda scope, found: usable(scope.number(found[1])) is not None,
        ),
        (
            r"SSL_SESSION_is_resumable returned ([01]) when it was saved",
            _field("resumable", lambda found: found[1] == "1"),
        ),
        (r"it has (a|no) ticket", _field("has_ticket", lambda found: found[1] == "a")),
        (r"its session id is empty", _field("session_id", lambda _found: b"")),
        (r"the client has none", lambda scope, _found: scope.connection.offered is None or not scope.sessions),
        (r"(?:it has )?a ticket of (\d+) bytes(?: was issued)?", _issued),
        (r"a session id of (\d+) bytes was issued", _issued_id),
        (r"its host name is (.+)", _field("server_name", _text)),
        (r"its ALPN protocol is (.+)", _field("alpn", lambda found: _text(found).encode())),
        (
            r"its peer certificate has the names (.+)",
            lambda scope, found: found[1] in map(_names, scope.sessions),
        ),
        (r"its verify_result is (\d+)", _field("verify_result", lambda found: int(found[1]))),
        (r"max_fragment_length_mode (\d+)", _field("max_fragment_length_mode", lambda found: int(found[1]))),
        (r"extended_master_secret is (true|false|unknown)", _extended_master_secret),
        (r"the client's copy has a lifetime of (\d+) seconds", _lifetime),
        (r"it has the field kex_group, which 3.0 added to SSL_SESSION", _kex_group),
        (r"it is not an SSL_SESSION: (.+)", _not_a_session),
        (r"it comes from (.+)", _comes_from),
        (
            r"it has a ticket or a session id",
            lambda scope, _found: any(holds(session) is not False for session in scope.sessions),
        ),
        (
            r"a ticket or a session id is not known",
            lambda scope, _found: any(holds(session) is None for session in scope.sessions),
        ),
    )
)
