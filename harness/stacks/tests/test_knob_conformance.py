"""Each knob that a stack has changes something that can be observed; each that it lacks is refused with its reason.

A story is shown twice against the same peer, with the knob and without. The two differ only if the stack has passed
the value on to its TLS library. To add a knob that is not a switch, add a value of it to SAMPLES; one that shows only
beside another setting needs that setting in BESIDE.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.kinds import SWITCH
from harness.agent.vocabulary import (
    CertCompression,
    NotResumable,
    PskCallback,
    PskCipher,
    TicketCallback,
    TicketCipher,
    TicketKeyResult,
    TicketUse,
)
from harness.model.capability import Capability
from harness.model.errors import RefusedError, UnsupportedError
from harness.model.knobs import CacheMode, ClientConfig, Cookie, PskMode, ServerConfig, Verify, config_type, knobs_of
from harness.model.tls import USUAL_VERSIONS, Close, Role, TLSVersion
from harness.pair.pair import Pair
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine
from harness.story.carriers import DATAGRAM_KNOBS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.stacks.base import Stack

STACKS = ("openssl", "libssl", "pyopenssl", "ssl")
TWELVE, THIRTEEN = USUAL_VERSIONS
BOTH_VERSIONS = (TWELVE, THIRTEEN)
OLD = 8000
"""Seconds: more than OpenSSL's timeout of 7200."""

SAMPLES: Mapping[str, tuple[Any, ...]] = {
    "versions": (BOTH_VERSIONS,),
    "security_level": (3,),
    "cache_mode": (frozenset({CacheMode.OFF}),),
    "cache_size": (1,),
    "timeout": (100,),
    "ciphers": ("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",),
    "ciphersuites": ("TLS_AES_128_GCM_SHA256",),
    "groups": ("P-256",),
    "signature_algorithms": ("ECDSA+SHA384:ECDSA+SHA256",),
    "mutation": ("any",),
    "expected_name": ("other.example",),
    "not_resumable": tuple(NotResumable),
    "psk_modes": (PskMode.BOTH, PskMode.KE),
    "psk_key": ("shared",),
    "psk_identity": (("alice",),),
    "psk_cipher": (PskCipher.AES_256,),
    "psk_callback": (PskCallback.SESSION,),
    "psk_hint": ("which one?",),
    "alpn": (("h2",),),
    "verify": (Verify.REQUIRED, Verify.OPTIONAL),
    "max_early_data": (100,),
    "clock": (0,),
    "server_name": ("server.example",),
    "client_certificate": ("client",),
    "expected_rpk": ("server",),
    "max_fragment_length": (1024,),
    "cert_compressions": ((CertCompression.ZSTD,),),
    "num_tickets": (3,),
    "session_id_context": (b"c" * 32,),
    "session_id_prefix": (b"resumption",),
    "session_id": (b"i" * 32,),
    "ticket_keys": ("shared",),
    "ticket_ring": ("b,a",),
    "ticket_callback": (TicketCallback.HMAC,),
    "ticket_cipher": (TicketCipher.DES_EDE3_CBC, TicketCipher.AES_CTR),
    "ticket_encrypts": (TicketKeyResult.NONE,),
    "ticket_decrypts": (TicketKeyResult.RENEW, TicketKeyResult.NONE),
    "ticket_data": (b"data",),
    "ticket_use": (TicketUse.IGNORE, TicketUse.USE_RENEW),
    "external_cache": ("shared",),
    "external_get": ("nothing", "copy", "other_id", "expired", "not_resumable", "later"),
    "server_certificate": ("other-server",),
    "cookie": (Cookie.ACCEPT, Cookie.REFUSE, Cookie.LISTEN),
    "retransmit_after": (100,),
}
"""Values that are not the default of any stack."""


@dataclass(frozen=True)
class Beside:
    """Settings of both ends with which a knob shows."""

    own: Mapping[str, Any] = field(default_factory=dict)
    peer: Mapping[str, Any] = field(default_factory=dict)
    then: Mapping[str, Any] = field(default_factory=dict)
    """What a new client of the peer has otherwise, which offers the first session."""


