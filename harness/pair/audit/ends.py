"""How a connection ended: the alerts of both ends, and what each says of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.vocabulary import release
from harness.explain.finding import ALERT_RECEIVED, ALERTS_END, LIB_SSL, SILENT, entries, release_of
from harness.model.tls import Ending, Role
from harness.model.transcript import CONNECTION_CLOSE
from harness.model.view import Saw
from harness.pair.audit.shown import Among, Shown, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from harness.model.tls import Alert
    from harness.model.view import EndpointReport
    from harness.pair.audit.shown import Wire

SAYS_WHY = release("1.1.1")
"""The first OpenSSL in which whatever fails in a handshake adds an error to the queue (SSLfatal)."""
FLUSHES_WARNINGS = release("1.1.1d")
"""The first 1.1.1 whose DTLS sends a warning at once (https://github.com/openssl/openssl/issues/8998)."""
SENDS_EACH_ALERT = release("1.1.1o")
"""The first OpenSSL that sends an alert for each of its errors: before, tls1_alert_code knew no missing_extension."""
READS_DATA_TWICE = (("3.2", "3.2.5"), ("3.3", "3.3.4"), ("3.4", "3.4.2"), ("3.5", "3.5.1"))
"""The releases with openssl/openssl#27316, up to those of May 2025 with openssl/openssl#27543."""

WARNING_READ = 5
"""How often OpenSSL reads a warning alert of DTLS before it gives up (MAX_WARN_ALERT_COUNT, ssl/record)."""
TOO_MANY_WARN_ALERTS = 409
"""SSL_R_TOO_MANY_WARN_ALERTS."""


def _numbers(alerts: tuple[Alert, ...]) -> tuple[str, ...]:
    return tuple(f"{alert.name} ({alert.number}) of level {alert.level}" for alert in alerts)


def reported_alerts(*, own: bool) -> Callable[[Wire, Role], object]:
    """The alerts that an end reports to have sent, or to have received."""

    def reports(wire: Wire, role: Role) -> object:
        reported = wire.report(role).alerts
        sender = role if own else role.peer
        return None if reported is None else _numbers(tuple(alert for alert in reported if alert.sender is sender))

    return reports


class _Extending:
    """Every tuple that begins with ``least`` and goes on as ``most`` does, or as it likes if ``most`` is None."""

    def __init__(self, least: tuple[str, ...], most: tuple[str, ...] | None) -> None:
        self._least, self._most = least, most

    def __contains__(self, reported: object) -> bool:
        if not isinstance(reported, tuple) or reported[: len(self._least)] != self._least:
            return False
        return self._most is None or reported == self._most[: len(reported)]


class _ButWarnings:
    """Every tuple with these alerts, and warnings beside them; a close_notify may not be missing."""

    def __init__(self, sent: tuple[str, ...]) -> None:
        self._sent = _without_warnings(sent)

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, tuple) and _without_warnings(reported) == self._sent


def _without_warnings(alerts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text in alerts if text.startswith("close_notify") or not text.endswith("level 1"))


def sent_alerts(wire: Wire, role: Role) -> Shown | None:
    """What an end sends into a connection that is cut may be missing on the wire."""
    alerts = wire.alerts(role)
    if alerts is None:
        return None
    sent = _numbers(alerts)
    if _keeps_warnings(wire, role):
        return Shown(_ButWarnings(sent), lambda: f"{readable(sent)} from the {role}")
    most = None if wire.cut or _unsent(wire) else sent
    return Shown(_Extending(sent, most), lambda: f"{readable(sent)} from the {role}")


def _release_numbers(wire: Wire, role: Role) -> tuple[int, ...]:
    """The release of an end's OpenSSL; empty, which is before all of them, if its version is not a number."""
    version = release_of(wire.connection, role)
    return release(version) if version[:1].isdigit() else ()


def _keeps_warnings(wire: Wire, role: Role) -> bool:
    """Whether this end makes a warning of DTLS, and does not flush it: dtls1_dispatch_alert of 1.1.1 to 1.1.1c."""
    return wire.connection.tls.datagrams and SAYS_WHY <= _release_numbers(wire, role) < FLUSHES_WARNINGS


def _unsent(wire: Wire) -> bool:
    """Whether an end may have made an alert without sending it.

    A server of QUIC that refuses the first packet reports one to its application, and sends no CONNECTION_CLOSE.
    """
    return wire.transcript.quic and wire.connection.wire.saw is Saw.ABORTED and not wire.transcript.alerts


