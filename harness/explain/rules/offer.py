"""Rules about the PSKs that a client offers in TLS 1.3."""

from __future__ import annotations

from hashlib import new
from typing import TYPE_CHECKING

from harness.explain.facts.index import index_of
from harness.explain.finding import hash_of
from harness.explain.rules.hello import offers_tls13
from harness.explain.rules.table import When, rule
from harness.model.rule import Level
from harness.model.tls import Role
from harness.model.transcript import PRE_SHARED_KEY
from harness.wire.hellos import KEY_SHARE, PSK_KEY_EXCHANGE_MODES
from harness.wire.names import EXTENSIONS, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake, Issued
    from harness.model.transcript import ClientHello

SEVEN_DAYS = 604800
SHORTEST_BINDER = 32
PSK_DHE_KE = 1
TLS13_SUITES = range(0x1301, 0x1400)
"""The numbers of the suites of TLS 1.3 (RFC 8446, B.4)."""
AGES = 1 << 32
SLACK = 3000
"""Milliseconds by which a ticket's age may be below the client's own: OpenSSL takes one second off, and rounds."""
AHEAD = 2000
"""Milliseconds by which it may be above: a connection begins before its ClientHello is made, and times are rounded."""


def _offers(handshake: Handshake) -> Iterator[tuple[ClientHello, int, bytes]]:
    """Each hello with the place and the bytes of each identity that it offers."""
    for hello in handshake.hellos:
        for place, identity in enumerate(hello.psk_identities):
            yield hello, place, identity


def _issued(handshake: Handshake) -> Iterator[tuple[ClientHello, int, Issued]]:
    """Each offer whose ticket an earlier connection shows."""
    for hello, place, identity in _offers(handshake):
        if issued := handshake.issue_of(identity):
            yield hello, place, issued


@rule(Role.CLIENT, "RFC 8446, 4.2.11", When.ANY)
def psk_is_last(handshake: Handshake) -> Iterator[str]:
    """A ClientHello ends with pre_shared_key."""
    for hello in handshake.hellos:
        if PRE_SHARED_KEY in hello.extensions and next(reversed(tuple(hello.extensions))) != PRE_SHARED_KEY:
            last = name_of(EXTENSIONS, tuple(hello.extensions)[-1])
            yield f"wire: the last extension of the ClientHello is {last}"


@rule(Role.CLIENT, "RFC 8446, 4.2.9", When.ANY)
def psk_with_modes(handshake: Handshake) -> Iterator[str]:
    """A client that offers pre_shared_key sends psk_key_exchange_modes."""
    for hello in handshake.hellos:
        if PRE_SHARED_KEY in hello.extensions and PSK_KEY_EXCHANGE_MODES not in hello.extensions:
            yield "wire: the ClientHello has pre_shared_key and no psk_key_exchange_modes"


@rule(Role.CLIENT, "RFC 8446, 4.2.9", When.ANY)
def dhe_mode_with_key_share(handshake: Handshake) -> Iterator[str]:
    """A client that offers a PSK with psk_dhe_ke sends key_share."""
    for hello in handshake.hellos:
        offers = PRE_SHARED_KEY in hello.extensions and PSK_DHE_KE in hello.psk_modes
        if offers and KEY_SHARE not in hello.extensions:
            yield "wire: the ClientHello offers psk_dhe_ke and has no key_share"


@rule(Role.CLIENT, "RFC 8446, 4.2.11", When.ANY)
def binder_per_identity(handshake: Handshake) -> Iterator[str]:
    """A client sends one binder for each identity, in the same order."""
    for hello in handshake.hellos:
        identities, binders = len(hello.psk_identities), len(hello.psk_binders)
        if identities != binders:
            yield f"wire: the ClientHello has {identities} identities and {binders} binders"


@rule(Role.CLIENT, "RFC 8446, 4.2.11", When.ANY)
def identity_not_empty(handshake: Handshake) -> Iterator[str]:
    """A client sends an identity of at least one byte."""
    for _hello, place, identity in _offers(handshake):
        if not identity:
            yield f"wire: identity {place} of the ClientHello is empty"


@rule(Role.CLIENT, "RFC 8446, 4.2.11", When.ANY)
def binder_length(handshake: Handshake) -> Iterator[str]:
    """A client sends a binder of at least 32 bytes, as long as the PSK's hash."""
    for hello, place, identity in _offers(handshake):
        if place >= len(hello.psk_binders):
            continue
        length = len(hello.psk_binders[place])
        issued = handshake.issue_of(identity)
        made = issued.handshake.answer if issued else None
        digest = hash_of(made.cipher_suite) if made else None
        if length < SHORTEST_BINDER:
            yield f"wire: binder {place} of the ClientHello has {length} bytes"
        elif digest and length != new(digest).digest_size and not handshake.edited:
            yield f"wire: binder {place} of the ClientHello has {length} bytes, and the ticket's hash is {digest}"


@rule(Role.CLIENT, "RFC 8446, 4.2.11", When.ANY)
def nothing_after_binders(handshake: Handshake) -> Iterator[str]:
    """A client sends nothing after the binders in pre_shared_key."""
    for hello in handshake.hellos:
        sent = len(hello.extensions.get(PRE_SHARED_KEY, b""))
        identities = sum(2 + len(identity) + 4 for identity in hello.psk_identities)
        read = 2 + identities + 2 + sum(1 + len(binder) for binder in hello.psk_binders)
        if sent > read:
            yield f"wire: pre_shared_key has {sent - read} bytes after its binders"


