"""Rules about the change_cipher_spec records of TLS 1.3's compatibility mode (RFC 8446, 5 and D.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.rules.table import When, rule
from harness.model.tls import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake

KIND = "ChangeCipherSpec"


@rule(Role.SERVER, "RFC 8446, D.4", When.TLS13)
def change_cipher_spec_in_compatibility_mode(handshake: Handshake) -> Iterator[str]:
    """A server sends change_cipher_spec right after its first message if the client has a session id."""
    if not handshake.hellos or not handshake.hellos[0].session_id:
        return
    sent = [message.type for message in handshake.messages if message.sender is Role.SERVER]
    if len(sent) > 1 and sent[1] not in {KIND, "Alert", "EncryptedAlert"}:
        yield f"wire: the ClientHello has a session id, and {sent[1]} comes right after the server's {sent[0]}"


@rule(None, "RFC 8446, 5", When.TLS13)
def no_change_cipher_spec_after_finished(handshake: Handshake) -> Iterator[str]:
    """An end sends change_cipher_spec only before its Finished."""
    for role in Role:
        finished = handshake.place("Finished", role)
        if finished is not None:
            late = [m for m in handshake.messages[finished:] if m.sender is role and m.type == KIND]
            if late:
                yield f"wire: the {role} sends change_cipher_spec after its Finished"


@rule(None, "RFC 8446, 5", When.TLS13)
def change_cipher_spec_is_one_byte(handshake: Handshake) -> Iterator[str]:
    """An end sends change_cipher_spec unencrypted, as the single byte 1."""
    for message in handshake.messages:
        if message.type == KIND and (message.encrypted or message.content != b"\x01"):
            how = "encrypted" if message.encrypted else f"with {message.length} bytes, not the byte 1"
            yield f"wire: the {message.sender} sends change_cipher_spec {how}"
