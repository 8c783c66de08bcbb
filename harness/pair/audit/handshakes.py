"""Each handshake of a connection, as the wire shows it: there is more than one where an end renegotiates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.model.tls import Role, TLSVersion
from harness.model.transcript import (
    Certificate,
    CertificateStatus,
    ClientHello,
    KeyExchange,
    NewSessionTicket,
    RawPublicKey,
    ServerHello,
)
from harness.model.view import Saw
from harness.wire.hellos import KEY_SHARE
from harness.wire.judge import FULL_ONLY, external_psk
from harness.wire.names import GROUPS, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.transcript import Content, Message, Transcript


@dataclass(frozen=True)
class Handshake:
    """The messages from a ClientHello to that of the next handshake, with what follows the Finished."""

    messages: tuple[Message, ...]
    answer: ServerHello
    """Its ServerHello that is not a HelloRetryRequest."""
    resumed: bool

    @cached_property
    def _contents(self) -> Mapping[Role, tuple[Content, ...]]:
        read = [m for m in self.messages if m.content is not None]
        return {role: tuple([m.content for m in read if m.sender is role]) for role in Role}

    def contents(self, role: Role) -> tuple[Content, ...]:
        """What was read of the messages of an end, in order."""
        return self._contents[role]

    @cached_property
    def hellos(self) -> tuple[ClientHello, ...]:
        """Its ClientHellos; there are two where the server asked for another one."""
        return tuple(each for each in self.contents(Role.CLIENT) if isinstance(each, ClientHello))

    @cached_property
    def tickets(self) -> frozenset[bytes]:
        """The ticket of each NewSessionTicket."""
        return frozenset(each.ticket for each in self.contents(Role.SERVER) if isinstance(each, NewSessionTicket))

    @cached_property
    def tls13(self) -> bool:
        """Whether it is one of TLS 1.3."""
        return self.answer.version is TLSVersion.TLSv1_3

    def chain(self, role: Role) -> tuple[bytes, ...] | None:
        """The chain that an end sent last; none of a raw public key; None if it sent none that could be read."""
        sent = self._identities[role]
        return sent.chain if isinstance(sent, Certificate) else None if sent is None else ()

    def raw_key(self, role: Role) -> bytes:
        """The raw public key that an end sent last; empty if it sent none."""
        sent = self._identities[role]
        return sent.key if isinstance(sent, RawPublicKey) else b""

    @cached_property
    def _identities(self) -> Mapping[Role, Certificate | RawPublicKey | None]:
        """What each end proved itself with last; None if it sent nothing that could be read."""
        kinds = (Certificate, RawPublicKey)
        return {
            role: next((each for each in reversed(self.contents(role)) if isinstance(each, kinds)), None)
            for role in Role
        }

    @property
    def stapled(self) -> bytes:
        """The OCSP response that the server stapled to its certificate; empty without one."""
        kinds = (Certificate, CertificateStatus)
        sent = (each.ocsp_response for each in self.contents(Role.SERVER) if isinstance(each, kinds))
        return next(filter(None, sent), b"")

    def key_exchange(self, role: Role) -> KeyExchange | None:
        """The key exchange of an end before TLS 1.3; None if it sent none that could be read."""
        return self._key_exchanges[role]

    @cached_property
    def _key_exchanges(self) -> Mapping[Role, KeyExchange | None]:
        return {
            role: next((each for each in self.contents(role) if isinstance(each, KeyExchange)), None) for role in Role
        }

    @cached_property
    def group(self) -> int | None:
        """The group of the key exchange; None if there is none, as in a TLS 1.2 resumption, or with RSA or DHE."""
        if self.tls13:
            share = self.answer.extensions.get(KEY_SHARE, b"")
            return int.from_bytes(share[:2], "big") if share else None
        found = self.key_exchange(Role.SERVER)
        return found.group if found else None

    @property
    def dh_group(self) -> int | None:
        """The group of RFC 7919 whose prime the server of TLS 1.2 sends; None for others."""
        found = None if self.tls13 else self.key_exchange(Role.SERVER)
        return found.dh_group if found else None

    @cached_property
    def temp_key(self) -> str:
        """The kind of the ephemeral keys: the name of the group, or ``DH, 2048 bits``; empty if there are none."""
        if self.group is not None:
            return name_of(GROUPS, self.group)
        found = None if self.tls13 else self.key_exchange(Role.SERVER)
        return f"DH, {found.dh_bits} bits" if found and found.dh_bits else ""

    @cached_property
    def unread_exchange(self) -> bool:
        """Whether there is a key exchange that could not be read, or is of a group that has no name here."""
        sent = any(m.type == "ServerKeyExchange" for m in self.messages)
        unnamed = self.group is not None and self.group not in GROUPS
        return unnamed or (sent and self.key_exchange(Role.SERVER) is None)


def handshakes(transcript: Transcript, saw: Saw) -> tuple[Handshake, ...]:
    """Each handshake that a ServerHello answers, in order; ``saw`` is what the wire shows of the first one."""
    starts = [0]
    answered = False
    for place, message in enumerate(transcript.messages):
        if message.type == "ClientHello" and answered:
            starts.append(place)
            answered = False
        answered = answered or message.type == "ServerHello"
    found = []
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        messages = transcript.messages[start:end]
        answer = next((m.content for m in messages if m.type == "ServerHello"), None)
        if not isinstance(answer, ServerHello):
            continue
        judged = saw if start == 0 and saw in {Saw.FULL, Saw.RESUMED} else None
        found.append(Handshake(messages, answer, judged is Saw.RESUMED if judged else _resumes(messages, answer)))
    return tuple(found)


def _resumes(messages: tuple[Message, ...], answer: ServerHello) -> bool:
    """Whether a renegotiation, or a handshake that was not completed, resumes a session."""
    if answer.version is TLSVersion.TLSv1_3:
        hello = next((m.content for m in reversed(messages) if isinstance(m.content, ClientHello)), None)
        return answer.selected_psk is not None and not (hello and external_psk(hello, answer))
    return not any(m.type in FULL_ONLY and m.sender is Role.SERVER for m in messages)