ALWAYS: Mapping[Role, Mapping[str, Any]] = {Role.CLIENT: {}, Role.SERVER: {"client_renegotiation": True}}
"""Settings of the end that is looked at, so that the story comes to all of its steps."""
EARLY = {"max_early_data": 1000}
RING = Beside(own={"ticket_ring": "a"})
EXTERNAL = Beside(
    own={"external_cache": "x", "cache_mode": frozenset({CacheMode.SERVER, CacheMode.NO_INTERNAL})},
    peer={"tickets": False},
)
PSK = {"psk_key": "shared"}
ALONE = PSK | {"server_certificate": "none"}
OF_CLIENT, OF_SERVER = Beside(own=PSK, peer=ALONE), Beside(own=ALONE, peer=PSK)
SHOWS: Mapping[str, Any] = {"client_certificate": "client"}
BESIDE: Mapping[tuple[Role, str], Beside] = {
    (Role.CLIENT, "versions"): Beside(peer={"versions": BOTH_VERSIONS}),
    (Role.SERVER, "versions"): Beside(peer={"versions": BOTH_VERSIONS}),
    (Role.CLIENT, "verify"): Beside(peer={"server_certificate": "stranger"}),
    (Role.CLIENT, "expected_name"): Beside(own={"verify": Verify.REQUIRED}),
    (Role.CLIENT, "client_certificate"): Beside(peer={"verify": Verify.OPTIONAL}),
    (Role.SERVER, "signature_algorithms"): Beside(own={"server_certificate": "rsa-server"}),
    **{(Role.CLIENT, f"psk_{name}"): OF_CLIENT for name in ("identity", "cipher", "callback")},
    **{(Role.SERVER, f"psk_{name}"): OF_SERVER for name in ("identity", "cipher", "callback")},
    (Role.SERVER, "psk_key"): Beside(peer=PSK | {"ciphersuites": PskCipher.AES_128.value}),
    (Role.SERVER, "psk_hint"): Beside(own=ALONE, peer=PSK | {"ciphers": "PSK-AES128-GCM-SHA256"}),
    (Role.CLIENT, "cert_compression"): Beside(own=SHOWS, peer={"verify": Verify.OPTIONAL}),
    (Role.SERVER, "cert_decompression"): Beside(own={"verify": Verify.OPTIONAL}, peer=SHOWS),
    (Role.SERVER, "cert_compressions"): Beside(own={"cert_compression": True}),
    (Role.SERVER, "server_rpk"): Beside(peer={"server_rpk": True}),
    (Role.SERVER, "client_rpk"): Beside(own={"verify": Verify.OPTIONAL}, peer={**SHOWS, "client_rpk": True}),
    (Role.SERVER, "expected_rpk"): Beside(
        own={"verify": Verify.OPTIONAL, "client_rpk": True}, peer={**SHOWS, "client_rpk": True}
    ),
    (Role.CLIENT, "ocsp"): Beside(peer={"ocsp": True}),
    (Role.SERVER, "ocsp"): Beside(peer={"ocsp": True}),
    (Role.SERVER, "dhe"): Beside(
        own={"server_certificate": "rsa-server"},
        peer={"ciphers": "DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"},
    ),
    (Role.SERVER, "server_preference"): Beside(
        peer={"ciphersuites": "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"},
    ),
    (Role.CLIENT, "max_early_data"): Beside(peer={**EARLY, "anti_replay": False}),
    (Role.SERVER, "max_early_data"): Beside(peer=EARLY),
    (Role.SERVER, "anti_replay"): Beside(own=EARLY),
    (Role.SERVER, "psk_modes"): Beside(
        own={"groups": "P-256"}, peer={"psk_modes": PskMode.BOTH, "groups": "P-256"}, then={"groups": "X25519"}
    ),
    (Role.SERVER, "cache_mode"): Beside(peer={"tickets": False}),
    (Role.SERVER, "alpn"): Beside(peer={"alpn": ("other", "h2")}),
    (Role.SERVER, "session_id_prefix"): Beside(peer={"tickets": False}),
    (Role.SERVER, "session_id"): Beside(peer={"tickets": False}),
    (Role.SERVER, "ticket_use"): Beside(own={"ticket_data": b"data"}),
    (Role.SERVER, "ticket_cipher"): RING,
    (Role.SERVER, "ticket_encrypts"): RING,
    (Role.SERVER, "ticket_decrypts"): RING,
    (Role.SERVER, "external_cache"): Beside(peer={"tickets": False}),
    (Role.SERVER, "external_get"): EXTERNAL,
    (Role.SERVER, "external_keeps"): EXTERNAL,
}
UNSEEN = {
    (
        "libssl",
        Role.SERVER,
        "ticket_callback",
    ): "both generations make the same tickets",
    ("openssl", Role.SERVER, "cookie"): "s_server does always what its one value says",
    **dict.fromkeys((("libssl", role, "retransmit_after") for role in Role), "only a lost flight would show it"),
    **dict.fromkeys(
        ((stack, Role.CLIENT, "legacy_server_connect") for stack in ("libssl", "openssl", "pyopenssl", "ssl")),
        "only a server without secure renegotiation would show it",
    ),
    **dict.fromkeys(
        (("pyopenssl", role, "cert_decompression") for role in Role),
        "the wheels of cryptography have neither zlib nor brotli nor zstd",
    ),
    ("pyopenssl", Role.CLIENT, "cache_mode"): "only a flush of its cache after 255 connections would show it",
}
"""Knobs of a stack that this story does not show, with what would."""


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.fixture(scope="module")
def stacks(runtime: Runtime) -> Iterator[dict[str, Stack]]:
    machine = Machine(runtime)
    yield {stack.name: stack for stack in machine.stacks}
    machine.close()


