"""Rules about a certificate that a server asks for after the handshake (RFC 8446, 4.6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.rules.table import When, rule
from harness.model.tls import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.explain.rules.handshake import Handshake
    from harness.model.transcript import Message

POST_HANDSHAKE_AUTH = 49
CERTIFICATES = ("Certificate", "CompressedCertificate")


def _after(handshake: Handshake) -> Sequence[Message]:
    """The messages after both Finished; none if some could not be read."""
    places = [handshake.place("Finished", role) for role in Role]
    known = [place for place in places if place is not None]
    return handshake.messages[max(known) + 1 :] if handshake.readable and len(known) == len(places) else ()


@rule(Role.SERVER, "RFC 8446, 4.6.2", When.TLS13)
def asked_later_only_if_allowed(handshake: Handshake) -> Iterator[str]:
    """A server asks for a certificate after the handshake only if the client sends post_handshake_auth."""
    asked = any(m.type == "CertificateRequest" and m.sender is Role.SERVER for m in _after(handshake))
    if asked and handshake.asked and POST_HANDSHAKE_AUTH not in handshake.asked.extensions:
        yield "wire: a CertificateRequest comes after the handshake, and the ClientHello has no post_handshake_auth"


@rule(Role.CLIENT, "RFC 8446, 4.6.2", When.TLS13)
def later_answer_is_whole(handshake: Handshake) -> Iterator[str]:
    """A client that answers after the handshake sends its Certificate, CertificateVerify and Finished in a row."""
    sent = [message.type for message in _after(handshake) if message.sender is Role.CLIENT]
    for place, kind in enumerate(sent):
        rest = sent[place + 1 : place + 3]
        whole = rest[:1] == ["Finished"] or rest == ["CertificateVerify", "Finished"]
        if kind in CERTIFICATES and rest and not whole:
            yield f"wire: the client sends {' and '.join(rest)} after the {kind} with which it answers"