def _ignores_eof(wire: Wire, role: Role) -> bool:
    """Whether this end takes the end of TCP for a close_notify (SSL_OP_IGNORE_UNEXPECTED_EOF)."""
    setup = wire.connection.setup
    return setup is not None and bool(setup.config(role).ignore_unexpected_eof)


def _shuts_down_quietly(wire: Wire, role: Role) -> bool:
    """Whether SSL_shutdown takes a close_notify for received, and reads none (SSL_set_quiet_shutdown(3))."""
    setup = wire.connection.setup
    return setup is not None and bool(setup.config(role).quiet_shutdown)


def received_alerts(wire: Wire, role: Role) -> Shown | None:
    """An end that stopped reading may not have met all of them; one that met the end of its input has."""
    alerts = wire.alerts(role.peer)
    if alerts is None:
        return None
    sent = _numbers(alerts)
    if _reads_a_warning_again(wire, role):
        again = {
            (*sent[:place], *[sent[place]] * WARNING_READ) for place, alert in enumerate(alerts) if not alert.fatal
        }
        return Shown(again, lambda: f"{readable(sent)} from the {role.peer}, of which one is read {WARNING_READ} times")
    numbers = [alert.number for alert in alerts]
    assumed = _ignores_eof(wire, role) or _shuts_down_quietly(wire, role)
    met = wire.report(role).ending is Ending.CLOSE_NOTIFY and not assumed
    read = numbers.index(0) + 1 if met and 0 in numbers else 0
    named = errors_received(wire, role) or ()
    read = max([read, *(place + 1 for place, number in enumerate(numbers) if number and str(number) in named)])
    if _reads_to_the_end(wire, role):
        fatal = [place for place, alert in enumerate(alerts) if alert.fatal]
        read = max(read, fatal[0] + 1 if fatal else len(sent))  # behind a fatal alert nothing is read
    return Shown(_Extending(sent[:read], sent), lambda: f"{readable(sent)} from the {role.peer}")


def _reads_a_warning_again(wire: Wire, role: Role) -> bool:
    """Whether this end read one warning alert until it gave up (openssl/openssl#25444).

    dtls1_read_bytes keeps the record up to 3.1, and reads it again, until SSL_R_TOO_MANY_WARN_ALERTS.
    """
    gave_up = (LIB_SSL, TOO_MANY_WARN_ALERTS) in entries(wire.report(role).errors)
    return wire.connection.tls.datagrams and gave_up


def _reads_to_the_end(wire: Wire, role: Role) -> bool:
    """Whether an end whose input is over has read all of it: TCP carried it whole, and it did not fail itself.

    A client that sent no ClientHello, as it cannot read the session that it is to offer, has read nothing. A handshake
    that failed before 1.1.1 with no error in the queue may have failed by itself: SSL_get_error says of it what it says
    of the end of TCP.
    """
    report, version = wire.report(role), release_of(wire.connection, role)
    if role is Role.CLIENT and not wire.transcript.client_hellos:
        return False
    own = wire.alerts(role)
    failed = own is None or any(alert.fatal for alert in own)
    failed = failed or _own(report)
    if report.view.saw is Saw.ABORTED and not entries(report.errors):
        failed = failed or (version[:1].isdigit() and release(version) < SAYS_WHY)
    stream = not wire.cut and not wire.connection.tls.datagrams
    return stream and not failed and report.ending in {Ending.EOF, Ending.ALERT}


def _own(report: EndpointReport) -> bool:
    """Whether an end reports an error of its own, or that its library failed without one."""
    return any(
        (library == LIB_SSL and reason < ALERT_RECEIVED) or (library, reason) == SILENT
        for library, reason in entries(report.errors)
    )


def errors_received(wire: Wire, role: Role) -> tuple[str, ...] | None:
    """The alerts that the reason codes of an end name as received (SSL_AD_REASON_OFFSET)."""
    found = entries(wire.report(role).errors)
    numbers = {reason - ALERT_RECEIVED for library, reason in found if library == LIB_SSL}
    return tuple(str(number) for number in sorted(numbers) if 0 <= number < ALERTS_END - ALERT_RECEIVED) or None


def alerts_in_errors(wire: Wire, role: Role) -> Shown | None:
    """The alerts of the peer, of which an end names some in its errors."""
    alerts = wire.alerts(role.peer)
    if alerts is None:
        return None
    sent = {str(alert.number) for alert in alerts}
    return Shown(Among(sent), lambda: f"{readable(_numbers(alerts))} from the {role.peer}")


