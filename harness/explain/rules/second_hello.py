"""Rules about the ClientHello that follows a HelloRetryRequest (RFC 8446, 4.1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.finding import hash_of
from harness.explain.rules.table import When, rule
from harness.model.rule import Level
from harness.model.tls import Role
from harness.model.transcript import EARLY_DATA, PRE_SHARED_KEY
from harness.wire.hellos import KEY_SHARE
from harness.wire.names import EXTENSIONS, GROUPS, list_of, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake
    from harness.model.transcript import ClientHello, ServerHello

PADDING, COOKIE = 21, 44
MAY_CHANGE = frozenset({PADDING, PRE_SHARED_KEY, EARLY_DATA, COOKIE, KEY_SHARE})
FIELDS = ("legacy_version", "random", "session_id", "cipher_suites", "compression_methods")


def _both(handshake: Handshake) -> tuple[ClientHello, ServerHello, ClientHello] | None:
    """Both hellos with the HelloRetryRequest between them."""
    if not handshake.retries or len(handshake.hellos) <= 1:
        return None
    return handshake.hellos[0], handshake.retries[0], handshake.hellos[1]


@rule(Role.CLIENT, "RFC 8446, 4.1.2", When.TLS13)
def second_hello_same_fields(handshake: Handshake) -> Iterator[str]:
    """A client keeps version, random, session id, suites and compression in its second ClientHello."""
    if both := _both(handshake):
        first, _retry, second = both
        for name in FIELDS:
            if getattr(first, name) != getattr(second, name):
                yield f"wire: {name} differs between both ClientHellos"


@rule(Role.CLIENT, "RFC 8446, 4.1.2", When.TLS13)
def second_hello_same_extensions(handshake: Handshake) -> Iterator[str]:
    """A client keeps its extensions but key_share, early_data, cookie, pre_shared_key and padding."""
    if both := _both(handshake):
        first, _retry, second = both
        for number in dict.fromkeys([*first.extensions, *second.extensions]):
            if number not in MAY_CHANGE and first.extensions.get(number) != second.extensions.get(number):
                yield f"wire: {name_of(EXTENSIONS, number)} differs between both ClientHellos"


@rule(Role.CLIENT, "RFC 8446, 4.1.2", When.TLS13)
def second_hello_key_share(handshake: Handshake) -> Iterator[str]:
    """A client sends the one key share that the HelloRetryRequest asks for, or else its first ones."""
    if both := _both(handshake):
        first, retry, second = both
        if retry.group is not None and second.key_share_groups != (retry.group,):
            yield f"wire: the HelloRetryRequest asks for {name_of(GROUPS, retry.group)}"
            yield f"wire: the second ClientHello has key shares of {list_of(GROUPS, second.key_share_groups) or 'none'}"
        elif retry.group is None and first.extensions.get(KEY_SHARE) != second.extensions.get(KEY_SHARE):
            yield "wire: the HelloRetryRequest asks for no key share, and key_share differs between both ClientHellos"


@rule(Role.CLIENT, "RFC 8446, 4.2.2", When.TLS13)
def cookie_returned(handshake: Handshake) -> Iterator[str]:
    """A client returns the cookie of a HelloRetryRequest, and sends none otherwise."""
    if both := _both(handshake):
        _first, retry, second = both
        if retry.extensions.get(COOKIE) != second.extensions.get(COOKIE):
            yield "wire: the cookie of the second ClientHello is not that of the HelloRetryRequest"
    if handshake.hellos and COOKIE in handshake.hellos[0].extensions:
        yield "wire: the first ClientHello has a cookie"


@rule(Role.CLIENT, "RFC 8446, 4.1.2", When.TLS13)
def second_hello_psks(handshake: Handshake) -> Iterator[str]:
    """A client offers no new PSK in its second ClientHello, and leaves out only those of another hash."""
    both = _both(handshake)
    if both is None:
        return
    first, retry, second = both
    if [one for one in first.psk_identities if one in second.psk_identities] != list(second.psk_identities):
        yield "wire: the second ClientHello has an identity that the first one lacks, or another order"
    for place, identity in enumerate(first.psk_identities):
        issued = handshake.issue_of(identity) if identity not in second.psk_identities else None
        made = issued.handshake.answer if issued else None
        digest = hash_of(made.cipher_suite) if made else None
        if digest and digest == hash_of(retry.cipher_suite) and not handshake.edited:
            yield f"wire: the second ClientHello lacks identity {place}, whose hash the HelloRetryRequest keeps"


@rule(Role.CLIENT, "RFC 8446, 4.1.4", When.TLS13, Level.SHOULD)
def second_hello_psk_hash(handshake: Handshake) -> Iterator[str]:
    """A client offers no PSK of another hash than the HelloRetryRequest's suite in its second ClientHello."""
    both = _both(handshake)
    for place, identity in enumerate(both[2].psk_identities if both else ()):
        issued = handshake.issue_of(identity)
        made = issued.handshake.answer if issued else None
        digest = hash_of(made.cipher_suite) if made else None
        if both and digest and digest != hash_of(both[1].cipher_suite):
            yield f"wire: identity {place} of the second ClientHello has the hash {digest}"
            yield f"wire: the suite of the HelloRetryRequest has the hash {hash_of(both[1].cipher_suite)}"
