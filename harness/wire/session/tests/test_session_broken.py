"""Bytes that are not a session raise SessionFormatError, which says what is wrong and at which offset."""

from __future__ import annotations

import base64
import contextlib
import random
import sys
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import SessionFormatError
from harness.wire.session import der as asn1
from harness.wire.session import structure
from harness.wire.session.codec import decode, from_pem, load, load_all, to_pem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

    from _typeshed import TraceFunction

    from harness.tests.live_sessions import Live
    from harness.wire.session.der import Element


@pytest.fixture(scope="module")
def der(live: Live) -> bytes:
    """The DER of a TLS 1.3 session."""
    return live.der("tls13")


def misjudged(samples: Iterable[bytes]) -> list[bytes]:
    """The samples that neither decode nor give an error whose offset lies within them."""
    bad = []
    for sample in samples:
        try:
            decode(sample)
        except SessionFormatError as error:
            if not 0 <= error.offset <= len(sample):
                bad.append(sample)
        except Exception:  # noqa: BLE001 - any other error is what this looks for
            bad.append(sample)
    return bad


def with_element(der: bytes, index: int, element: Element) -> bytes:
    """The session with another element in a place."""
    elements = list(structure.read(der))
    elements[index] = element
    return structure.write(elements)


def octets(content: bytes) -> Element:
    return asn1.Element(asn1.UNIVERSAL, constructed=False, tag=asn1.OCTET_STRING, content=content)


def decodes(sample: bytes) -> bool:
    try:
        decode(sample)
    except SessionFormatError:
        return False
    return True


@pytest.mark.parametrize("kind", ["tls12-id", "tls13", "client-cert", "cryptography-tls13"])
def test_a_session_that_is_cut_anywhere_is_an_error(live: Live, kind: str) -> None:
    whole = live.der(kind)

    assert not [size for size in range(len(whole)) if decodes(whole[:size])]


@pytest.mark.parametrize("kind", ["tls12-id", "tls13", "client-cert", "cryptography-tls13"])
def test_a_cut_session_gives_an_offset_within_it(live: Live, kind: str) -> None:
    whole = live.der(kind)

    assert misjudged(whole[:size] for size in range(len(whole))) == []


@pytest.mark.parametrize("value", [0x00, 0x01, 0x1F, 0x30, 0x7F, 0x80, 0x84, 0xA1, 0xFF])
def test_any_one_byte_may_be_wrong(der: bytes, value: int) -> None:
    samples = (der[:at] + bytes([value]) + der[at + 1 :] for at in range(len(der)))

    assert misjudged(samples) == []


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_an_error(seed: int) -> None:
    source = random.Random(seed)  # noqa: S311 - a fixed sequence is wanted

    assert misjudged(source.randbytes(source.randrange(400)) for _ in range(200)) == []


@pytest.mark.parametrize("seed", range(20))
def test_a_session_with_random_damage_is_no_other_error(der: bytes, seed: int) -> None:
    source = random.Random(seed)  # noqa: S311 - a fixed sequence is wanted
    places = [source.randrange(len(der)) for _ in range(200)]

    assert misjudged(der[:at] + source.randbytes(3) + der[at + source.randrange(6) :] for at in places) == []


def test_no_bytes_are_an_error() -> None:
    with pytest.raises(SessionFormatError, match="the data are empty, at offset 0"):
        load(b"")


def test_trailing_bytes_are_named_where_they_begin(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match=f"^3 bytes too many follow the session, at offset {len(der)}$"):
        decode(der + b"abc")


def test_a_certificate_is_no_session(live: Live) -> None:
    with pytest.raises(SessionFormatError, match="SEQUENCE where the version of the format is expected"):
        decode(decode(live.der("tls13")).peer_certificate)


def test_a_certificate_in_pem_is_no_session(live: Live) -> None:
    with pytest.raises(SessionFormatError, match="a PEM of 'CERTIFICATE', where a session's says 'SSL SESSION PARA"):
        load(live.runtime.pki.authority().read_bytes())


def test_text_is_no_session() -> None:
    with pytest.raises(SessionFormatError, match="byte 0x68 where a session begins with SEQUENCE"):
        load(b"hello")


def test_text_is_no_pem() -> None:
    with pytest.raises(SessionFormatError, match="no line -----BEGIN SSL SESSION PARAMETERS-----"):
        from_pem(b"hello")


def test_another_version_of_the_format_is_an_error(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match="the version of the format is 2 where an SSL_SESSION has 1"):
        decode(with_element(der, 0, asn1.integer(2)))


@pytest.mark.parametrize("number", [0x0000, 0x0205, 0x7F17])
def test_a_version_that_openssl_refuses_is_an_error(der: bytes, number: int) -> None:
    with pytest.raises(SessionFormatError, match=rf"ssl_version is 0x{number:04x}; known are 0x0002 \(SSLv2\), 0x0300"):
        decode(with_element(der, 1, asn1.integer(number)))


