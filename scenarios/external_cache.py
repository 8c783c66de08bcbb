"""A server keeps its sessions in a cache outside of OpenSSL, which several servers share (SSL_CTX_sess_set_get_cb(3)).

So do nginx, HAProxy, Apache httpd and Postfix. OpenSSL calls `new` for each session that it would cache, `get` for each
id that its internal cache does not have, and `remove` for each session that leaves the internal cache, for whatever
reason (ssl_update_cache, lookup_sess_in_cache, remove_session_lock).
"""

from datetime import date

from harness import (
    ABORTED,
    BOTH,
    DECLINED,
    FULL,
    RESUMED,
    Alert,
    CacheMode,
    Capability,
    Close,
    Differs,
    Expectation,
    Mechanism,
    Outcome,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    broken_by,
    openssl_chooses,
    reasons,
    scenario,
)

OUTSIDE = {CacheMode.SERVER, CacheMode.NO_INTERNAL}
"""No internal cache: each lookup asks the external one."""
SHARED = {"tickets": False, "external_cache": "shared"}
ALONE = SHARED | {"cache_mode": OUTSIDE}
ADDS = {"client": [Capability.SESSION_DATA], "server": [Capability.ADD_SESSION]}
SEEN = date(2026, 11, 29)
TODAY = date(2026, 11, 30)
Ended = tuple[Outcome, bool | None, Alert | None, tuple[Reason, ...]]
NOT_RESUMABLE_CHECKED = (
    "https://github.com/openssl/openssl/pull/24042 (CVE-2024-2511), in 3.0.14, 3.1.6, 3.2.2 and 3.3.0: "
    "lookup_sess_in_cache ignores a session of the get callback that is not resumable"
)
UNKNOWN_FIELD = (
    "https://github.com/openssl/openssl/pull/14750: 3.0 writes [19] kex_group, which d2i_SSL_SESSION before 3.0 refuses"
)
NO_ID_OF_IT = (
    "tls_construct_server_hello (1.1.1w, ssl/statem/statem_srvr.c) sends no id of a session that is not resumable, "
    "also where it resumes it"
)
UNEXPECTED_MESSAGE, HANDSHAKE_FAILURE, INTERNAL_ERROR = 10, 40, 80
LOST = (DECLINED, None, None, (Reason.NOT_IN_CACHE,))
FOUND = (RESUMED, True, None, ())
MISTAKEN = (ABORTED, None, Alert(UNEXPECTED_MESSAGE, Role.CLIENT), (Reason.MESSAGE_UNEXPECTED,))
"""The server resumes, and the client reads its ServerHello as that of a full handshake."""
NOT_CHECKED = "*@>=1.1.0,<3.0.14", "*@>=3.1,<3.1.6"
SENDS_ITS_ID = "measured on 1.0.2k to 1.0.2r: the server resumes the session, sends its id, and the client takes it"
INTERNAL_ALONE = (
    "remove_session_lock (1.0.2, ssl/ssl_sess.c) calls remove_session_cb for a session of the internal cache alone; "
    "measured on 1.0.2k to 1.0.2r"
)
NOT_RESUMABLE: Expectation[Ended] = Expectation(
    LOST,
    Differs(FOUND, Role.SERVER, "*@<1.1.0", TODAY, SENDS_ITS_ID, TLSv1_2),
    *(
        Differs(MISTAKEN, Role.SERVER, builds, SEEN, f"{NOT_RESUMABLE_CHECKED}; {NO_ID_OF_IT}", TLSv1_2)
        for builds in NOT_CHECKED
    ),
    *(Differs(FOUND, Role.SERVER, builds, SEEN, NOT_RESUMABLE_CHECKED, TLSv1_3) for builds in NOT_CHECKED),
)
ID_COMPARED = (
    "https://github.com/openssl/openssl/pull/30517: ssl_get_prev_session compares the id of the session with the "
    "client's; 3.5.9 does not, and 3.6.5 does"
)
OTHER_ID: Expectation[Ended] = Expectation(LOST, Differs(MISTAKEN, Role.SERVER, "*@<3.6", SEEN, ID_COMPARED))
WRONG_ID_SENT = {"resumption_echoes_session_id": broken_by(Role.SERVER, "*@<3.6", SEEN, ID_COMPARED)}
REMOVED = [("new", "copied"), ("remove", "removed")]
AFTER_UNCLEAN: Expectation[tuple[object, Outcome, tuple[Reason, ...]]] = Expectation(
    (REMOVED, DECLINED, (Reason.NOT_IN_CACHE,)),
    Differs((REMOVED[:1], RESUMED, ()), Role.SERVER, "*@<1.1.0", TODAY, INTERNAL_ALONE),
)
EXPIRED_CALLS = Expectation(
    [("get", "expired"), ("remove", "removed"), ("new", "copied")],
    Differs([("get", "expired"), ("new", "copied")], Role.SERVER, "*@<1.1.0", TODAY, INTERNAL_ALONE),
)
CALLBACK_HITS = Expectation(1, Differs(2, Role.SERVER, "*@<1.1.0", TODAY, INTERNAL_ALONE))
"""How often the get callback gave a session: a second time if the expired one was not removed."""
AFTER_EXPIRY: Expectation[tuple[list[str], tuple[Reason, ...]]] = Expectation(
    (["absent"], (Reason.NOT_IN_CACHE,)),
    Differs((["expired"], (Reason.EXPIRED_AT_SERVER,)), Role.SERVER, "*@<1.1.0", TODAY, INTERNAL_ALONE),
)
NO_ID_SENT = {
    "resumption_echoes_session_id": [broken_by(Role.SERVER, builds, SEEN, NO_ID_OF_IT) for builds in NOT_CHECKED]
}
FLAGS_UNKNOWN = (
    "1.1.0 writes [13] flags, for a session with the extended master secret, which d2i_SSL_SESSION of 1.0.2 refuses"
)
KNOWS_NO_EMS = (
    "RFC 7627, 5.3: a session of a server that does not know the extended master secret, of which 1.1.0 is the first "
    "(CHANGES), is not resumed for a client that sends it"
)
ADDED = (DECLINED, None, None, (Reason.EXTENDED_MASTER_SECRET_ADDED,))
COMPRESSED = (
    "both ends of 1.0.2 compress with zlib by default; 1.1.0 never does unless it is asked to (SSL_OP_NO_COMPRESSION), "
    "and refuses a session with compression: SSL_R_INCONSISTENT_COMPRESSION. 1.0.2k-fips of CentOS compresses only if "
    "OPENSSL_DEFAULT_ZLIB is set"
)
READS: Expectation[Ended] = Expectation(
    FOUND,
    Differs(LOST, Role.SERVER, "*@<3.0", SEEN, UNKNOWN_FIELD, left="*@>=3.0"),
    Differs(LOST, Role.SERVER, "*@<1.1.0", TODAY, FLAGS_UNKNOWN, TLSv1_2, left="*@>=1.1.0", peer="*@>=1.1.0"),
    Differs(
        ADDED,
        Role.SERVER,
        "*@>=1.1.0",
        TODAY,
        KNOWS_NO_EMS,
        TLSv1_2,
        left="*@<1.1.0",
        peer="*@>=1.1.0",
    ),
    *(
        Differs(
            (ABORTED, None, Alert(alert, Role.SERVER), (reason,)),
            Role.SERVER,
            builds,
            TODAY,
            COMPRESSED,
            TLSv1_2,
            left="*@>=1.0.2l,<1.1.0",
            peer="*@>=1.0.2l,<1.1.0",
        )
        for builds, alert, reason in (
            ("*@==1.0.2k-fips", INTERNAL_ERROR, Reason.COMPRESSION_FAILED),
            ("*@>=1.1.0,<1.1.1", INTERNAL_ERROR, Reason.SESSION_REJECTED),
            ("*@>=1.1.1", HANDSHAKE_FAILURE, Reason.SESSION_REJECTED),
        )
    ),
)
GOT = Expectation(
    "session",
    Differs("unreadable", Role.SERVER, "*@<3.0", SEEN, UNKNOWN_FIELD, left="*@>=3.0"),
    Differs("unreadable", Role.SERVER, "*@<1.1.0", TODAY, FLAGS_UNKNOWN, TLSv1_2, left="*@>=1.1.0", peer="*@>=1.1.0"),
)


