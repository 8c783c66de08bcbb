"""A session's time and timeout are rewritten, and OpenSSL reads what was written; nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.errors import UnsupportedError, UsageError
from harness.model.session import EDITABLE, Session, Turned, parse_edit, show_edit
from harness.model.tls import USUAL_VERSIONS, Outcome, TLSVersion
from harness.pair.pair import Pair
from harness.stacks.openssl import OpensslStack
from harness.tests.live_sessions import WRITTEN, printed
from harness.wire.session import der as asn1
from harness.wire.session import structure
from harness.wire.session.codec import (
    aged,
    damaged,
    decode,
    difference,
    edited,
    external_psk,
    load,
    place_of,
    to_pem,
    with_other_secret,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from harness.model.session import Value
    from harness.tests.live_sessions import Live

VALUES = [-(1 << 63), -7200, -129, -128, -1, 1, 127, 128, 255, 256, 65535, 1 << 31, 1 << 40, (1 << 63) - 1]


def unchanged(session: Session) -> dict[str, object]:
    return {name: value for name, value in session.known.items() if name not in {"time", "timeout"}}


@pytest.fixture
def session(live: Live) -> Session:
    """A TLS 1.3 session."""
    return decode(live.der("tls13"), taken_by="openssl@1", taken_from="libssl@2", resumable=True)


@pytest.mark.parametrize("kind", WRITTEN)
def test_openssl_reads_another_time(live: Live, kind: str) -> None:
    changed = edited(decode(live.der(kind)), time=1_234_567_890)

    assert "Start Time: 1234567890\n" in printed(changed.der or b"")


@pytest.mark.parametrize("kind", WRITTEN)
def test_openssl_reads_another_timeout(live: Live, kind: str) -> None:
    changed = edited(decode(live.der(kind)), timeout=5)

    assert "Timeout   : 5 (sec)\n" in printed(changed.der or b"")


def test_openssl_reads_another_maximum_of_early_data(live: Live) -> None:
    changed = edited(decode(live.der("tls13")), max_early_data=5)

    assert "Max Early Data: 5\n" in printed(changed.der or b"")


def test_a_pem_is_made_of_a_session_and_of_its_der(live: Live) -> None:
    der = live.der("tls13")

    assert to_pem(decode(der)) == to_pem(der)
    assert load(to_pem(decode(der))).der == der


@pytest.mark.parametrize("call", [to_pem, damaged, with_other_secret], ids=lambda call: call.__name__)
@pytest.mark.parametrize("other", [None, "PEM", 5], ids=repr)
def test_what_is_not_a_session_is_refused_by_name(call: Callable[[Any], object], other: object) -> None:
    with pytest.raises(UsageError, match=f"a session is wanted, not {type(other).__name__}; load"):
        call(other)


def test_only_bytes_are_loaded() -> None:
    with pytest.raises(UsageError, match="bytes of PEM or DER are wanted, not str"):
        load("-----BEGIN SSL SESSION PARAMETERS-----")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", WRITTEN)
def test_an_edit_and_its_reverse_give_the_same_bytes(live: Live, kind: str) -> None:
    original = decode(live.der(kind))

    assert edited(edited(original, time=1, timeout=1 << 40), time=original.time, timeout=7200).der == original.der


@pytest.mark.parametrize("value", VALUES)
def test_any_time_is_read_back(session: Session, value: int) -> None:
    assert edited(session, time=value).time == value


@pytest.mark.parametrize("value", VALUES)
def test_any_timeout_is_read_back(session: Session, value: int) -> None:
    assert edited(session, timeout=value).timeout == value


def test_the_other_fields_stay(session: Session) -> None:
    assert unchanged(edited(session, time=1, timeout=1)) == unchanged(session)


def test_who_took_it_stays(session: Session) -> None:
    assert edited(session, time=1).taken_by == "openssl@1"


def test_whom_it_was_taken_from_stays(session: Session) -> None:
    assert edited(session, time=1).taken_from == "libssl@2"


def test_aging_moves_the_time_back(session: Session) -> None:
    assert aged(session, 100).time == session.time - 100


def test_aging_leaves_the_original_alone(session: Session) -> None:
    before = session.time
    aged(session, 100)

    assert session.time == before


def test_a_time_that_was_absent_is_put_in_its_place(session: Session) -> None:
    bare = tuple(e for e in structure.read(session.der or b"") if e.name != "[1]")

    assert edited(decode(structure.write(bare)), time=session.time).der == session.der


def test_a_field_of_a_newer_openssl_is_kept(session: Session) -> None:
    newer = asn1.explicit(30, asn1.integer(1))
    later = decode(structure.write((*structure.read(session.der or b""), newer)))

    assert structure.read(edited(later, timeout=9).der or b"")[-1].der == newer.der


@pytest.mark.parametrize("value", [0, 1 << 63, -(1 << 63) - 1])
def test_a_value_that_openssl_would_not_read_back_is_refused(session: Session, value: int) -> None:
    with pytest.raises(UsageError, match="time cannot be"):
        edited(session, time=value)


def test_a_session_without_der_cannot_be_aged() -> None:
    with pytest.raises(UnsupportedError, match="ssl@3 lacks session data: without its DER"):
        aged(Session({"time": 5}, taken_by="ssl@3"), 1)


@pytest.mark.parametrize("version", USUAL_VERSIONS)
def test_an_edited_session_resumes(live: Live, version: TLSVersion) -> None:
    build = build_for("openssl")
    if not isinstance(build, Build):
        raise TypeError(build)
    stack = OpensslStack(build, live.runtime)
    pair = Pair((stack, stack), version, live.runtime)
    original = pair.connect().session
    second = pair.connect(offer=edited(aged(original, 60), timeout=600))
    pair.close()
    stack.close()

    assert second.outcome is Outcome.RESUMED


@pytest.mark.parametrize("kind", WRITTEN)
def test_openssl_reads_another_ticket(live: Live, kind: str) -> None:
    changed = edited(decode(live.der(kind)), ticket=b"another ticket")

    assert "61 6e 6f 74 68 65 72 20-74 69 63 6b 65 74" in printed(changed.der or b"")


@pytest.mark.parametrize(("at", "differing"), [(-1, -1), (0, 0), (16, 16)])
def test_damage_turns_one_bit_of_the_ticket_and_nothing_else(session: Session, at: int, differing: int) -> None:
    changed = damaged(session, at)
    expected = bytearray(session.ticket)
    expected[differing] ^= 1

    assert changed.ticket == bytes(expected)
    assert {**changed.known, "ticket": session.ticket} == session.known


def test_another_secret_is_in_the_der_and_changes_no_field(session: Session) -> None:
    changed = with_other_secret(session)

    assert changed.der != session.der
    assert changed.known == session.known
    assert with_other_secret(changed).der == session.der


def test_a_byte_beyond_the_ticket_cannot_be_damaged(session: Session) -> None:
    with pytest.raises(UsageError, match=r"ticket has \d+ bytes, and none at 9999"):
        damaged(session, 9999)


def test_a_session_without_its_ticket_has_none(session: Session) -> None:
    changed = edited(session, ticket=b"")

    assert (changed.has_ticket, changed.ticket) == (False, b"")


EDITS: dict[str, Value] = {
    "protocol": "TLSv1.1",
    "cipher": 0x1303,
    "session_id": b"\x01" * 32,
    "session_id_context": b"ctx",
    "time": 5,
    "timeout": -5,
    "verify_result": 20,
    "server_name": "a.test",
    "lifetime_hint": 7,
    "age_add": 2**32 - 1,
    "max_early_data": 9,
    "alpn": b"h2",
    "max_fragment_length_mode": 3,
    "flags": 5,
    "compression": 1,
    "psk_identity_hint": b"hint",
    "psk_identity": b"who",
    "srp_username": b"user",
    "ticket_appdata": b"data",
    "kex_group": 24,
    "peer_rpk": b"key",
    "ticket": b"another",
}


@pytest.mark.parametrize("name", EDITS)
def test_each_field_can_be_changed_alone(session: Session, name: str) -> None:
    changed = edited(session, **{name: EDITS[name]})

    assert changed.get(name) == EDITS[name]
    assert difference(session, changed) == {name: EDITS[name]}
    assert edited(changed, **difference(changed, session)).known == session.known


@pytest.mark.parametrize("name", sorted(EDITABLE))
def test_each_editable_field_has_a_place_in_the_der(name: str) -> None:
    assert name in {*EDITS, "extended_master_secret", "master_key", "peer_certificate"}
    assert name == "extended_master_secret" or place_of(name) < 21


def test_extended_master_secret_is_one_bit_of_the_flags(session: Session) -> None:
    changed = edited(session, flags=4)

    assert edited(changed, extended_master_secret=1).flags == 5
    assert edited(edited(changed, extended_master_secret=1), extended_master_secret=0).flags == 4


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("cipher", "0x1301", 0x1301),
        ("timeout", "-5", -5),
        ("extended_master_secret", "off", 0),
        ("ticket", "flip:-1", Turned(-1)),
        ("master_key", "invert", Turned()),
        ("session_id", "0aff", b"\x0a\xff"),
        ("server_name", "a.test", "a.test"),
    ],
)
def test_an_edit_is_read_and_shown(name: str, text: str, value: Value) -> None:
    assert parse_edit(name, text) == value
    assert show_edit(name, value) == text


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("cypher", "1", "no field 'cypher' .* can be changed .did you mean 'cipher'.*; those that can: "),
        ("ticket_length", "1", "no field"),
        ("cipher", "TLS", "allowed: a number, decimal or with 0x"),
        ("ticket", "flip:x", "allowed: hexadecimal digits, flip:N or invert"),
        ("extended_master_secret", "yes", "allowed: on or off"),
    ],
)
def test_an_edit_that_cannot_be_read_says_what_is_allowed(name: str, text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_edit(name, text)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("session_id", b"\0" * 33, "33 bytes where 0 to 32 are allowed"),
        ("age_add", 1 << 32, "beyond 0 to 4294967295"),
        ("cipher", 1 << 16, "it has 2 bytes"),
        ("protocol", "TLSv9", "allowed: .*TLSv1.3"),
        ("ticket", 5, "it is of type int"),
        ("nothing", 5, "no field nothing"),
        ("verify_result", Turned(), "has no octets"),
    ],
)
def test_a_value_that_a_session_cannot_hold_is_refused(session: Session, name: str, value: Value, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        edited(session, **{name: value})


def test_a_session_without_a_ticket_cannot_be_damaged(live: Live) -> None:
    with pytest.raises(UsageError, match="ticket has 0 bytes"):
        damaged(decode(live.der("tls12-id")))


def test_a_session_that_is_an_external_psk_has_its_suite_and_key() -> None:
    session = decode(external_psk(0x1302, b"k" * 48))

    assert (session.cipher, session.session_id, session.master_key_length) == (0x1302, b"", 48)
    assert session.version is TLSVersion.TLSv1_3
