"""What a conversation over datagrams (DTLS) does not have, or has alone, each with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model.errors import UsageError
from harness.model.tampering import FLIGHT, Tamper
from harness.model.tls import ORDERS, Close

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.tls import TLSVersion

CLOSES: Mapping[Close, str] = {
    **dict.fromkeys(ORDERS, "the harness has an order of closing over TCP alone"),
    **dict.fromkeys((Close.RST, Close.UNREAD), "UDP has nothing to reset"),
}
"""Ways to close that it does not have."""
TAMPERS: Mapping[Tamper, str] = {Tamper.CUT: "UDP has nothing to reset; drop the message instead"}
"""What its tap does not do to a message."""
STREAM_KNOBS: Mapping[str, str] = {
    "max_early_data": "early data is of TLS 1.3",
    "middlebox_compat": "the mode is of TLS 1.3",
    "num_tickets": "the number of tickets is of TLS 1.3",
    "ciphersuites": "the suites are of TLS 1.3; the knob ciphers has those of DTLS 1.2",
    "psk_modes": "the modes are of TLS 1.3",
    "anti_replay": "early data is of TLS 1.3",
    "ignore_unexpected_eof": "UDP has no end that could be unexpected",
}
"""Knobs that mean nothing to it."""
DATAGRAM_KNOBS = ("retransmit_after", "cookie")
"""Knobs that mean nothing to a connection over TCP."""
NO_RENEGOTIATION = "the harness does not follow a renegotiation over datagrams"
NO_MIDDLEBOX = "the harness's middlebox reads streams of TLS records"


def carried(tls: TLSVersion) -> str:
    """What carries a version, for people."""
    return "DTLS" if tls.datagrams else "TLS over TCP"


def knobs_that_fit(tls: TLSVersion, knobs: Mapping[str, Any]) -> None:
    """UsageError if an end of a cell with this version cannot mean one of the knobs that it was given."""
    given = {name: value for name, value in knobs.items() if value is not None}
    if any(version.datagrams is not tls.datagrams for version in given.get("versions", ())):
        raise UsageError(
            f"versions = {','.join(given['versions'])} in a case of {tls.label}: an end speaks either TLS over TCP or "
            f"DTLS over UDP, as the version of the case (--tls) says"
        )
    for name in given:
        if tls.datagrams and name in STREAM_KNOBS:
            raise UsageError(f"the knob {name} means nothing to {tls.label}: {STREAM_KNOBS[name]}; leave it out")
        if not tls.datagrams and name in DATAGRAM_KNOBS:
            raise UsageError(f"the knob {name} means nothing to {tls.label}: it is of DTLS (--tls dtls1.2)")


def close_that_fits(tls: TLSVersion, how: Close) -> None:
    """UsageError if a connection of this version cannot be closed in this way."""
    if tls.datagrams and how in CLOSES:
        allowed = ", ".join(each for each in Close if each not in CLOSES)
        raise UsageError(f"a connection of {tls.label} cannot close by {how}: {CLOSES[how]}; it can by {allowed}")


def tamper_that_fits(tls: TLSVersion, what: Tamper, message: str) -> None:
    """UsageError if the tap cannot do this to such a message of this version."""
    if tls.datagrams and what in TAMPERS:
        raise UsageError(f"the tap of {tls.label} cannot {what}: {TAMPERS[what]}")
    if not tls.datagrams and (what in {Tamper.REPEAT, Tamper.REVERSE} or message == FLIGHT):
        raise UsageError(f"the tap of {tls.label} cannot {what} a {message}: that is of datagrams")
    if message == FLIGHT and what in {Tamper.EDIT, Tamper.INSERT}:
        raise UsageError(f"the tap cannot {what} a flight; name one of its messages")
    if what is Tamper.REVERSE and message != FLIGHT:
        raise UsageError(f"the tap reverses a flight, not a {message}")
