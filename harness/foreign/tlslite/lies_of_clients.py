"""What a client does that a server has to refuse or to ignore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlslite.constants import ContentType, ExtensionType
from tlslite.extensions import PreSharedKeyExtension, PskIdentity, RenegotiationInfoExtension
from tlslite.messages import ClientHello

from harness.foreign.tlslite.liar import EarlyKeys, Raw, add, message_of, psk_of, remove
from harness.foreign.tlslite.mutation import CLIENT, mutation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.foreign.tlslite.liar import Liar

UNKNOWN = bytes(range(64))
"""A ticket that no server has issued."""
BINDER = 32
UNKNOWN_MODE = 0x1A
"""No psk_key_exchange_mode: a value that is kept for GREASE (RFC 8701, 2)."""
TLS_1_1 = (3, 2)
LONGEST_ID = 32
SIGNALLING_SUITE = 0xFF
"""TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746, 3.3)."""
MUCH = 3 * 16384
"""Bytes: more than a server of OpenSSL skips (SSL_CTX_set_recv_max_early_data: 16384)."""
WHOLE_RECORD = 16000


class Trailing(PreSharedKeyExtension):  # type: ignore[misc]  # tlslite-ng ships no types
    """A pre_shared_key with a byte too many."""

    @property
    def extData(self) -> bytearray:  # noqa: N802 - tlslite-ng's name
        """The body."""
        return bytearray(super().extData) + bytearray(1)


def unknown() -> PskIdentity:
    """An identity that no server has issued."""
    return PskIdentity().create(bytearray(UNKNOWN), 0)


def surplus(offer: Any, *, first: bool, bound: bool = True) -> None:
    """Add an unknown identity, with a binder as long as the other one if it is to have one."""
    at = 0 if first else len(offer.identities)
    offer.identities.insert(at, unknown())
    if bound:
        offer.binders.insert(at, bytearray(len(offer.binders[0])))


BINDERS = "RFC 8446, 4.2.11"
VERIFIED = "RFC 8446, 4.2.11.2"
MODES = "RFC 8446, 4.2.9"
EARLY = "RFC 8446, 4.2.10"
SECOND = "RFC 8446, 4.1.2"


@mutation(CLIENT, "1.3", VERIFIED, ClientHello)
def invalid_psk_binder(_liar: Liar, hello: ClientHello) -> None:
    """The binder has a bit flipped."""
    psk_of(hello).binders[0][0] ^= 0x80


@mutation(CLIENT, "1.3", BINDERS, ClientHello)
def no_psk_binder(_liar: Liar, hello: ClientHello) -> None:
    """The list of binders is empty."""
    psk_of(hello).binders = []


@mutation(CLIENT, "1.3", BINDERS, ClientHello)
def short_psk_binder(_liar: Liar, hello: ClientHello) -> None:
    """The binder has a byte less than the hash."""
    psk_of(hello).binders[0].pop()


@mutation(CLIENT, "1.3", VERIFIED, ClientHello)
def long_psk_binder(_liar: Liar, hello: ClientHello) -> None:
    """The binder has a byte more than the hash."""
    psk_of(hello).binders[0].append(0)


@mutation(CLIENT, "1.3", BINDERS, ClientHello)
def extra_psk_binder(liar: Liar, hello: ClientHello) -> None:
    """There is a binder more than there are identities."""
    psk_of(hello).binders.append(bytearray(BINDER))
    liar.bind(hello)


@mutation(CLIENT, "1.3", BINDERS, ClientHello)
def extra_identity_no_binder(liar: Liar, hello: ClientHello) -> None:
    """There is an identity more than there are binders."""
    surplus(psk_of(hello), first=False, bound=False)
    liar.bind(hello)


@mutation(CLIENT, "1.3", BINDERS, ClientHello)
def extra_identity_first_no_binder(liar: Liar, hello: ClientHello) -> None:
    """An identity without a binder comes first, so that the session's has the wrong place."""
    surplus(psk_of(hello), first=True, bound=False)
    liar.bind(hello)


@mutation(CLIENT, "1.3", "RFC 8446, 4.2.11: a server ignores an identity that it does not know", ClientHello)
def unknown_psk_identity_first(liar: Liar, hello: ClientHello) -> None:
    """An identity that the server does not know comes first, with a binder of zeros."""
    surplus(psk_of(hello), first=True)
    liar.bind(hello)


@mutation(CLIENT, "1.3", "RFC 8446, 4.2.11: a server verifies the binder of the PSK that it selects alone", ClientHello)
def unknown_psk_identity_last(liar: Liar, hello: ClientHello) -> None:
    """An identity that the server does not know comes last, with a binder of zeros."""
    surplus(psk_of(hello), first=False)
    liar.bind(hello)


@mutation(CLIENT, "1.3", BINDERS, ClientHello)
def reordered_psk_binders(liar: Liar, hello: ClientHello) -> None:
    """Two identities have each other's binder."""
    surplus(psk_of(hello), first=True)
    liar.bind(hello)
    psk_of(hello).binders.reverse()


