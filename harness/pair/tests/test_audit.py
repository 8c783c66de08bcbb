"""No endpoint can lie about a fact that the wire shows: a liar for every field of every report, in both roles."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.library import Facts
from harness.agent.vocabulary import TicketKeyResult
from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.connection import Counters
from harness.model.errors import DisagreementError
from harness.model.knobs import ClientConfig, ServerConfig, Verify
from harness.model.session import SESSION_FIELDS
from harness.model.tls import Alert, Close, Ending, Outcome, Role, TLSVersion
from harness.model.view import EndpointReport, Saw, View
from harness.pair.pair import Pair
from harness.stacks.openssl import OpensslStack
from harness.tests.liars.lying import falsified, with_sessions
from harness.tests.liars.raw_ends import RawStack
from harness.wire.session.codec import edited

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.stacks.libssl import LibsslStack
    from harness.tests.liars.lying import Liars

V12, V13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
BOTH_VERSIONS = [V12, V13]
CLIENT = ClientConfig(alpn=("h2",), server_name="server.example", client_certificate="client")
SERVER = ServerConfig(alpn=("h2", "http/1.1"), verify=Verify.REQUIRED)
OF_NONE = {"subject": "00" * 16, "result": "ok"}
"""A call about a session or a key that no message names."""
FATAL = {"level": 2, "number": 80, "sent": True}
RECEIVED = {"level": 2, "number": 80, "sent": False}


@dataclass(frozen=True)
class Lie:
    """A lie of an agent; ``caught`` is a part of the error that it ends in."""

    caught: str
    lie: dict[str, Any]
    roles: tuple[Role, ...] = tuple(Role)
    versions: tuple[TLSVersion, ...] = (V12, V13)


def fact(name: str, value: object, caught: str = "", **more: Any) -> Lie:
    """Another value of a fact."""
    return Lie(caught or f"{name}: the", {"facts": {name: value}}, **more)


RESUMED = {"only": {"reused": True}}
LIES: dict[str, list[Lie]] = {
    "finished": [fact("finished", value=False, caught="could not know")],
    "reused": [fact("reused", value=True, caught="Disagreement"), fact("reused", value=False, caught="Disagreement")],
    "reused_at_end": [fact("reused_at_end", value=True), fact("reused_at_end", value=False)],
    "version": [fact("version", "1.2", versions=(V13,)), fact("version", "1.3", caught="", versions=(V12,))],
    "cipher": [fact("cipher", "AES128-SHA"), fact("cipher", "TLS_AES_128_CCM_SHA256"), fact("cipher", "no cipher")],
    "external_psk": [fact("external_psk", "00", caught="external_psk: the"), fact("external_psk", "436c69656e74")],
    "alpn": [fact("alpn", "http/1.1"), fact("alpn", None)],
    "server_name": [fact("server_name", "other.example")],
    "peer_certificate": [
        fact("peer_certificate", value=False),
        Lie("peer_certificate: the", {"facts": {"peer_certificate": False}, **RESUMED}),
    ],
    "early_data": [fact("early_data", "accepted"), fact("early_data", "rejected")],
    "early_bytes": [fact("early_bytes", "00")],
    "new_sessions": [fact("new_sessions", number, roles=(Role.CLIENT,)) for number in (0, 4, 99)],
    "group": [fact("group", "secp521r1"), Lie("group: the", {"facts": {"group": ""}})],
    "peer_temp_key": [
        fact("peer_temp_key", "X448, 448 bits"),
        fact("peer_temp_key", "ECDH, secp521r1, 521 bits"),
        fact("peer_temp_key", "", versions=(V13,)),
        fact("peer_temp_key", "", versions=(V12,), roles=(Role.CLIENT,)),
    ],
    "peer_chain": [
        fact("peer_chain", ["00" * 32]),
        fact("peer_chain", []),
        Lie("peer_chain: the", {"facts": {"peer_chain": ["00" * 32]}, **RESUMED}),
    ],
    "ocsp_response": [fact("ocsp_response", "30030a0103", roles=(Role.CLIENT,))],
    "exporter": [fact("exporter", "00" * 32)],
    "tickets": [fact("tickets", 7), fact("tickets", 0)],
    "alerts": [
        fact("alerts", [FATAL], "alerts sent"),
        fact("alerts", [RECEIVED], "alerts received"),
        fact("alerts", [], "alerts sent"),
        Lie("alerts sent", {"facts": {"alerts": [{"level": 1, "number": 90, "sent": True}]}, **RESUMED}),
        Lie("alerts received", {"facts": {"alerts": [{"level": 1, "number": 41, "sent": False}]}, **RESUMED}),
    ],
    "keylog": [
        Lie("key log: the", {"keylog": "wrong"}),
        Lie("key log: the", {"keylog": "foreign"}),
    ],
    "errors": [
        Lie("fatal alert", {"facts": {"alerts": None, "errors": [{"lib": 20, "reason": 1080, "text": "alert"}]}}),
    ],
    "callback_calls": [
        fact(
            "callback_calls",
            [{"call": call, **OF_NONE}],
            roles=(Role.SERVER,),
            versions=versions,
        )
        for call, versions in (
            *(("get", (V12, V13)), ("wait", (V12, V13)), ("new", (V12,))),
            *(("encrypt", (V12, V13)), ("decrypt", (V12, V13)), ("choose", (V12, V13)), ("ticket", (V12, V13))),
            ("psk", (V12, V13)),
        )
    ],
    "counters": [
        Lie("counter hits", {"counters": {"hits": 99}}, (Role.SERVER,)),
        Lie("counter accept:", {"counters": {"accept": 99}}, (Role.SERVER,)),
    ],
}
"""Lies of an agent by the fact of `harness.agent.library.Facts`."""
UNSEEN = {"evidence": "it is a text for people and says what `reused` says"}
"""Why the wire cannot show the other facts of an agent."""


def resumed(client: Stack, server: Stack, tls: TLSVersion, runtime: Runtime) -> Connection:
    """The second connection of a pair, which offers the session of the first; the outcome of both was read."""
    pair = Pair((client, server), tls, runtime, client=CLIENT, server=SERVER)
    try:
        first = pair.connect()
        second = pair.connect(first.session)
        assert (first.outcome, second.outcome) == (Outcome.FULL, Outcome.RESUMED)
        return second
    finally:
        pair.close()


def caught(client: Stack, server: Stack, tls: TLSVersion, runtime: Runtime) -> str:
    """The error in which the two connections end."""
    with pytest.raises(DisagreementError) as raised:
        resumed(client, server, tls, runtime)
    return str(raised.value)


@pytest.mark.parametrize("tls", BOTH_VERSIONS)
def test_honest_ends_agree_on_every_fact(runtime: Runtime, honest: LibsslStack, tls: TLSVersion) -> None:
    second = resumed(honest, honest, tls, runtime)

    assert second.contradictions == ()


def test_each_fact_of_an_agent_has_a_liar_or_a_reason() -> None:
    assert {field.name for field in fields(Facts)} == {*LIES, *UNSEEN}


EVERY_LIE = [
    pytest.param(role, tls, lie, id=f"{name}-{number}-{role}-{tls.value}")
    for name, lies in LIES.items()
    for number, lie in enumerate(lies)
    for role in lie.roles
    for tls in lie.versions
]


@pytest.mark.parametrize(("role", "tls", "lie"), EVERY_LIE)
def test_an_agent_that_lies_about_a_fact_is_caught(
    runtime: Runtime, honest: LibsslStack, liars: Liars, role: Role, tls: TLSVersion, lie: Lie
) -> None:
    liar = liars.stack(**lie.lie)
    ends = (liar, honest) if role is Role.CLIENT else (honest, liar)

    assert lie.caught in caught(*ends, tls, runtime)


@pytest.mark.parametrize("tls", BOTH_VERSIONS)
def test_both_ends_with_the_same_wrong_key_log_are_caught(runtime: Runtime, liars: Liars, tls: TLSVersion) -> None:
    ends = liars.stack(keylog="wrong"), liars.stack(keylog="wrong")

    assert "key log: the client reports secrets that are wrong" in caught(*ends, tls, runtime)


@pytest.mark.parametrize(("cell", "used"), [(V13, "1.2"), (V12, "1.3")])
def test_both_ends_that_ignore_the_cells_version_are_caught(
    runtime: Runtime, liars: Liars, cell: TLSVersion, used: str
) -> None:
    ends = liars.stack(knobs={"versions": [used]}), liars.stack(knobs={"versions": [used]})
    message = caught(*ends, cell, runtime)

    assert f"enabled versions: the client reports TLSv{cell.value}; the wire shows TLSv{used} (ClientHello)" in message
    assert f"enabled versions: the server reports TLSv{cell.value}; the wire shows TLSv{used} (ServerHello)" in message


def test_a_client_that_enables_too_many_versions_is_caught(runtime: Runtime, honest: LibsslStack, liars: Liars) -> None:
    message = caught(liars.stack(knobs={"versions": ["1.2", "1.3"]}), honest, V13, runtime)

    assert "enabled versions: the client reports TLSv1.3; the wire shows TLSv1.2, TLSv1.3 (ClientHello)" in message


@pytest.mark.parametrize(("knob", "value"), [("server_name", "other.example"), ("alpn", ["http/1.1"])])
def test_a_client_that_asks_for_something_else_is_caught(
    runtime: Runtime, honest: LibsslStack, liars: Liars, knob: str, value: object
) -> None:
    assert f"{knob}: the client reports" in caught(liars.stack(knobs={knob: value}), honest, V13, runtime)


TICKETS_OFF = ServerConfig(tickets=False)


@pytest.mark.parametrize(("tls", "server"), [(V13, SERVER), (V12, SERVER), (V12, TICKETS_OFF), (V13, TICKETS_OFF)])
def test_a_client_that_offers_another_of_its_sessions_is_caught(
    runtime: Runtime, honest: LibsslStack, liars: Liars, tls: TLSVersion, server: ServerConfig
) -> None:
    pair = Pair((liars.stack(offer="another"), honest), tls, runtime, client=CLIENT, server=server)
    try:
        pair.connect()
        other = pair.connect()
        last = pair.connect(other.session)
        with pytest.raises(DisagreementError, match="offered session: the client reports that the given session has"):
            last.outcome  # noqa: B018  reading it is what raises
    finally:
        pair.close()


@pytest.mark.parametrize("tls", BOTH_VERSIONS)
def test_a_client_that_offers_a_session_unasked_is_caught(
    runtime: Runtime, honest: LibsslStack, liars: Liars, tls: TLSVersion
) -> None:
    pair = Pair((liars.stack(offer="unasked"), honest), tls, runtime)
    try:
        pair.connect()
        with pytest.raises(DisagreementError, match="offered session: the client reports that none was given"):
            pair.connect()
    finally:
        pair.close()


COUNTED = {
    Role.SERVER: {"hits", "accept", "accept_good", "accept_renegotiate", "callback_hits", "misses", "timeouts"}
    | {"connect", "connect_good", "connect_renegotiate"},
    Role.CLIENT: {"hits", "connect", "connect_good", "connect_renegotiate", "callback_hits"}
    | {"accept", "accept_good", "accept_renegotiate"},
}
UNCOUNTED = {
    "items": "what a cache holds is not sent",
    "overflows": "what a cache drops is not sent",
    "cache_size": "it is a setting",
    "misses": "a client looks up nothing",
    "timeouts": "a client looks up nothing",
}
"""Why the wire cannot show a counter; the last two at a client."""


@pytest.mark.parametrize("role", list(Role))
def test_each_counter_has_a_liar_or_a_reason(role: Role) -> None:
    assert {field.name for field in fields(Counters)} == COUNTED[role] | (set(UNCOUNTED) - COUNTED[role])


@pytest.mark.parametrize(("role", "name"), [(role, name) for role in Role for name in sorted(COUNTED[role])])
def test_a_counter_that_no_connection_raised_is_caught(
    runtime: Runtime, honest: LibsslStack, liars: Liars, role: Role, name: str
) -> None:
    liar = liars.stack(counters={name: 99}, only={"finished": None})
    ends = (liar, honest) if role is Role.CLIENT else (honest, liar)
    pair = Pair(ends, V13, runtime)
    try:
        with pytest.raises(DisagreementError, match=f"counter {name}: the {role} reports 99; the wire of the . conn"):  # noqa: PT012  either may raise
            pair.connect(pair.connect().session)
            (pair.client if role is Role.CLIENT else pair.server).counters()
    finally:
        pair.close()


INVENTED = (Alert(80, Role.CLIENT), Alert(80, Role.SERVER))


def report(**changes: Any) -> Callable[[EndpointReport], EndpointReport]:
    """A report with other fields."""
    return lambda report: replace(report, **changes)


def view(**changes: Any) -> Callable[[EndpointReport], EndpointReport]:
    """A report whose view has other fields."""
    return lambda report: replace(report, view=replace(report.view, **changes))


REPORTS: dict[str, list[tuple[str, Callable[[EndpointReport], EndpointReport]]]] = {
    "version": [("version: the", lambda report: replace(report, version=V12 if report.version is V13 else V13))],
    "cipher": [("cipher: the", report(cipher="AES128-SHA"))],
    "external_psk": [("external_psk: the", report(external_psk=b"alice"))],
    "alpn": [("alpn: the", report(alpn="http/1.1")), ("alpn: the", report(alpn=None))],
    "server_name": [("server_name: the", report(server_name="other.example"))],
    "peer_certificate": [("peer_certificate: the", report(peer_certificate=False))],
    "early_data": [("early_data: the", report(early_data="accepted"))],
    "early_bytes": [("early_bytes: the", report(early_bytes=b"early"))],
    "group": [("group: the", report(group="secp521r1")), ("group: the", report(group=""))],
    "peer_temp_key": [("peer_temp_key: the", report(peer_temp_key="X448, 448 bits"))],
    "peer_chain": [("peer_chain: the", report(peer_chain=("00" * 32,)))],
    "exporter": [("exporter: the", report(exporter="00" * 32))],
    "ending": [("ending: the", report(ending="alert"))],
    "keylog": [
        (
            "key log: the",
            lambda report: replace(report, keylog=tuple(line[:-8] + line[-8:][::-1] for line in report.keylog)),
        )
    ],
    "alerts": [("alerts sent", report(alerts=INVENTED)), ("alerts sent", report(alerts=()))],
    "reused_at_end": [("reused_at_end: the", report(reused_at_end=True))],
    "extra": [("counter hits", report(extra={"counters": Counters(hits=99)}))],
}
"""Falsified reports, by the field of an EndpointReport."""
VIEWS: dict[str, list[tuple[str, Callable[[EndpointReport], EndpointReport]]]] = {
    "saw": [("Disagreement", view(saw=Saw.RESUMED)), ("could not know", view(saw=Saw.UNKNOWN))],
    "alert": [
        ("fatal alert: the", view(alert=Alert(80, None))),
        ("fatal alert: the", view(alert=Alert(40, Role.CLIENT))),
    ],
    "tickets": [("tickets: the", view(tickets=7))],
}
"""Falsified views, by the field of a View."""
UNREPORTED = {
    "view": "its fields have liars of their own",
    "errors": "reason codes are not sent; the alerts among them are the view's",
    "new_sessions": "a program reports none; an agent that lies is caught",
    "ocsp_response": "a program reports none; an agent that lies is caught",
    "callback_calls": "a program reports none; an agent that lies is caught",
    "output": "it is what a program printed",
    "driven": "it is the harness's own knowledge",
    "commands": "it is how a program was started",
    "witness": "it says whose view it is",
    "evidence": "it is a text for people and says what `saw` says",
    "name": "it is the label of the stack",
}
"""Why the wire cannot show the other fields."""


def test_each_field_of_a_report_has_a_liar_or_a_reason() -> None:
    named = {field.name for kind in (EndpointReport, View) for field in fields(kind)}

    assert named == {*REPORTS, *VIEWS, *UNREPORTED}


@pytest.mark.parametrize(
    "alert", [{"level": 1, "number": 90, "sent": False}, {"level": 2, "number": 40, "sent": False}]
)
def test_a_quiet_server_that_reports_an_alert_of_nobody_is_caught(
    runtime: Runtime, honest: LibsslStack, liars: Liars, alert: dict[str, object]
) -> None:
    pair = Pair(
        (honest, liars.stack(facts={"alerts": [alert]})), V13, runtime, server=ServerConfig(quiet_shutdown=True)
    )
    try:
        with pytest.raises(DisagreementError, match="alerts received: the server reports"):
            pair.connect(close=Close.EOF_SHUTDOWN_READ)
    finally:
        pair.close()


PROGRAM_LIES = [
    pytest.param(role, text, change, id=f"{name}-{number}-{role}")
    for name, lies in {**REPORTS, **VIEWS}.items()
    for number, (text, change) in enumerate(lies)
    for role in Role
    if name != "extra" or role is Role.SERVER
]


@pytest.fixture(scope="module")
def programs(runtime: Runtime) -> OpensslStack:
    build = build_for("openssl")
    assert isinstance(build, Build)
    return OpensslStack(build, runtime)


@pytest.mark.parametrize(("role", "text", "change"), PROGRAM_LIES)
def test_a_program_with_a_falsified_report_is_caught(
    runtime: Runtime, programs: OpensslStack, role: Role, text: str, change: Any
) -> None:
    liar: Stack = falsified(programs, change)
    client, server = (liar, programs) if role is Role.CLIENT else (programs, liar)

    assert text in caught(client, server, V13, runtime)


OWN_ERROR, RECEIVED_ERROR = "lib=20 reason=277 session id context uninitialized", "lib=20 reason=1080 internal error"


@pytest.mark.parametrize(
    ("version", "errors", "caught"),
    [
        ("1.1.0l", (OWN_ERROR,), []),
        ("1.1.0l", (RECEIVED_ERROR,), ["alerts in its errors", "ending"]),
        ("1.1.0l", (), ["ending"]),
        ("1.1.1w", (OWN_ERROR,), ["ending"]),
        ("4.0.3", (OWN_ERROR,), ["ending"]),
    ],
)
def test_an_aborted_end_without_alert_is_caught_unless_declared_silent(
    runtime: Runtime, honest: LibsslStack, version: str, errors: tuple[str, ...], caught: list[str]
) -> None:
    def lie(report: EndpointReport) -> EndpointReport:
        named = replace(report.view, name=f"libssl@{version}")
        return replace(report, view=named, ending=Ending.ALERT, errors=errors)

    config = ClientConfig(ignore_unexpected_eof=True)  # so that it sends no alert when TCP ends
    pair = Pair((falsified(honest, lie), RawStack(runtime.loop, b"")), V13, runtime, client=config)
    try:
        connection = pair.connect(presume_full=False)
    finally:
        pair.close()

    assert connection.client.view.saw is Saw.ABORTED
    assert [found.fact for found in connection.contradictions] == caught


@pytest.mark.parametrize(("versions", "caught"), [(None, []), ((V12,), ["version"])])
def test_a_client_that_got_no_answer_may_say_each_version_that_it_enables(
    runtime: Runtime, honest: LibsslStack, versions: tuple[TLSVersion, ...] | None, caught: list[str]
) -> None:
    """With default versions OpenSSL says its latest, be the case one of TLS 1.2 (SSL_version)."""
    server = falsified(honest, lambda report: report)
    client = falsified(honest, lambda report: replace(report, version=V13))
    pair = Pair((client, server), V12, runtime, client=ClientConfig(groups="P-384"))
    try:
        pair.new_client(versions=versions)
        connection = pair.connect(presume_full=False)
    finally:
        pair.close()

    assert (connection.wire.saw, connection.transcript.server_hellos) == (Saw.ABORTED, ())
    assert [found.fact for found in connection.contradictions] == caught


@pytest.mark.parametrize(
    ("times", "errors", "caught"),
    [
        (5, ("lib=20 reason=409 too many warn alerts",), []),
        (4, ("lib=20 reason=409 too many warn alerts",), ["alerts received"]),
        (6, ("lib=20 reason=409 too many warn alerts",), ["alerts received"]),
        (5, (), ["alerts received"]),
    ],
)
def test_a_warning_of_datagrams_is_read_five_times_or_once(
    runtime: Runtime, honest: LibsslStack, times: int, errors: tuple[str, ...], caught: list[str]
) -> None:
    def lie(report: EndpointReport) -> EndpointReport:
        received = [alert for alert in report.alerts or () if alert.sender is Role.CLIENT]
        sent = [alert for alert in report.alerts or () if alert.sender is Role.SERVER]
        return replace(report, alerts=(*received[:1] * times, *sent), errors=errors)

    config = ClientConfig(renegotiation=False)
    pair = Pair((honest, falsified(honest, lie)), TLSVersion.DTLSv1_2, runtime, client=config)
    try:
        live = pair.open()
        live.exchange()
        live.renegotiate(Role.SERVER)
        connection = live.close()
    finally:
        pair.close()

    assert [found.fact for found in connection.contradictions] == caught


@pytest.mark.parametrize(
    ("version", "level", "caught"),
    [("1.1.1b", 1, []), ("1.1.1b", 2, ["alerts sent"]), ("1.1.1d", 1, ["alerts sent"])],
)
def test_a_warning_of_datagrams_that_stays_is_a_lie_since_1_1_1d(
    runtime: Runtime, honest: LibsslStack, version: str, level: int, caught: list[str]
) -> None:
    def lie(report: EndpointReport) -> EndpointReport:
        named = replace(report.view, name=f"libssl@{version}")
        return replace(report, view=named, alerts=(Alert(100, Role.CLIENT, level), *(report.alerts or ())))

    pair = Pair((falsified(honest, lie), honest), TLSVersion.DTLSv1_2, runtime)
    try:
        connection = pair.connect(presume_full=False)
    finally:
        pair.close()

    assert [found.fact for found in connection.contradictions] == caught


@pytest.mark.parametrize(("version", "caught"), [("1.1.1d", False), ("1.1.1e", True), ("4.0.3", True)])
def test_the_sessions_name_is_a_lie_since_the_release_that_mended_it(
    runtime: Runtime, honest: LibsslStack, version: str, *, caught: bool
) -> None:
    def lie(report: EndpointReport) -> EndpointReport:
        return replace(report, server_name=CLIENT.server_name, view=replace(report.view, name=f"libssl@{version}"))

    pair = Pair((falsified(honest, lie), honest), V13, runtime, client=CLIENT, server=SERVER)
    try:
        first = pair.connect()
        pair.new_client(server_name="other.example")
        second = pair.connect(first.session)
    finally:
        pair.close()

    assert second.client.view.saw is Saw.RESUMED
    assert [found.fact for found in second.contradictions] == ["server_name"] * caught


def field(**changes: object) -> Callable[[Session], Session]:
    """A session with other fields."""
    return lambda session: replace(session, known={**session.known, **changes})


SESSIONS: dict[str, tuple[object, tuple[TLSVersion, ...]]] = {
    "version": (None, (V12, V13)),
    "protocol": ("TLSv1", (V12, V13)),
    "compression": (1, (V12, V13)),
    "cipher": (0x002F, (V12, V13)),
    "session_id": (b"\1" * 32, (V12,)),
    "ticket": (b"\1" * 192, (V12, V13)),
    "ticket_length": (7, (V12, V13)),
    "has_ticket": (False, (V12, V13)),
    "lifetime_hint": (77, (V12, V13)),
    "age_add": (77, (V13,)),
    "max_early_data": (77, (V12, V13)),
    "alpn": (b"http/1.1", (V12, V13)),
    "server_name": ("other.example", (V12, V13)),
    "extended_master_secret": (False, (V12,)),
    "flags": (0, (V12,)),
    "master_key_length": (77, (V12, V13)),
    "kex_group": (77, (V12, V13)),
    "srp_username": (b"alice", (V12, V13)),
    "psk_identity": (b"alice", (V12, V13)),
    "psk_identity_hint": (b"which?", (V12, V13)),
    "max_fragment_length_mode": (3, (V12, V13)),
    "peer_certificate": (b"\x30\0", (V12, V13)),
    "peer_rpk": (b"\x30\0", (V12, V13)),
}
"""Falsified fields of a session, with the versions in which the wire shows them."""
LOCAL = {
    "session_id_context": "a server's setting, which is not sent",
    "time": "the client's own clock is not sent",
    "timeout": "the client's own setting is not sent",
    "verify_result": "the client's own judgement is not sent",
    "ticket_appdata": "it is inside the ticket, encrypted",
    "resumable": "the client's own judgement is not sent",
    "key_arg": "it is of SSLv2, which no build speaks",
    "unknown_fields": "no OpenSSL writes one",
}
"""Why the wire cannot show the other fields of a session."""


def test_each_field_of_a_session_has_a_liar_or_a_reason() -> None:
    assert set(SESSION_FIELDS) == {*SESSIONS, *LOCAL}


@pytest.mark.parametrize(
    ("name", "tls"), [(name, tls) for name, (_value, versions) in SESSIONS.items() for tls in versions]
)
def test_a_client_that_lies_about_a_session_is_caught(
    runtime: Runtime, honest: LibsslStack, name: str, tls: TLSVersion
) -> None:
    value = SESSIONS[name][0] if name != "version" else (V12 if tls is V13 else V13)

    assert f"session.{name}: the client reports" in caught(
        with_sessions(honest, field(**{name: value})), honest, tls, runtime
    )


def hidden(**changes: object) -> Callable[[Session], Session]:
    """A session as of a client that cannot export it: without its ticket."""

    def hide(session: Session) -> Session:
        known = {name: value for name, value in session.known.items() if name not in {"ticket", "ticket_length"}}
        return replace(session, known={**known, **changes})

    return hide


@pytest.mark.parametrize("tls", BOTH_VERSIONS)
def test_a_client_that_hides_a_renewed_ticket_is_believed(
    runtime: Runtime, honest: LibsslStack, tls: TLSVersion
) -> None:
    renewing = ServerConfig(ticket_ring="a", ticket_decrypts=TicketKeyResult.RENEW)
    pair = Pair((with_sessions(honest, hidden()), honest), tls, runtime, server=renewing)
    try:
        first = pair.connect()
        second = pair.connect(first.session)
    finally:
        pair.close()

    assert second.outcome is Outcome.RESUMED
    assert second.session.lifetime_hint == (0 if tls is V12 else first.session.lifetime_hint)


@pytest.mark.parametrize("name", ["lifetime_hint", "age_add", "max_early_data"])
def test_a_client_that_hides_its_ticket_is_caught_in_a_lie(runtime: Runtime, honest: LibsslStack, name: str) -> None:
    lie = hidden(**{name: SESSIONS[name][0]})

    assert f"session.{name}: the client reports" in caught(with_sessions(honest, lie), honest, V13, runtime)


ANSWERS = ServerConfig(alpn=("h2",), client_renegotiation=True)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("external_psk", "616c696365"),
        ("server_name", "other.example"),
        ("early_data", "accepted"),
        ("early_bytes", "00"),
        ("exporter", "00" * 32),
    ],
)
def test_a_lie_about_a_connection_with_a_renegotiation_is_caught(
    runtime: Runtime, honest: LibsslStack, liars: Liars, role: Role, name: str, value: object
) -> None:
    liar = liars.stack(facts={name: value})
    ends = (liar, honest) if role is Role.CLIENT else (honest, liar)
    pair = Pair(ends, V12, runtime, client=ClientConfig(server_name="server.example"), server=ANSWERS)
    try:
        live = pair.open()
        live.exchange()
        live.renegotiate()
        live.exchange()
        connection = live.close()
    finally:
        pair.close()

    assert {found.fact for found in connection.contradictions} == {name}


NOT_OF_AN_ID = ("lifetime_hint", "age_add", "max_early_data")


@pytest.mark.parametrize("name", [*NOT_OF_AN_ID, "ticket_length", "session_id"])
def test_a_lie_about_a_session_without_a_ticket_is_caught(runtime: Runtime, honest: LibsslStack, name: str) -> None:
    liar = with_sessions(honest, field(**{name: b"\1" * 32 if name == "session_id" else 77}))
    pair = Pair((liar, honest), V12, runtime, server=TICKETS_OFF)
    try:
        with pytest.raises(DisagreementError, match=rf"session\.{name}: the client reports"):
            pair.connect()
    finally:
        pair.close()


@pytest.mark.parametrize(
    ("name", "value", "tls"),
    [
        ("session_id", b"", V12),
        ("session_id", b"\1" * 32, V13),
        ("ticket_length", 0, V12),
        ("server_name", "server.example", V13),
        ("extended_master_secret", True, V13),
        ("flags", 1, V13),
        ("master_key_length", 49, V13),
    ],
)
def test_a_lie_about_what_follows_from_the_wire_is_caught(
    runtime: Runtime, honest: LibsslStack, name: str, value: object, tls: TLSVersion
) -> None:
    liar = with_sessions(honest, field(**{name: value}))
    pair = Pair((liar, honest), tls, runtime)
    try:
        with pytest.raises(DisagreementError, match=rf"session\.{name}: the client reports"):
            pair.connect()
    finally:
        pair.close()


OF_PSK = ServerConfig(psk_key="shared", psk_hint="which?", server_certificate="none", alpn=("h2",))


@pytest.mark.parametrize("tls", BOTH_VERSIONS)
def test_honest_ends_with_an_external_psk_and_alpn_agree(
    runtime: Runtime, honest: LibsslStack, tls: TLSVersion
) -> None:
    client = ClientConfig(psk_key="shared", alpn=("h2",), server_name="server.example")
    pair = Pair((honest, honest), tls, runtime, client=client, server=OF_PSK)
    try:
        first = pair.connect()
        second = pair.connect(first.session)
    finally:
        pair.close()

    assert (first.outcome, second.outcome) == (Outcome.FULL, Outcome.RESUMED)
    assert first.session.alpn == (b"h2" if tls is V12 else b"")


@pytest.mark.parametrize("name", ["psk_identity", "psk_identity_hint"])
@pytest.mark.parametrize("value", [b"", b"alice"])
def test_a_lie_about_the_psk_of_a_session_is_caught(
    runtime: Runtime, honest: LibsslStack, name: str, value: bytes
) -> None:
    liar = with_sessions(honest, field(**{name: value}))
    pair = Pair((liar, honest), V12, runtime, client=ClientConfig(psk_key="shared"), server=OF_PSK)
    try:
        with pytest.raises(DisagreementError, match=rf"session\.{name}: the client reports"):
            pair.connect()
    finally:
        pair.close()


def test_a_session_without_id_and_ticket_leaves_nothing_to_the_next(runtime: Runtime, honest: LibsslStack) -> None:
    """The client makes a new SSL_SESSION in its place (SSL_SESSION_is_resumable), whose fields are new."""
    pair = Pair((honest, honest), V13, runtime, server=ServerConfig(num_tickets=0))
    first = pair.connect()
    second = pair.connect(edited(first.session, max_early_data=1))
    pair.close()

    assert second.offered is not None
    assert (second.offered.session_id, second.offered.ticket, second.offered.max_early_data) == (b"", b"", 1)
    assert (second.outcome, second.session.max_early_data) == (Outcome.FULL, 0)


def test_a_ticket_beside_an_external_psk_resumes_in_another_group(runtime: Runtime, honest: LibsslStack) -> None:
    """The client then goes on with a copy of its session (tls_parse_stoc_key_share), and not with the external PSK."""
    client = ClientConfig(psk_key="shared", groups="X25519")
    server = ServerConfig(psk_key="shared", server_certificate="none")
    pair = Pair((honest, honest), V13, runtime, client=client, server=server)
    try:
        first = pair.connect()
        pair.new_client(groups="P-256")
        second = pair.connect(first.session)

        assert (first.outcome, second.outcome) == (Outcome.FULL, Outcome.RESUMED)
        assert (first.external_psk, second.external_psk) == (b"Client_identity", None)
    finally:
        pair.close()


@pytest.mark.parametrize("hits", [None, 3])
def test_a_hit_of_an_external_psk_counts_also_if_no_ticket_follows(
    runtime: Runtime, honest: LibsslStack, liars: Liars, hits: int | None
) -> None:
    """The id of the second connection's ticket collides with that of the first one's."""
    liar = liars.stack(counters={"hits": hits}, only={"finished": None}) if hits else honest
    colliding = ServerConfig(psk_key="shared", server_certificate="none", tickets=False, session_id=b"a")
    pair = Pair((honest, liar), V13, runtime, client=ClientConfig(psk_key="shared"), server=colliding)
    try:
        if hits:
            with pytest.raises(DisagreementError, match=r"counter hits: the server reports 3; .* shows 0 to 1"):
                pair.connect()
            return
        first, second = pair.connect(), pair.connect(presume_full=False)
        assert (first.outcome, second.outcome, second.alert) == (Outcome.FULL, Outcome.ABORTED, Alert(80, Role.SERVER))
        assert second.counters is not None
        assert second.counters.hits == 2
    finally:
        pair.close()


@pytest.mark.parametrize("tls", BOTH_VERSIONS)
@pytest.mark.parametrize("certificate", ["client", None])
def test_a_server_that_forgets_or_invents_a_resumed_client_is_caught(
    runtime: Runtime, honest: LibsslStack, liars: Liars, tls: TLSVersion, certificate: str | None
) -> None:
    liar = liars.stack(facts={"peer_certificate": certificate is None}, only={"reused": True})
    client, asks = ClientConfig(client_certificate=certificate), ServerConfig(verify=Verify.OPTIONAL)
    pair = Pair((honest, liar), tls, runtime, client=client, server=asks)
    try:
        second = pair.connect(pair.connect().session)
        with pytest.raises(DisagreementError, match=r"peer_certificate: the server reports .*connection 1, from which"):
            second.outcome  # noqa: B018  reading it is what raises
    finally:
        pair.close()
