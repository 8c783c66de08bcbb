"""Rules about a server's answer: ServerHello, EncryptedExtensions, and what follows them."""

from __future__ import annotations

from hashlib import new
from typing import TYPE_CHECKING

from harness.explain.finding import hash_of, suite_name
from harness.explain.rules.hello import LEGACY, RENEGOTIATION_INFO, SIGNALLING_SUITE
from harness.explain.rules.second_hello import COOKIE
from harness.explain.rules.table import When, rule
from harness.model.rule import Level
from harness.model.tls import Role, TLSVersion
from harness.model.transcript import PRE_SHARED_KEY
from harness.wire.hellos import ALPN, KEY_SHARE, PSK_KEY_EXCHANGE_MODES, SUPPORTED_VERSIONS
from harness.wire.names import EXTENSIONS, GROUPS, list_of, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake

CLEAR = {
    "ServerHello": frozenset({PRE_SHARED_KEY, SUPPORTED_VERSIONS, KEY_SHARE}),
    "HelloRetryRequest": frozenset({SUPPORTED_VERSIONS, COOKIE, KEY_SHARE}),
}
"""The extensions that TLS 1.3 allows in the server's unencrypted messages (RFC 8446, 4.2)."""
NOT_ENCRYPTED = frozenset({PRE_SHARED_KEY, SUPPORTED_VERSIONS, KEY_SHARE, COOKIE, PSK_KEY_EXCHANGE_MODES})
"""Extensions of TLS 1.3 that have no place in EncryptedExtensions (RFC 8446, 4.2)."""
PSK_KE, PSK_DHE_KE = 0, 1
AUTHENTICATION = ("Certificate", "CompressedCertificate", "CertificateVerify", "CertificateRequest")
FIRST_OF_DTLS = 0xFEFF
"""DTLS 1.0; the numbers of later ones are lower (RFC 6347, 4.1)."""
MARKS = {TLSVersion.TLSv1_2: b"DOWNGRD\x01"}
"""What a server that knows TLS 1.3 ends its random with (RFC 8446, 4.1.3); other versions than TLS 1.2 have EARLIER."""
EARLIER = b"DOWNGRD\x00"


@rule(Role.SERVER, "RFC 8446, 4.1.3", When.TLS13)
def session_id_echoed(handshake: Handshake) -> Iterator[str]:
    """A server of TLS 1.3 echoes the client's session id."""
    for answer in handshake.answers:
        if handshake.hellos and answer.session_id != handshake.hellos[0].session_id:
            yield (
                f"wire: the session id of the ClientHello has {len(handshake.hellos[0].session_id)} bytes, and that of "
                f"the server's answer is another one of {len(answer.session_id)}"
            )


@rule(Role.SERVER, "RFC 8446, 4.1.3; RFC 5246, 7.4.1.3", When.ANY)
def suite_was_offered(handshake: Handshake) -> Iterator[str]:
    """A server chooses a cipher suite that the client offers."""
    for answer in handshake.answers:
        if handshake.asked and answer.cipher_suite not in handshake.asked.cipher_suites:
            yield f"wire: the server chooses {suite_name(answer.cipher_suite)}, which the ClientHello does not offer"


@rule(Role.SERVER, "RFC 8446, 4.2.1; RFC 5246, 7.4.1.3", When.ANY)
def version_was_offered(handshake: Handshake) -> Iterator[str]:
    """A server chooses a protocol version that the client offers."""
    hello = handshake.asked
    for answer in handshake.answers:
        body = answer.extensions.get(SUPPORTED_VERSIONS)
        chosen = int.from_bytes(body[:2], "big") if body else answer.legacy_version
        if hello is None:
            continue
        highest = hello.legacy_version
        older = chosen <= highest if hello.cookie is None else highest <= chosen <= FIRST_OF_DTLS
        if not (chosen in hello.supported_versions if hello.supported_versions else older):
            yield f"wire: the server chooses the version 0x{chosen:04x}, which the ClientHello does not offer"