@mutation(CLIENT, "1.3", BINDERS, ClientHello)
def empty_psk_identity(_liar: Liar, hello: ClientHello) -> None:
    """The identity has no bytes."""
    psk_of(hello).identities[0].identity = bytearray()


@mutation(CLIENT, "1.3", BINDERS, ClientHello)
def no_psk_identity(_liar: Liar, hello: ClientHello) -> None:
    """The list of identities is empty, and that of binders is not."""
    psk_of(hello).identities = []


@mutation(CLIENT, "1.3", BINDERS, ClientHello)
def psk_not_last(liar: Liar, hello: ClientHello) -> None:
    """Another extension follows pre_shared_key."""
    offer = psk_of(hello)
    hello.extensions.remove(offer)
    hello.extensions.insert(0, offer)
    liar.hello = hello


@mutation(CLIENT, "1.3", "RFC 8446, 4.2", ClientHello)
def duplicate_psk_extension(liar: Liar, hello: ClientHello) -> None:
    """There are two pre_shared_key."""
    hello.extensions.insert(0, psk_of(hello))
    liar.hello = hello


@mutation(CLIENT, "1.3", BINDERS, ClientHello)
def trailing_psk_data(liar: Liar, hello: ClientHello) -> None:
    """A byte follows the binders within pre_shared_key."""
    offer = psk_of(hello)
    hello.extensions[-1] = Trailing().create(offer.identities, offer.binders)
    liar.bind(hello, trailing=1)


@mutation(CLIENT, "1.3", MODES, ClientHello)
def no_psk_key_exchange_modes(liar: Liar, hello: ClientHello) -> None:
    """There is no psk_key_exchange_modes beside pre_shared_key."""
    remove(hello, ExtensionType.psk_key_exchange_modes)
    liar.bind(hello)


@mutation(CLIENT, "1.3", MODES, ClientHello)
def empty_psk_key_exchange_modes(liar: Liar, hello: ClientHello) -> None:
    """The list of psk_key_exchange_modes is empty."""
    hello.getExtension(ExtensionType.psk_key_exchange_modes).modes = []
    liar.bind(hello)


@mutation(CLIENT, "1.3", "RFC 8446, 4.2.9: a server does not select a mode that the client has not named", ClientHello)
def unknown_psk_key_exchange_mode(liar: Liar, hello: ClientHello) -> None:
    """The only one of psk_key_exchange_modes does not exist."""
    hello.getExtension(ExtensionType.psk_key_exchange_modes).modes = [UNKNOWN_MODE]
    liar.bind(hello)


@mutation(CLIENT, "1.3", "RFC 8446, 4.2.11.1: a server that reads no early data may ignore the age", ClientHello)
def wrong_ticket_age(liar: Liar, hello: ClientHello) -> None:
    """The age of the ticket is thirty days more than it is."""
    identity = psk_of(hello).identities[0]
    identity.obfuscated_ticket_age = (identity.obfuscated_ticket_age + 30 * 86_400_000) % 2**32
    liar.bind(hello)


@mutation(CLIENT, "1.3", "RFC 8446, 4.2.11", ClientHello)
def psk_without_tls13(liar: Liar, hello: ClientHello) -> None:
    """pre_shared_key is in a ClientHello that offers TLS 1.2 alone."""
    remove(hello, ExtensionType.supported_versions)
    liar.bind(hello)


@mutation(CLIENT, "1.3", SECOND, ClientHello)
def second_hello_drops_psk(liar: Liar, hello: ClientHello) -> None:
    """The second ClientHello has no pre_shared_key."""
    if liar.hellos > 1:
        remove(hello, ExtensionType.pre_shared_key)


@mutation(CLIENT, "1.3", SECOND, ClientHello)
def second_hello_changes_psk(liar: Liar, hello: ClientHello) -> None:
    """The second ClientHello offers another ticket, which the server does not know."""
    if liar.hellos > 1:
        psk_of(hello).identities = [unknown()]


@mutation(CLIENT, "1.3", SECOND, ClientHello)
def second_hello_adds_psk_identity(liar: Liar, hello: ClientHello) -> None:
    """The second ClientHello offers a PSK more than the first, which the server does not know."""
    if liar.hellos > 1:
        surplus(psk_of(hello), first=True)
        liar.bind(hello)


@mutation(CLIENT, "1.3", VERIFIED, ClientHello)
def second_hello_keeps_binder(liar: Liar, hello: ClientHello) -> None:
    """The second ClientHello has the binder of the first."""
    offer = psk_of(hello)
    if liar.hellos > 1:
        offer.binders = [bytearray(liar.first_binder)]
    else:
        liar.first_binder = bytes(offer.binders[0])


@mutation(CLIENT, "1.3", EARLY, ClientHello)
def second_hello_early_data(liar: Liar, hello: ClientHello) -> None:
    """The second ClientHello has early_data."""
    if liar.hellos > 1:
        add(hello, ExtensionType.early_data)
        liar.bind(hello)


@mutation(CLIENT, "1.3", SECOND, ClientHello)
def second_hello_drops_modes(liar: Liar, hello: ClientHello) -> None:
    """The second ClientHello has no psk_key_exchange_modes."""
    if liar.hellos > 1:
        remove(hello, ExtensionType.psk_key_exchange_modes)
        liar.bind(hello)