@rule(Role.CLIENT, "RFC 8446, 4.2.11.1", When.ANY)
def ticket_not_too_old(handshake: Handshake) -> Iterator[str]:
    """A client does not offer a ticket that is older than its ticket_lifetime."""
    for _hello, place, issued in _issued(handshake):
        age = handshake.age if place == 0 else None
        if age and age[0] >= issued.ticket.lifetime and age[1] > issued.ticket.lifetime:
            yield f"wire: the ticket's lifetime is {issued.ticket.lifetime} s"
            yield f"clocks: the ticket is {age[0]} to {age[1]} s old by the client's clock"


@rule(Role.CLIENT, "RFC 8446, 4.6.1", When.ANY)
def ticket_within_seven_days(handshake: Handshake) -> Iterator[str]:
    """A client does not offer a ticket that is older than seven days."""
    age = handshake.age if any(hello.psk_identities for hello in handshake.hellos) else None
    if age and age[0] >= SEVEN_DAYS and age[1] > SEVEN_DAYS:
        yield f"clocks: the ticket is {age[0]} to {age[1]} s old by the client's clock"


@rule(Role.CLIENT, "RFC 8446, 4.2.11.1", When.ANY)
def ticket_age_is_true(handshake: Handshake) -> Iterator[str]:
    """A client sends the ticket's age by its own clock, in milliseconds, plus ticket_age_add."""
    for hello, place, issued in _issued(handshake):
        age = handshake.age if place == 0 else None
        if age is None or age[1] < 0:
            continue
        claimed = (hello.psk_ages[place] - issued.ticket.age_add) % AGES
        if not max(age[0], 0) * 1000 - SLACK <= claimed <= age[1] * 1000 + AHEAD and not handshake.edited:
            yield f"wire: obfuscated_ticket_age minus ticket_age_add is {claimed} ms"
            yield f"clocks: the ticket is {age[0]} to {age[1]} s old by the client's clock"


@rule(Role.CLIENT, "RFC 8446, 4.2.11", When.ANY, Level.SHOULD)
def external_psk_has_no_age(handshake: Handshake) -> Iterator[str]:
    """A client sends 0 as the obfuscated_ticket_age of an external PSK."""
    for hello, place, identity in _offers(handshake):
        external = any(psk.identity == identity for psk in hello.external_psks)
        if external and hello.psk_ages[place]:
            yield f"wire: identity {place} is an external PSK, and its obfuscated_ticket_age is {hello.psk_ages[place]}"


@rule(Role.CLIENT, "RFC 8446, 4.6.1", When.ANY)
def suite_for_psk_offered(handshake: Handshake) -> Iterator[str]:
    """A client that offers a PSK offers a cipher suite with its hash."""
    for hello, place, issued in _issued(handshake):
        made = issued.handshake.answer
        digest = hash_of(made.cipher_suite) if made else None
        offered = {hash_of(suite) for suite in hello.cipher_suites if suite in TLS13_SUITES}
        if digest and offers_tls13(hello) and digest not in offered and not handshake.edited:
            yield f"wire: identity {place} is a ticket with the hash {digest}"
            hashes = ", ".join(sorted(filter(None, offered))) or "none"
            yield f"wire: the TLS 1.3 suites of the ClientHello have the hashes: {hashes}"


@rule(Role.CLIENT, "RFC 8446, 4.6.1", When.ANY)
def name_in_certificate(handshake: Handshake) -> Iterator[str]:
    """A client resumes only for a name that is in the certificate of the original session."""
    for hello, _place, issued in _issued(handshake):
        names = _other_names(hello, issued)
        certificate = issued.handshake.server_certificate if names else None
        if not names or certificate is None:
            continue
        valid = _names_of(certificate)
        if valid is not None and not any(_covers(name, names[1]) for name in valid):
            yield f"wire: the ClientHello asks for {names[1]}"
            yield f"wire: the certificate of connection {issued.handshake.connection.number} is for {', '.join(valid)}"


@rule(Role.CLIENT, "RFC 8446, 4.6.1", When.ANY, Level.SHOULD)
def same_name_resumed(handshake: Handshake) -> Iterator[str]:
    """A client resumes only with the server_name of the original session."""
    for hello, _place, issued in _issued(handshake):
        if names := _other_names(hello, issued):
            number = issued.handshake.connection.number
            yield f"wire: the ClientHello asks for {names[1]}, and that of connection {number} for {names[0]}"


def _other_names(hello: ClientHello, issued: Issued) -> tuple[str, str] | None:
    """The name of the session and the other one that is asked for now; None if they do not differ."""
    then = issued.handshake.asked.server_name if issued.handshake.asked else None
    now = hello.server_name
    return (then, now) if then and now and then.lower() != now.lower() else None


def _names_of(certificate: bytes) -> tuple[str, ...] | None:
    """The dNSNames of a certificate; None for bytes that are not a certificate, or if it has none."""
    from cryptography import x509  # noqa: PLC0415 - it takes long to load, and two names are rarely to be compared

    try:
        extensions = x509.load_der_x509_certificate(certificate).extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return None
    return tuple(names.get_values_for_type(x509.DNSName))


def _covers(pattern: str, name: str) -> bool:
    """Whether a dNSName is this name, with a wildcard for its first label at most (RFC 6125, 6.4.3)."""
    if pattern.startswith("*."):
        return pattern[2:].lower() == name.partition(".")[2].lower()
    return pattern.lower() == name.lower()


@rule(Role.CLIENT, "RFC 8446, C.4", When.ANY, Level.SHOULD)
def ticket_offered_once(handshake: Handshake) -> Iterator[str]:
    """A client does not use a ticket for several connections."""
    first = handshake.hellos[0] if handshake.hellos else None
    for place, identity in enumerate(first.psk_tickets if first else ()):
        for other in index_of(handshake.earlier).offering(identity, len(handshake.earlier))[:1]:
            number = handshake.earlier[other].number
            yield f"wire: connection {number} offered identity {place} of the ClientHello too"
