"""Combines the observations of a finished connection into a Connection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.agent.kinds import psk_of
from harness.model.connection import Connection, Counters
from harness.model.tls import Role
from harness.model.view import Saw
from harness.pair.audit import audit
from harness.pair.foreign import shown_by_wire
from harness.wire.judge import judge
from harness.wire.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.model.session import Session
    from harness.model.setup import Setup
    from harness.model.tls import Close, TLSVersion
    from harness.model.transcript import ExternalPsk, Transcript
    from harness.model.view import EndpointReport, View
    from harness.pair.relay import Recorded
    from harness.wire.judge import Judgement


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What both endpoints reported, by the fields of Connection."""

    number: int
    tls: TLSVersion
    offered: Session | None
    close: Close
    reports: tuple[EndpointReport, EndpointReport]
    """The client's and the server's."""
    last_session: Session | None
    sessions: tuple[Session, ...]
    held_sessions: tuple[Session, ...] = ()
    claims: tuple[tuple[Role, str], ...] = ()
    exchanged: bool
    setup: Setup
    given: tuple[Session, ...] = ()
    """The sessions that earlier connections gave to a client that the harness does not drive."""


def observe(seen: Observed, tapped: Recorded) -> Connection:
    """The connection with its three views; its bytes are read once, with the key log of both ends."""
    client, server = seen.reports
    chunks = tuple(tapped.chunks)
    keylog = (*(client.keylog if client.driven else ()), *server.keylog)
    psks = external_psks(seen.setup, (role for role, end in zip(Role, seen.reports, strict=True) if end.driven))
    transcript = read(chunks, keylog, psks)
    if not client.driven:
        shown = shown_by_wire(transcript, tapped.tcp, seen.given)
        last = shown.sessions[-1] if shown.sessions else None
        seen = replace(seen, offered=shown.offered, sessions=shown.sessions, last_session=last, close=shown.close)
    judgement = judge(transcript, seen.offered, issued_ids=seen.setup.issued_ids, exchanged=seen.exchanged)
    counters = server.extra.get("counters")
    made = Connection(
        number=seen.number,
        tls=seen.tls,
        client=_judged(client, Role.CLIENT, judgement.view, judgement.external_psk),
        server=_judged(server, Role.SERVER, judgement.view, judgement.external_psk),
        wire=judgement.view,
        offered=seen.offered,
        was_offered=judgement.was_offered,
        transcript=transcript,
        sessions=seen.sessions,
        last_session=seen.last_session,
        held_sessions=seen.held_sessions,
        close=seen.close,
        observed_mechanism=judgement.mechanism,
        observed_external_psk=_psk_identity(transcript, judgement),
        chunks=chunks,
        tcp=tapped.tcp,
        counters=counters if isinstance(counters, Counters) else None,
        claims=seen.claims,
        exchanged=seen.exchanged,
        blocked=tapped.blocked,
        tampered=tapped.tampered,
        setup=seen.setup,
    )
    made.contradictions = audit(made, _vantages(tapped, keylog, psks) if made.tampered else None)
    return made


def _psk_identity(transcript: Transcript, judgement: Judgement) -> bytes | None:
    """The identity of the external PSK with which the first handshake was made, as the wire shows it."""
    if judgement.view.saw is not Saw.FULL:
        return None
    return judgement.external_psk.identity if judgement.external_psk else transcript.psk_identity


def external_psks(setup: Setup, roles: Iterable[Role]) -> Mapping[Role, bytes]:
    """The external PSKs of those of these ends that have one."""
    named = {role: setup.config(role).psk_key for role in roles}
    return {role: bytes.fromhex(psk_of(name)) for role, name in named.items() if name is not None}


def _vantages(tapped: Recorded, keylog: Sequence[str], psks: Mapping[Role, bytes]) -> Mapping[Role, Transcript]:
    """What each end sent and got, where a man in the middle changed what the other one sent."""
    seen = {}
    for role in Role:
        own = [chunk for chunk in tapped.sent if chunk.sender is role]
        got = [chunk for chunk in tapped.chunks if chunk.sender is role.peer]
        seen[role] = read(sorted((*own, *got), key=lambda chunk: chunk.at), keylog, psks)
    return seen


def _judged(report: EndpointReport, role: Role, wire: View, external: ExternalPsk | None) -> EndpointReport:
    """The report of an end, judged with what the wire shows.

    Of an external PSK that the server selected, OpenSSL says SSL_session_reused; an end that cannot tell it from a
    resumption says the same of both. One that took a handshake for complete which a fatal alert ended is judged as the
    wire is.

    An end may have read application data before the alert came, or may never have read the alert. One that reports no
    alerts, as s_client, reports the error for which it sent its own.
    """
    view, alert = report.view, wire.alert
    if report.external_psk is None and view.saw is Saw.RESUMED and external is not None:
        note = f"SSL_session_reused says the same of an external PSK ({external.identity.decode(errors='replace')!r})"
        return replace(report, view=replace(view, saw=Saw.FULL, evidence=(*view.evidence, note)))
    if wire.saw is not Saw.ABORTED or alert is None or view.saw not in {Saw.FULL, Saw.RESUMED}:
        return report
    if view.alert is not None and view.alert.number == alert.number:
        observed = f"{view.alert}, after its handshake was complete"
        return replace(report, view=replace(view, saw=Saw.ABORTED, evidence=(observed, *view.evidence)))
    if view.alert is None and alert.sender is role and report.alerts is None and report.errors:
        failed = f"its handshake was complete, and then it failed: {report.errors[0]}"
        return replace(report, view=replace(view, saw=Saw.ABORTED, evidence=(failed, *view.evidence)))
    if view.alert is None and alert.sender is role.peer:
        observed = f"its handshake was complete, and it did not read the {role.peer}'s alert"
        return replace(report, view=replace(view, saw=Saw.UNKNOWN, evidence=(observed, *view.evidence)))
    return report
