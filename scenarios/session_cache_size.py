"""A server's cache holds 20480 sessions unless its size is set (SSL_CTX_sess_set_cache_size(3)).

A new session evicts the one that expires first, however recently that one was used. Each eviction is counted
(SSL_CTX_sess_cache_full(3)). Only sessions with ids and stateful tickets are cached.

Since 3.0.6 a cache of size n holds n - 1 sessions, except that a cache of size 1 holds one: SSL_CTX_add_session makes
room when it has already counted the new session.
"""

from datetime import date

from harness import (
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Reason,
    Role,
    TLSv1_2,
    cases,
    reasons,
    scenario,
)

NOW = 1_800_000_000
RESIZES = {"server": [Capability.COUNTERS, Capability.RESIZE_CACHE]}
SEEN = date(2026, 11, 21)

ONE_LESS = (
    "SSL_CTX_add_session: lh_SSL_SESSION_insert, and then `while (SSL_CTX_sess_number(ctx) >= "
    "SSL_CTX_sess_get_cache_size(ctx))`, which was `>`; https://github.com/openssl/openssl/pull/18905"
)
SORTED = "SSL_SESSION_list_add puts each session first; sorted since https://github.com/openssl/openssl/pull/8687"

ITEMS_OF_2 = Expectation(2, Differs(1, Role.SERVER, "*@>=3.0.6", SEEN, ONE_LESS))
ITEMS_OF_3 = Expectation(3, Differs(2, Role.SERVER, "*@>=3.0.6", SEEN, ONE_LESS))
SIZE_THAT_HOLDS_2 = Expectation(2, Differs(3, Role.SERVER, "*@>=3.0.6", SEEN, ONE_LESS))
FIRST_TO_EXPIRE = Expectation((DECLINED, RESUMED), Differs((RESUMED, DECLINED), Role.SERVER, "*@<3.0", SEEN, SORTED))

HIT: tuple[tuple[Reason, ...], bool | None] = ((), True)
MISS: tuple[tuple[Reason, ...], bool | None] = ((Reason.NOT_IN_CACHE,), None)


def holding(size):
    """Configure a server that caches one session for every full handshake."""
    return {"cache_size": size, "tickets": False, "num_tickets": 1}


def outcomes(connections):
    return [connection.outcome for connection in connections]


def why(pair, connections):
    """Return the reasons of each connection, and where the session was that it resumed: in the cache, if anywhere."""
    return [(reasons(pair, connection), connection.from_cache) for connection in connections]


def counted(counters):
    return counters.items, counters.overflows, counters.cache_size


