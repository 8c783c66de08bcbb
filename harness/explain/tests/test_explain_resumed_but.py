"""The caveats of a resumption, from evidence that was taken away or contradicts itself: a caveat needs proof.

That each caveat is given if it holds is what scenarios/why_*.py show on real ends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.explain import explain
from harness.model.knobs import ClientConfig, ServerConfig, Verify
from harness.model.reason import Question, Reason
from harness.model.setup import Action, Setup
from harness.model.transcript import EARLY_DATA, NewSessionTicket, Tcp
from harness.model.view import Saw
from harness.tests.made.handshakes import (
    CLIENT,
    CLOSED,
    KEY,
    SERVER,
    TLS12,
    answer12,
    answer13,
    hello12,
    hello13,
    made,
    session,
    ticket,
    transcript,
)

if TYPE_CHECKING:
    from typing import Any

    from harness.model.connection import Connection
    from harness.model.reason import Finding
    from harness.model.session import Session
    from harness.model.transcript import ServerHello, Transcript

TICKET = ticket(KEY, 1)
HELD = session(ticket=TICKET, verify_result=0)
BEGAN = 1_800_000_000 * 10**9
VERIFIES = ClientConfig(verify=Verify.REQUIRED)
REQUIRES = ServerConfig(verify=Verify.REQUIRED)
ASKS = ServerConfig(verify=Verify.OPTIONAL)
HAS_ONE = ClientConfig(client_certificate="client")


def knobs(client: ClientConfig | None = None, server: ServerConfig | None = None, **changes: Any) -> dict[str, Any]:
    return {"setup": Setup(client or ClientConfig(), server or ServerConfig(), 1, 1, **changes)}


def first(last_session: Session = HELD, **changes: Any) -> Connection:
    """A full handshake."""
    sent = NewSessionTicket(7200, TICKET, max_early_data=1024)
    hello = hello13(1, server_name=changes.pop("server_name", None))
    messages = transcript((CLIENT, hello), (SERVER, answer13(1)), (SERVER, sent), *CLOSED)
    return made(1, Saw.FULL, messages, offered=None, last_session=last_session, **changes)


def shown(*sent: tuple[Any, ...], answer: ServerHello | None = None, **hello: Any) -> Transcript:
    """The messages of a resumption, and what else was sent."""
    messages = (CLIENT, hello13(2, TICKET, **hello)), (SERVER, answer or answer13(2, selected=0)), *sent, *CLOSED
    return transcript(*messages)


def second(offered: Session = HELD, messages: Transcript | None = None, **changes: Any) -> Connection:
    """A resumption."""
    return made(2, Saw.RESUMED, messages or shown(), offered=offered, last_session=None, **changes)


def findings(*connections: Connection) -> tuple[Finding, ...]:
    explanation = explain(connections, connections[-1])
    assert explanation is None or explanation.question is Question.RESUMED_BUT
    return explanation.findings if explanation else ()


def reasons_of(*connections: Connection) -> tuple[Reason, ...]:
    return tuple(finding.reason for finding in findings(*connections))


def test_a_plain_resumption_has_no_explanation() -> None:
    assert explain([first(), second()], second()) is None


def test_a_different_name_in_the_hello_is_shown_with_both_names() -> None:
    (finding,) = findings(first(server_name="a.example"), second(messages=shown(server_name="b.example")))

    assert finding.reason is Reason.OTHER_SERVER_NAME
    assert "wire: the ClientHello of connection 1 has server name a.example" in finding.evidence
    assert "wire: the ClientHello of connection 2 has server name b.example" in finding.evidence


def test_a_session_of_unknown_origin_without_a_name_shows_no_name_change() -> None:
    assert reasons_of(second(messages=shown(server_name="b.example"))) == ()


def test_a_session_of_an_unknown_connection_that_has_a_name_does() -> None:
    held = session(ticket=TICKET, server_name="a.example")

    assert reasons_of(second(held, shown(server_name="b.example"))) == (Reason.OTHER_SERVER_NAME,)


def test_a_session_that_was_resumed_in_between_goes_by_its_full_handshake() -> None:
    between = ticket(KEY, 2)
    one = first(server_name="a.example")
    two = replace(second(messages=shown(server_name="b.example")), last_session=session(ticket=between, time=2))
    three = made(3, Saw.RESUMED, shown(server_name="a.example"), offered=two.last_session, last_session=None)

    assert reasons_of(one, two, three) == ()
    assert reasons_of(one, two) == (Reason.OTHER_SERVER_NAME,)


def test_an_unknown_protocol_is_not_a_different_one() -> None:
    assert reasons_of(first(session(ticket=TICKET, alpn=b"h2")), second(session(ticket=TICKET, alpn=b"h2"))) == ()


def test_an_endpoints_protocol_is_believed_where_the_wire_shows_none() -> None:
    held = session(ticket=TICKET, alpn=b"h2")
    two = second(held)
    reporting = replace(two, client=replace(two.client, alpn="http/1.1"))

    assert reasons_of(first(held), reporting) == (Reason.OTHER_ALPN,)


@pytest.mark.parametrize(("body", "reasons"), [(b"\0\3\2h2", ()), (b"\0\3\2h3", (Reason.OTHER_ALPN,)), (b"\0", ())])
def test_the_protocol_of_a_tls12_server_hello_decides(body: bytes, reasons: tuple[Reason, ...]) -> None:
    held = session(TLS12, ticket=TICKET, alpn=b"h2", verify_result=0)
    answer = answer12(b"id")
    hello = replace(answer, extensions={**answer.extensions, 16: body})
    messages = transcript((CLIENT, hello12(b"id", TICKET)), (SERVER, hello), *CLOSED, tls=TLS12)

    assert reasons_of(first(held), second(held, messages)) == reasons


def test_a_verifying_client_has_a_caveat_for_a_session_that_failed() -> None:
    held = session(ticket=TICKET, verify_result=20)

    assert reasons_of(first(held, **knobs()), second(held, **knobs(VERIFIES))) == (Reason.PEER_NOT_VERIFIED_AGAIN,)


def test_the_sessions_verify_result_overrules_a_knob_against_verifying() -> None:
    assert reasons_of(first(**knobs()), second(**knobs(VERIFIES))) == ()


def test_a_client_that_does_not_verify_has_no_caveat() -> None:
    held = session(ticket=TICKET, verify_result=20)

    assert reasons_of(first(held, **knobs()), second(held, **knobs())) == ()


def test_without_a_setup_no_end_is_reported_as_verifying() -> None:
    held = session(ticket=TICKET, verify_result=20)

    assert reasons_of(first(held), second(held)) == ()


def test_a_certificate_on_the_wire_overrules_that_nothing_was_verified() -> None:
    held = session(ticket=TICKET, verify_result=20)
    renewed = second(held, shown((SERVER, "Certificate", 900)), **knobs(VERIFIES))

    assert reasons_of(first(held, **knobs()), renewed) == ()


def test_a_server_that_says_that_it_has_a_certificate_is_believed() -> None:
    two = second(**knobs(server=REQUIRES))
    holding = replace(two, server=replace(two.server, peer_certificate=True))

    assert reasons_of(first(**knobs()), two) == (Reason.CLIENT_CERTIFICATE_NOT_ASKED,)
    assert reasons_of(first(**knobs()), holding) == ()


def test_a_certificate_request_on_the_wire_is_believed() -> None:
    asked = second(messages=shown((SERVER, "CertificateRequest", 60)), **knobs(server=REQUIRES))

    assert reasons_of(first(**knobs()), asked) == ()


def test_a_server_without_a_client_certificate_does_not_confuse_clients() -> None:
    two = second(**knobs(ClientConfig(client_certificate="stranger"), ASKS))
    without = replace(two, server=replace(two.server, peer_certificate=False))

    assert reasons_of(first(**knobs(HAS_ONE, ASKS)), two) == (Reason.PEER_NOT_VERIFIED_AGAIN,)
    assert reasons_of(first(**knobs(HAS_ONE, ASKS)), without) == ()


def rejected(messages: Transcript | None = None, offered: Session = HELD, **changes: Any) -> Connection:
    """A resumption whose early data were refused."""
    two = second(offered, messages or shown(), **changes)
    return replace(two, client=replace(two.client, early_data="rejected"))


def early(*connections: Connection) -> Finding:
    (finding,) = findings(*connections)
    assert finding.reason is Reason.EARLY_DATA_REFUSED
    return finding


ALLOWS = ServerConfig(max_early_data=1024)
MORE = (SERVER, NewSessionTicket(7200, ticket(KEY, 3), max_early_data=1024))
NONE = (SERVER, NewSessionTicket(7200, ticket(KEY, 3)))


def test_early_data_refused_without_any_evidence_has_an_unknown_reason() -> None:
    finding = early(first(**knobs(server=ALLOWS)), rejected(shown(MORE), **knobs(server=ALLOWS)))

    assert "no evidence says why" in finding.title


def test_tickets_that_allow_early_data_overrule_a_knob_that_does_not() -> None:
    finding = early(
        first(**knobs(server=ALLOWS)), rejected(shown(MORE), **knobs(server=ServerConfig(max_early_data=0)))
    )

    assert "no evidence says why" in finding.title


@pytest.mark.parametrize(
    ("messages", "server"),
    [(shown(NONE), ALLOWS), (shown(), ServerConfig(max_early_data=0)), (shown(), ServerConfig())],
)
def test_a_server_that_allows_none_is_found_by_tickets_or_knob(messages: Transcript, server: ServerConfig) -> None:
    finding = early(first(**knobs(server=ALLOWS)), rejected(messages, **knobs(server=server)))

    assert finding.title == "the early data of connection 2 was refused: the server allows none"


def test_a_hello_retry_request_refuses_early_data() -> None:
    retry = replace(answer13(2), hello_retry_request=True)
    answer = (SERVER, answer13(2, selected=0))
    messages = transcript((CLIENT, hello13(2, TICKET)), (SERVER, retry), (CLIENT, hello13(2, TICKET)), answer, MORE)
    finding = early(first(**knobs(server=ALLOWS)), rejected(messages, **knobs(server=ALLOWS)))

    assert finding.title.endswith("the server answered with a HelloRetryRequest")


@pytest.mark.parametrize(
    ("claimed", "moved", "shown_why"),
    [(0, 0, False), (1, 0, False), (59, 0, True), (0, 9, False), (0, 60, True), (59, 60, False)],
)
def test_the_age_that_the_client_claims_and_the_servers_clock_decide(
    claimed: int, moved: int, *, shown_why: bool
) -> None:
    action = Action("move_clock", SERVER, {"seconds": moved, "context": 1})
    server = ServerConfig(max_early_data=1024, clock=0)
    one = first(**knobs(server=server), tcp=Tcp(BEGAN, 1, 2, 3))
    messages = shown(MORE, age=claimed * 1000)
    two = rejected(messages, **knobs(server=server, before=(action,)), tcp=Tcp(BEGAN, 1, 2, 3))

    assert ("seconds old by the client's clock" in early(one, two).title) is shown_why


def test_without_both_connection_times_the_age_is_not_a_reason() -> None:
    finding = early(first(**knobs(server=ALLOWS)), rejected(shown(MORE, age=59_000), **knobs(server=ALLOWS)))

    assert "no evidence says why" in finding.title


def test_another_cipher_suite_is_named_where_nothing_else_refused_them() -> None:
    answer = replace(answer13(2, selected=0), cipher_suite=0x1303)
    held = session(ticket=TICKET, cipher=0x1301, verify_result=0)
    suite = rejected(shown(MORE, answer=answer), held, **knobs(server=ALLOWS))
    both = rejected(shown(NONE, answer=answer), held, **knobs(server=ALLOWS))

    assert "TLS_CHACHA20_POLY1305_SHA256" in early(first(held, **knobs(server=ALLOWS)), suite).title
    assert "TLS_CHACHA20_POLY1305_SHA256" not in early(first(held, **knobs(server=ALLOWS)), both).title


@pytest.mark.parametrize("status", ["accepted", "not_sent", None])
def test_early_data_that_were_not_refused_need_no_reason(status: str | None) -> None:
    two = second(messages=shown(extensions={EARLY_DATA: b""}))

    assert reasons_of(first(), replace(two, client=replace(two.client, early_data=status))) == ()


def test_a_caveat_has_evidence_a_remedy_and_a_source() -> None:
    held = session(ticket=TICKET, verify_result=20, alpn=b"h2", time=BEGAN // 10**9 - 7201)
    two = rejected(shown(server_name="b.example"), held, **knobs(VERIFIES, REQUIRES), tcp=Tcp(BEGAN, 1, 2, 3))
    two = replace(two, client=replace(two.client, alpn="h3"))
    found = findings(first(held, server_name="a.example", **knobs()), two)

    assert tuple(finding.reason for finding in found) == tuple(
        reason for reason in Reason if reason.question is Question.RESUMED_BUT
    )
    assert all(finding.evidence and finding.remedy and finding.source for finding in found)