def called(connection):
    """Return the calls of the external cache in a connection, without their ids."""
    return [(call.call, call.result) for call in connection.server.callback_calls]


def gets(connection):
    """Return what the get callback returned in a connection."""
    return [call.result for call in connection.server.callback_calls if call.call == "get"]


def ended(pair, connection):
    """Return the outcome of a connection, whether the session was in a cache, the alert and the reasons."""
    return connection.outcome, connection.from_cache, connection.alert, reasons(pair, connection)


@scenario(server=SHARED, needs={"client": [Capability.SESSION_DATA]})
def test_servers_share_the_cache(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert set(called(first)) == {("new", "copied")}
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert called(second)[0] == ("get", "session")
    assert second.server.callback_calls[0].subject == first.session.cached_id


@scenario(server=SHARED)
def test_servers_with_two_caches_do_not(pair):
    first = pair.connect()
    pair.new_server(external_cache="other")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert set(called(first)) == {("new", "copied")}
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert gets(second) == ["absent"]


@scenario(server=SHARED, second_server=True)
def test_servers_of_two_builds_share_the_cache_if_both_read_its_sessions(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.setup.server_context != first.setup.server_context
    assert ended(pair, second) == READS.of(pair)
    assert gets(second)[0] == GOT.of(pair)


@scenario(server=SHARED)
def test_get_that_returns_nothing_is_a_full_handshake(pair):
    first = pair.connect()
    pair.new_server(external_get="nothing")
    second = pair.connect(offer=first.session)
    pair.new_server(external_get="session")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert gets(second) == ["nothing"]
    assert third.outcome is RESUMED
    assert third.from_cache is True
    assert gets(third) == ["session"]


@scenario(server=ALONE | {"external_get": "copy", "external_keeps": BOTH})
def test_get_returns_an_object_that_the_application_keeps(pair):
    kept = "kept" if pair.server_config.external_keeps else "copied"
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert set(called(first)) == {("new", kept)}
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert third.outcome is RESUMED
    assert third.from_cache is True
    assert gets(second) == gets(third) == ["copy"]


@scenario(versions=[TLSv1_2], server=ALONE | {"external_get": "expired"})
def test_expired_session_is_removed_from_the_external_cache(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.EXPIRED_AT_SERVER,)
    assert called(second) == EXPIRED_CALLS.of(pair)
    assert third.outcome is DECLINED
    assert (gets(third), reasons(pair, third)) == AFTER_EXPIRY.of(pair)
    assert pair.last_counters().callback_hits == CALLBACK_HITS.of(pair)


@scenario(versions=[TLSv1_3], server=ALONE | {"external_get": "expired"})
def test_expired_tls13_session_stays_in_the_external_cache(pair):
    """Only ssl_get_prev_session's own lookup removes it (try_session_cache); tls_parse_ctos_psk makes this one."""
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server(external_get="session")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.EXPIRED_AT_SERVER,)
    assert gets(second) == ["expired"]
    assert third.outcome is RESUMED
    assert third.from_cache is True


@scenario(versions=[TLSv1_2], server=SHARED, breaks=NO_ID_SENT)
@openssl_chooses(Role.CLIENT, "its error code says why")
def test_session_that_is_not_resumable_is_ignored(pair):
    first = pair.connect()
    pair.new_server(external_get="not_resumable")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert ended(pair, second) == NOT_RESUMABLE.of(pair)
    assert gets(second) == ["not_resumable"]


@scenario(versions=[TLSv1_3], server=SHARED)
def test_tls13_session_that_is_not_resumable_is_ignored(pair):
    first = pair.connect()
    pair.new_server(external_get="not_resumable")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert ended(pair, second) == NOT_RESUMABLE.of(pair)
    assert gets(second) == ["not_resumable"]


@scenario(versions=[TLSv1_2], server=SHARED, breaks=WRONG_ID_SENT)
@openssl_chooses(Role.CLIENT, "its error code says why")
def test_session_with_another_id_is_not_used(pair):
    """A server that echoes the id of that session makes its client expect a full handshake."""
    first = pair.connect()
    pair.new_server(external_get="other_id")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert ended(pair, second) == OTHER_ID.of(pair)
    assert gets(second) == ["other_id"]


@scenario(versions=[TLSv1_3], server=SHARED)
def test_tls13_session_with_another_id_resumes(pair):
    """A ServerHello names a PSK by its index; the id is not sent (RFC 8446, 4.2.11)."""
    first = pair.connect()
    pair.new_server(external_get="other_id")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert gets(second) == ["other_id"]


@scenario(server=ALONE)
def test_cache_that_answers_later_interrupts_the_handshake_and_resumes(pair):
    first = pair.connect()
    pair.new_server(external_get="later")
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert third.outcome is RESUMED
    assert third.from_cache is True
    assert called(second)[:2] == called(third)[:2] == [("wait", "later"), ("get", "later")]


@scenario(server=SHARED)
def test_internal_cache_is_asked_first(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server()
    third = pair.connect(offer=first.session)
    fourth = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert gets(second) == []
    assert third.outcome is RESUMED
    assert third.from_cache is True
    assert gets(third) == ["session"]
    assert fourth.outcome is RESUMED
    assert fourth.from_cache is True
    assert gets(fourth) == []


@scenario(server=SHARED | {"cache_mode": {CacheMode.SERVER, CacheMode.NO_INTERNAL_STORE}})
def test_session_that_was_found_outside_is_not_stored_inside(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert [second.outcome, third.outcome] == [RESUMED, RESUMED]
    assert second.from_cache is third.from_cache is True
    assert gets(second) == gets(third) == ["session"]
    assert pair.last_counters().items == 0


@scenario(versions=[TLSv1_2], server=SHARED | {"cache_size": 1}, needs={"client": [Capability.SESSION_DATA]})
def test_session_that_is_evicted_inside_is_lost_outside_too(pair):
    first = pair.connect()
    second = pair.connect()
    third = pair.connect(offer=first.session)

    assert first.outcome is second.outcome is FULL
    assert called(second) == [("remove", "removed"), ("new", "copied")]
    assert second.server.callback_calls[0].subject == first.session.session_id
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.NOT_IN_CACHE,)
    assert gets(third) == ["absent"]


@scenario(versions=[TLSv1_2], server=SHARED | {"cache_size": 3})
def test_session_that_has_room_inside_is_kept_outside_too(pair):
    made = [pair.connect() for _ in range(4)]
    pair.new_server()
    again = pair.connect(offer=made[2].session)

    assert [connection.outcome for connection in made] == [FULL] * 4
    assert called(made[1]) == [("new", "copied")]
    assert called(made[3]) == [("remove", "removed"), ("new", "copied")]
    assert again.outcome is RESUMED
    assert again.from_cache is True
    assert gets(again) == ["session"]


@scenario(
    versions=[TLSv1_2],
    server=SHARED,
    needs={"client": [Capability.SESSION_DATA], "server": [Capability.FLUSH]},
)
def test_flush_of_the_internal_cache_removes_the_session_outside(pair):
    first = pair.connect()
    pair.server.flush(0)
    removed = pair.server.callback_calls()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert [(call.call, call.subject) for call in removed] == [("remove", first.session.session_id)]
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert called(second)[0] == ("get", "absent")


@scenario(
    versions=[TLSv1_2],
    server=ALONE,
    close=Close.EOF,
    needs={"client": [Capability.SESSION_COPY]},
    breaks={"failed_session_not_resumed": broken_by(Role.SERVER, "*@<1.1.0", TODAY, INTERNAL_ALONE, peer="*@>=3.0")},
)
def test_session_of_an_unclean_close_is_removed_outside(pair):
    """SSL_free without close_notify calls SSL_CTX_remove_session (ssl_clear_bad_session)."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (called(first), second.outcome, reasons(pair, second)) == AFTER_UNCLEAN.of(pair)
    assert second.from_cache is not False


@scenario(server=ALONE | {"session_id_context": b"one"})
def test_session_of_another_context_is_found_and_not_used(pair):
    first = pair.connect()
    pair.new_server(session_id_context=b"two")
    second = pair.connect(offer=first.session)
    pair.new_server(session_id_context=b"one")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.SESSION_ID_CONTEXT_DIFFERS,)
    assert gets(second) == ["session"]
    assert third.outcome is RESUMED
    assert third.from_cache is True


@scenario(server=SHARED, needs=ADDS)
def test_session_that_was_added_to_a_context_is_not_asked_for(pair):
    first = pair.connect()
    pair.new_server(external_get="nothing")
    second = pair.connect(offer=first.session)
    added = pair.server.add_session(first.session.cached_id)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert added is True
    assert third.outcome is RESUMED
    assert third.from_cache is True
    assert gets(third) == []


@scenario(server=SHARED | {"external_get": "nothing"}, needs=ADDS)
def test_session_that_was_added_to_two_contexts_resumes_in_both(pair):
    """Each has an object of its own, as an object may be in one context alone (SSL_CTX_add_session(3), NOTES)."""
    first = pair.connect()
    servers = [pair.new_server(), pair.new_server()]
    before = pair.connect(offer=first.session)
    added = [server.add_session(first.session.cached_id) for server in servers]
    pair.use(Role.SERVER, 2)
    second = pair.connect(offer=first.session)
    pair.use(Role.SERVER, 3)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert before.outcome is DECLINED
    assert reasons(pair, before) == (Reason.NOT_IN_CACHE,)
    assert added == [True, True]
    assert second.outcome is third.outcome is RESUMED
    assert second.from_cache is third.from_cache is True
    assert gets(second) == gets(third) == []


@scenario(versions=[TLSv1_2], server=SHARED | {"external_keeps": [True, False]}, needs=ADDS)
def test_object_that_is_in_the_context_is_not_added_again(pair):
    """SSL_CTX_add_session returns 0 for the object that the cache has, and replaces another one with its id."""
    first = pair.connect()
    added = pair.server.add_session(first.session.session_id)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert added is not pair.server_config.external_keeps
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert pair.last_counters().items == 1


@scenario(versions=[TLSv1_2], server={"external_cache": "shared"})
@openssl_chooses(Role.CLIENT, "no session id where it offers no session")
def test_session_in_a_ticket_is_not_stored_outside(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == 1
    assert called(first) == called(second) == []
    assert second.mechanism is Mechanism.SESSION_TICKET


@scenario(versions=[TLSv1_3], server={"external_cache": "shared"})
def test_tls13_session_in_a_ticket_fills_both_caches_for_nothing(pair):
    """ssl_update_cache stores it if there is a remove callback, under an id that is not sent."""
    first = pair.connect()
    items = pair.last_counters().items
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert called(first) == [("new", "copied")] * first.tickets
    assert items == first.tickets > 0
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert gets(second) == []
