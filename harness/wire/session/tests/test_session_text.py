"""Sessions are found in any text: several in a file, among other PEM blocks, indented, quoted, or in a string."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import SessionFormatError
from harness.model.session import Session
from harness.wire.session.codec import decode, edited, load, load_all, to_pem

if TYPE_CHECKING:
    from harness.tests.live_sessions import Live


@pytest.fixture(scope="module")
def der(live: Live) -> bytes:
    """The DER of a TLS 1.3 session."""
    return live.der("tls13")


def found(data: bytes) -> list[bytes | str | None]:
    """The DER of each session of the data, or what is wrong with it."""
    return [one.der if isinstance(one, Session) else str(one) for one in load_all(data)]


def prefixed(text: bytes, before: bytes, after: bytes = b"") -> bytes:
    """The text with something before and after each line."""
    return b"".join(before + line + after + b"\n" for line in text.splitlines())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"    ", b""),
        (b"\t", b"  "),
        (b"> ", b""),
        (b"> > ", b""),
        (b"// ", b""),
        (b"# ", b""),
        (b" * ", b""),
        (b"| ", b" |"),
        (b"+ ", b""),
        (b"2026-11-29 12:00:00 DEBUG ", b""),
        (b'    "', b'\\n"'),
        (b"  '", b"\\r\\n' \\"),
    ],
)
def test_a_quoted_session_is_read(der: bytes, before: bytes, after: bytes) -> None:
    assert found(b"it says:\n" + prefixed(to_pem(der), before, after) + b"end\n") == [der]


def test_a_session_in_a_json_string_is_read(der: bytes) -> None:
    assert found(json.dumps({"session": to_pem(der).decode()}).encode()) == [der]


def test_every_session_of_a_file_is_read(live: Live, der: bytes) -> None:
    other = live.der("tls12-id")

    assert found(to_pem(der) + b"and\n" + prefixed(to_pem(other), b"> ") + to_pem(der)) == [der, other, der]


def test_other_blocks_are_skipped(live: Live, der: bytes) -> None:
    certificate = live.runtime.pki.authority().read_bytes()

    assert found(certificate + to_pem(der) + certificate) == [der]


def test_one_session_is_loaded_behind_other_blocks_as_by_openssl(live: Live, der: bytes) -> None:
    assert load(live.runtime.pki.authority().read_bytes() + to_pem(der)).der == der


def test_a_broken_session_does_not_hide_the_others(der: bytes) -> None:
    broken = to_pem(der).replace(b"-----\nM", b"-----\n*", 1)

    assert found(to_pem(der) + broken + to_pem(der))[::2] == [der, der]
    assert str(found(to_pem(der) + broken)[1]).startswith("wrong base64")


def test_a_session_without_its_end_does_not_take_the_next(der: bytes) -> None:
    cut = to_pem(der).splitlines(keepends=True)[:3]

    assert found(b"".join(cut) + to_pem(der)) == [
        f"the PEM is cut short: no line -----END SSL SESSION PARAMETERS-----, at offset {len(b''.join(cut))}",
        der,
    ]


def test_a_der_that_holds_the_text_of_a_pem_is_a_der(der: bytes) -> None:
    odd = edited(decode(der), ticket=b"\n-----BEGIN SSL SESSION PARAMETERS-----\n").der or b""

    assert found(odd) == [odd]


def test_text_without_any_session_is_an_error() -> None:
    with pytest.raises(SessionFormatError, match="byte 0x68 where a session begins with SEQUENCE"):
        load_all(b"hello")
