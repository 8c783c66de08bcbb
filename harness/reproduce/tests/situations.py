"""Situations that reproducers are made of and must agree with: each a name, knobs, and what is done with a pair."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.agent.vocabulary import ChosenAt, Cookie, NotResumable, PskCallback, TicketCipher
from harness.model.capability import of_version
from harness.model.knobs import UNSET, CacheMode, ClientConfig, PskMode, ServerConfig, Verify
from harness.model.session import Turned
from harness.model.tls import ORDERS, USUAL_VERSIONS, Close, Role, TLSVersion
from harness.pair.pair import Pair
from harness.reproduce.story_builder import story_of
from harness.wire.session.codec import aged, edited, with_other_secret

NAME = "other.example"
"""A server name for which a server goes over to another context."""

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.reproduce.story import Story
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack

TLS12, TLS13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
HOUR = 3600
NOW = 1_800_000_000
"""Where a stopped clock begins; any moment will do."""
PSK: dict[str, Any] = {"psk_key": "shared"}
ALONE: dict[str, Any] = {"server_certificate": "none"}
HUGE: dict[str, Any] = {"client_certificate": "huge-client"}
ALLOWS: dict[str, Any] = {"post_handshake_auth": True, "client_certificate": "client"}
RAW: dict[str, Any] = {"server_rpk": True}
STATEFUL: dict[str, Any] = {"tickets": False}
VERIFYING: dict[str, Any] = {"verify": Verify.REQUIRED}
DTLS12 = TLSVersion.DTLSv1_2
SOON: dict[str, Any] = {"retransmit_after": 40}
OVER_UDP = (Close.BOTH, Close.CLIENT_ONLY, Close.SERVER_ONLY, Close.EOF)
IN_ORDER = (Close.FREE, Close.SHUTDOWN_FREE, Close.EOF_READ_SHUTDOWN, Close.EOF_SHUTDOWN_READ)


def lose(role: Role, which: int, *, resumed: bool = False) -> Callable[[Pair], None]:
    """Resume where a flight of the full handshake, or of the resumption, is lost."""

    def story(pair: Pair) -> None:
        first = pair.connect() if resumed else None
        pair.tamper("drop", role, "flight", which)
        second = pair.connect(offer=first.last_session if first else None)
        if not resumed:
            pair.connect(offer=second.last_session)

    return story


def resume(pair: Pair) -> None:
    """Offer what the first connection yielded."""
    pair.connect(offer=pair.connect().last_session, presume_full=False)


def refused(pair: Pair) -> None:
    """One connection, which may be aborted."""
    pair.connect(presume_full=False)


def restart(pair: Pair) -> None:
    """The same, to another server with the same knobs."""
    first = pair.connect()
    pair.new_server()
    pair.connect(offer=first.last_session, presume_full=False)


def authenticate(pair: Pair) -> None:
    """Ask for the client's certificate after the handshake, and offer what follows."""
    live = pair.open()
    live.handshake()
    live.exchange()
    live.authenticate()
    pair.connect(offer=live.close().last_session)


def thrice(pair: Pair) -> None:
    """Offer one session twice."""
    first = pair.connect()
    pair.connect(offer=first.session)
    pair.connect(offer=first.session)


def flush_expired(pair: Pair) -> None:
    """SSL_CTX_flush_sessions for a time after the session's timeout."""
    first = pair.connect()
    pair.server.flush(first.session.time + 2 * HOUR + 10)
    pair.connect(offer=first.session)


def flush_at_client(pair: Pair) -> None:
    """The client's cache is flushed, by the time of a session, once its clock was moved; it keeps the objects."""
    kept = []
    for clock in (0, HOUR):
        pair.client.move_clock(clock)
        live = pair.open()
        live.exchange()
        kept.append(live.keep_session())
        session = live.close().session
    pair.client.flush(session.time + 2 * HOUR - 10)
    for each in kept:
        pair.connect(offer=each)


def flush_all(pair: Pair) -> None:
    """SSL_CTX_flush_sessions(0)."""
    first = pair.connect()
    pair.server.flush(0)
    pair.connect(offer=first.session)


def remove(pair: Pair) -> None:
    """SSL_CTX_remove_session."""
    first = pair.connect()
    pair.server.remove(first.session.session_id)
    pair.connect(offer=first.session)