def reported_fatal(wire: Wire, role: Role) -> object:
    """The fatal alert that an end blames, with its sender."""
    alert = wire.report(role).view.alert
    return None if alert is None else (alert.number, alert.sender)


def fatal_shown(wire: Wire, role: Role) -> Shown | None:
    """What an end received is on the wire, and what it sent into a connection that was cut may be missing there."""
    shown = [wire.alerts(sender) for sender in Role]
    if None in shown:
        return None
    alerts = [alert for of in shown for alert in of or ()]
    known = {(alert.number, sender) for alert in alerts for sender in (alert.sender, None)}
    where = ", ".join(map(str, alerts)) or "no alert"
    return Shown(_SentBy(role, known) if wire.cut or _unsent(wire) else known, where)


class _SentBy:
    """These alerts, and every one that this end says it sent, or whose sender it does not know."""

    def __init__(self, role: Role, known: Collection[object]) -> None:
        self._role, self._known = role, known

    def __contains__(self, reported: object) -> bool:
        own = isinstance(reported, tuple) and reported[1] in {self._role, None}
        return own or reported in self._known


def ending(wire: Wire, role: Role) -> object:
    """Of the ways to end, those that leave a trace; an end that met EOF may have stopped decoding before."""
    report = wire.report(role)
    every = report.alerts is not None
    return report.ending if report.ending in {Ending.CLOSE_NOTIFY, Ending.ALERT} or every else None


def endings(wire: Wire, role: Role) -> Shown | None:
    """An end that sends an alert has met one in that sense: its input is over.

    A client that fails before its ClientHello, as it cannot read a session, has ended without any.
    """
    received, sent = wire.alerts(role.peer), wire.alerts(role)
    if received is None or sent is None or not wire.transcript.client_hellos:
        return None
    allowed: set[Ending] = {Ending.EOF, Ending.RESET, Ending.ALERT} if wire.cut else set()
    assumed = _ignores_eof(wire, role) or _shuts_down_quietly(wire, role)
    if any(alert.number == 0 for alert in received) or assumed or wire.transcript.closed:
        allowed.add(Ending.CLOSE_NOTIFY)
    if not any(alert.number == 0 for alert in received) and not wire.transcript.closed:
        allowed.add(Ending.EOF)
    if any(alert.number for alert in (*received, *sent)):
        allowed |= {Ending.ALERT, Ending.EOF}
    if _fails_without_alert(wire, role) or _unsent(wire):
        allowed.add(Ending.ALERT)
    if _reads_data_twice(wire, role):
        allowed.add(Ending.EOF)
    closed = CONNECTION_CLOSE if wire.transcript.closed else "no reset"
    return Shown(allowed, lambda: f"{readable(_numbers(received))} from the {role.peer}, and {closed}")


def _reads_data_twice(wire: Wire, role: Role) -> bool:
    """Whether SSL_read returned 0 after data of DTLS that had come before the peer's Finished (openssl/openssl#27316).

    From 3.2 to 3.2.4, 3.3.3, 3.4.1 and 3.5.0 OpenSSL keeps the record that it has read, and reads it again, empty.
    """
    numbers = _release_numbers(wire, role)
    if not any(release(since) <= numbers < release(mended) for since, mended in READS_DATA_TWICE):
        return False
    sent = [message.type for message in wire.transcript.messages if message.sender is role.peer]
    early = sent[: sent.index("Finished")] if "Finished" in sent else []
    version_of = wire.answers[-1].version if wire.answers else None
    return version_of is not None and version_of.datagrams and "ApplicationData" in early


def _fails_without_alert(wire: Wire, role: Role) -> bool:
    """Whether an end aborted with an error of its own, and is an OpenSSL before 1.1.1o or does not report its alerts.

    It sends no alert in some places: SSLfatal, which makes an alert of each error in a handshake, came with 1.1.1, and
    up to 1.1.1n dropped the alerts that TLS 1.3 brought where the version is an earlier one.
    """
    report, version = wire.report(role), release_of(wire.connection, role)
    setup = wire.connection.setup
    if setup is not None and not setup.library(role).is_openssl:
        return report.view.saw is Saw.ABORTED and report.alerts is None
    return (
        report.view.saw is Saw.ABORTED
        and _own(report)
        and version[:1].isdigit()
        and release(version) < SENDS_EACH_ALERT
    )
