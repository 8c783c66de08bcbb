"""Whether the client's build could not read the offered session (d2i_SSL_SESSION)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import SessionFormatError
from harness.model.reason import Explanation, Finding, Question, Reason
from harness.wire.session.codec import decode

if TYPE_CHECKING:
    from harness.explain.facts.evidence import Evidence
    from harness.model.errors import EndpointError
    from harness.model.session import Session

ASN1 = ("lib=13 ", "asn1 encoding routines", "d2i_SSL_SESSION")
"""How an error of ERR_LIB_ASN1 looks: from an agent, from the program, from an agent without error codes."""
SOURCE = "d2i_SSL_SESSION(3): ssl/ssl_asn1.c, SSL_SESSION_ASN1"


def findings(evidence: Evidence, session: Session) -> tuple[Finding, ...]:
    """The reason; empty if a ClientHello was sent, or the client reported no such error."""
    if evidence.client_hello is not None:
        return ()
    errors = [line for line in evidence.connection.client.errors if any(word in line for word in ASN1)]
    number = evidence.connection.number
    return (_finding(session, f"connection {number}", evidence.connection.client.view.name, errors),) if errors else ()


def explain_unread(error: EndpointError, session: Session) -> Explanation | None:
    """The same for a client that exited before it connected, as s_client does."""
    errors = [line for line in error.output.splitlines() if any(word in line for word in ASN1)]
    if not errors:
        return None
    return Explanation(Question.NOT_OFFERED, (_finding(session, "the connection", error.endpoint, errors),))


def _finding(session: Session, where: str, client: str, errors: list[str]) -> Finding:
    return Finding(
        Reason.UNREADABLE,
        f"the client of {where}, {client}, could not read the session that {session.taken_by or 'another build'} wrote",
        (*(f"client: {error}" for error in errors), "wire: no ClientHello was sent", *_newer(session)),
        remedy="offer it with a build at least as new as the one that wrote it: OpenSSL rejects a session that has "
        "fields it does not know",
        source=SOURCE,
    )


def _newer(session: Session) -> tuple[str, ...]:
    """The field that an older OpenSSL does not know, if the session has it."""
    if session.der is None:
        return ()
    try:
        known = decode(session.der).known
    except SessionFormatError as error:
        return (f"session: it is not an SSL_SESSION: {error}",)
    return ("session: it has the field kex_group, which 3.0 added to SSL_SESSION",) if known.get("kex_group") else ()
