"""Questions that take a few connections each: another name, another client certificate, a session of TLS 1.2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.probe import Answer, Topic
from harness.model.tls import USUAL_VERSIONS, Outcome, Role, TLSVersion
from harness.probe.say import Said, get, status

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.model.knobs import ClientConfig
    from harness.model.session import Session
    from harness.probe.visitor import Visit, Visitor

TRIES = 4
"""Offers of fresh sessions before they count as declined: a balancer may lead each to another back end."""
CONNECTIONS = 2 * TRIES + 1
"""Connections that a question may take."""


@dataclass(frozen=True)
class Crossed:
    """Sessions of one client, offered by another one."""

    own: Visit
    """The full handshake of the client that got the last session."""
    control: Visit
    """The full handshake of the other client, which may have been aborted."""
    last: Visit | None
    """The offer that resumed, or the last one; None if there was no session to offer."""

    @property
    def resumed(self) -> bool:
        """Whether a session resumed."""
        return self.last is not None and self.last.outcome is Outcome.RESUMED


def crossed(
    visitor: Visitor, owner: ClientConfig, other: ClientConfig, *, shared: bool, said: Said | None = None
) -> Crossed:
    """Offer sessions of ``owner`` as ``other``; one if the back ends share what they issue, else up to TRIES.

    ``said`` is what the other client says, if that differs.
    """
    control = visitor.full(other, said)
    for _ in range(1 if shared else TRIES):
        own = visitor.full(owner)
        session = _session(own)
        last = visitor.visit(other, session, said) if session else None
        if last is None or last.outcome is Outcome.RESUMED:
            break
    return Crossed(own, control, last)


def _session(visit: Visit) -> Session | None:
    session = visit.connection.last_session
    usable = session is not None and (session.get("has_ticket") or session.get("session_id"))
    return session if visit.outcome is Outcome.FULL and usable else None


def other_name(visitor: Visitor, base: ClientConfig, name: str, *, shared: bool) -> Answer:
    """Answer whether a session resumes under another name, and what the server says then."""
    said = Said(get(name), http=True) if visitor.said.http else None
    done = crossed(visitor, base, base.changed(server_name=name), shared=shared, said=said)
    own = f"of {base.server_name}" if base.server_name else "without a server name"
    if done.last is None:
        return Answer(Topic.OTHER_NAME, name, f"unknown: no session {own} to offer")
    certificates = _leaf(done.own.connection), _leaf(done.control.connection)
    apart = None not in certificates and certificates[0] != certificates[1]
    control = f"a full handshake there gets {_said(done.control)}"
    evidence = (f"both names have {'different certificates' if apart else 'the same certificate'}",)
    if not done.resumed:
        text = f"no: a session {own} is {done.last.outcome}; {control}"
        return Answer(Topic.OTHER_NAME, name, text, evidence=evidence, holds={"bound-name": True})
    text = f"resumes: a session {own} gets {_said(done.last)}; {control}"
    flag = "RESUMED UNDER A NAME WITH ANOTHER CERTIFICATE" if apart else ""
    return Answer(Topic.OTHER_NAME, name, text, flag, evidence=evidence, holds={"bound-name": not apart})


def client_certificate(visitor: Visitor, owner: ClientConfig, *, shared: bool) -> Answer:
    """Answer whether a session that a client with a certificate got resumes for one without."""
    done = crossed(visitor, owner, owner.changed(client_certificate=None), shared=shared)
    if Role.CLIENT not in done.own.connection.transcript.certificates:
        return Answer(Topic.CLIENT_CERTIFICATE, "none", "the server asks for no client certificate")
    if done.last is None:
        return Answer(Topic.CLIENT_CERTIFICATE, "none", f"unknown: the client with it gets {_said(done.own)}")
    control = f"a full handshake without it gets {_said(done.control)}"
    if not done.resumed:
        text = f"no: a session that was made with a certificate is {done.last.outcome} without it; {control}"
        return Answer(Topic.CLIENT_CERTIFICATE, "none", text, holds={"bound-certificate": True})
    text = f"resumes: a session that was made with a certificate gets {_said(done.last)} without it; {control}"
    flag = "THE SESSION IS ENOUGH WHERE A CERTIFICATE IS ASKED FOR"
    return Answer(Topic.CLIENT_CERTIFICATE, "none", text, flag, holds={"bound-certificate": False})


def older_session(visitor: Visitor, base: ClientConfig, *, shared: bool) -> Answer:
    """Answer what becomes of a TLS 1.2 session that a client offers which also speaks TLS 1.3."""
    owner = base.changed(versions=(TLSVersion.TLSv1_2,))
    done = crossed(visitor, owner, base.changed(versions=USUAL_VERSIONS), shared=shared)
    if done.last is None:
        return Answer(Topic.OLDER_SESSION, "TLS 1.2", "unknown: there is no TLS 1.2 session to offer")
    version = done.last.connection.client.version
    spoken = version.label if version else "an unknown version"
    if done.last.outcome is Outcome.ABORTED:
        return Answer(Topic.OLDER_SESSION, "TLS 1.2", f"aborts: {_said(done.last)}", "RESUMPTION IS ABORTED")
    how = "resumes, so that the connection is" if done.resumed else "is declined by a full handshake of"
    return Answer(Topic.OLDER_SESSION, "TLS 1.2", f"{how} {spoken}")


def _leaf(connection: Connection) -> bytes | None:
    chain = connection.transcript.certificates.get(Role.SERVER, ())
    return chain[0] if chain else None


def _said(visit: Visit) -> str:
    """What a connection got: an HTTP status, an alert, or no more than its outcome."""
    if visit.outcome is Outcome.ABORTED:
        return str(visit.connection.observed_alert() or "no alert, and the end of TCP")
    found = status(visit.answer or b"")
    return f"HTTP {found}" if found else "a connection"
