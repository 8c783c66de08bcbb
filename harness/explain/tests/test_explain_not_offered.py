"""Why no session was offered, from evidence that was taken away or contradicts itself: the answer must be able to fail.

That each reason is given where it holds is what scenarios/why_*.py show on real ends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.explain import explain
from harness.explain.unread import explain_unread
from harness.model.errors import EndpointError
from harness.model.knobs import CacheMode, ClientConfig, ServerConfig
from harness.model.reason import Question, Reason
from harness.model.session import Session
from harness.model.setup import Action, Setup
from harness.model.tls import Alert, Close
from harness.model.transcript import NewSessionTicket, Tcp
from harness.model.view import EndpointReport, Saw, View, Witness
from harness.tests.made.connections import disagreeing
from harness.tests.made.handshakes import (
    CLIENT,
    CLOSED,
    KEY,
    SERVER,
    TLS12,
    TLS13,
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

TICKET = ticket(KEY, 1)
SENT = NewSessionTicket(7200, TICKET)
HELD = session(ticket=TICKET)
EMPTY = session(session_id=b"")
UNKNOWN = (Reason.NOT_OFFERED_UNKNOWN,)
NOW = 1_800_000_000


def circumstances(client: ClientConfig | None = None, **changes: Any) -> Setup:
    return replace(Setup(client or ClientConfig(), ServerConfig(), 1, 1), **changes)


def first(
    *sent: tuple[Any, ...], last_session: Session | None = HELD, decrypted: bool = True, **changes: Any
) -> Connection:
    """A full handshake of TLS 1.3 that sent what it is given."""
    messages = transcript((CLIENT, hello13(1)), (SERVER, answer13(1)), *sent, *CLOSED, decrypted=decrypted)
    return made(1, Saw.FULL, messages, offered=None, last_session=last_session, **changes)


def second(offered: Session | None, **changes: Any) -> Connection:
    """One of TLS 1.3 in which nothing went on the wire."""
    messages = transcript((CLIENT, changes.pop("hello", hello13(2))), (SERVER, answer13(2)), *CLOSED)
    return made(2, Saw.FULL, messages, offered=offered, last_session=None, was_offered=False, **changes)


def findings(*connections: Connection) -> tuple[Finding, ...]:
    explanation = explain(connections, connections[-1])
    return explanation.findings if explanation else ()


def reasons_of(*connections: Connection) -> tuple[Reason, ...]:
    return tuple(finding.reason for finding in findings(*connections))


def kept(**known: object) -> Session:
    """An object in the client's memory."""
    return Session(known, taken_by="libssl@3.0.19", taken_from="libssl@4.0.3", handle="SSL_SESSION 1")


def test_an_offerable_session_gets_no_reason_beyond_the_known_facts() -> None:
    (finding,) = findings(first((SERVER, SENT)), second(HELD))

    assert finding.reason is Reason.NOT_OFFERED_UNKNOWN
    assert "session: version TLSv1.3" in finding.evidence
    assert "wire: the ClientHello offers TLSv1.3" in finding.evidence
    assert "session: it comes from connection 1" in finding.evidence


def test_a_session_for_another_version_is_found_in_the_hello() -> None:
    assert reasons_of(first((SERVER, SENT)), second(HELD, hello=hello12())) == (Reason.VERSION_NOT_ENABLED,)


def test_the_hello_overrules_a_knob_that_disables_the_version() -> None:
    lying = circumstances(ClientConfig(versions=(TLS12,)))

    assert reasons_of(first((SERVER, SENT)), second(HELD, setup=lying)) == UNKNOWN


def test_without_a_hello_the_version_is_not_a_reason() -> None:
    blind = replace(second(HELD), transcript=transcript((SERVER, answer13(2))))

    assert reasons_of(first((SERVER, SENT)), blind) == UNKNOWN


def test_a_session_without_the_ticket_that_was_sent_was_taken_too_early() -> None:
    assert reasons_of(first((SERVER, SENT), last_session=EMPTY), second(EMPTY)) == (Reason.NO_TICKET_YET,)


def test_a_session_without_a_ticket_of_a_server_that_sent_none() -> None:
    assert reasons_of(first(last_session=EMPTY), second(EMPTY)) == (Reason.NO_TICKET_SENT,)