def evict(pair: Pair) -> None:
    """A second session where the cache holds one, then the first is offered."""
    first = pair.connect()
    pair.connect(presume_full=False)
    pair.connect(offer=first.session)


def rotate(pair: Pair) -> None:
    """The key of the ticket becomes an old one, and then none."""
    first = pair.connect()
    pair.server.rotate_keys("b/48,a")
    pair.connect(offer=first.session)
    pair.server.rotate_keys("c,b/48")
    pair.connect(offer=first.session)


def add(pair: Pair) -> None:
    """What the first server stored outside is added to the second, whose get callback returns nothing."""
    first = pair.connect()
    pair.new_server(external_get="nothing")
    pair.connect(offer=first.session)
    pair.server.add_session(first.session.cached_id)
    pair.connect(offer=first.session)


def shrink(pair: Pair) -> None:
    """The cache is made smaller while it serves."""
    first = pair.connect()
    pair.server.resize_cache(1)
    pair.connect()
    pair.connect(offer=first.session)


def chosen(at: ChosenAt) -> Callable[[Pair], None]:
    """The server goes over to a context without tickets, and with another id context, for the client's name."""

    def play(pair: Pair) -> None:
        first = pair.server
        other = pair.new_server(session_id_context=b"other", tickets=False)
        pair.use(Role.SERVER, 1)
        session = pair.connect().session
        first.choose(NAME, other, at)
        pair.connect(offer=session)
        pair.connect()

    return play


def age_server(pair: Pair) -> None:
    """What the server holds, and the tickets that it makes from then on, are too old."""
    first = pair.connect()
    pair.server.age_sessions(3 * HOUR)
    second = pair.connect(offer=first.session)
    pair.connect(offer=second.last_session, presume_full=False)


def age_client(pair: Pair) -> None:
    """The client's session has outlived its lifetime hint."""
    pair.connect(offer=aged(pair.connect().session, 3 * HOUR), presume_full=False)


def short_timeout(pair: Pair) -> None:
    """The session's own timeout is over."""
    pair.connect(offer=edited(aged(pair.connect().session, 100), timeout=1), presume_full=False)


def other_fields(pair: Pair) -> None:
    """Fields of each kind are changed: a number, octets, a bit, and one that is left out."""
    first = pair.connect().session
    pair.connect(offer=edited(first, cipher=0xC02B, ticket=Turned(-1), age_add=77), presume_full=False)
    pair.connect(offer=edited(first, ticket=b"", server_name="a.test"), presume_full=False)
    pair.connect(offer=with_other_secret(first), presume_full=False)


def closing_orders(pair: Pair) -> None:
    """Both ends call SSL_shutdown, SSL_read and SSL_free in each order."""
    for how in (*ORDERS, Close.UNREAD):
        pair.connect(offer=pair.connect(close=how).session, presume_full=False)


def other_timeouts(pair: Pair) -> None:
    """The server gives the sessions of its cache another timeout, twice."""
    for seconds in (300, 60):
        pair.server.set_timeouts(seconds)
        pair.connect(offer=pair.connect().session, presume_full=False)


def further_ticket(pair: Pair) -> None:
    """A server that issues no ticket on its own sends one later."""
    live = pair.open()
    live.exchange()
    live.new_ticket()
    live.exchange()
    pair.connect(offer=live.close().session)


def not_resumable(pair: Pair) -> None:
    """The client expects a name that a resumption does not compare; then a callback makes sessions not resumable."""
    first = pair.connect()
    pair.new_client(expected_name="other.example")
    pair.connect(offer=first.session)
    pair.new_client(expected_name="server.example")
    pair.new_server(not_resumable=NotResumable.CONTEXT)
    pair.connect(offer=pair.connect().session, presume_full=False)


def expire_at_server(pair: Pair) -> None:
    """The server's clock is stopped in the ticket's last second, and in the next."""
    pair.server.stop_clock(NOW)
    first = pair.connect()
    pair.server.stop_clock(NOW + 2 * HOUR)
    pair.connect(offer=first.session)
    pair.server.stop_clock(NOW + 2 * HOUR + 1)
    pair.connect(offer=first.session)


def expire_at_client(pair: Pair) -> None:
    """The client's clock is moved."""
    first = pair.connect()
    pair.client.move_clock(HOUR)
    pair.connect(offer=first.session)
    pair.client.move_clock(3 * HOUR)
    pair.connect(offer=first.session, presume_full=False)


