"""Turns the facts that a program printed into the view of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.tls import Alert, Ending, Role, TLSVersion, sends_last_flight
from harness.model.view import EndpointReport, Saw, View, Witness

if TYPE_CHECKING:
    from harness.stacks.openssl.client_output import ClientOutput
    from harness.stacks.openssl.server_output import ServerOutput


def unconfirmed(out: ClientOutput | ServerOutput, role: Role) -> bool:
    """Return whether this end sent the last flight and nothing shows that it arrived."""
    lost = not out.got_data and out.ending in {Ending.EOF, Ending.RESET}
    return lost and sends_last_flight(role, out.version, reused=out.reused)


def client_view(out: ClientOutput, name: str) -> View:
    """Return what s_client saw. An alert before any data aborts a TLS 1.3 handshake that s_client reported complete."""
    alert = None if out.alert is None else Alert(out.alert, Role.SERVER)
    if not out.established or (alert and not out.got_data):
        saw, evidence = Saw.ABORTED, (*out.trouble, *(() if out.established else ("the handshake did not complete",)))
    elif unconfirmed(out, Role.CLIENT):
        saw, evidence = Saw.UNKNOWN, (f"the input ended ({out.ending}) before any application data", *out.evidence)
    else:
        saw, evidence = Saw.RESUMED if out.reused else Saw.FULL, tuple(out.evidence)
    tickets = out.tickets if out.established and out.version is TLSVersion.TLSv1_3 else None
    return View(Witness.CLIENT, saw, evidence, name, alert, tickets)


def server_view(out: ServerOutput, name: str) -> View:
    """Return what s_server saw; without "Reused session-id" after the cipher, the handshake was full."""
    alert = None if out.alert is None else Alert(out.alert, Role.CLIENT)
    if out.established and unconfirmed(out, Role.SERVER):
        evidence = [f"the input ended ({out.ending}) before any application data", *out.evidence]
        return View(Witness.SERVER, Saw.UNKNOWN, tuple(evidence), name, alert)
    if out.established:
        evidence = out.evidence if out.reused else [f'{out.evidence[0]}, and no "Reused session-id"']
        return View(Witness.SERVER, Saw.RESUMED if out.reused else Saw.FULL, tuple(evidence), name, alert)
    if out.begun:
        return View(Witness.SERVER, Saw.ABORTED, (*out.trouble, "the handshake did not complete"), name, alert)
    return View(Witness.SERVER, Saw.UNKNOWN, ("no connection came",), name, alert)


WRITTEN = {"accepted", "rejected"}
"""What s_client says of early data that it has written."""


def client_report(out: ClientOutput, name: str, *, early_bytes: bytes | None, skips: bool) -> EndpointReport:
    """Return all that s_client printed as a report; ``early_bytes`` is the early data that it had to write.

    ``skips`` is whether it allows a resumption without a key exchange (psk_ke).
    """
    return EndpointReport(
        view=client_view(out, name),
        version=out.version if out.established else None,
        cipher=out.cipher if out.established else None,
        alpn=out.alpn,
        peer_certificate=out.peer_certificate if out.established else None,
        early_data=out.early_data if out.established else None,
        early_bytes=early_bytes if out.established and out.early_data in WRITTEN else None,
        group=out.group(skips=skips),
        peer_temp_key=out.peer_temp_key if out.established else None,
        ending=out.ending,
        errors=tuple(map(str, out.errors)),
    )


def server_report(out: ServerOutput, name: str) -> EndpointReport:
    """Return all that s_server printed of one connection as a report."""
    return EndpointReport(
        view=server_view(out, name),
        version=out.version if out.established else None,
        cipher=out.cipher if out.established else None,
        alpn=out.alpn,
        peer_certificate=out.peer_certificate,
        early_data=out.early_data,
        early_bytes=out.early_bytes,
        ending=out.ending,
        errors=tuple(map(str, out.errors)),
        extra={} if out.counters is None else {"counters": out.counters},
    )