def test_undecrypted_tickets_leave_both_reasons_and_the_check_between_them() -> None:
    found = findings(first((SERVER, SENT), last_session=EMPTY, decrypted=False), second(EMPTY))

    assert tuple(finding.reason for finding in found) == (Reason.NO_TICKET_SENT, Reason.NO_TICKET_YET)
    assert all("could not be decrypted" in finding.tell_apart for finding in found)


def test_a_client_that_counts_tickets_missing_on_the_wire_is_not_believed() -> None:
    one = first(last_session=EMPTY)
    counting = replace(one, client=replace(one.client, view=replace(one.client.view, tickets=2)))

    assert reasons_of(counting, second(EMPTY)) == UNKNOWN


def test_an_empty_session_of_an_unknown_connection_has_no_reason() -> None:
    assert reasons_of(first((SERVER, SENT)), second(session(session_id=b"", time=1))) == UNKNOWN


def test_a_tls12_session_id_only_on_the_wire_is_not_explained_away() -> None:
    empty = session(TLS12, session_id=b"")
    messages = transcript((CLIENT, hello12()), (SERVER, answer12(b"id")), *CLOSED, tls=TLS12)
    one = made(1, Saw.FULL, messages, offered=None, last_session=empty)

    assert reasons_of(one, second(empty, hello=hello12())) == UNKNOWN


@pytest.mark.parametrize(("lifetime", "remedy"), [(0, "some clients keep none whose hint is 0"), (300, "own limits")])
def test_a_tls12_client_that_keeps_no_session_discarded_its_ticket(lifetime: int, remedy: str) -> None:
    sent = (SERVER, NewSessionTicket(lifetime, TICKET))
    messages = transcript((CLIENT, hello12()), (SERVER, answer12()), sent, *CLOSED, tls=TLS12)
    one = made(1, Saw.FULL, messages, offered=None, last_session=None)

    (found,) = findings(one, second(None, hello=hello12()))

    assert found.reason is Reason.TICKET_DISCARDED
    assert f"wire: the server gave the ticket a lifetime of {lifetime} seconds in connection 1" in found.evidence
    assert remedy in found.remedy


def test_a_tls12_session_of_a_server_that_sent_neither_ticket_nor_id() -> None:
    empty = session(TLS12, session_id=b"")
    messages = transcript((CLIENT, hello12()), (SERVER, answer12()), *CLOSED, tls=TLS12)
    one = made(1, Saw.FULL, messages, offered=None, last_session=empty)

    assert reasons_of(one, second(empty, hello=hello12())) == (Reason.NO_TICKET_SENT,)


@pytest.mark.parametrize(
    ("age", "reasons"), [(7200, UNKNOWN), (7201, UNKNOWN), (7202, (Reason.EXPIRED_AT_CLIENT,)), (0, UNKNOWN)]
)
def test_the_clients_clock_and_the_lifetime_decide_to_the_second(age: int, reasons: tuple[Reason, ...]) -> None:
    held = session(ticket=TICKET, time=NOW - age)
    tcp = Tcp(NOW * 10**9, 1, 2, 3)

    assert reasons_of(first((SERVER, SENT)), second(held, setup=circumstances(), tcp=tcp)) == reasons


@pytest.mark.parametrize(("client", "reasons"), [("3.0.19", (Reason.EXPIRED_AT_CLIENT,)), ("3.2.0", UNKNOWN)])
def test_a_session_of_the_future_is_old_for_a_client_before_3_2(client: str, reasons: tuple[Reason, ...]) -> None:
    held = session(ticket=TICKET, time=NOW + 60)
    two = second(held, setup=circumstances(), tcp=Tcp(NOW * 10**9, 1, 2, 3))
    named = replace(two, client=replace(two.client, view=replace(two.client.view, name=f"libssl@{client}")))

    assert reasons_of(first((SERVER, SENT)), named) == reasons


def test_without_a_clock_a_session_is_not_called_expired() -> None:
    held = session(ticket=TICKET, time=1)

    assert reasons_of(first((SERVER, SENT)), second(held)) == UNKNOWN


def test_a_clock_that_was_stopped_is_believed() -> None:
    stopped = Action("stop_clock", CLIENT, {"at": NOW + 7202, "context": 1})
    moved = circumstances(ClientConfig(clock=0), before=(stopped,))
    held = session(ticket=TICKET, time=NOW)

    assert reasons_of(first((SERVER, SENT)), second(held, setup=moved)) == (Reason.EXPIRED_AT_CLIENT,)


