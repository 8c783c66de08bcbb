"""Rules about TLS within QUIC (RFC 9001, 4, 6 and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.rules.table import When, rule
from harness.model.tls import Role
from harness.wire.hellos import ALPN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake

TRANSPORT_PARAMETERS = 57
ALL = 0xFFFFFFFF
"""The one max_early_data_size that a ticket of QUIC has (RFC 9001, 4.6.1)."""


def _in_quic(handshake: Handshake) -> bool:
    return handshake.connection.transcript.quic


@rule(Role.CLIENT, "RFC 9001, 8.4", When.ANY)
def session_id_empty_in_quic(handshake: Handshake) -> Iterator[str]:
    """A client of QUIC sends an empty session id, as it has no middlebox compatibility mode."""
    if _in_quic(handshake) and any(hello.session_id for hello in handshake.hellos):
        yield "wire: the ClientHello in packets of QUIC has a session id"


@rule(None, "RFC 9001, 8.2", When.ANY)
def transport_parameters_in_quic(handshake: Handshake) -> Iterator[str]:
    """An end of QUIC sends quic_transport_parameters, in its ClientHello or its EncryptedExtensions."""
    if not _in_quic(handshake):
        return
    if any(TRANSPORT_PARAMETERS not in hello.extensions for hello in handshake.hellos):
        yield "wire: a ClientHello in packets of QUIC has no quic_transport_parameters"
    answered = handshake.encrypted_extensions
    if answered is not None and TRANSPORT_PARAMETERS not in answered.extensions:
        yield "wire: the EncryptedExtensions in packets of QUIC have no quic_transport_parameters"


@rule(Role.CLIENT, "RFC 9001, 8.2", When.ANY)
def transport_parameters_in_quic_alone(handshake: Handshake) -> Iterator[str]:
    """A client sends quic_transport_parameters over QUIC alone."""
    if not _in_quic(handshake) and any(TRANSPORT_PARAMETERS in hello.extensions for hello in handshake.hellos):
        yield "wire: a ClientHello that QUIC does not carry has quic_transport_parameters"


@rule(None, "RFC 9001, 8.1", When.TLS13)
def protocol_agreed_in_quic(handshake: Handshake) -> Iterator[str]:
    """An end of QUIC agrees on an application protocol by ALPN."""
    answered = handshake.encrypted_extensions
    if _in_quic(handshake) and handshake.completed and answered is not None and ALPN not in answered.extensions:
        yield "wire: the handshake in packets of QUIC is complete, and the EncryptedExtensions have no ALPN"


@rule(Role.SERVER, "RFC 9001, 4.6.1", When.TLS13)
def ticket_of_quic_allows_all_early_data(handshake: Handshake) -> Iterator[str]:
    """A server of QUIC that allows early data with a ticket allows 0xffffffff bytes, as QUIC itself limits them."""
    for ticket in handshake.tickets if _in_quic(handshake) else ():
        if ticket.max_early_data not in {0, ALL}:
            yield f"wire: a NewSessionTicket in packets of QUIC allows {ticket.max_early_data} bytes of early data"


@rule(Role.SERVER, "RFC 9001, 4.4", When.TLS13)
def no_request_after_the_handshake_in_quic(handshake: Handshake) -> Iterator[str]:
    """A server of QUIC asks for no certificate after the handshake."""
    place = handshake.place("Finished", Role.SERVER)
    after = handshake.messages[place:] if _in_quic(handshake) and place is not None else ()
    if any(message.type == "CertificateRequest" for message in after):
        yield "wire: a CertificateRequest in packets of QUIC comes after the server's Finished"


@rule(None, "RFC 9001, 6 and 8.3", When.TLS13)
def messages_that_quic_has_not(handshake: Handshake) -> Iterator[str]:
    """An end of QUIC sends no KeyUpdate and no EndOfEarlyData, as packets say both."""
    for message in handshake.messages if _in_quic(handshake) else ():
        if message.type in {"KeyUpdate", "EndOfEarlyData"}:
            yield f"wire: the {message.sender} sends {message.type} in packets of QUIC"
