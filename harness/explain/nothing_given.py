"""Why a client was given no session to offer, after earlier connections of the pair."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.explain import no_ticket
from harness.explain.agreed import completed, gave, holds, version_of
from harness.explain.origin import yielded
from harness.model.reason import Finding, Reason
from harness.model.tls import Outcome

if TYPE_CHECKING:
    from harness.explain.evidence import Evidence
    from harness.model.connection import Connection
    from harness.model.session import Session


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """The reasons; empty if no handshake was completed before this connection, so that there was none to take.

    A client is taken to offer what the latest completed connection yielded.
    """
    before = [one for one in reversed(evidence.earlier) if completed(one)]
    if not before:
        return ()
    latest = before[0]
    session = usable(latest)
    if session is not None:
        return (_not_given(evidence.connection, latest, session),)
    others = [one for one in before[1:] if usable(one) is not None]
    also = tuple(f"session: connection {one.number} yielded one that could have been given" for one in others[:1])
    return tuple(
        replace(found, evidence=(*found.evidence, *also)) for found in no_ticket.findings(latest, latest.last_session)
    )


def usable(connection: Connection) -> Session | None:
    """The last session of a connection that could have been offered, or that nothing speaks against."""
    version, given = version_of(connection), gave(connection)
    held = {None: given is True, True: True, False: False}
    found = [session for session in yielded(connection) if held[holds(session, version)]]
    return found[-1] if found else None


def describe(session: Session) -> str:
    """What a session is to be resumed by."""
    if length := session.get("ticket_length"):
        return f"a ticket of {length} bytes"
    if session.get("has_ticket"):
        return "a ticket"
    found = session.get("session_id")
    return f"a session id of {len(found)} bytes" if isinstance(found, bytes) and found else "something to resume it by"


def _not_given(connection: Connection, source: Connection, session: Session) -> Finding:
    version = version_of(source)
    label = f"of {version.label} " if version else ""
    shown = ["no pre_shared_key", "no session ticket"]
    hello = next(iter(connection.transcript.client_hellos), None)
    if hello is not None and not hello.session_id:
        shown.append("no session id")
    resumed = source.observed_outcome() is Outcome.RESUMED
    return Finding(
        Reason.NO_SESSION,
        f"the client of connection {connection.number} was given no session, although connection {source.number} "
        "yielded one",
        (
            f"session: connection {source.number} yielded one {label}with {describe(session)}"
            + (", as it had been resumed" if resumed else ""),
            f"done: nothing was given to the client of connection {connection.number} (SSL_set_session)",
            f"wire: its ClientHello has {', '.join(shown)}",
        ),
        remedy=f"keep the session of connection {source.number} (SSL_get1_session once application data were read, or "
        f"the new-session callback) and set it before the handshake of connection {connection.number} "
        "(SSL_set_session): OpenSSL's client looks nothing up by itself",
        source="SSL_set_session(3), SSL_get_session(3), SSL_CTX_sess_set_new_cb(3)",
    )