def test_a_tls12_session_does_not_expire_at_its_client() -> None:
    held = session(TLS12, ticket=TICKET, time=NOW - 8000)
    tcp = Tcp(NOW * 10**9, 1, 2, 3)

    assert (
        reasons_of(first(last_session=held), second(held, hello=hello12(), setup=circumstances(), tcp=tcp)) == UNKNOWN
    )


@pytest.mark.parametrize(
    ("suites", "reasons"),
    [((0x1301,), (Reason.CIPHER_NOT_ENABLED,)), ((0x1302,), UNKNOWN), ((0x1301, 0x1302), UNKNOWN)],
)
def test_a_tls13_session_needs_a_suite_with_its_hash(suites: tuple[int, ...], reasons: tuple[Reason, ...]) -> None:
    assert reasons_of(first((SERVER, SENT)), second(HELD, hello=hello13(2, cipher_suites=suites))) == reasons


def test_a_suite_of_the_same_hash_is_enough_for_tls13() -> None:
    held = session(ticket=TICKET, cipher=0x1303)

    assert reasons_of(first((SERVER, SENT)), second(held, hello=hello13(2, cipher_suites=(0x1301,)))) == UNKNOWN


def test_a_tls12_session_needs_its_very_cipher() -> None:
    held = session(TLS12, ticket=TICKET, cipher=0xC02B)

    assert reasons_of(first(last_session=held), second(held, hello=hello12())) == (Reason.CIPHER_NOT_ENABLED,)


def test_an_object_of_a_connection_without_close_notify_is_not_resumable() -> None:
    held = kept(resumable=True)
    one = first((SERVER, SENT), held_sessions=(held,), close=Close.EOF)
    cut = replace(one, transcript=transcript((CLIENT, hello13(1)), (SERVER, answer13(1)), (SERVER, SENT)))

    assert reasons_of(cut, second(held)) == (Reason.NOT_RESUMABLE,)


def test_a_close_notify_on_the_wire_overrules_the_requested_close() -> None:
    held = kept(resumable=True)

    assert reasons_of(first((SERVER, SENT), held_sessions=(held,), close=Close.EOF), second(held)) == UNKNOWN


def test_a_fatal_alert_marks_an_object_however_it_was_to_be_closed() -> None:
    held = kept(resumable=True)
    one = first((SERVER, SENT), held_sessions=(held,))
    messages = transcript((CLIENT, hello13(1)), (SERVER, answer13(1)), (SERVER, SENT), (CLIENT, Alert(50, CLIENT)))

    assert reasons_of(replace(one, transcript=messages), second(held)) == (Reason.NOT_RESUMABLE,)


def test_a_copy_in_memory_is_out_of_reach_of_the_close() -> None:
    held = Session({"has_ticket": True}, taken_by="ssl@3.0.19", handle="SSLSession 1")
    one = first((SERVER, SENT), held_sessions=(held,), close=Close.EOF)
    cut = replace(one, transcript=transcript((CLIENT, hello13(1)), (SERVER, answer13(1)), (SERVER, SENT)))

    assert reasons_of(cut, second(held)) == UNKNOWN


def test_an_object_of_an_unknown_connection_has_no_reason() -> None:
    assert reasons_of(first((SERVER, SENT), close=Close.EOF), second(kept(resumable=True))) == UNKNOWN


def test_a_flush_of_a_cache_that_stores_nothing_is_not_a_reason() -> None:
    held = kept(resumable=True)
    flushed = circumstances(before=(Action("flush", CLIENT, {"at": NOW, "context": 1}),))
    stores_nothing = ClientConfig(cache_mode=frozenset({CacheMode.CLIENT, CacheMode.NO_INTERNAL_STORE}))
    one = first((SERVER, SENT), held_sessions=(held,), setup=circumstances(stores_nothing))

    assert reasons_of(one, second(held, setup=replace(flushed, client=stores_nothing))) == UNKNOWN


def test_nothing_given_after_a_session_is_the_use_of_the_api() -> None:
    assert reasons_of(first((SERVER, SENT)), second(None)) == (Reason.NO_SESSION,)


def test_no_session_without_a_completed_handshake_needs_no_explanation() -> None:
    failed = replace(disagreeing(), number=1, offered=None, was_offered=False)

    assert explain([failed, second(None)], second(None)) is None


def test_no_session_after_unseen_tickets_leaves_both_reasons() -> None:
    blind = first(last_session=None, decrypted=False)

    assert reasons_of(blind, second(None)) == (Reason.NO_TICKET_SENT, Reason.NO_TICKET_YET)