@scenario(needs={role: [Capability.COUNTERS, Capability.RESIZE_CACHE] for role in ("client", "server")})
def test_default_is_20480_at_both_ends(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert pair.server.counters().cache_size == 20480
    assert pair.client.counters().cache_size == 20480


@scenario(server={"cache_size": 128, "tickets": False}, needs={"server": [Capability.RUNNING_COUNTERS]})
def test_size_is_what_was_set(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert pair.last_counters().cache_size == 128


@scenario(server=holding(3), needs=RESIZES)
def test_cache_that_is_not_full_forgets_nothing(pair):
    made = [pair.connect() for _ in range(2)]
    counters = pair.server.counters()
    again = [pair.connect(offer=c.session) for c in made]

    assert outcomes(made) == [FULL, FULL]
    assert outcomes(again) == [RESUMED, RESUMED]
    assert why(pair, again) == [HIT, HIT]
    assert counted(counters) == (2, 0, 3)


@scenario(server=holding(3), needs=RESIZES)
def test_new_sessions_evict_the_oldest(pair):
    made = [pair.connect() for _ in range(5)]
    counters = pair.server.counters()
    again = [pair.connect(offer=made[number].session) for number in (3, 4, 0, 1)]

    assert outcomes(made) == [FULL] * 5
    assert outcomes(again) == [RESUMED, RESUMED, DECLINED, DECLINED]
    assert why(pair, again) == [HIT, HIT, MISS, MISS]
    assert counted(counters) == (ITEMS_OF_3.of(pair), 5 - ITEMS_OF_3.of(pair), 3)


@cases("size, held", (1, Expectation(1)), (2, ITEMS_OF_2), (3, ITEMS_OF_3))
@scenario(versions=[TLSv1_2], server={"tickets": False}, needs=RESIZES)
def test_cache_holds_so_many(pair, size, held):
    pair.new_server(cache_size=size)
    made = [pair.connect() for _ in range(5)]
    counters = pair.server.counters()
    last = pair.connect(offer=made[-1].session)

    assert outcomes(made) == [FULL] * 5
    assert last.outcome is RESUMED
    assert last.from_cache is True
    assert counted(counters) == (held.of(pair), 5 - held.of(pair), size)


@scenario(versions=[TLSv1_2], server={"tickets": False}, needs=RESIZES)
def test_session_that_was_used_lately_goes_all_the_same(pair):
    pair.new_server(cache_size=SIZE_THAT_HOLDS_2.of(pair))
    first = pair.connect()
    second = pair.connect()
    used = pair.connect(offer=first.session)
    third = pair.connect()
    again = [pair.connect(offer=c.session) for c in (second, first)]

    assert outcomes([first, second, used, third]) == [FULL, FULL, RESUMED, FULL]
    assert used.from_cache is True
    assert outcomes(again) == [RESUMED, DECLINED]
    assert why(pair, again) == [HIT, MISS]


@scenario(versions=[TLSv1_2], server={"cache_size": 3, "tickets": False, "clock": 0}, same_stack=True)
def test_session_that_expires_first_goes_though_it_is_newer(pair):
    pair.server.stop_clock(NOW)
    first = pair.connect()
    pair.server.stop_clock(NOW - 60)
    made = [pair.connect() for _ in range(3)]
    again = [pair.connect(offer=c.session) for c in (made[0], first)]

    assert outcomes([first, *made]) == [FULL] * 4
    assert tuple(outcomes(again)) == FIRST_TO_EXPIRE.of(pair)
    assert why(pair, again) == [HIT if outcome is RESUMED else MISS for outcome in FIRST_TO_EXPIRE.of(pair)]


@scenario(server=holding(0), needs=RESIZES)
def test_size_of_zero_is_no_limit(pair):
    made = [pair.connect() for _ in range(5)]
    counters = pair.server.counters()
    again = pair.connect(offer=made[0].session)

    assert outcomes(made) == [FULL] * 5
    assert again.outcome is RESUMED
    assert again.from_cache is True
    assert counted(counters) == (5, 0, 0)


@scenario(server=holding(6), needs=RESIZES)
def test_cache_that_shrinks_forgets_when_the_next_session_comes(pair):
    made = [pair.connect() for _ in range(4)]
    full = pair.server.counters()
    pair.server.resize_cache(3)
    shrunk = pair.server.counters()
    made.append(pair.connect())
    filled = pair.server.counters()
    again = [pair.connect(offer=made[number].session) for number in (3, 4, 1)]

    assert outcomes(made) == [FULL] * 5
    assert counted(full) == (4, 0, 6)
    assert counted(shrunk) == (4, 0, 3)
    assert counted(filled) == (ITEMS_OF_3.of(pair), 5 - ITEMS_OF_3.of(pair), 3)
    assert outcomes(again) == [RESUMED, RESUMED, DECLINED]
    assert why(pair, again) == [HIT, HIT, MISS]


@cases("size", 5, 0)
@scenario(server=holding(3), needs=RESIZES)
def test_cache_that_grows_forgets_nothing_more(pair, size):
    made = [pair.connect() for _ in range(2)]
    small = pair.server.counters()
    pair.server.resize_cache(size)
    made += [pair.connect() for _ in range(2)]
    counters = pair.server.counters()
    again = pair.connect(offer=made[0].session)

    assert outcomes(made) == [FULL] * 4
    assert again.outcome is RESUMED
    assert again.from_cache is True
    assert counted(small) == (2, 0, 3)
    assert counted(counters) == (4, 0, size)


@scenario(server={"cache_size": 1}, needs=RESIZES)
def test_tickets_take_no_room(pair):
    made = [pair.connect() for _ in range(2)]
    counters = pair.server.counters()
    again = [pair.connect(offer=c.session) for c in made]

    assert outcomes(made) == [FULL, FULL]
    assert outcomes(again) == [RESUMED, RESUMED]
    assert [connection.from_cache for connection in again] == [False, False]
    assert counted(counters) == (0, 0, 1)
