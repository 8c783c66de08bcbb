"""Rules about every ClientHello: key shares, groups, and the fields that TLS 1.3 fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.rules.table import When, rule
from harness.model.tls import Role, TLSVersion
from harness.wire.hellos import KEY_SHARE, SUPPORTED_GROUPS
from harness.wire.names import GROUPS, list_of, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake
    from harness.model.transcript import ClientHello

LEGACY = 0x0303
"""TLS 1.2, which TLS 1.3 keeps in its legacy_version."""
SIGNALLING_SUITE = 0x00FF
"""TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746, 3.3)."""
RENEGOTIATION_INFO = 65281


def offers_tls13(hello: ClientHello) -> bool:
    """Whether supported_versions has TLS 1.3."""
    return TLSVersion.TLSv1_3.wire in hello.supported_versions


@rule(Role.CLIENT, "RFC 8446, 4.2.8", When.ANY)
def key_share_in_groups(handshake: Handshake) -> Iterator[str]:
    """A client sends key shares only of groups in its supported_groups, and in the same order."""
    for hello in handshake.hellos:
        shares = hello.key_share_groups
        if shares and [group for group in hello.supported_groups if group in shares] != list(shares):
            groups = list_of(GROUPS, hello.supported_groups) or "none"
            yield f"wire: the ClientHello has key shares of {list_of(GROUPS, shares)}, and the groups {groups}"


@rule(Role.CLIENT, "RFC 8446, 4.2.8", When.ANY)
def one_key_share_per_group(handshake: Handshake) -> Iterator[str]:
    """A client sends one key share of a group at most."""
    for hello in handshake.hellos:
        for group in sorted({g for g in hello.key_share_groups if hello.key_share_groups.count(g) > 1}):
            count = hello.key_share_groups.count(group)
            yield f"wire: the ClientHello has {count} key shares of {name_of(GROUPS, group)}"


@rule(Role.CLIENT, "RFC 8446, 9.2", When.ANY)
def key_share_with_groups(handshake: Handshake) -> Iterator[str]:
    """A client that offers TLS 1.3 sends key_share and supported_groups together."""
    for hello in handshake.hellos:
        share, groups = KEY_SHARE in hello.extensions, SUPPORTED_GROUPS in hello.extensions
        if offers_tls13(hello) and share is not groups:
            has, lacks = ("key_share", "supported_groups") if share else ("supported_groups", "key_share")
            yield f"wire: the ClientHello has {has} and lacks {lacks}"


@rule(Role.CLIENT, "RFC 8446, 4.1.2", When.ANY)
def legacy_version_is_tls12(handshake: Handshake) -> Iterator[str]:
    """A ClientHello that offers TLS 1.3 has the legacy_version of TLS 1.2."""
    for hello in handshake.hellos:
        if offers_tls13(hello) and hello.legacy_version != LEGACY:
            yield f"wire: the ClientHello's legacy_version is 0x{hello.legacy_version:04x}"


@rule(Role.CLIENT, "RFC 8446, 4.1.2", When.ANY)
def no_compression_offered(handshake: Handshake) -> Iterator[str]:
    """A ClientHello that offers TLS 1.3 offers no compression."""
    for hello in handshake.hellos:
        if offers_tls13(hello) and hello.compression_methods != b"\0":
            yield f"wire: the ClientHello's compression methods are {hello.compression_methods.hex(' ') or 'none'}"


@rule(Role.CLIENT, "RFC 5746, 3.4", When.TLS12)
def renegotiation_signalled(handshake: Handshake) -> Iterator[str]:
    """A client's first hello of a connection, of a resumption too, has renegotiation_info or its signalling suite."""
    hello = handshake.asked
    if hello and handshake.first and not _signals(hello):
        yield "wire: the ClientHello has neither renegotiation_info nor TLS_EMPTY_RENEGOTIATION_INFO_SCSV"


def _signals(hello: ClientHello) -> bool:
    return RENEGOTIATION_INFO in hello.extensions or SIGNALLING_SUITE in hello.cipher_suites


@rule(Role.CLIENT, "RFC 5746, 3.5", When.TLS12)
def renegotiation_verified(handshake: Handshake) -> Iterator[str]:
    """A client that renegotiates sends the verify_data of its last Finished, and not the signalling suite."""
    hello = handshake.asked
    if hello is None or handshake.first:
        return
    if len(hello.extensions.get(RENEGOTIATION_INFO, b"")) <= 1:
        yield "wire: the ClientHello of a renegotiation has no verify_data in renegotiation_info"
    if SIGNALLING_SUITE in hello.cipher_suites:
        yield "wire: the ClientHello of a renegotiation has TLS_EMPTY_RENEGOTIATION_INFO_SCSV"


@rule(Role.SERVER, "RFC 5746, 3.6", When.TLS12)
def renegotiation_answered(handshake: Handshake) -> Iterator[str]:
    """A server answers renegotiation_info or its signalling suite with an empty renegotiation_info."""
    hello, answer = handshake.asked, handshake.answer
    if hello is None or answer is None or not handshake.first or not _signals(hello):
        return
    body = answer.extensions.get(RENEGOTIATION_INFO)
    if body is None:
        yield "wire: the ServerHello has no renegotiation_info"
    elif body != b"\0":
        yield f"wire: the ServerHello's renegotiation_info has {len(body)} bytes in the first handshake"
