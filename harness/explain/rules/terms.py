"""Rules about the terms that a session of TLS 1.2 keeps: its master secret, name, fragment length and MAC order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.finding import suite_name
from harness.explain.rules.resumption12 import resumed_from
from harness.explain.rules.table import When, rule
from harness.model.rule import Level
from harness.model.tls import Role
from harness.model.transcript import ENCRYPT_THEN_MAC
from harness.wire.hellos import SERVER_NAME
from harness.wire.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake

MAX_FRAGMENT_LENGTH = 1


@rule(Role.CLIENT, "RFC 7627, 5.3", When.TLS12)
def extended_master_secret_offered_again(handshake: Handshake) -> Iterator[str]:
    """A client that offers a session with extended master secret sends extended_master_secret."""
    made, hello = handshake.made_in, handshake.asked
    if made and hello and made.extended_master_secret and not hello.extended_master_secret and not handshake.edited:
        number = made.connection.number
        yield f"wire: connection {number} has extended_master_secret, and the ClientHello that offers it lacks it"


@rule(Role.CLIENT, "RFC 7627, 5.3", When.TLS12, Level.SHOULD)
def no_offer_without_extended_master_secret(handshake: Handshake) -> Iterator[str]:
    """A client does not offer a session that was made without extended master secret."""
    made, hello = handshake.made_in, handshake.asked
    if made and made.answer and hello and hello.extended_master_secret and not made.extended_master_secret:
        yield f"wire: connection {made.connection.number}, whose session is offered, has no extended_master_secret"


@rule(Role.SERVER, "RFC 7627, 5.3", When.TLS12)
def extended_master_secret_not_added(handshake: Handshake) -> Iterator[str]:
    """A server does not resume a session without extended master secret if the ClientHello has it."""
    made, hello = resumed_from(handshake), handshake.asked
    if made and hello and hello.extended_master_secret and not made.extended_master_secret:
        number = made.connection.number
        yield f"wire: connection {number} has no extended_master_secret, and the ClientHello that resumes it has it"


@rule(Role.SERVER, "RFC 7627, 5.3", When.TLS12)
def extended_master_secret_not_dropped(handshake: Handshake) -> Iterator[str]:
    """A server does not resume a session with extended master secret if the ClientHello lacks it."""
    made, hello = resumed_from(handshake), handshake.asked
    if made and hello and made.extended_master_secret and not hello.extended_master_secret:
        number = made.connection.number
        yield f"wire: connection {number} has extended_master_secret, and the ClientHello that resumes it lacks it"


@rule(Role.SERVER, "RFC 7627, 5.3", When.TLS12)
def extended_master_secret_answered(handshake: Handshake) -> Iterator[str]:
    """A server that resumes a session with extended master secret answers extended_master_secret."""
    made, hello, answer = resumed_from(handshake), handshake.asked, handshake.answer
    both = made is not None and hello is not None and made.extended_master_secret and hello.extended_master_secret
    if both and answer and not answer.extended_master_secret:
        yield "wire: the ServerHello of the resumption has no extended_master_secret"


@rule(Role.SERVER, "RFC 6066, 3", When.TLS12)
def other_name_not_resumed(handshake: Handshake) -> Iterator[str]:
    """A server does not resume a session of another server_name."""
    made, hello = resumed_from(handshake), handshake.asked
    if made is None or made.asked is None or hello is None:
        return
    then, now = made.asked.server_name, hello.server_name
    if now and then and then.lower() != now.lower():
        yield f"wire: the ClientHello asks for {now}, and that of connection {made.connection.number} for {then}"


@rule(Role.SERVER, "RFC 6066, 3", When.TLS12)
def name_not_answered_in_resumption(handshake: Handshake) -> Iterator[str]:
    """A server that resumes a session does not answer server_name."""
    if handshake.abbreviated and handshake.answer and SERVER_NAME in handshake.answer.extensions:
        yield "wire: the ServerHello of the resumption has server_name"


@rule(Role.SERVER, "RFC 6066, 4", When.ANY)
def fragment_length_as_asked(handshake: Handshake) -> Iterator[str]:
    """A server answers max_fragment_length with the value that the client asks for."""
    hello = handshake.asked
    for name, extensions in handshake.server_extensions:
        body = extensions.get(MAX_FRAGMENT_LENGTH)
        asked = hello.extensions.get(MAX_FRAGMENT_LENGTH) if hello else None
        if body is not None and asked is not None and body != asked:
            yield f"wire: the ClientHello asks for {asked.hex()}, and {name} answers {body.hex()}"


@rule(Role.SERVER, "RFC 6066, 4", When.TLS12)
def fragment_length_kept(handshake: Handshake) -> Iterator[str]:
    """A server that resumes a session keeps its maximum fragment length."""
    made = resumed_from(handshake)
    if made is None or made.answer is None or handshake.answer is None:
        return
    then, now = (hello.extensions.get(MAX_FRAGMENT_LENGTH) for hello in (made.answer, handshake.answer))
    if then != now:
        codes = [body.hex() if body else "none" for body in (then, now)]
        yield f"wire: max_fragment_length of the ServerHello was {codes[0]} and is {codes[1]}"


@rule(Role.SERVER, "RFC 7366, 3", When.TLS12)
def encrypt_then_mac_for_block_ciphers(handshake: Handshake) -> Iterator[str]:
    """A server answers encrypt_then_mac only if it chooses a CBC suite."""
    answer = handshake.answer
    if answer is None or ENCRYPT_THEN_MAC not in answer.extensions or answer.cipher_suite not in SUITES:
        return
    if "_CBC_" not in SUITES[answer.cipher_suite].name:
        yield f"wire: the ServerHello has encrypt_then_mac and chooses {suite_name(answer.cipher_suite)}"


@rule(Role.SERVER, "RFC 7366, 3.1", When.TLS12)
def encrypt_then_mac_kept_in_renegotiation(handshake: Handshake) -> Iterator[str]:
    """A server does not leave encrypt-then-MAC in a renegotiation that chooses a CBC suite."""
    answer = handshake.answer
    if answer is None or handshake.first or answer.cipher_suite not in SUITES:
        return
    had = any(one.answer and ENCRYPT_THEN_MAC in one.answer.extensions for one in handshake.before)
    if had and "_CBC_" in SUITES[answer.cipher_suite].name and ENCRYPT_THEN_MAC not in answer.extensions:
        yield "wire: an earlier ServerHello of the connection has encrypt_then_mac, and this one lacks it"