def test_a_cipher_of_three_bytes_is_an_error(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match="cipher has 3 bytes where 2 are allowed"):
        decode(with_element(der, 2, octets(b"abc")))


def test_a_session_id_of_33_bytes_is_an_error(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match="session_id has 33 bytes where 0 to 32 are allowed"):
        decode(with_element(der, 3, octets(bytes(33))))


def test_a_session_id_of_33_bytes_is_named_where_it_lies(der: bytes) -> None:
    wrong = with_element(der, 3, octets(b"U" * 33))

    with pytest.raises(SessionFormatError) as caught:
        decode(wrong)

    assert caught.value.offset == wrong.index(b"U" * 33) - 2


def test_a_time_beyond_64_bits_is_an_error(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match=r"time is 9223372036854775808, beyond"):
        decode(with_element(der, 5, asn1.explicit(1, asn1.integer(1 << 63))))


def test_a_field_twice_is_an_error(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match=r"\[1\] cannot follow \[1\]"):
        decode(with_element(der, 6, structure.read(der)[5]))


def test_a_missing_field_is_named(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match="the session ends before master_key"):
        decode(structure.write(structure.read(der)[:4]))


def test_a_length_that_is_longer_than_need_be_is_no_der(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match=r"a length is not encoded as DER demands.*, at offset 1"):
        decode(b"\x30\x84" + (len(der) - 4).to_bytes(4, "big") + der[4:])


def test_an_indefinite_length_is_no_der(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match=r"a length is not encoded as DER demands.*, at offset 1"):
        decode(b"\x30\x80" + der[4:] + b"\x00\x00")


def test_strange_characters_in_pem_are_named_where_they_are(der: bytes) -> None:
    begin = base64.b64encode(der)[:4]

    with pytest.raises(SessionFormatError) as caught:
        load(to_pem(der).replace(begin, b"MII*", 1))

    assert caught.value.offset == len("-----BEGIN SSL SESSION PARAMETERS-----\n") + 3


def test_base64_that_lacks_a_character_is_an_error(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match="wrong base64"):
        load(to_pem(der).replace(b"-----\nM", b"-----\n", 1))


def test_a_pem_without_its_last_line_is_cut_short(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match="the PEM is cut short: no line -----END SSL SESSION PARAMETERS-----"):
        load(to_pem(der)[:-10])


def test_text_around_the_pem_is_skipped(der: bytes) -> None:
    assert load(b"SSL-Session:\n" + to_pem(der) + b"more").der == der


def test_lines_may_end_in_carriage_returns(der: bytes) -> None:
    assert load(to_pem(der).replace(b"\n", b"\r\n")).der == der


def test_a_number_of_two_thousand_bytes_is_an_error(der: bytes) -> None:
    with pytest.raises(SessionFormatError, match="time has 2000 bytes, beyond 64 bits"):
        decode(with_element(der, 5, asn1.explicit(1, asn1.Element(0, False, 2, b"\x7f" * 2000))))  # noqa: FBT003


def test_a_tag_of_two_thousand_bytes_is_an_error(der: bytes) -> None:
    huge = b"\xbf" + b"\x81" * 2000 + b"\x01\x00"

    with pytest.raises(SessionFormatError, match="a tag has more than 5 bytes"):
        decode(b"\x30\x82" + (len(der) - 4 + len(huge)).to_bytes(2, "big") + der[4:] + huge)


PEM_BEGIN = b"-----BEGIN SSL SESSION PARAMETERS-----"
HOSTILE: dict[str, Callable[[int], bytes]] = {
    "empty elements": lambda size: _wrapped(b"\x05\x00" * (size // 2)),
    "context tags in ascending order": lambda size: _wrapped(
        b"".join(
            b"\xbf" + bytes([0x80 | n >> 14, 0x80 | n >> 7 & 0x7F, n & 0x7F, 0]) for n in range(1 << 14, size // 5)
        )
    ),
    "lines that begin a PEM and never end it": lambda size: (PEM_BEGIN + b"\n") * (size // 39),
    "one line that begins a PEM again and again": lambda size: PEM_BEGIN * (size // 38),
    "one line of spaces before a PEM": lambda size: b" " * size + PEM_BEGIN,
    "a PEM of escaped ends of lines": lambda size: (
        PEM_BEGIN + b"\\n" * (size // 2) + b"-----END SSL SESSION PARAMETERS-----"
    ),
}
"""A hostile file of about so many bytes, by what it is made of."""


def _wrapped(content: bytes) -> bytes:
    return b"\x30\x83" + len(content).to_bytes(3, "big") + content


def work(data: bytes) -> int:
    """Function calls and lines that it takes to refuse or read the data."""
    steps = 0

    def count(_frame: FrameType, _event: str, _arg: object) -> TraceFunction:
        nonlocal steps
        steps += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        with contextlib.suppress(SessionFormatError):
            load_all(data)
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_takes_linear_work(kind: str) -> None:
    small, large = (work(HOSTILE[kind](size)) for size in (200_000, 800_000))

    assert large <= 4.2 * small + 100
