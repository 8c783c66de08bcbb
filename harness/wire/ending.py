"""Whether a handshake was completed on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.tls import Role, TLSVersion
from harness.model.view import Saw
from harness.wire.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.tls import Alert
    from harness.model.transcript import Message, Transcript

NEVER_FATAL = frozenset({0, 90})
"""close_notify and user_canceled; any other alert is fatal in TLS 1.3, whatever its level (RFC 8446, 6)."""
ALERT = 2 + 1
"""Bytes of a TLS 1.3 alert and its inner type, which the suite's tag follows where there is no padding."""


def _tls13(transcript: Transcript) -> bool:
    return any(hello.version is TLSVersion.TLSv1_3 for hello in transcript.server_hellos)


def _fatal(alert: Alert, *, tls13: bool) -> bool:
    return alert.level != 1 or (tls13 and alert.number not in NEVER_FATAL)


def fatal_alerts(transcript: Transcript) -> tuple[Alert, ...]:
    """The alerts that end a connection, in order."""
    tls13 = _tls13(transcript)
    return tuple(alert for alert in transcript.alerts if _fatal(alert, tls13=tls13))


def unfinished(
    transcript: Transcript, messages: Sequence[Message], *, exchanged: bool = True
) -> tuple[Saw, tuple[str, ...]] | None:
    """ABORTED or UNKNOWN with its evidence, None if the handshake that ``messages`` begin with was completed.

    ``exchanged``: no application data was lost, as far as both ends know.
    """
    alert = _deadly_alert(transcript, exchanged=exchanged)
    if alert:
        return Saw.ABORTED, (f"alert {alert.name} ({alert.number}) from the {alert.sender}",)
    types = {message.type for message in messages}
    for hello, sender in (("ClientHello", Role.CLIENT), ("ServerHello", Role.SERVER)):
        if hello not in types:
            return Saw.ABORTED, (f"no {hello} from the {sender}",)
    if not transcript.client_hellos or not transcript.handshakes:
        return Saw.UNKNOWN, ("a hello could not be read",)
    chosen = next(hello.cipher_suite for hello in transcript.server_hellos if not hello.hello_retry_request)
    if chosen not in SUITES:
        return Saw.UNKNOWN, (f"cipher suite 0x{chosen:04x} is not known, nor how it seals records",)
    if _tls13(transcript):
        return _tls13_end(messages, ALERT + SUITES[chosen].tag)
    return _tls12_end(messages, exchanged=exchanged)


def _deadly_alert(transcript: Transcript, *, exchanged: bool) -> Alert | None:
    """The first fatal alert whose sender had not sent application data after both Finished, also of a renegotiation.

    What the other end had sent does not count: it may have been on its way before the alert reached it. Where
    application data was lost, what the sender had sent does not count either: it wrote before it read.
    """
    tls13 = _tls13(transcript)
    if not any(_fatal(alert, tls13=tls13) for alert in transcript.alerts):
        return None
    alerts = iter(transcript.alerts)
    finished: set[Role] = set()
    talked: set[Role] = set()
    for message in transcript.messages:
        if message.type == "Finished":
            finished.add(message.sender)
        elif message.type == "ApplicationData" and (len(finished) == len(Role) or not transcript.decrypted):
            talked.add(message.sender)
        elif message.type == "Alert":
            alert = next(alerts, None)
            if alert and _fatal(alert, tls13=tls13) and not (exchanged and message.sender in talked):
                return alert
    return None


def _tls12_end(messages: Sequence[Message], *, exchanged: bool) -> tuple[Saw, tuple[str, ...]] | None:
    """Both Finished are the first sealed handshake messages after change_cipher_spec (RFC 5246, 7.4.9)."""
    for role in Role:
        if not any(m.sender is role and m.encrypted and m.type in {"Finished", "EncryptedHandshake"} for m in messages):
            return Saw.ABORTED, (f"no Finished from the {role}",)
    talked: set[Role] = set()
    for message in messages:
        if message.type == "ApplicationData":
            talked.add(message.sender)
        elif message.type == "EncryptedAlert":
            break
    else:
        return None
    if exchanged and message.sender in talked:
        return None
    when = "before any application data" if message.sender not in talked else "before the exchange was complete"
    return Saw.UNKNOWN, (f"no key opens the alert that the {message.sender} sent {when}",)


def _tls13_end(messages: Sequence[Message], sealed_alert: int) -> tuple[Saw, tuple[str, ...]] | None:
    """Both Finished; where no key opens them, sealed records after ServerHello that are too long to be an alert."""
    start = next(index for index, message in enumerate(messages) if message.type == "ServerHello")
    after = messages[start:]
    last = 0
    for role in (Role.SERVER, Role.CLIENT):
        shown = next((i for i, m in enumerate(after) if m.type == "Finished" and m.sender is role), None)
        if shown is not None:
            last = shown
            continue
        sealed = [i for i, m in enumerate(after) if m.sender is role and m.type == "EncryptedRecord"]
        long = [i for i in sealed if after[i].length > sealed_alert]
        if long:
            last = long[0]
        elif sealed:
            return Saw.UNKNOWN, (f"no key opens what the {role} sent, and it may be an alert",)
        else:
            return Saw.ABORTED, (f"no Finished from the {role}",)
    answers = [m for m in after[last:] if m.type == "EncryptedRecord" and m.sender is Role.SERVER]
    if answers and answers[0].length == sealed_alert:
        return Saw.UNKNOWN, ("no key opens the server's answer to the client's Finished, and it may be an alert",)
    return None