@mutation(CLIENT, "1.3", EARLY, ClientHello, resuming=False)
def early_data_without_psk(liar: Liar, hello: ClientHello) -> None:
    """early_data is in a ClientHello without pre_shared_key."""
    if not liar.resuming:
        add(hello, ExtensionType.early_data)


@mutation(CLIENT, "1.3", EARLY, Raw)
def garbage_early_data(_liar: Liar, record: Raw) -> Iterable[Raw]:
    """The early data is not protected by the key that the PSK gives."""
    return (Raw(record.data[:-1] + bytes((record.data[-1] ^ 1,))),)


@mutation(CLIENT, "1.3", EARLY, Raw)
def too_much_early_data(liar: Liar, record: Raw) -> Iterable[Raw]:
    """There is more early data than the ticket allows."""
    yield record
    if liar.early_keys is not None:
        for _ in range(MUCH // WHOLE_RECORD):
            yield liar.early_keys.record(ContentType.application_data, bytes(WHOLE_RECORD))


@mutation(CLIENT, "1.3", EARLY, Raw)
def interleaved_early_data(liar: Liar, record: Raw) -> Iterable[Raw]:
    """A handshake message under the key of early data comes among them, a Finished in place of EndOfEarlyData."""
    yield record
    if liar.early_keys is not None:
        yield liar.early_keys.record(ContentType.handshake, bytes(message_of(20, bytes(BINDER)).write()))
        yield liar.early_keys.record(ContentType.application_data, liar.early)


@mutation(CLIENT, "1.3", "RFC 8446, 4.5", EarlyKeys)
def no_end_of_early_data(_liar: Liar, _end: object) -> Iterable[Raw]:
    """EndOfEarlyData is left out."""
    return ()


@mutation(CLIENT, "1.3", "RFC 8446, 4.5", EarlyKeys)
def early_data_after_its_end(liar: Liar, end: Any) -> Iterable[Raw]:
    """Early data follows EndOfEarlyData."""
    ended, keys = end
    return (ended, keys.record(ContentType.application_data, liar.early))


@mutation(CLIENT, "1.2", "RFC 5246, 7.4.1.2", ClientHello)
def unoffered_cipher(liar: Liar, hello: ClientHello) -> None:
    """The ClientHello does not offer the cipher suite of the session."""
    hello.cipher_suites = [each for each in hello.cipher_suites if each != liar.offered.cipherSuite]


@mutation(CLIENT, "1.2", "RFC 7627, 5.3", ClientHello)
def extended_master_secret_yes_to_no(_liar: Liar, hello: ClientHello) -> None:
    """The session has the extended master secret, and the ClientHello that offers it does not."""
    remove(hello, ExtensionType.extended_master_secret)


@mutation(CLIENT, "1.2", "RFC 5246, 7.4.1.2", ClientHello)
def session_id_of_33_bytes(_liar: Liar, hello: ClientHello) -> None:
    """The session id has a byte more than it may have."""
    hello.session_id = bytearray(LONGEST_ID + 1)


@mutation(CLIENT, "1.2", "RFC 5246, 7.4.1.2", ClientHello)
def older_version_than_session(_liar: Liar, hello: ClientHello) -> None:
    """The ClientHello allows TLS 1.1 at most, and the session is of TLS 1.2."""
    hello.client_version = TLS_1_1


@mutation(CLIENT, "1.2", "RFC 5746, 3.6", ClientHello)
def resumption_as_renegotiation(_liar: Liar, hello: ClientHello) -> None:
    """The ClientHello of a new connection has the renegotiation_info of a renegotiation."""
    hello.cipher_suites = [each for each in hello.cipher_suites if each != SIGNALLING_SUITE]
    hello.extensions.append(RenegotiationInfoExtension().create(bytearray(12)))


@mutation(CLIENT, "1.2", "RFC 5077, 3.4: a server ignores a ticket that it cannot read", ClientHello)
def damaged_ticket(_liar: Liar, hello: ClientHello) -> None:
    """The last byte of the ticket is another."""
    hello.getExtension(ExtensionType.session_ticket).ticket[-1] ^= 1


@mutation(CLIENT, "1.2", "RFC 5077, 3.4: a server ignores a ticket that it cannot read", ClientHello)
def truncated_ticket(_liar: Liar, hello: ClientHello) -> None:
    """The ticket has its first 20 bytes alone."""
    del hello.getExtension(ExtensionType.session_ticket).ticket[20:]


@mutation(CLIENT, "1.2", "RFC 5077, 3.4", ClientHello)
def duplicate_ticket_extension(_liar: Liar, hello: ClientHello) -> None:
    """There are two session_ticket."""
    hello.extensions.append(hello.getExtension(ExtensionType.session_ticket))


@mutation(CLIENT, "1.2", "RFC 5246, 7.4.1.2", ClientHello)
def no_null_compression(_liar: Liar, hello: ClientHello) -> None:
    """The ClientHello that offers the session offers no null compression."""
    hello.compression_methods = [1]
