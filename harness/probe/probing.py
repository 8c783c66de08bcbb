"""Probes one server with one client: all questions in order, within the limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.explain.probing import early as early_answers
from harness.explain.probing.products import software_of
from harness.explain.probing.resumption import back_ends, resumption
from harness.explain.probing.ticket_contents import ticket_contents
from harness.explain.probing.use import early_data, lifetime, single_use, tickets
from harness.model.errors import UnreachableError, UsageError
from harness.model.knobs import ClientConfig, Verify
from harness.model.probe import VERSIONS, Answer, Probe, Topic
from harness.model.tls import USUAL_VERSIONS, Mechanism, Outcome, Role, TLSVersion
from harness.probe import early
from harness.probe.further import CONNECTIONS, client_certificate, older_session, other_name
from harness.probe.limits import MOST, RATE, Limits
from harness.probe.say import HTTP, Said, get, said, server_header
from harness.probe.session_file import session_file
from harness.probe.starttls import starttls
from harness.probe.studies import RENEWALS, SESSIONS, study
from harness.probe.visitor import SilentError, Visitor

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.model.probe import Study
    from harness.model.session import Session
    from harness.runtime.address import Target
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack

OFFERS = 42
"""Offers of each mechanism: seven sessions, six times each."""
VERSION = 70
"""The alert protocol_version (RFC 8446, 6.2)."""
CONTROL = 2
"""Connections before the studies: a second one if the server does not answer the first."""
NO_ANSWER = "the server did not answer the GET in {seconds:g} s, so that nothing was said afterwards (--say none)"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked of the probe."""

    versions: tuple[TLSVersion, ...] = USUAL_VERSIONS
    offers: int = OFFERS
    seed: int = 0
    say: str = HTTP
    starttls: str = ""
    """The protocol that TLS begins in; empty if it begins at once."""
    sni: tuple[str, ...] = ()
    """The server name, and others under which its sessions are offered; empty for the host, if it is a name."""
    certificate: str | None = None
    """The name in the PKI of the client's certificate; None for none."""
    software: str = ""
    rate: float | None = None
    """Connections a second; None for RATE, and for no pace to a server on this machine."""
    most: int = MOST
    session: Session | None = None
    """A session that another program took, to be offered too."""
    verify: bool = False
    """Whether the certificate has to verify with the authority that the PKI was given."""

    @property
    def mechanisms(self) -> tuple[Mechanism, ...]:
        """The mechanisms of the versions, newest version first."""
        order = (Mechanism.PSK, Mechanism.SESSION_TICKET, Mechanism.SESSION_ID)
        return tuple(one for one in order if VERSIONS[one] in self.versions)

    @property
    def needed(self) -> int:
        """How many connections it may take."""
        further = len(self.sni[1:]) + bool(self.certificate) + (len(self.versions) > 1) + bool(self.session)
        early_data = early.CONNECTIONS if self.say == HTTP and TLSVersion.TLSv1_3 in self.versions else 0
        studied = len(self.mechanisms) * (min(SESSIONS, self.offers) + self.offers)
        return CONTROL + studied + early_data + further * CONNECTIONS


Keep = Callable[[Sequence["Connection"]], None]


def keep_nothing(_connections: Sequence[Connection]) -> None:
    """What becomes of the connections if the user keeps nothing."""


@dataclass
class _Probing:
    visitor: Visitor
    wanted: Wanted
    base: ClientConfig
    software: str
    studies: list[Study] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def control(self) -> None:
        """Make the control handshake; learn whether the server answers, and its software."""
        try:
            visit = self.visitor.full(self.base)
        except SilentError:
            visit = self.visitor.full(self.base, Said(b""))
            visit = replace(visit, answer=None)
        if visit.outcome is Outcome.ABORTED:
            raise UnreachableError(f"{self.visitor.target.text}: {_failed(visit.connection)}")
        if visit.answer is None:
            self.visitor.said = Said(b"")
            self.notes.append(NO_ANSWER.format(seconds=round(self.visitor.waited, 2)))
        header = server_header(visit.answer or b"")
        self.software = self.wanted.software or software_of(header) or self.software
        self.answers.append(_control(visit.connection, header, verified=self.wanted.verify))

    def study(self) -> None:
        """Study each mechanism, and answer what it says."""
        spare = self.visitor.limits.left - self.wanted.needed + CONTROL
        for one in self.wanted.mechanisms:
            renewals = max(0, min(RENEWALS, spare))
            made = study(self.visitor, one, self.base, self.wanted.offers, self.wanted.seed, renewals)
            spare -= max(0, len(made.full) - SESSIONS)
            self.studies.append(made)
        by_id = any(one.mechanism is Mechanism.SESSION_ID and one.accepted for one in self.studies)
        self.answers += [resumption(one, self.software, by_id=by_id) for one in self.studies]
        for judged in (back_ends, lifetime, tickets, single_use, early_data):
            self.answers += [found for one in self.studies if (found := judged(one))]
        self.early_data()

    @property
    def shared(self) -> bool:
        """Whether each back end accepts what the others issue, as far as it is known."""
        return all(answer.holds.get("shared", True) for answer in self.answers)

    def early_data(self) -> None:
        """Send a GET as early data, if a ticket allows it, and send it again."""
        if not any(session.early_data for one in self.studies for session in one.sessions):
            return
        why = early.lacks(self.visitor)
        if self.wanted.say != HTTP:
            self.answers.append(early_answers.not_sent("only a GET is sent early, and --say is not http"))
        elif why:
            self.answers.append(early_answers.not_sent(f"the client {self.visitor.pair.client_stack.label}: {why}"))
        else:
            name = self.base.server_name or self.visitor.target.host
            seen = early.early_data(self.visitor, self.base, Said(get(name), http=True), shared=self.shared)
            self.answers += early_answers.early_data(seen, self.software)

    def further(self) -> None:
        """Offer sessions where they do not belong."""
        shared = self.shared
        for name in self.wanted.sni[1:]:
            self.answers.append(other_name(self.visitor, self.base, name, shared=shared))
        if self.wanted.certificate:
            self.answers.append(client_certificate(self.visitor, self.base, shared=shared))
        if len(self.wanted.versions) > 1 and not any(one.refused for one in self.studies):
            self.answers.append(older_session(self.visitor, self.base, shared=shared))
        if self.wanted.session:
            self.answers.append(session_file(self.visitor, self.base, self.wanted.session))
        self.answers += [found for one in self.studies if (found := ticket_contents(one))]