@rule(Role.SERVER, "RFC 8446, 4.1.3", When.TLS13)
def answer_legacy_fields(handshake: Handshake) -> Iterator[str]:
    """A server of TLS 1.3 sends the legacy_version of TLS 1.2 and no compression."""
    for answer in handshake.answers:
        if answer.legacy_version != LEGACY:
            yield f"wire: the legacy_version of the server's answer is 0x{answer.legacy_version:04x}"
        if answer.compression:
            yield f"wire: the compression method of the server's answer is {answer.compression}"


@rule(Role.SERVER, "RFC 8446, 4.1.3", When.TLS12)
def downgrade_marked(handshake: Handshake) -> Iterator[str]:
    """A server that knows TLS 1.3 and chooses an earlier version ends its random with DOWNGRD and 1 or 0."""
    answer, setup = handshake.answer, handshake.connection.setup
    if answer is None or answer.version is None or setup is None or not handshake.first:
        return
    if TLSVersion.TLSv1_3 in (setup.server.versions or ()):
        mark = MARKS.get(answer.version, EARLIER)
        if not answer.random.endswith(mark):
            yield f"wire: the random of the ServerHello ends with {answer.random[-8:].hex()}, and not {mark.hex()}"
            yield "knob: the server's versions include TLS 1.3"


@rule(Role.SERVER, "RFC 8446, 4.1.3", When.TLS12, Level.SHOULD)
def downgrade_marked_by_tls12(handshake: Handshake) -> Iterator[str]:
    """A server whose latest version is TLS 1.2 ends its random with DOWNGRD and 0 where it chooses an earlier one."""
    answer, setup = handshake.answer, handshake.connection.setup
    if answer is None or answer.version is None or setup is None or not handshake.first:
        return
    latest = max(setup.server.versions or (answer.version,))
    if answer.version < latest == TLSVersion.TLSv1_2 and not answer.random.endswith(EARLIER):
        yield f"wire: the random of the ServerHello ends with {answer.random[-8:].hex()}, and not {EARLIER.hex()}"
        yield "knob: the latest of the server's versions is TLS 1.2"


@rule(Role.SERVER, "RFC 8446, 4.2.8", When.TLS13)
def server_share_was_offered(handshake: Handshake) -> Iterator[str]:
    """A server sends a key share of a group that the client has sent one of."""
    hello, answer = handshake.asked, handshake.answer
    if hello and answer and answer.group is not None and answer.group not in hello.key_share_groups:
        groups = list_of(GROUPS, hello.key_share_groups) or "none"
        yield f"wire: the ServerHello's key share is of {name_of(GROUPS, answer.group)}, the ClientHello's of {groups}"


@rule(Role.SERVER, "RFC 8446, 4.2.8", When.TLS13)
def full_handshake_has_key_share(handshake: Handshake) -> Iterator[str]:
    """A server that uses no PSK sends a key share."""
    answer = handshake.answer
    if answer and answer.group is None and answer.selected_psk is None:
        yield "wire: the ServerHello has neither key_share nor pre_shared_key"


@rule(Role.SERVER, "RFC 8446, 4.2.11", When.TLS13)
def selected_identity_exists(handshake: Handshake) -> Iterator[str]:
    """A server selects one of the client's identities."""
    hello, answer = handshake.asked, handshake.answer
    if hello and answer and answer.selected_psk is not None and answer.selected_psk >= len(hello.psk_identities):
        count = len(hello.psk_identities)
        yield f"wire: the ServerHello selects identity {answer.selected_psk}, and the ClientHello has {count}"


@rule(Role.SERVER, "RFC 8446, 4.2.11", When.TLS13)
def suite_has_hash_of_psk(handshake: Handshake) -> Iterator[str]:
    """A server that uses a PSK chooses a cipher suite with the PSK's hash."""
    hello, answer = handshake.asked, handshake.answer
    if hello is None or answer is None or answer.selected_psk is None:
        return
    binders, digest = hello.psk_binders, hash_of(answer.cipher_suite)
    length = len(binders[answer.selected_psk]) if answer.selected_psk < len(binders) else None
    if length is not None and digest and length != new(digest).digest_size:
        yield f"wire: the ServerHello chooses {suite_name(answer.cipher_suite)}"
        yield f"wire: the binder of the selected identity has {length} bytes"