def expire_at_both(pair: Pair) -> None:
    """Time passes for both ends, up to the last second and then to the next."""
    pair.stop_clocks(NOW)
    first = pair.connect()
    pair.age(2 * HOUR)
    pair.connect(offer=first.session)
    pair.age(1)
    pair.connect(offer=first.session)


def run_clocks(pair: Pair) -> None:
    """Both clocks run on from a time, and the second one of them lies in the ticket's lifetime."""
    for shown in (NOW + 0.25, NOW + HOUR + 0.5):
        for end in (pair.client, pair.server):
            end.run_clock(shown)
        pair.connect(offer=pair.connections[0].last_session if pair.connections else None)


def before_ticket(pair: Pair) -> None:
    """The session is taken after the handshake, before anything is read."""
    live = pair.open()
    live.handshake()
    early = live.session()
    live.exchange()
    live.close()
    pair.connect(offer=early, presume_full=False)


def first_ticket(pair: Pair) -> None:
    """Not the last ticket's session, but the first one's."""
    pair.connect(offer=pair.connect().sessions[0])


def keep_object(pair: Pair) -> None:
    """The session object itself is offered, as its connection left it."""
    live = pair.open()
    live.exchange()
    kept = live.keep_session()
    live.close(pair.close_how)
    pair.connect(offer=kept, presume_full=False)


def change_object(pair: Pair) -> None:
    """A duplicate resumes beside the object that does not, and an object that was made too old is not offered."""
    live = pair.open()
    live.exchange()
    duplicate, kept = live.keep_session(duplicate=True, timeout=60), live.keep_session()
    live.close(pair.close_how)
    pair.connect(offer=duplicate)
    pair.connect(offer=kept, presume_full=False)
    live = pair.open()
    live.exchange()
    old = live.keep_session(older=30 * HOUR)
    live.close()
    pair.connect(offer=old, presume_full=False)


def clear_ssl(pair: Pair) -> None:
    """The SSL of a connection connects again, and once more."""
    kept = None
    for _ in range(3):
        live = pair.open(kept)
        live.exchange()
        kept = live.keep_session(ssl=True)
        live.close(pair.close_how)


def side_by_side(pair: Pair) -> None:
    """Two connections are open when a third offers the session of one of them."""
    first, second = pair.open(), pair.open()
    for live in (first, second):
        live.exchange()
    session = first.session()
    third = pair.open(session)
    third.exchange()
    for live in (third, second, first):
        live.close()


def renegotiate(pair: Pair) -> None:
    """The client begins a second handshake, whole, and a third, which resumes."""
    live = pair.open()
    live.exchange()
    live.renegotiate()
    live.renegotiate(abbreviated=True)
    pair.connect(offer=live.close().last_session)


