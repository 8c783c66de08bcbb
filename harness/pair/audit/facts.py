"""The facts of an endpoint's report that the wire also shows: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.tls import Role
from harness.pair.audit import callbacks, ends, identities, negotiated, steps, tickets
from harness.pair.audit.key_logs import key_log
from harness.pair.audit.shown import Shown, either

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container

    from harness.pair.audit.shown import Wire

BOTH, CLIENT, SERVER = frozenset(Role), frozenset({Role.CLIENT}), frozenset({Role.SERVER})
KEY_LOG = "key log"
"""The one fact that an endpoint can report which the harness does not drive."""


@dataclass(frozen=True)
class Fact:
    """One row of the table."""

    name: str
    reports: str | Callable[[Wire, Role], object]
    """What an end reports, None for nothing: a field of its report, or made from what it reports."""
    shows: Callable[[Wire, Role], Shown | None]
    """What the wire shows of it; None where it cannot."""
    roles: frozenset[Role] = BOTH
    before: Callable[[Wire, Role], Container[object] | None] | None = None
    """What an end may report that has not come so far in a handshake which was not completed.

    None where the fact is not of a completed handshake, or, of the call, where nothing can be said.
    """
    printed: bool = False
    """Whether s_client and s_server print it when the first handshake is complete, and not again."""

    def shown(self, wire: Wire, role: Role) -> Shown | None:
        """What the wire shows of it, also where the last handshake was not completed."""
        found = self.shows(wire, role)
        if self.printed and len(wire.handshakes) > 1 and wire.report(role).view.name.startswith("openssl@"):
            found = either([self.shows(wire.after_first, role), found])
        if self.before is None or (found is not None and not wire.unfinished):
            return found
        before = self.before(wire, role)
        if before is None:
            return None
        if found is not None:
            return either([found], before)
        if wire.unanswered:
            return Shown(before, "no ServerHello") if before != () else None
        if role is Role.CLIENT and wire.finished(role):
            before = ()
        return either([self.shows(stage, role) for stage in wire.stages], before)


def _always(*values: object) -> Callable[[Wire, Role], Collection[object]]:
    return lambda _wire, _role: values


FACTS = (
    Fact("callback_calls", callbacks.visible_calls, callbacks.subjects, SERVER, _always()),
    Fact("callback_calls", callbacks.all_calls, callbacks.needed, SERVER),
    Fact("group", "group", negotiated.group, BOTH, _always(""), printed=True),
    Fact("peer_temp_key", negotiated.reported_temp_key, negotiated.temp_key, BOTH, _always(""), printed=True),
    Fact("peer_chain", "peer_chain", identities.peer_chain, BOTH, _always(()), printed=True),
    Fact("ocsp_response", "ocsp_response", identities.stapled, CLIENT, _always(b"")),
    Fact("exporter", "exporter", negotiated.exporter, BOTH, _always()),
    Fact("version", "version", negotiated.version, BOTH, negotiated.versions_before),
    Fact("enabled versions", negotiated.enabled, negotiated.used_versions),
    Fact("cipher", negotiated.reported_cipher, negotiated.cipher, BOTH, negotiated.ciphers_before, printed=True),
    Fact("external_psk", "external_psk", negotiated.external_psk, BOTH, _always(b"")),
    Fact("external PSK of the client", negotiated.configured_psk, negotiated.sent_psk, CLIENT),
    Fact("alpn", negotiated.reported_alpn, negotiated.alpn, BOTH, negotiated.alpn_before, printed=True),
    Fact("offered alpn", negotiated.configured_alpn, negotiated.sent_alpn, CLIENT),
    Fact("server_name", "server_name", negotiated.server_name, BOTH, negotiated.names_before),
    Fact("requested server_name", negotiated.configured_name, negotiated.sent_name, CLIENT),
    Fact(
        "certificate compression", identities.configured("cert_decompression", ""), identities.asks_to_compress, CLIENT
    ),
    Fact(
        "compressed certificate", identities.configured("cert_compression", "cert_compression"), identities.compresses
    ),
    Fact("raw public key", identities.agreed_raw_key, identities.raw_key),
    Fact(
        "peer_certificate",
        "peer_certificate",
        identities.peer_certificate,
        BOTH,
        identities.certificates_before,
        printed=True,
    ),
    Fact("early_data", "early_data", negotiated.early_data, BOTH, _always("not_sent", "rejected")),
    Fact("early_bytes", "early_bytes", negotiated.early_bytes, BOTH, negotiated.early_bytes_before),
    Fact("new_sessions", "new_sessions", tickets.new_sessions, CLIENT, _always(0)),
    Fact("tickets", tickets.reported_tickets, tickets.tickets),
    Fact("alerts sent", ends.reported_alerts(own=True), ends.sent_alerts),
    Fact("alerts received", ends.reported_alerts(own=False), ends.received_alerts),
    Fact("alerts in its errors", ends.errors_received, ends.alerts_in_errors),
    Fact("fatal alert", ends.reported_fatal, ends.fatal_shown),
    Fact("ending", ends.ending, ends.endings),
    Fact("reused_at_end", "reused_at_end", negotiated.resumed_last, BOTH, negotiated.reused_before),
    Fact("renegotiations", steps.said("renegotiate"), steps.renegotiations),
    Fact("requests for a certificate", steps.said("authenticate"), steps.requests, SERVER),
    Fact(KEY_LOG, *key_log),
)
"""Every fact of a report that the wire also shows."""
FACTS_OF = {role: tuple(fact for fact in FACTS if role in fact.roles) for role in Role}
"""Those that an end which the harness drives can report."""
FACTS_OF_OTHERS = tuple(fact for fact in FACTS if fact.name == KEY_LOG)
"""Those that another end can report."""