@rule(Role.SERVER, "RFC 8446, 4.2.11", When.TLS13)
def external_binder_verifies(handshake: Handshake) -> Iterator[str]:
    """A server uses an external PSK only if the binder verifies with its key."""
    hello, setup = handshake.asked, handshake.connection.setup
    if hello is None or setup is None or setup.server.psk_key is None or handshake.selected is None:
        return
    for psk in hello.external_psks:
        if psk.identity == handshake.selected and Role.SERVER not in psk.holders:
            yield f"wire: the server selects {psk.identity!r}, whose binder does not verify with its key"


@rule(Role.SERVER, "RFC 8446, 4.2.9", When.TLS13)
def psk_mode_was_offered(handshake: Handshake) -> Iterator[str]:
    """A server uses a PSK in a mode that the client offers, with a key share only for psk_dhe_ke."""
    hello, answer = handshake.asked, handshake.answer
    if hello is None or answer is None or answer.selected_psk is None:
        return
    mode, name = (PSK_KE, "no key share") if answer.group is None else (PSK_DHE_KE, "a key share")
    if mode not in hello.psk_modes:
        modes = ", ".join(map(str, hello.psk_modes)) or "none"
        yield f"wire: the ServerHello selects a PSK with {name}, and the modes of the ClientHello are {modes}"


@rule(Role.SERVER, "RFC 8446, 4.2.9", When.ANY)
def no_modes_from_the_server(handshake: Handshake) -> Iterator[str]:
    """A server does not send psk_key_exchange_modes."""
    for name, extensions in handshake.server_extensions:
        if PSK_KEY_EXCHANGE_MODES in extensions:
            yield f"wire: {name} has psk_key_exchange_modes"


@rule(Role.SERVER, "RFC 8446, 4.2; RFC 5246, 7.4.1.4", When.ANY)
def nothing_unasked(handshake: Handshake) -> Iterator[str]:
    """A server answers only extensions that the client sends."""
    hello = handshake.asked
    for name, extensions in handshake.server_extensions:
        if hello is None:
            continue
        asked = {*hello.extensions, *([COOKIE] if name == "HelloRetryRequest" else [])}
        if name == "HelloRetryRequest":
            asked |= set(handshake.hellos[0].extensions)
        if SIGNALLING_SUITE in hello.cipher_suites:
            asked.add(RENEGOTIATION_INFO)
        if unasked := tuple(number for number in extensions if number not in asked):
            yield f"wire: {name} has {list_of(EXTENSIONS, unasked)}, which the ClientHello lacks"


@rule(Role.SERVER, "RFC 8446, 4.2", When.TLS13)
def extensions_in_their_place(handshake: Handshake) -> Iterator[str]:
    """A server of TLS 1.3 sends each extension in the message that it belongs to."""
    for name, extensions in handshake.server_extensions:
        allowed = CLEAR.get(name)
        wrong = [n for n in extensions if (n in NOT_ENCRYPTED if allowed is None else n not in allowed)]
        if wrong:
            yield f"wire: {name} has {list_of(EXTENSIONS, tuple(wrong))}"


@rule(Role.SERVER, "RFC 8446, 2.2 and 4.3.2", When.TLS13)
def no_certificate_with_psk(handshake: Handshake) -> Iterator[str]:
    """A server that uses a PSK sends no certificate and asks for none in the handshake."""
    if handshake.answer is None or handshake.answer.selected_psk is None:
        return
    for message in handshake.flight(Role.SERVER, "Finished"):
        if message.type in AUTHENTICATION:
            yield f"wire: the server selects a PSK and sends {message.type}"


@rule(Role.SERVER, "RFC 7301, 3.1", When.ANY)
def alpn_was_offered(handshake: Handshake) -> Iterator[str]:
    """A server chooses one ALPN protocol among those of this ClientHello."""
    hello = handshake.asked
    source = handshake.encrypted_extensions if handshake.tls13 else handshake.answer
    if hello is None or source is None or ALPN not in source.extensions:
        return
    if len(source.alpn) != 1 or source.alpn[0] not in hello.alpn:
        yield f"wire: the server's ALPN is {', '.join(source.alpn) or 'empty'}"
        yield f"wire: the ClientHello's ALPN is {', '.join(hello.alpn) or 'empty'}"
