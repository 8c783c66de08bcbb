"""The wire's View of a connection: what kind of handshake the Transcript shows, and by which fields.

Rules. A handshake that did not get to its end is ABORTED. So is one that a fatal alert followed before its sender had
sent application data, or instead of application data that an end waited for. One that was completed is RESUMED or FULL
by what the server sent: pre_shared_key in a TLS 1.3 ServerHello (RFC 8446, 2.2), unless the binder of the selected
identity proves that it is an external PSK, which makes a first handshake of it, without certificates; before TLS 1.3
the echoed session id and nothing between ServerHello and change_cipher_spec that only a full handshake has (RFC 5246,
7.3; RFC 5077, 3.4). A Certificate beside the PSK is a breach of a rule and no doubt: the keys come from the PSK (RFC
8446, 7.1). What contradicts itself, or hides behind encryption, is UNKNOWN. With renegotiation the first handshake is
judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.tls import BEFORE_1_3, Mechanism, Role, TLSVersion
from harness.model.transcript import PRE_SHARED_KEY
from harness.model.view import Saw, View, Witness
from harness.wire.ending import fatal_alerts, unfinished

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.model.session import Session
    from harness.model.tls import Alert
    from harness.model.transcript import ClientHello, ExternalPsk, Message, ServerHello, Transcript

FULL_ONLY = ("Certificate", "ServerKeyExchange", "ServerHelloDone")
"""What a TLS 1.2 server sends in a full handshake only; an anonymous one has no Certificate."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """``was_offered`` and ``mechanism`` are what the ClientHello shows, the latter None unless it was resumed."""

    view: View
    was_offered: bool
    mechanism: Mechanism | None
    external_psk: ExternalPsk | None = None
    """The external PSK that a TLS 1.3 server selected."""


def judge(
    transcript: Transcript,
    offered: Session | None = None,
    *,
    issued_ids: Collection[bytes] = (),
    exchanged: bool = True,
) -> Judgement:
    """Judge the first handshake; ``offered`` is the session that the client was given, if it was given one.

    A session id is an offer only if it is that session's own, or one of ``issued_ids``, those that servers issued
    before. A client that holds no session may send a random one: in middlebox compatibility mode (RFC 8446, D.4), or
    beside a ticket (RFC 5077, 3.4), as Go always does. ``exchanged``: no application data was lost, as far as both ends
    know.
    """
    messages = first_handshake(transcript)
    client, server = _hellos(transcript)
    mechanism = None
    if ended := unfinished(transcript, messages, exchanged=exchanged):
        saw, evidence = ended
    elif client is None or server is None:
        saw, evidence = Saw.UNKNOWN, ("a hello could not be read",)
    elif server.version is TLSVersion.TLSv1_3:
        saw, evidence = _tls13(client, server, messages)
        mechanism = Mechanism.PSK
    else:
        saw, evidence = _tls12(client, server, messages)
        mechanism = Mechanism.SESSION_TICKET if client.session_ticket else Mechanism.SESSION_ID
    if transcript.problem:
        evidence = (*evidence, transcript.problem)
    resumed = saw is Saw.RESUMED
    view = View(
        witness=Witness.WIRE,
        saw=saw,
        evidence=evidence,
        alert=_alert(transcript, saw),
        tickets=None if transcript.tickets is None else len(transcript.tickets),
    )
    was_offered = resumed or any(_offers(hello, offered, issued_ids) for hello in _answered(transcript))
    selected = external_psk(client, server) if client and server else None
    return Judgement(view, was_offered, mechanism if resumed else None, selected)


def _alert(transcript: Transcript, saw: Saw) -> Alert | None:
    """The first fatal alert; after a completed handshake the client's, as both ends may send one at the same time."""
    alerts = fatal_alerts(transcript)
    if saw is not Saw.ABORTED:
        alerts = tuple(sorted(alerts, key=lambda alert: alert.sender is Role.SERVER))
    return next(iter(alerts), None)


def first_handshake(transcript: Transcript) -> tuple[Message, ...]:
    """The messages before a renegotiation; all of them if there was none."""
    answered = False
    for index, message in enumerate(transcript.messages):
        if message.type == "ClientHello" and answered:
            return transcript.messages[:index]
        answered = answered or message.type == "ServerHello"
    return transcript.messages