def configured(stack: Stack, role: Role, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the knobs that the stack can have."""
    abilities = stack.abilities(role)
    return {name: value for name, value in knobs.items() if abilities.lacks_knob(name, value) is None}


class Observation:
    """A story run with these knobs, and everything of it that is the same in each run."""

    def __init__(self, runtime: Runtime, tested: Stack, peer: Stack, role: Role, beside: Beside) -> None:
        self.runtime = runtime
        self.stacks = (tested, peer) if role is Role.CLIENT else (peer, tested)
        self.tested, self.role, self.peer_knobs = tested, role, configured(peer, role.peer, beside.peer)
        self.own = configured(tested, role, {**ALWAYS[role], **beside.own})
        self.then = beside.then

    def of(self, tls: TLSVersion, **knobs: Any) -> list[Any]:
        """What can be observed with the knobs set."""
        own = config_type(self.role)(**{**self.own, **knobs})
        peer = config_type(self.role.peer)(**self.peer_knobs)
        client, server = (own, peer) if self.role is Role.CLIENT else (peer, own)
        assert isinstance(client, ClientConfig)
        assert isinstance(server, ServerConfig)
        pair = Pair(self.stacks, tls, self.runtime, client=client, server=server)
        try:
            return [*self._story(pair, tls, clock="clock" in knobs)]
        finally:
            pair.close()

    def _story(self, pair: Pair, tls: TLSVersion, *, clock: bool) -> Iterator[Any]:
        first = pair.connect(presume_full=False)
        yield seen(first)
        if clock:
            (pair.client if self.role is Role.CLIENT else pair.server).move_clock(OLD)
        second = pair.connect(first.last_session, presume_full=False)
        yield seen(second)
        if first.last_session is None:
            return
        unclean = pair.connect(close=Close.EOF, presume_full=False)
        yield seen(unclean)
        yield shared_start(first, unclean)
        yield seen(pair.connect(unclean.last_session, presume_full=False))
        if tls is TWELVE:
            yield from self._renegotiations(pair)
        if self.tested.abilities(self.role).lacks(Capability.COUNTERS) is None:
            yield (pair.client if self.role is Role.CLIENT else pair.server).counters()
        if self.then:
            pair.new_client(**self.then)
            yield seen(pair.connect(first.last_session, presume_full=False))
        pair.new_server()
        yield seen(pair.connect(first.last_session, presume_full=False))

    def _renegotiations(self, pair: Pair) -> Iterator[Any]:
        for starter in Role:
            stack = self.stacks[0 if starter is Role.CLIENT else 1]
            for abbreviated in (False, True):
                needed = Capability.ABBREVIATED_RENEGOTIATION if abbreviated else Capability.RENEGOTIATION
                if stack.abilities(starter).lacks(needed):
                    continue
                live = pair.open()
                live.exchange()
                done = live.renegotiate(starter, abbreviated=abbreviated)
                yield starter, abbreviated, done
                yield {**seen(live.close()), "errors": "of either end, whichever was first"}


UNORDERED = ("Alert", "ApplicationData", "HelloRequest")
"""Messages of one end that the other end's do not wait for."""


def seen(connection: Connection) -> dict[str, Any]:
    """What of a connection is the same whenever it is made; the ends of a cut one may or may not send an alert."""
    transcript = connection.transcript
    hello, answer = transcript.client_hello, next(iter(transcript.server_hellos), None)
    cut = connection.close is Close.EOF
    alert = connection.observed_alert()
    return {
        "outcome": str(connection.disagreement or connection.observed_outcome()),
        "mechanism": str(connection.observed_mechanism),
        "alert": (alert.number, alert.sender) if alert and not cut else None,
        "endings": [str(end.ending) for end in (connection.client, connection.server)],
        "alpn": [end.alpn for end in (connection.client, connection.server)],
        "early data": [end.early_data for end in (connection.client, connection.server)],
        "tickets": connection.ticket_counts(),
        "sessions": len(connection.sessions),
        "alerts": [[a.number for a in transcript.alerts if a.sender is role] for role in Role],
        "errors": [] if cut else [sorted(end.errors) for end in (connection.client, connection.server)],
        "messages": {
            role: [
                (
                    message.type,
                    message.length if message.type == "Certificate" else 0,
                    message.fields.get("algorithm"),
                )
                for message in transcript.messages
                if message.sender is role and message.type not in UNORDERED
            ]
            for role in Role
        },
        "ClientHello": hello
        and (len(hello.session_id), hello.cipher_suites, sorted(hello.extensions), hello.alpn, hello.server_name),
        "extensions": hello and [hello.extensions.get(number) for number in (1, 10, 27, 43, 45)],
        "ServerHello": answer
        and (len(answer.session_id), answer.cipher_suite, sorted(answer.extensions), answer.version),
        "session": of_session(connection.last_session),
        "counters": connection.counters,
        "callback calls": [(call.call, call.result) for call in connection.server.callback_calls or ()],
    }


def different(one: list[Any], other: list[Any]) -> list[str]:
    """What two observations do not have in common."""
    found = [f"{len(one)} and {len(other)} steps"] if len(one) != len(other) else []
    for number, (before, after) in enumerate(zip(one, other, strict=False), 1):
        if isinstance(before, dict) and isinstance(after, dict):
            found += [
                f"step {number}: {name}: {before[name]} and {after[name]}"
                for name in before
                if before[name] != after[name]
            ]
        elif before != after:
            found.append(f"step {number}: {before} and {after}")
    return found


FIELDS = (
    *("version", "cipher", "session_id_context", "master_key_length", "timeout", "verify_result", "server_name"),
    *("has_ticket", "lifetime_hint", "max_early_data", "alpn", "max_fragment_length_mode", "flags", "kex_group"),
    "resumable",
)


def of_session(session: Session | None) -> list[Any] | None:
    """The fields that are not random numbers; of a ticket's length, which varies in TLS 1.3, whether it is stateful."""
    if session is None:
        return None
    length = session.get("ticket_length")
    certificate = session.get("peer_certificate")
    return [
        *(session.get(name) for name in FIELDS),
        length if session.get("version") is TWELVE else length == 32,
        hashlib.sha256(certificate).hexdigest() if isinstance(certificate, bytes) else None,
    ]


def shared_start(*connections: Connection) -> bool:
    """Whether the session ids of the servers begin alike."""
    answers = [next(iter(connection.transcript.server_hellos), None) for connection in connections]
    starts = {answer.session_id[:8] for answer in answers if answer is not None}
    return len(starts) == 1 and starts != {b""}


def values_of(role: Role, name: str) -> tuple[Any, ...]:
    return (True, False) if knobs_of(role)[name].kind is SWITCH else SAMPLES[name]


CASES = [(stack, role, name) for stack in STACKS for role in Role for name in knobs_of(role)]


@pytest.mark.parametrize(("stack", "role", "name"), CASES)
def test_a_knob_changes_something_or_is_refused(
    runtime: Runtime, stacks: dict[str, Stack], stack: str, role: Role, name: str
) -> None:
    tested = stacks[stack]
    abilities = tested.abilities(role)
    values = values_of(role, name)
    possible = [value for value in values if abilities.lacks_knob(name, value) is None]
    for value in values:
        if value not in possible:
            assert_refused(tested, role, name, value)
    row = knobs_of(role)[name]
    options = row.options
    changed = [option for option in options if {option.is_set(value) for value in possible} != {option.default}]
    constant = row.older is not None and not row.exists_in(tested.label.partition("@")[2])
    if not possible or (options and not changed) or constant:
        return  # nothing can be set, or nothing but the default, or what a release always has
    beside = BESIDE.get((role, name), Beside())
    observation = Observation(runtime, tested, stacks["libssl"], role, beside)

    changes = any(
        different(observation.of(tls), observation.of(tls, **{name: value}))
        for value in possible
        for tls in ((TLSVersion.DTLSv1_2,) if name in DATAGRAM_KNOBS else USUAL_VERSIONS)
    )

    assert changes is ((stack, role, name) not in UNSEEN), (
        f"{stack} as {role}: {name} changes {'something' if changes else 'nothing'}: see BESIDE and UNSEEN above"
    )


def assert_refused(stack: Stack, role: Role, name: str, value: Any) -> None:
    make = stack.client if role is Role.CLIENT else stack.server
    reason = stack.abilities(role).lacks_knob(name, value)

    assert reason
    with pytest.raises((UnsupportedError, RefusedError)) as caught:
        make(config_type(role)(**{name: value}))  # type: ignore[arg-type]  # of that role
    assert reason in str(caught.value)


@pytest.mark.parametrize("tls", USUAL_VERSIONS)
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("role", list(Role))
def test_a_value_that_changes_nothing_is_seen_to_change_nothing(
    runtime: Runtime, stacks: dict[str, Stack], stack: str, role: Role, tls: TLSVersion
) -> None:
    observation = Observation(runtime, stacks[stack], stacks["libssl"], role, Beside())

    assert different(observation.of(tls), observation.of(tls, middlebox_compat=True)) == []


def test_every_knob_has_a_value_to_try() -> None:
    names = {name for role in Role for name, row in knobs_of(role).items() if row.kind is not SWITCH}

    assert names == set(SAMPLES)