def renegotiate_changed(pair: Pair) -> None:
    """The client begins a second handshake with another cipher, and offers what it yields."""
    live = pair.open()
    live.exchange()
    live.renegotiate(ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    first = live.close()
    pair.new_client(ciphers="ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
    pair.connect(offer=first.last_session)


def renegotiate_server(pair: Pair) -> None:
    """The server begins it."""
    live = pair.open()
    live.exchange()
    live.renegotiate(Role.SERVER)
    pair.connect(offer=live.close().last_session)


def change_client(**knobs: Any) -> Callable[[Pair], None]:
    """The session is offered by a client with other knobs."""

    def play(pair: Pair) -> None:
        first = pair.connect()
        pair.new_client(**knobs)
        pair.connect(offer=first.session, presume_full=False)

    return play


def change_server(**knobs: Any) -> Callable[[Pair], None]:
    """The session is offered to a server with other knobs."""

    def play(pair: Pair) -> None:
        first = pair.connect()
        pair.new_server(**knobs)
        pair.connect(offer=first.session, presume_full=False)

    return play


def alone(pair: Pair) -> None:
    """One connection, whatever becomes of it."""
    pair.connect(presume_full=False)


@dataclass(frozen=True)
class Situation:
    """One row: what a pair is made with, and what is done with it."""

    name: str
    tls: TLSVersion
    play: Callable[[Pair], None] = resume
    client: dict[str, Any] = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)
    close: Close = Close.BOTH

    def lacks(self, client: Stack, server: Stack | None = None) -> list[str]:
        """Why these stacks, or one as both, cannot be its ends."""
        ends = ((client.abilities(Role.CLIENT), self.client), ((server or client).abilities(Role.SERVER), self.server))
        speaks = [why for can, _ in ends for needed in of_version(self.tls) if (why := can.lacks(needed))]
        knobs = [why for can, given in ends for name, value in given.items() if (why := can.lacks_knob(name, value))]
        return speaks + knobs

    def story(self, client: Stack, runtime: Runtime, server: Stack | None = None) -> Story:
        """What becomes of it between these stacks, or where one is both ends."""
        ends = client, server or client
        configs = ClientConfig(**self.client), ServerConfig(**self.server)
        pair = Pair(ends, self.tls, runtime, client=configs[0], server=configs[1], close=self.close)
        try:
            self.play(pair)
            return story_of(pair.connections)
        finally:
            pair.close()


SHARED: dict[str, Any] = {"ticket_keys": "shared"}
EARLY: dict[str, Any] = {"max_early_data": 1000}
NO_EMS: dict[str, Any] = {"extended_master_secret": False}
ECDHE = "ECDHE-ECDSA-AES{}-GCM-SHA{}:ECDHE-RSA-AES{}-GCM-SHA{}"
GCM_128, GCM_256 = ECDHE.format(128, 256, 128, 256), ECDHE.format(256, 384, 256, 384)
SHA_256, SHA_384 = "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"

OUTSIDE: dict[str, Any] = {
    **STATEFUL,
    "external_cache": "shared",
    "cache_mode": frozenset({CacheMode.SERVER, CacheMode.NO_INTERNAL_LOOKUP}),
}

SITUATIONS = (
    Situation("tls13-ticket-resumes", TLS13),
    Situation("tls12-ticket-resumes", TLS12),
    Situation("tls12-session-id-resumes", TLS12, server=STATEFUL),
    Situation("tls13-stateful-ticket-resumes", TLS13, thrice, server=STATEFUL),
    Situation("tls13-restarted-server", TLS13, restart),
    Situation("tls12-restarted-server", TLS12, restart),
    Situation("tls12-restarted-server-session-id", TLS12, restart, server=STATEFUL),
    Situation("tls13-shared-ticket-keys", TLS13, restart, server=SHARED),
    Situation("tls12-shared-ticket-keys", TLS12, restart, server=SHARED),
    Situation("tls13-rotated-ticket-keys", TLS13, change_server(ticket_keys="new"), server={"ticket_keys": "old"}),
    Situation("tls12-flushed", TLS12, flush_expired, server=STATEFUL),
    Situation("tls13-flushed-all", TLS13, flush_all, server=STATEFUL),
    Situation("tls12-removed", TLS12, remove, server=STATEFUL),
    Situation("tls12-evicted", TLS12, evict, server={**STATEFUL, "cache_size": 1}),
    Situation("tls12-cache-made-smaller", TLS12, shrink, server=STATEFUL),
    Situation("tls12-session-id-brings-a-ticket", TLS12, change_client(tickets=True), client=STATEFUL),
    Situation("tls12-cache-off", TLS12, server={**STATEFUL, "cache_mode": frozenset({CacheMode.OFF})}),
    Situation(
        "tls12-lookup-off",
        TLS12,
        server={**STATEFUL, "cache_mode": frozenset({CacheMode.SERVER, CacheMode.NO_INTERNAL_LOOKUP})},
    ),
    Situation("tls12-rotated-ring", TLS12, rotate, server={"ticket_ring": "a"}),
    Situation("tls12-ring-that-denies", TLS12, change_server(ticket_decrypts="none"), server={"ticket_ring": "a"}),
    Situation(
        "tls12-ring-of-3des",
        TLS12,
        change_server(ticket_cipher=None),
        server={"ticket_ring": "a/48", "ticket_cipher": TicketCipher.DES_EDE3_CBC},
    ),
    Situation("tls13-ring-of-3des", TLS13, server={"ticket_ring": "a", "ticket_cipher": TicketCipher.DES_EDE3_CBC}),
    Situation("tls12-external-cache", TLS12, change_server(external_get="other_id"), server=OUTSIDE),
    Situation("tls13-external-cache-expired", TLS13, change_server(external_get="expired"), server=OUTSIDE),
    Situation(
        "tls12-external-objects", TLS12, thrice, server={**OUTSIDE, "external_get": "copy", "external_keeps": True}
    ),
    Situation("tls13-added-to-the-cache", TLS13, add, server={**STATEFUL, "external_cache": "shared"}),
    Situation("tls12-aged-at-server", TLS12, age_server),
    Situation("tls13-aged-at-server", TLS13, age_server, server=STATEFUL),
    Situation("tls13-aged-at-client", TLS13, age_client),
    Situation("tls12-aged-at-client", TLS12, age_client),
    Situation("tls13-timeout-of-the-session", TLS13, short_timeout),
    Situation("tls12-other-fields", TLS12, other_fields),
    Situation("tls13-other-fields", TLS13, other_fields),
    Situation("tls12-closing-orders", TLS12, closing_orders, server=STATEFUL),
    Situation("tls12-other-timeouts", TLS12, other_timeouts),
    Situation("tls13-further-ticket", TLS13, further_ticket, server={"num_tickets": 0}),
    Situation(
        "tls13-not-resumable",
        TLS13,
        not_resumable,
        client={"verify": Verify.REQUIRED, "expected_name": "server.example"},
    ),
    Situation("tls13-timeouts-of-contexts", TLS13, client={"timeout": 5}, server={"timeout": 60}),
    Situation("tls12-clock-of-server", TLS12, expire_at_server, server={**STATEFUL, "clock": 0}),
    Situation("tls13-clock-of-server", TLS13, expire_at_server, server={"clock": 0}),
    Situation("tls13-clock-of-client", TLS13, expire_at_client, client={"clock": 0}),
    Situation(
        "tls13-flushed-at-client",
        TLS13,
        flush_at_client,
        client={"clock": 0, "cache_mode": frozenset({CacheMode.CLIENT})},
    ),
    Situation("tls13-clock-of-both", TLS13, expire_at_both, client={"clock": 0}, server={"clock": 0}),
    Situation("tls12-clock-of-both", TLS12, expire_at_both, client={"clock": 0}, server={**STATEFUL, "clock": 0}),
    Situation("tls13-clocks-run", TLS13, run_clocks, client={"clock": 0}, server={"clock": 0}),
    Situation("tls13-before-the-ticket", TLS13, before_ticket),
    Situation("tls13-first-ticket", TLS13, first_ticket),
    Situation("tls13-no-tickets", TLS13, server={"num_tickets": 0}),
    Situation("tls13-five-tickets", TLS13, server={"num_tickets": 5}),
    Situation("tls13-other-id-context", TLS13, change_server(session_id_context=b"b"), server=SHARED),
    Situation(
        "tls12-no-id-context",
        TLS12,
        server={**VERIFYING, "session_id_context": UNSET},
        client={"client_certificate": "client"},
    ),
    Situation("tls12-ems-dropped", TLS12, change_client(**NO_EMS)),
    Situation("tls12-ems-added", TLS12, change_client(extended_master_secret=True), client=NO_EMS),
    Situation(
        "tls13-client-goes-back-to-tls12", TLS13, change_client(versions=(TLS12,)), server={"versions": (TLS12, TLS13)}
    ),
    Situation("tls13-other-hash", TLS13, change_client(ciphersuites=SHA_256), client={"ciphersuites": SHA_384}),
    Situation("tls12-other-cipher", TLS12, change_client(ciphers=GCM_128), client={"ciphers": GCM_256}),
    Situation("tls13-psk-ke", TLS13, client={"psk_modes": PskMode.BOTH}, server={"psk_modes": PskMode.BOTH}),
    Situation(
        "tls13-psk-ke-where-no-group-is-common",
        TLS13,
        change_server(groups="P-384"),
        client={"groups": "X25519", "psk_modes": PskMode.BOTH},
        server={"psk_modes": PskMode.BOTH, **SHARED},
    ),
    Situation("tls13-external-psk", TLS13, restart, client=PSK, server=PSK | ALONE),
    Situation("tls12-external-psk", TLS12, client=PSK, server=PSK | ALONE | {"psk_hint": "which one?"}),
    Situation(
        "tls12-external-psk-of-an-unknown-identity",
        TLS12,
        refused,
        client=PSK | {"psk_identity": ("stranger",)},
        server=PSK | ALONE,
    ),
    Situation(
        "tls13-external-psk-of-another-key",
        TLS13,
        alone,
        client={"psk_key": "other", "psk_callback": PskCallback.SESSION},
        server=PSK | ALONE,
    ),
    Situation("tls13-authenticated-later", TLS13, authenticate, client=ALLOWS, server={"verify": Verify.LATER}),
    Situation("tls13-hello-retry-request", TLS13, client={"groups": "X25519:P-256"}, server={"groups": "P-256"}),
    Situation("tls13-alpn", TLS13, client={"alpn": ("h2", "http/1.1")}, server={"alpn": ("http/1.1",)}),
    Situation(
        "tls13-other-alpn",
        TLS13,
        change_client(alpn=("h2",)),
        client={"alpn": ("http/1.1",)},
        server={"alpn": ("h2", "http/1.1")},
    ),
    Situation("tls12-no-common-alpn", TLS12, alone, client={"alpn": ("h2",)}, server={"alpn": ("http/1.1",)}),
    Situation(
        "tls12-max-fragment-length", TLS12, change_client(max_fragment_length=1024), client={"max_fragment_length": 512}
    ),
    Situation("tls12-client-does-not-send-its-ticket", TLS12, change_client(tickets=False)),
    Situation(
        "tls13-retry-changes-the-hash",
        TLS13,
        change_server(groups="P-256", ciphersuites=SHA_256),
        client={"groups": "X25519:P-256", "ciphersuites": f"{SHA_384}:{SHA_256}"},
        server={"groups": "X25519", "ciphersuites": SHA_384, **SHARED},
    ),
    Situation(
        "tls12-server-name", TLS12, change_client(server_name="other.example"), client={"server_name": "server.example"}
    ),
    Situation("tls12-chosen-by-name", TLS12, chosen(ChosenAt.SERVER_NAME), client={"server_name": NAME}),
    Situation("tls13-chosen-by-name", TLS13, chosen(ChosenAt.SERVER_NAME), client={"server_name": NAME}),
    Situation("tls12-chosen-by-hello", TLS12, chosen(ChosenAt.CLIENT_HELLO), client={"server_name": NAME}),
    Situation("tls13-chosen-by-hello", TLS13, chosen(ChosenAt.CLIENT_HELLO), client={"server_name": NAME}),
    Situation("tls13-client-certificate", TLS13, client={"client_certificate": "client"}, server=VERIFYING),
    Situation("tls13-no-client-certificate", TLS13, alone, server=VERIFYING),
    Situation("tls12-verified-server", TLS12, client=VERIFYING),
    Situation(
        "tls13-chains",
        TLS13,
        client={"client_certificate": "chained-client", **VERIFYING},
        server={"server_certificate": "chained-server", **VERIFYING},
    ),
    Situation("tls12-huge-client-certificate", TLS12, refused, client=HUGE, server=VERIFYING),
    Situation(
        "tls13-compressed-certificate", TLS13, client={"cert_decompression": True}, server={"cert_compression": True}
    ),
    Situation("tls13-no-common-version", TLS13, alone, client={"versions": (TLS12,)}, server={"versions": (TLS13,)}),
    Situation("tls13-early-data", TLS13, thrice, client=EARLY, server=EARLY),
    Situation("tls13-early-data-replayed", TLS13, thrice, client=EARLY, server={**EARLY, "anti_replay": False}),
    Situation(
        "tls13-no-middlebox-compat", TLS13, client={"middlebox_compat": False}, server={"middlebox_compat": False}
    ),
    *(
        Situation(f"tls{tls.value.replace('.', '')}-close-{how}", tls, server=STATEFUL, close=how)
        for tls in USUAL_VERSIONS
        for how in Close
    ),
    *(Situation(f"tls12-kept-{how}", TLS12, keep_object, close=how) for how in Close),
    Situation("tls13-kept-server-only", TLS13, keep_object, close=Close.SERVER_ONLY),
    Situation("tls13-changed-object", TLS13, change_object, close=Close.SERVER_ONLY),
    Situation("tls12-cleared-ssl", TLS12, clear_ssl),
    Situation("tls13-cleared-ssl", TLS13, clear_ssl),
    Situation("tls12-renegotiation", TLS12, renegotiate, server={"client_renegotiation": True}),
    Situation(
        "tls12-renegotiation-with-another-cipher",
        TLS12,
        renegotiate_changed,
        client={"ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"},
        server={"client_renegotiation": True},
    ),
    Situation("tls12-renegotiation-by-server", TLS12, renegotiate_server),
    Situation("tls12-session-id-prefix", TLS12, server={**STATEFUL, "session_id_prefix": b"abc"}),
    Situation("tls12-one-session-id", TLS12, evict, server={**STATEFUL, "session_id": b"one"}),
    Situation("tls13-side-by-side", TLS13, side_by_side),
    Situation("dtls12-ticket-resumes", DTLS12),
    Situation("dtls12-restarted-server", DTLS12, restart),
    Situation("dtls12-session-id", DTLS12, server=STATEFUL),
    Situation("dtls10-ticket-resumes", TLSVersion.DTLSv1),
    Situation("dtls12-cookie", DTLS12, server={"cookie": Cookie.ACCEPT}),
    Situation("dtls12-cookie-refused", DTLS12, alone, server={"cookie": Cookie.REFUSE}),
    Situation("dtls12-server-name", DTLS12, client={"server_name": "server.example"}),
    Situation("dtls12-external-psk", DTLS12, client=PSK, server=PSK | ALONE),
    Situation("dtls12-side-by-side", DTLS12, side_by_side),
    *(Situation(f"dtls12-close-{how}", DTLS12, server=STATEFUL, close=how) for how in (*OVER_UDP, *IN_ORDER)),
    *(
        Situation(f"dtls12-lost-flight-{which}-of-the-{role}", DTLS12, lose(role, which), client=SOON, server=SOON)
        for role, which in ((Role.CLIENT, 1), (Role.SERVER, 1), (Role.CLIENT, 2), (Role.SERVER, 2))
    ),
    Situation("dtls12-lost-resumption", DTLS12, lose(Role.SERVER, 1, resumed=True), client=SOON, server=SOON),
    Situation("tls13-ocsp", TLS13, client={"ocsp": True}, server={"ocsp": True}),
    Situation("tls12-ocsp", TLS12, client={"ocsp": True}, server={"ocsp": True}),
    Situation("tls13-raw-public-key", TLS13, client=RAW | VERIFYING | {"expected_rpk": "server"}, server=RAW),
    Situation("tls12-raw-public-key", TLS12, client=RAW, server=RAW),
    Situation(
        "tls13-raw-public-key-refused",
        TLS13,
        change_client(expected_rpk="other-server"),
        client=RAW | VERIFYING | {"expected_rpk": "server"},
        server=RAW,
    ),
    Situation(
        "tls13-raw-public-key-of-client",
        TLS13,
        client={"client_rpk": True, "client_certificate": "client"},
        server={"client_rpk": True, **VERIFYING, "expected_rpk": "client"},
    ),
    Situation("tls13-compressed", TLS13, client={"cert_compressions": ("zlib",)}, server={"cert_compression": True}),
    Situation(
        "tls13-not-compressed",
        TLS13,
        client={"cert_decompression": False, "cert_compression": False},
        server={"cert_compression": True},
    ),
)
"""On libssl, with both ends of one build. A build that lacks a knob of one passes it over, with the reason."""
QUIC = TLSVersion.QUICv1
OVER_QUIC = (
    Situation("quic-ticket-resumes", QUIC),
    Situation("quic-restarted-server", QUIC, restart),
    Situation("quic-shared-ticket-keys", QUIC, restart, server=SHARED),
    Situation("quic-no-tickets", QUIC, server={"num_tickets": 0}),
    Situation("quic-no-common-alpn", QUIC, alone, client={"alpn": ("h2",)}, server={"alpn": ("http/1.1",)}),
    Situation("quic-no-client-certificate", QUIC, alone, server=VERIFYING),
    *(Situation(f"quic-close-{how}", QUIC, server=STATEFUL, close=how) for how in OVER_UDP if how is not Close.EOF),
)
"""Those that need a libssl of 3.5 or later."""
BY_RELEASE = (
    Situation("tls12-name-that-4.0-refuses", TLS12, refused, client={"expected_name": "a..b"}),
    Situation("tls13-name-that-4.0-refuses", TLS13, refused, client={"expected_name": "a..b"}),
)
"""Those that s_client cannot say of some releases, and a program in C of each."""