def _hellos(transcript: Transcript) -> tuple[ClientHello | None, ServerHello | None]:
    """The ClientHello that the server answered, after a HelloRetryRequest the second one, and its ServerHello."""
    hellos = _answered(transcript)
    answer = next((hello for hello in transcript.server_hellos if not hello.hello_retry_request), None)
    return (hellos[-1] if hellos else None), answer


def _answered(transcript: Transcript) -> tuple[ClientHello, ...]:
    """The ClientHellos of the first handshake: more than one if the server asked for a further one.

    An offer may be in the first alone: a client takes it back where the retry changed the hash (RFC 8446, 4.1.4).
    """
    answers = (index for index, hello in enumerate(transcript.server_hellos) if not hello.hello_retry_request)
    retries = next(answers, len(transcript.server_hellos)) + transcript.types(Role.SERVER).count("HelloVerifyRequest")
    return transcript.client_hellos[: retries + 1]


def issued_ids(transcript: Transcript) -> frozenset[bytes]:
    """The session ids of TLS 1.2 that the server issued or confirmed (RFC 5246, 7.4.1.3)."""
    hellos = (hello for hello in transcript.server_hellos if hello.version in BEFORE_1_3)
    return frozenset(hello.session_id for hello in hellos if hello.session_id)


def _offers(client: ClientHello, offered: Session | None, issued: Collection[bytes]) -> bool:
    """Whether the ClientHello offers a session, whatever version is negotiated then."""
    tickets = PRE_SHARED_KEY in client.extensions and (client.psk_tickets or not client.external_psks)
    if tickets or client.session_ticket:
        return True
    own = offered.get("session_id") if offered else None
    return bool(client.session_id) and (client.session_id == own or client.session_id in issued)


def _tls13(client: ClientHello, server: ServerHello, messages: tuple[Message, ...]) -> tuple[Saw, tuple[str, ...]]:
    certificate = any(m.type in {"Certificate", "CompressedCertificate"} and m.sender is Role.SERVER for m in messages)
    shown = ("Certificate in the server's flight",) if certificate else ()
    if server.selected_psk is None:
        return Saw.FULL, ("no pre_shared_key in ServerHello", *shown)
    evidence = (f"pre_shared_key in ServerHello (identity {server.selected_psk})", *shown)
    if server.selected_psk >= len(client.psk_identities):
        return Saw.UNKNOWN, (*evidence, f"but the ClientHello offers {len(client.psk_identities)} identities")
    if external := external_psk(client, server):
        return (Saw.UNKNOWN if certificate else Saw.FULL), (*evidence, _proof(external))
    return Saw.RESUMED, evidence


def external_psk(client: ClientHello, server: ServerHello) -> ExternalPsk | None:
    """The external PSK that a TLS 1.3 server selected; None if it selected none, or what is not proven to be one."""
    if server.selected_psk is None or server.selected_psk >= len(client.psk_identities):
        return None
    selected = client.psk_identities[server.selected_psk]
    return next((psk for psk in client.external_psks if psk.identity == selected), None)


def _proof(psk: ExternalPsk) -> str:
    holders = " and the ".join(f"{role}'s" for role in Role if role in psk.holders)
    name = psk.identity.decode(errors="backslashreplace")
    return f"its binder is that of the external PSK {name!r} with the {holders} key"


def _tls12(client: ClientHello, server: ServerHello, messages: tuple[Message, ...]) -> tuple[Saw, tuple[str, ...]]:
    sent = {m.type for m in messages if m.sender is Role.SERVER and not m.encrypted}
    full = [kind for kind in FULL_ONLY if kind in sent]
    echoed = bool(server.session_id) and server.session_id == client.session_id
    if full:
        also = ("although the session id is echoed",) if echoed else ()
        return Saw.FULL, (f"{full[0]} in the server's flight", *also)
    ticket = f", session_ticket of {len(client.session_ticket)} bytes in ClientHello" if client.session_ticket else ""
    if echoed:
        return Saw.RESUMED, (f"no Certificate, session id echoed{ticket}",)
    if ticket and not client.session_id:
        return Saw.RESUMED, (f"no Certificate{ticket}, without a session id to echo (RFC 5077, 3.4)",)
    return Saw.UNKNOWN, ("no Certificate, but the session id is not echoed",)