def test_an_earlier_session_is_named_if_the_latest_connection_has_none() -> None:
    one, two = first((SERVER, SENT)), replace(first(last_session=EMPTY), number=2)
    (finding,) = findings(one, two, replace(second(None), number=3))

    assert finding.reason is Reason.NO_TICKET_SENT
    assert finding.evidence[-1] == "session: connection 1 yielded one that could have been offered"


def unread(*errors: str) -> Connection:
    """A client that failed before it said a word."""
    messages = transcript((SERVER, Alert(50, SERVER)))
    client = EndpointReport(View(Witness.CLIENT, Saw.ABORTED, ("failed",), "libssl@1.1.1w"), errors=errors)
    return made(2, Saw.ABORTED, messages, offered=HELD, last_session=None, was_offered=False, client=client)


def test_an_unreadable_session_is_found_by_the_error_of_d2i() -> None:
    explanation = explain([first((SERVER, SENT)), unread("lib=13 reason=168 wrong tag")], unread("lib=13 wrong tag"))

    assert explanation is not None
    assert explanation.question is Question.NOT_OFFERED
    assert explanation.reasons == (Reason.UNREADABLE,)


def test_another_client_error_does_not_mean_an_unreadable_session() -> None:
    broken = unread("lib=20 reason=191 no ciphers available")
    explanation = explain([first((SERVER, SENT)), broken], broken)

    assert explanation is not None
    assert explanation.question is Question.ABORTED


def test_a_client_that_never_connected_is_explained_by_its_output() -> None:
    error = EndpointError(
        "openssl@1.1.1w", "ended", "1:error:0D0680A8:asn1 encoding routines:asn1_check_tlen:wrong tag"
    )
    explanation = explain_unread(error, HELD)

    assert explanation is not None
    assert explanation.reasons == (Reason.UNREADABLE,)


def test_a_client_that_ended_for_another_reason_has_no_explanation() -> None:
    assert explain_unread(EndpointError("openssl@1.1.1w", "ended", "Connection refused"), HELD) is None


@pytest.mark.parametrize("tls", [TLS12, TLS13])
def test_each_finding_has_evidence_a_remedy_and_a_source_of_its_own(tls: object) -> None:
    hello = hello12() if tls is TLS13 else hello13(2)
    (finding,) = findings(first((SERVER, SENT)), second(session(tls, ticket=TICKET), hello=hello))  # type: ignore[arg-type] # TLSVersion

    assert finding.reason is Reason.VERSION_NOT_ENABLED
    assert finding.evidence
    assert finding.remedy
    assert finding.source
    assert finding.tell_apart == ""


WEEK = 604800


@pytest.mark.parametrize(
    ("on_wire", "copy", "title", "lines"),
    [
        (
            30 * 86400,
            WEEK,
            "it cut the 2592000 that the server set",
            [
                "wire: the server gave the ticket a lifetime of 2592000 seconds in connection 1",
                "session: the client's copy has a lifetime of 604800 seconds",
            ],
        ),
        (WEEK, WEEK, "but its lifetime is 604800", ["wire: the server gave the ticket a lifetime of 604800 seconds"]),
    ],
)
def test_a_lifetime_is_the_wires_and_a_week_cannot_be_raised(
    on_wire: int, copy: int, title: str, lines: list[str]
) -> None:
    held = session(ticket=TICKET, lifetime_hint=copy, time=0)
    clock = Setup(
        ClientConfig(), ServerConfig(), 1, 1, (Action("stop_clock", CLIENT, {"at": 8 * 86400, "context": 1}),)
    )
    one = first(
        (SERVER, NewSessionTicket(on_wire, TICKET)),
        last_session=held,
        setup=Setup(ClientConfig(), ServerConfig(), 1, 1),
    )
    (finding,) = findings(one, second(held, setup=clock))

    assert finding.reason is Reason.EXPIRED_AT_CLIENT
    assert title in finding.title
    assert [line for line in lines if not any(shown.startswith(line) for shown in finding.evidence)] == []
    assert "a longer timeout at the server changes nothing" in finding.remedy


def test_a_lifetime_of_hours_can_be_raised() -> None:
    held = session(ticket=TICKET, lifetime_hint=7200, time=0)
    clock = circumstances(before=(Action("stop_clock", CLIENT, {"at": 9000, "context": 1}),))
    one = first((SERVER, SENT), last_session=held, setup=circumstances())
    (finding,) = findings(one, second(held, setup=clock))

    assert "raise it at the server" in finding.remedy
