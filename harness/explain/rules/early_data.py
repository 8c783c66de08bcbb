"""Rules about early data (RFC 8446, 4.2.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.finding import suite_name
from harness.explain.rules.table import When, rule
from harness.model.tls import Role
from harness.model.transcript import PRE_SHARED_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake, Issued


@rule(Role.CLIENT, "RFC 8446, 4.2.10", When.ANY)
def early_data_with_psk(handshake: Handshake) -> Iterator[str]:
    """A client sends early_data only together with pre_shared_key."""
    for hello in handshake.hellos:
        if hello.early_data and PRE_SHARED_KEY not in hello.extensions:
            yield "wire: the ClientHello has early_data and no pre_shared_key"


@rule(Role.CLIENT, "RFC 8446, 4.1.2", When.ANY)
def no_early_data_after_retry(handshake: Handshake) -> Iterator[str]:
    """A client takes early_data out of its second ClientHello."""
    if any(hello.early_data for hello in handshake.hellos[1:]):
        yield "wire: the ClientHello after the HelloRetryRequest has early_data"


def _first_offer(handshake: Handshake) -> Issued | None:
    """The ticket of the first identity of a ClientHello with early_data."""
    hello = handshake.hellos[0] if handshake.hellos else None
    if hello is None or not hello.early_data or not hello.psk_identities:
        return None
    return handshake.issue_of(hello.psk_identities[0])


@rule(Role.CLIENT, "RFC 8446, 4.2.10", When.ANY)
def early_data_is_allowed(handshake: Handshake) -> Iterator[str]:
    """A client sends early_data only with a first ticket that allows early data."""
    issued = _first_offer(handshake)
    if issued and not issued.ticket.max_early_data and not handshake.edited:
        yield f"wire: the ClientHello has early_data, and the ticket of connection {_number(issued)} does not"


@rule(Role.CLIENT, "RFC 8446, 4.6.1", When.TLS13)
def early_data_fits(handshake: Handshake) -> Iterator[str]:
    """A client sends no more early data than its ticket's max_early_data_size.

    A server of TLS 1.2 has no key for it, so that its bytes stay sealed, and their number unknown.
    """
    issued = _first_offer(handshake)
    if issued is None or handshake.edited:
        return
    sent = 0
    for message in handshake.messages:
        if message.sender is Role.CLIENT and message.type in {"EndOfEarlyData", "Finished"}:
            break
        if message.sender is Role.CLIENT and message.type == "ApplicationData":
            sent += message.length
    if sent > issued.ticket.max_early_data:
        yield f"wire: the client sends {sent} bytes of early data"
        yield f"wire: the ticket of connection {_number(issued)} allows {issued.ticket.max_early_data}"


def _number(issued: Issued) -> int:
    return issued.handshake.connection.number


@rule(Role.CLIENT, "RFC 8446, 4.5", When.TLS13)
def end_of_early_data_sent(handshake: Handshake) -> Iterator[str]:
    """A client sends EndOfEarlyData if, and only if, the server accepted its early data."""
    if handshake.encrypted_extensions is None or not handshake.sent("Finished", Role.CLIENT):
        return
    sent = handshake.sent("EndOfEarlyData", Role.CLIENT)
    if sent is not handshake.early_data_accepted:
        does = "accepts" if handshake.early_data_accepted else "does not accept"
        sends = "sends" if sent else "does not send"
        yield f"wire: EncryptedExtensions {does} early data, and the client {sends} EndOfEarlyData"


@rule(Role.SERVER, "RFC 8446, 4.2.10", When.TLS13)
def early_data_with_first_psk(handshake: Handshake) -> Iterator[str]:
    """A server accepts early data only with the first PSK of the ClientHello."""
    if handshake.early_data_accepted and handshake.answer and handshake.answer.selected_psk != 0:
        selected = handshake.answer.selected_psk
        chosen = "no PSK" if selected is None else f"identity {selected}"
        yield f"wire: EncryptedExtensions accepts early data, and the ServerHello selects {chosen}"


@rule(Role.SERVER, "RFC 8446, 4.2.10", When.TLS13)
def early_data_with_same_suite(handshake: Handshake) -> Iterator[str]:
    """A server accepts early data only with the cipher suite of the PSK."""
    issued = _first_offer(handshake) if handshake.early_data_accepted else None
    made = issued.handshake.answer if issued else None
    if made and handshake.answer and made.cipher_suite != handshake.answer.cipher_suite:
        suite = suite_name(handshake.answer.cipher_suite)
        yield f"wire: EncryptedExtensions accepts early data, and the suite is {suite}"
        yield f"wire: the suite of the ticket's connection is {suite_name(made.cipher_suite)}"


@rule(Role.SERVER, "RFC 8446, 4.2.10", When.TLS13)
def early_data_with_same_alpn(handshake: Handshake) -> Iterator[str]:
    """A server accepts early data only with the ALPN protocol of the PSK."""
    issued = _first_offer(handshake) if handshake.early_data_accepted else None
    if issued and issued.handshake.readable and issued.handshake.alpn != handshake.alpn:
        yield f"wire: EncryptedExtensions accepts early data, and the ALPN protocol is {handshake.alpn or 'none'}"
        yield f"wire: the ALPN protocol of the ticket's connection is {issued.handshake.alpn or 'none'}"


@rule(Role.SERVER, "RFC 8446, 4.2.10", When.TLS13)
def no_early_data_accepted_after_retry(handshake: Handshake) -> Iterator[str]:
    """A server does not accept early data after a HelloRetryRequest."""
    if handshake.retries and handshake.early_data_accepted:
        yield "wire: EncryptedExtensions accepts early data after a HelloRetryRequest"
