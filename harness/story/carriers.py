"""What a conversation of DTLS or QUIC does not have, or has alone, each with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.agent.vocabulary import OVER_TCP, NotResumable
from harness.model.errors import UsageError
from harness.model.tampering import DATAGRAM, FLIGHT, Part, Tamper
from harness.model.tls import ORDERS, Close, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

DATAGRAM_KNOBS = ("retransmit_after", "cookie")
"""Knobs that mean nothing but to DTLS."""
CERT_COMPRESSION = ("cert_compression", "cert_decompression", "cert_compressions")
OF_DTLS = dict.fromkeys(DATAGRAM_KNOBS, "it is of DTLS (--tls dtls1.2)")
OF_DATAGRAMS = "that is of datagrams"
SEALED_WHOLE = (
    "its packets are sealed as a whole; name a datagram, and drop, hold, repeat or damage it (edit last_byte)"
)
BEFORE_TLS13 = "it is of versions before TLS 1.3, whose handshake QUIC has"
NO_EARLY_DATA = "OpenSSL's QUIC has no early data up to 4.0 (openssl-quic(7); SSL_write_early_data of it returns 0)"
NO_END = "UDP has no end that could be unexpected"
RENEGOTIATES = "it has no renegotiation (RFC 9001, 4.4 has the handshake of TLS 1.3)"
TIMERS = "the timers of QUIC need a clock that runs"
RESETS = tuple(how for how in Close if how in {Close.RST, Close.UNREAD} or "rst" in ORDERS.get(how, ()))
NO_RESET = dict.fromkeys(RESETS, "UDP has nothing to reset")


NO_SSL_YET = "a server of QUIC gets its SSL when OpenSSL has begun the handshake"


@dataclass(frozen=True)
class Limits:
    """What something that carries a handshake does not have, each with the reason."""

    closes: Mapping[Close, str] = field(default_factory=dict)
    """Ways to close a connection."""
    tampers: Mapping[Tamper, str] = field(default_factory=dict)
    """What the tap does to a message."""
    knobs: Mapping[str, str] = field(default_factory=dict)
    """Knobs that mean nothing to it."""
    steps: Mapping[str, str] = field(default_factory=dict)
    """Steps of stories, and what a step can ask for."""
    middlebox: str = ""
    """Why the tap has no middlebox; empty if it can have one."""


STREAMS = Limits(tampers=dict.fromkeys((Tamper.REPEAT, Tamper.REVERSE), OF_DATAGRAMS), knobs=OF_DTLS)
DATAGRAMS = Limits(
    closes=NO_RESET,
    tampers={Tamper.CUT: "UDP has nothing to reset; drop the message instead"},
    knobs={
        "max_early_data": "early data is of TLS 1.3",
        "middlebox_compat": "the mode is of TLS 1.3",
        "num_tickets": "the number of tickets is of TLS 1.3",
        "ciphersuites": "the suites are of TLS 1.3; the knob ciphers has those of DTLS 1.2",
        "psk_modes": "the modes are of TLS 1.3",
        "anti_replay": "early data is of TLS 1.3",
        **dict.fromkeys(CERT_COMPRESSION, "the compression of certificates is of TLS 1.3"),
        "ignore_unexpected_eof": NO_END,
    },
    middlebox="the harness's middlebox reads streams of TLS records",
)
NO_EOF = "UDP has no end: an end of QUIC that gets no CONNECTION_CLOSE waits for its idle time-out (RFC 9000, 10.1)"
QUIC = Limits(
    closes={
        **dict.fromkeys(ORDERS, "the harness orders the calls of TLS and DTLS alone"),
        **NO_RESET,
        Close.EOF: NO_EOF,
    },
    tampers=dict.fromkeys((Tamper.INSERT, Tamper.CUT, Tamper.REVERSE), SEALED_WHOLE),
    knobs={
        **OF_DTLS,
        **dict.fromkeys(("extended_master_secret", "session_id", "session_id_prefix", "dhe", "psk_hint"), BEFORE_TLS13),
        "ciphers": f"{BEFORE_TLS13}; the knob ciphersuites has its suites",
        **dict.fromkeys(("max_early_data", "anti_replay"), NO_EARLY_DATA),
        **dict.fromkeys(("renegotiation", "client_renegotiation", "resumption_on_renegotiation"), RENEGOTIATES),
        "middlebox_compat": "QUIC has no such mode, and its session id is empty (RFC 9001, 8.4)",
        "max_fragment_length": "QUIC has no records that it could limit",
        "ignore_unexpected_eof": NO_END,
        "quiet_shutdown": "SSL_shutdown of QUIC sends CONNECTION_CLOSE in any case",
        "post_handshake_auth": "QUIC forbids it (RFC 9001, 4.4)",
    },
    steps={
        "renegotiate": RENEGOTIATES,
        "authenticate": "QUIC forbids a request after the handshake (RFC 9001, 4.4)",
        **dict.fromkeys(("stop_clocks", "stop_clock"), TIMERS),
        "clear": "SSL_clear takes no connection of QUIC",
        "threads": "the harness drives one connection of QUIC after the other",
        "new_ticket": "SSL_new_session_ticket takes no connection of QUIC",
    },
    middlebox="the harness's middlebox reads streams of TLS records",
)
LIMITS: Mapping[str, Limits] = {OVER_TCP: STREAMS, "DTLS": DATAGRAMS, "QUIC": QUIC}
"""By what carries a version (`TLSVersion.carrier`)."""


def knobs_that_fit(tls: TLSVersion, knobs: Mapping[str, Any]) -> None:
    """UsageError if an end of a cell with this version cannot mean one of the knobs that it was given."""
    given = {name: value for name, value in knobs.items() if value is not None}
    if any(version.carrier != tls.carrier for version in given.get("versions", ())):
        raise UsageError(
            f"versions = {','.join(given['versions'])} in a case of {tls.label}: an end speaks either TLS over TCP, or "
            f"DTLS or QUIC over UDP, as the version of the case (--tls) says"
        )
    for name, value in given.items():
        if why := LIMITS[tls.carrier].knobs.get(name):
            raise UsageError(f"the knob {name} means nothing to {tls.label}: {why}; leave it out")
        if tls is TLSVersion.QUICv1 and value is NotResumable.CONNECTION:
            raise UsageError(f"the knob {name} of {tls.label} cannot be {value}: {NO_SSL_YET}; it can be context")


def can_do(tls: TLSVersion, step: str) -> bool:
    """Whether a connection of this version can do a step, by its kind."""
    return step not in LIMITS[tls.carrier].steps


def step_that_fits(tls: TLSVersion, step: str) -> None:
    """UsageError if a connection of this version cannot do a step, by its kind."""
    if why := LIMITS[tls.carrier].steps.get(step):
        raise UsageError(f"no step {step} with {tls.label}: {why}")


def close_that_fits(tls: TLSVersion, how: Close) -> None:
    """UsageError if a connection of this version cannot be closed in this way."""
    closes = LIMITS[tls.carrier].closes
    if how in closes:
        allowed = ", ".join(each for each in Close if each not in closes)
        raise UsageError(f"a connection of {tls.label} cannot close by {how}: {closes[how]}; it can by {allowed}")


def middlebox_that_fits(tls: TLSVersion) -> None:
    """UsageError if the tap of this version has no middlebox."""
    if why := LIMITS[tls.carrier].middlebox:
        raise UsageError(f"no middlebox for {tls.label}: {why}")


def tamper_that_fits(tls: TLSVersion, what: Tamper, message: str, part: Part | None = None) -> None:
    """UsageError if the tap cannot do this to such a message, or a part of it, of this version."""
    quic = tls is TLSVersion.QUICv1
    if quic and (message != DATAGRAM or part not in {None, Part.LAST_BYTE}):
        raise UsageError(f"the tap of {tls.label} cannot {what} {part or 'a'} {message}: {SEALED_WHOLE}")
    if message == DATAGRAM and not quic:
        raise UsageError(f"the tap of {tls.label} cannot {what} a datagram: that is of QUIC; name a message")
    if why := LIMITS[tls.carrier].tampers.get(what) or (message == FLIGHT and not tls.datagrams and OF_DATAGRAMS):
        raise UsageError(f"the tap of {tls.label} cannot {what} a {message}: {why}")
    if message == FLIGHT and what in {Tamper.EDIT, Tamper.INSERT}:
        raise UsageError(f"the tap cannot {what} a flight; name one of its messages")
    if what is Tamper.REVERSE and message != FLIGHT:
        raise UsageError(f"the tap reverses a flight, not a {message}")
