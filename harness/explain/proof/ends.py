"""What a line of evidence may say in an endpoint's name, of its counters and its clock, and of a middlebox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain import expiry
from harness.explain.facts.clocks import age_at_client, age_at_server, shown_now
from harness.explain.facts.negotiated import alpn_of, alpn_on_wire
from harness.explain.proof.statement import Statement
from harness.model.tls import Role
from harness.wire.session.certificate import not_after

if TYPE_CHECKING:
    import re

    from harness.explain.proof.statement import Scope


def _counter(scope: Scope, found: re.Match[str]) -> bool:
    """``NAME rose from 0 to 1``: the difference between two readings of an endpoint's counter."""
    evidence = scope.evidence if found[1] is None else scope.evidence.about(scope.number(found[1]))
    return evidence.counter_text(found[2]) == f"{found[2]} {found[3]}"


def _overflows(scope: Scope, found: re.Match[str]) -> bool:
    then, now = scope.number(found[3]).counters, scope.evidence.counters_before
    return then is not None and now is not None and (str(then.overflows), str(now.overflows)) == (found[1], found[2])


def _cache_size(scope: Scope, found: re.Match[str]) -> bool:
    now = scope.evidence.counters_before
    known = now.cache_size if now and now.cache_size is not None else "an unknown number of"
    return str(known) == found[1]


def _aged_at_client(scope: Scope, found: re.Match[str]) -> bool:
    times = {str(session.get("time")) for session in scope.sessions}
    return str(age_at_client(scope.evidence)) == found[2] and (found[1] is None or found[1] in times)


def _certificate(scope: Scope, found: re.Match[str]) -> bool:
    held = [der for session in scope.sessions if isinstance(der := session.get("peer_certificate"), bytes) and der]
    clock = shown_now(scope.evidence, Role.CLIENT)
    return str(clock) == found[1] and found[2] in {str(not_after(der)) for der in held}


def _reported_alert(scope: Scope, found: re.Match[str]) -> bool:
    alert = scope.report(Role(found[1])).view.alert
    return alert is not None and str(alert) == found[2] and scope.connection.wire.alert is None


def _alpn(scope: Scope, found: re.Match[str]) -> bool:
    connection = scope.number(found[3])
    reported = connection.client.alpn if found[1] == "client" else connection.server.alpn
    return alpn_on_wire(connection) is None and (reported or "none") == found[2] and alpn_of(connection) == reported


def _callback(scope: Scope, found: re.Match[str]) -> bool:
    calls = scope.connection.server.callback_calls or ()
    looked_up = [call for call in calls if call.call == found[1] and call.subject.hex().startswith(found[2])]
    return [call.result for call in looked_up[:1]] == [found[3]]


ENDS = "(client|server)"
STATEMENTS = (
    Statement(ENDS, r"(lib=.+)", lambda scope, found: found[2] in scope.report(Role(found[1])).errors),
    Statement(ENDS, r"it reports the alert (.+)", _reported_alert),
    Statement(ENDS, r"the ALPN protocol is (.+?) in connection (\d+)", _alpn),
    Statement(
        ENDS,
        r"it counted (\d+)(?: in connection (\d+))?",
        lambda scope, found: any(one.client.view.tickets == int(found[2]) for one in scope.connections),
    ),
    Statement(
        ENDS,
        r"the early data was rejected",
        lambda scope, found: scope.report(Role(found[1])).early_data == "rejected",
    ),
    Statement(
        "(server)",
        r"it has (a|no) client certificate",
        lambda scope, found: scope.connection.server.peer_certificate is (found[2] == "a"),
    ),
    Statement(ENDS, r"(.+)", lambda scope, found: found[2] in scope.report(Role(found[1])).view.evidence),
    Statement("counters", r"overflows rose from (\d+) to (\d+) since connection (\d+)", _overflows),
    Statement("counters", r"the cache holds at most (.+) sessions", _cache_size),
    Statement(
        "counters",
        r"(?:in connection (\d+) )?(\w+) (rose from \d+ to \d+|stayed at \d+|are unknown)"
        r"(?:, although a session was offered)?",
        _counter,
    ),
    Statement(
        "clocks", r"the session(?: \(time (-?\d+)\))? was (-?\d+) seconds old by its client's clock", _aged_at_client
    ),
    Statement(
        "clocks",
        r"the session is about (-?\d+) s old at the server",
        lambda scope, found: str(expiry.age_of(scope.evidence)) == found[1],
    ),
    Statement(
        "clocks",
        r"by its own clock, the server issued (?:the ticket|it) (-?\d+) s(?:econds)? ago",
        lambda scope, found: str(age_at_server(scope.evidence)) == found[1],
    ),
    Statement("clocks", r"the client's shows (\d+), the session's peer certificate expired at (\d+)", _certificate),
    Statement("callback", r"(get|decrypt|encrypt|ticket)\(([0-9a-f]+)…\) returned (\w+)", _callback),
    Statement("middlebox", r"(.+)", lambda scope, found: found[1] == scope.connection.blocked),
)
