"""Evidence that contradicts itself or leaves several reasons: observations win, and what is open stays open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.explain import explain
from harness.explain.tests import made_offers as made
from harness.model.build import Library
from harness.model.connection import Counters
from harness.model.knobs import UNSET, CacheMode, PskMode, Verify
from harness.model.reason import Reason
from harness.model.setup import Action
from harness.model.tls import Alert, Role

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.model.reason import Finding

R = Reason
NOTHING = Counters(hits=0, misses=0, timeouts=0, overflows=0, items=0)
MISSED, TIMED_OUT = replace(NOTHING, misses=1), replace(NOTHING, timeouts=1)
CACHED: dict[str, Any] = {"tickets": False}


def findings_of(*connections: Connection) -> tuple[Finding, ...]:
    explanation = explain(connections, connections[-1])
    return explanation.findings if explanation else ()


def reasons(*connections: Connection) -> tuple[Reason, ...]:
    return tuple(finding.reason for finding in findings_of(*connections))


# a ticket


def test_several_reasons_are_ranked_with_their_confirming_checks() -> None:
    findings = findings_of(made.declined())

    assert [finding.reason for finding in findings] == [
        R.TICKET_DAMAGED,
        R.SESSION_ID_CONTEXT_DIFFERS,
        R.EXPIRED_AT_SERVER,
    ]
    assert all(finding.tell_apart for finding in findings)


def test_one_reason_needs_nothing_to_tell_it_apart() -> None:
    same = made.circumstances()
    seen = made.transcript(made.hellos(made.TICKET), made.OTHER_TICKET)
    (finding,) = findings_of(made.first(setup=same), made.declined(seen=seen, setup=same))

    assert finding.tell_apart == ""


def test_key_is_known_by_its_name_although_the_server_is_another() -> None:
    other = made.circumstances(2)

    assert reasons(made.first(setup=made.circumstances()), made.declined(setup=other)) == (R.DECLINED_UNKNOWN,)


def test_key_is_unknown_by_its_name_although_it_is_the_same_server() -> None:
    same = made.circumstances()
    seen = made.transcript(made.hellos(made.TICKET), made.OTHER_TICKET)

    assert reasons(made.first(setup=same), made.declined(seen=seen, setup=same)) == (R.TICKET_KEY_UNKNOWN,)


@pytest.mark.parametrize("length", [0, None])
def test_the_head_of_a_ticket_that_is_no_key_name_says_nothing(length: int | None) -> None:
    go = replace(made.circumstances(), server_library=Library("go", key_name=length))
    seen = made.transcript(made.hellos(made.TICKET), made.OTHER_TICKET)
    findings = findings_of(made.first(setup=go), made.declined(seen=seen, setup=go))

    assert R.TICKET_KEY_UNKNOWN not in {finding.reason for finding in findings}
    assert not any("key name" in line for finding in findings for line in finding.evidence)


def test_a_shorter_key_name_is_read_at_its_length() -> None:
    short = replace(made.circumstances(), server_library=Library("other", key_name=4))
    seen = made.transcript(made.hellos(made.TICKET), b"name" + b"\xee" * 192)

    assert reasons(made.first(setup=short), made.declined(seen=seen, setup=short)) != (R.TICKET_KEY_UNKNOWN,)


def test_key_is_unknown_by_the_circumstances_where_no_ticket_shows_a_name() -> None:
    seen = made.transcript(made.hellos(made.TICKET))
    findings = findings_of(
        made.first(setup=made.circumstances()), made.declined(seen=seen, setup=made.circumstances(2))
    )

    assert [finding.reason for finding in findings] == [R.TICKET_KEY_UNKNOWN]
    assert not any(line.startswith("wire:") for line in findings[0].evidence)


def test_nothing_is_known_without_observations() -> None:
    seen = made.transcript(made.hellos(made.TICKET), tickets=None)

    assert reasons(made.declined(seen=seen)) == (R.DECLINED_UNKNOWN,)


def test_nothing_is_known_where_the_hello_could_not_be_read() -> None:
    unread = made.transcript(made.hellos(), client_hellos=())

    assert reasons(made.first(), made.declined(seen=unread)) == (R.DECLINED_UNKNOWN,)


def test_ticket_is_damaged_on_the_wire_though_the_session_is_whole() -> None:
    seen = made.transcript(made.hellos(made.TICKET[:-1] + b"\x00"), made.KEY + b"\xee" * 192)

    assert reasons(made.first(), made.declined(seen=seen)) == (R.TICKET_DAMAGED,)


def test_another_time_in_the_session_damages_no_ticket() -> None:
    same = made.circumstances()
    older = made.session(time=made.MADE_AT - 100)

    assert reasons(made.first(setup=same), made.declined(older, setup=same)) == (R.DECLINED_UNKNOWN,)


def test_older_openssl_cannot_read_a_whole_ticket_of_a_newer_one() -> None:
    newer = replace(made.first().server, view=replace(made.first().server.view, name="libssl@3.5.7"))
    older = replace(made.first().server, view=replace(made.first().server.view, name="libssl@1.1.1w"))
    before = replace(made.first(setup=made.circumstances(ticket_keys="shared")), server=newer)
    after = replace(made.declined(setup=made.circumstances(2, ticket_keys="shared")), server=older)

    assert reasons(before, after) == (R.TICKET_UNREADABLE,)


# time


def test_time_out_is_counted_although_both_clocks_say_that_there_is_time() -> None:
    same = made.circumstances()

    assert reasons(made.first(setup=same, counters=NOTHING), made.declined(setup=same, counters=TIMED_OUT)) == (
        R.EXPIRED_AT_SERVER,
    )


def test_no_time_out_is_counted_although_the_clock_was_moved() -> None:
    moved = made.circumstances(1, Action("move_clock", Role.SERVER, {"seconds": 9000, "context": 1}), clock=0)
    before = made.first(setup=made.circumstances(clock=0), counters=NOTHING)

    assert reasons(before, made.declined(setup=moved, counters=NOTHING)) == (R.DECLINED_UNKNOWN,)


def test_both_clocks_decide_without_counters() -> None:
    moved = made.circumstances(1, Action("move_clock", Role.SERVER, {"seconds": 9000, "context": 1}), clock=0)

    assert reasons(made.first(setup=made.circumstances(clock=0)), made.declined(setup=moved)) == (R.EXPIRED_AT_SERVER,)


def test_clock_of_another_context_shows_nothing() -> None:
    moved = made.circumstances(1, Action("move_clock", Role.SERVER, {"seconds": 9000, "context": 7}), clock=0)

    assert reasons(made.first(setup=made.circumstances(clock=0)), made.declined(setup=moved)) == (R.DECLINED_UNKNOWN,)


def test_counters_to_which_a_connection_beside_it_added_tell_nothing() -> None:
    same = made.circumstances()
    beside = replace(made.circumstances(), beside=(1,))
    counted = made.declined(setup=beside, counters=TIMED_OUT)

    assert reasons(made.first(setup=same, counters=NOTHING), counted) == (R.DECLINED_UNKNOWN,)


def test_counted_timeout_overrules_a_different_session_id_context() -> None:
    before = made.first(setup=made.circumstances(session_id_context=b"1", ticket_keys="k"), counters=NOTHING)
    after = made.declined(setup=made.circumstances(2, session_id_context=b"2", ticket_keys="k"), counters=TIMED_OUT)

    assert reasons(before, after) == (R.EXPIRED_AT_SERVER,)


def test_session_id_context_and_age_both_fit_without_counters() -> None:
    before = made.first(setup=made.circumstances(session_id_context=b"1", ticket_keys="k", timeout=-1))
    after = made.declined(setup=made.circumstances(2, session_id_context=b"2", ticket_keys="k"))

    assert reasons(before, after) == (R.SESSION_ID_CONTEXT_DIFFERS, R.EXPIRED_AT_SERVER)


# the cache


def kept(counters: Counters | None, *before: Action, **knobs: Any) -> list[Connection]:
    """The same server, which keeps its sessions; what it counted in the second connection."""
    seen = made.transcript(made.hellos(made.HANDLE), made.OTHER_HANDLE)
    after = made.circumstances(1, *before, **CACHED, **knobs)
    return [
        made.first(made.HANDLE, setup=made.circumstances(**CACHED, **knobs), counters=NOTHING),
        made.declined(made.session(made.HANDLE), seen, after, counters),
    ]


def test_miss_is_counted_although_lookup_is_off() -> None:
    off = frozenset({CacheMode.SERVER, CacheMode.NO_INTERNAL_LOOKUP})

    assert reasons(*kept(MISSED, cache_mode=off)) == (R.NOT_IN_CACHE,)


def test_lookup_is_off_and_no_miss_is_counted() -> None:
    off = frozenset({CacheMode.SERVER, CacheMode.NO_INTERNAL_LOOKUP})

    assert reasons(*kept(NOTHING, cache_mode=off)) == (R.LOOKUP_OFF,)


def test_no_miss_is_counted_although_the_session_was_removed() -> None:
    gone = Action("remove", Role.SERVER, {"context": 1, "found": True, "session_id": made.HANDLE})

    assert reasons(*kept(NOTHING, gone)) == (R.DECLINED_UNKNOWN,)


@pytest.mark.parametrize(
    ("action", "title"),
    [
        (Action("remove", Role.SERVER, {"context": 1, "found": True, "session_id": made.HANDLE}), "was removed"),
        (Action("remove", Role.SERVER, {"context": 1, "found": True, "session_id": b"other"}), "no evidence says why"),
        (Action("remove", Role.SERVER, {"context": 1, "found": False, "session_id": made.HANDLE}), "no evidence"),
        (Action("flush", Role.SERVER, {"context": 1, "at": 0}), "was flushed"),
        (Action("flush", Role.SERVER, {"context": 1, "at": made.MADE_AT + 7201}), "was flushed"),
        (Action("flush", Role.SERVER, {"context": 1, "at": made.MADE_AT + 7100}), "no evidence says why"),
        (Action("flush", Role.SERVER, {"context": 2, "at": 0}), "no evidence says why"),
    ],
)
def test_an_action_on_the_cache_explains_a_miss_only_if_it_can(action: Action, title: str) -> None:
    (finding,) = findings_of(*kept(MISSED, action))

    assert finding.reason is R.NOT_IN_CACHE
    assert title in finding.title


def used_twice(second_server: int = 1, **knobs: Any) -> list[Connection]:
    """The same handle, resumed in connection 2 and declined in connection 3."""
    seen = made.transcript(made.hellos(made.HANDLE), made.OTHER_HANDLE)
    offered = made.session(made.HANDLE)
    return [
        made.first(made.HANDLE, setup=made.circumstances(**knobs), counters=NOTHING),
        made.declined(offered, seen, made.circumstances(second_server, **knobs), NOTHING),
        made.declined(offered, seen, made.circumstances(**knobs), MISSED, number=3),
    ]


def test_session_of_single_use_was_consumed() -> None:
    assert reasons(*used_twice(max_early_data=9)) == (R.CONSUMED,)


def test_session_is_not_consumed_by_another_server() -> None:
    assert reasons(*used_twice(2, max_early_data=9)) == (R.NOT_IN_CACHE,)


def test_session_is_not_consumed_where_anti_replay_is_off() -> None:
    assert reasons(*used_twice(max_early_data=9, anti_replay=False, tickets=False)) == (R.NOT_IN_CACHE,)


# what both hellos show


def test_psk_mode_that_the_server_does_not_accept_is_the_reason() -> None:
    seen = made.transcript(made.hellos(made.TICKET, modes=(0,)), made.OTHER_TICKET)
    same = made.circumstances()

    assert reasons(made.first(setup=same), made.declined(seen=seen, setup=same)) == (R.NO_PSK_MODE,)


@pytest.mark.parametrize("mode", [PskMode.KE, PskMode.BOTH])
def test_a_psk_mode_that_the_server_accepts_is_not_a_reason(mode: PskMode) -> None:
    seen = made.transcript(made.hellos(made.TICKET, modes=(0,)), made.OTHER_TICKET)
    after = made.declined(seen=seen, setup=made.circumstances(psk_modes=mode))

    assert reasons(made.first(setup=made.circumstances()), after) == (R.TICKET_KEY_UNKNOWN,)


def test_a_suite_of_unknown_hash_is_reported_if_nothing_else_fits() -> None:
    seen = made.transcript(made.hellos(made.TICKET, cipher=0x13FF), made.KEY + b"\xee" * 192)
    same = made.circumstances()
    (finding,) = findings_of(made.first(setup=same), made.declined(seen=seen, setup=same))

    assert finding.reason is R.CIPHER_DIFFERS
    assert "unknown hash" in finding.title


def test_the_remedy_for_another_hash_is_the_order_of_the_server() -> None:
    client = made.hellos(made.TICKET)[0]
    client = replace(client, cipher_suites=(0x1302, 0x1301))
    seen = made.transcript((client, made.hellos(cipher=0x1301)[1]), made.KEY + b"\xee" * 192)
    remedies = []
    for preference in (None, True):
        setup = made.circumstances(server_preference=preference)
        (finding,) = findings_of(made.first(setup=setup), made.declined(seen=seen, setup=setup))
        assert finding.reason is R.CIPHER_DIFFERS
        remedies.append(finding.remedy)

    assert "SSL_OP_CIPHER_SERVER_PREFERENCE" in remedies[1]
    assert "SSL_OP_CIPHER_SERVER_PREFERENCE" not in remedies[0]


def test_the_version_outranks_a_ticket_that_was_not_read() -> None:
    client, _ = made.hellos(made.OTHER_TICKET)
    _, server = made.hellos(version=made.V12)
    seen = made.transcript((client, server))

    assert reasons(made.first(), made.declined(seen=seen)) == (R.VERSION_DIFFERS,)


# aborted

INTERNAL = Alert(80, Role.SERVER)
UNTRUSTED: dict[str, Any] = {"session_id_context": UNSET, "verify": Verify.REQUIRED}


def test_alert_of_an_unset_context_is_any_alert_where_nothing_says_more() -> None:
    assert reasons(made.first(), made.aborted(INTERNAL, "ClientHello")) == (R.ALERT,)


def test_knobs_show_an_unset_context_where_the_server_gives_no_code() -> None:
    made_so = made.aborted(INTERNAL, "ClientHello", setup=made.circumstances(**UNTRUSTED))

    assert reasons(made.first(), made_so) == (R.SESSION_ID_CONTEXT_UNSET,)


def test_another_code_of_the_server_overrules_an_unset_context() -> None:
    untrusted = made.circumstances(**UNTRUSTED)
    made_so = made.aborted(INTERNAL, "ClientHello", setup=untrusted, errors=("lib=20 reason=302 id conflict",))

    assert reasons(made.first(), made_so) == (R.SESSION_REJECTED,)


def test_what_an_end_reports_after_the_alert_of_its_peer_is_no_cause() -> None:
    made_so = made.aborted(INTERNAL, "ClientHello", errors=("lib=20 reason=786691 internal error",))
    client = replace(made_so.client, errors=("lib=20 reason=1080 alert", "lib=20 reason=407 shutdown while in init"))

    assert reasons(made.first(), replace(made_so, client=client)) == (R.LIBRARY_FAILED,)


def test_a_failure_in_silence_outranks_what_its_peer_reports() -> None:
    silent = "lib=0 reason=0 the library failed without an error"
    made_so = made.aborted(Alert(50, Role.CLIENT), "ClientHello", errors=(silent,))
    client = replace(made_so.client, errors=("lib=20 reason=294 unexpected eof while reading",))
    (finding,) = findings_of(made.first(), replace(made_so, client=client))

    assert finding.reason is R.LIBRARY_FAILED
    assert finding.title.startswith("the server's OpenSSL failed without an error and without an alert")
    assert f"server: {silent}" in finding.evidence


def test_code_of_another_library_is_none_of_libssl() -> None:
    made_so = made.aborted(INTERNAL, "ClientHello", errors=("lib=6 reason=277 something",))

    assert reasons(made.first(), made_so) == (R.ALERT,)


def test_decrypt_error_before_the_server_said_a_word_is_the_binder() -> None:
    made_so = made.aborted(Alert(51, Role.SERVER), "ClientHello")

    assert reasons(made.first(), made_so) == (R.BINDER_WRONG,)


@pytest.mark.parametrize("sender", list(Role))
def test_decrypt_error_later_is_not_the_binder(sender: Role) -> None:
    made_so = made.aborted(Alert(51, sender), "ClientHello", "ServerHello", "Finished")

    assert reasons(made.first(), made_so) == (R.ALERT,)


def test_handshake_failure_with_extended_master_secret_is_any_alert() -> None:
    held = made.session(extended_master_secret=True)
    made_so = made.aborted(Alert(40, Role.SERVER), "ClientHello", offered=held, setup=made.circumstances())

    assert reasons(made.first(), made_so) == (R.ALERT,)


def test_illegal_parameter_with_the_same_fragment_length_is_any_alert() -> None:
    made_so = made.aborted(Alert(47, Role.SERVER), "ClientHello", offered=made.session(max_fragment_length_mode=0))

    assert reasons(made.first(), made_so) == (R.ALERT,)


def test_illegal_parameter_with_another_code_is_what_the_code_says() -> None:
    held = made.session(max_fragment_length_mode=2)
    made_so = made.aborted(Alert(47, Role.SERVER), "ClientHello", offered=held, errors=("lib=20 reason=215 cipher",))

    assert reasons(made.first(), made_so) == (R.SESSION_REJECTED,)


def test_an_alert_that_the_server_received_is_not_its_own_reason() -> None:
    held = made.session(max_fragment_length_mode=2)
    made_so = made.aborted(
        Alert(110, Role.CLIENT), "ClientHello", "ServerHello", offered=held, errors=("lib=20 reason=1110 alert",)
    )

    assert reasons(made.first(), made_so) == (R.MAX_FRAGMENT_LENGTH_CHANGED,)


def test_missing_extension_is_found_from_the_servers_received_alert_alone() -> None:
    held = made.session(max_fragment_length_mode=2)
    made_so = made.aborted(Alert(109, Role.SERVER), "ClientHello", offered=held, errors=("lib=20 reason=1109 alert",))

    assert reasons(made.first(), made_so) == (R.MAX_FRAGMENT_LENGTH_CHANGED,)


def test_connection_that_ended_without_an_alert_has_no_known_reason() -> None:
    made_so = made.aborted(None, "ClientHello", setup=made.circumstances(**UNTRUSTED))

    assert reasons(made.first(), made_so) == (R.ABORTED_UNKNOWN,)


def test_an_alert_is_shown_with_number_sender_and_place() -> None:
    (finding,) = findings_of(made.first(), made.aborted(Alert(47, Role.CLIENT), "ClientHello", "ServerHello"))

    assert finding.reason is R.ALERT
    assert finding.title.endswith("(illegal_parameter (47) sent by the client, after the server's ServerHello)")


def test_an_alert_without_a_name_is_shown_as_it_is() -> None:
    (finding,) = findings_of(made.first(), made.aborted(Alert(200, Role.SERVER), "ClientHello"))

    assert finding.reason is R.ALERT
    assert finding.title == "alert 200 (200) sent by the server, after the client's ClientHello"