def approach(
    runtime: Runtime, client: Stack, target: Target, wanted: Wanted, limits: Limits | None = None
) -> tuple[Visitor, ClientConfig]:
    """A visitor of the server, and the knobs of its first client.

    UsageError if the client speaks none of the versions.
    """
    limits = limits or limits_of(runtime, target, wanted)
    abilities = client.abilities(Role.CLIENT)
    versions = tuple(one for one in wanted.versions if not abilities.lacks_knob("versions", (one,)))
    if not versions:
        asked = " or ".join(version.label for version in wanted.versions)
        raise UsageError(f"{client.label} does not speak {asked}; name another --client")
    name = wanted.sni[0] if wanted.sni else target.name
    base = ClientConfig(
        versions=versions,
        server_name=name or None,
        client_certificate=wanted.certificate,
        verify=Verify.REQUIRED if wanted.verify else None,
        ignore_unexpected_eof=eof_ignored(client),
    )
    visitor = Visitor(runtime, client, target, limits, said(wanted.say, name or target.host), versions)
    if wanted.starttls:
        visitor.pair.tap.prelude = starttls(wanted.starttls, target.text, name or target.host)
    return visitor, base


def limits_of(runtime: Runtime, target: Target, wanted: Wanted) -> Limits:
    """What the server may be asked for: a server on this machine is not paced."""
    return Limits(runtime.loop, wanted.rate or (None if target.loopback else RATE), wanted.most)


def probe(
    runtime: Runtime,
    client: Stack,
    target: Target,
    wanted: Wanted,
    *,
    limits: Limits | None = None,
    kept: Keep = keep_nothing,
) -> Probe:
    """Probe the server; ``kept`` gets the connections, also those of a probe that fails.

    UsageError if the limits do not allow all of it, UnreachableError if the server cannot be reached or does not do
    TLS.
    """
    limits = limits or limits_of(runtime, target, wanted)
    if wanted.needed > limits.left:
        raise UsageError(
            f"--offers {wanted.offers} may need {wanted.needed} connections, and --connections allows {limits.left}; "
            "lower the one or raise the other"
        )
    begun, made = time.monotonic(), limits.made
    visitor, base = approach(runtime, client, target, wanted, limits)
    wanted = replace(wanted, versions=base.versions or wanted.versions)
    try:
        probing = _Probing(visitor, wanted, base, wanted.software)
        probing.control()
        probing.study()
        probing.further()
        return Probe(
            address=target.text,
            reached=target.reached,
            client=client.label,
            software=probing.software,
            seed=wanted.seed,
            connections=limits.made - made,
            seconds=time.monotonic() - begun,
            studies=tuple(probing.studies),
            answers=tuple(probing.answers),
            notes=tuple(probing.notes),
        )
    finally:
        kept(visitor.pair.connections)
        visitor.close()


def eof_ignored(client: Stack, wanted: bool | None = None) -> bool | None:  # noqa: FBT001 - a knob's value
    """The knob ``ignore_unexpected_eof`` where the client has it: many servers end TCP without close_notify."""
    lacks = client.abilities(Role.CLIENT).lacks_knob("ignore_unexpected_eof", True)  # noqa: FBT003 - a knob's value
    return True if wanted is None and not lacks else wanted


def _control(connection: Connection, header: str, *, verified: bool) -> Answer:
    version = connection.client.version
    text = f"{version.label if version else 'unknown version'}, {connection.client.cipher or 'unknown cipher'}"
    text += "; the certificate verifies" if verified else "; the certificate is not checked (--ca)"
    evidence = tuple(f"{view.witness}: {line}" for view in connection.views for line in view.evidence)
    more = (f"Server: {header}",) if header else ()
    return Answer(Topic.CONTROL, "full handshake", text, evidence=(*evidence, *more), holds={"handshake": True})


def _failed(connection: Connection) -> str:
    alert = connection.observed_alert()
    errors = [line.split(" ", 2)[-1] for line in connection.client.errors if line.startswith("lib=")]
    if any("certificate verify failed" in line for line in errors):
        return "the certificate does not verify with --ca; give the authority that issued it, or leave --ca out"
    versions = "; it speaks no version that was asked for: leave --tls out" if alert and alert.number == VERSION else ""
    return f"the handshake fails: {alert or next(iter(errors), 'no alert')}{versions}"
