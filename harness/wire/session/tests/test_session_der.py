"""Sessions of real OpenSSLs decode to what OpenSSL prints of them, and come back byte for byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from harness.model.session import SESSION_FIELDS
from harness.tests.live_sessions import FILES, WRITTEN, openssl
from harness.wire.session import structure
from harness.wire.session.codec import decode, from_pem, to_pem

if TYPE_CHECKING:
    from harness.tests.live_sessions import Live


@pytest.fixture(scope="module")
def der(live: Live) -> bytes:
    """The DER of a TLS 1.3 session."""
    return live.der("tls13")


def line(text: str, label: str) -> str:
    """The value behind a label of ``sess_id -text``, empty if the label is not there."""
    found = re.search(rf"^ *{re.escape(label)} *: ?(.*)$", text, re.MULTILINE)
    return found[1] if found else ""


def dumped_ticket(text: str) -> str:
    """The ticket that ``sess_id -text`` dumps, as hex; a line is ``0000 - 16 bytes   the same as text``."""
    rows = re.findall(r"^ +[0-9a-f]{4,} - ((?:[0-9a-f]{2}[ -]?)+)  ", text, re.MULTILINE)
    return re.sub(r"[ -]", "", "".join(rows))


def number_of(cipher: str) -> int:
    """The number that ``openssl ciphers -V`` gives for the name of a cipher."""
    listed = openssl("ciphers", "-V", "ALL")
    found = re.search(rf"0x(..),0x(..) - {re.escape(cipher)} ".encode(), listed)
    if found is None:
        raise AssertionError(f"openssl ciphers knows no {cipher}")
    return int(found[1] + found[2], 16)


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_session_is_written_back_byte_for_byte(live: Live, kind: str) -> None:
    original = live.der(kind)

    assert structure.write(structure.read(original)) == original


@pytest.mark.parametrize("kind", FILES)
def test_a_pem_file_is_written_back_byte_for_byte(live: Live, kind: str) -> None:
    original = live.pem(kind)

    assert to_pem(from_pem(original)) == original


@pytest.mark.parametrize("kind", WRITTEN)
def test_protocol_is_what_openssl_prints(live: Live, kind: str) -> None:
    assert decode(live.der(kind)).version.label == line(live.printed(kind), "Protocol")


@pytest.mark.parametrize("kind", WRITTEN)
def test_cipher_is_what_openssl_prints(live: Live, kind: str) -> None:
    assert decode(live.der(kind)).cipher == number_of(line(live.printed(kind), "Cipher"))


@pytest.mark.parametrize("kind", WRITTEN)
def test_session_id_is_what_openssl_prints(live: Live, kind: str) -> None:
    assert decode(live.der(kind)).session_id.hex().upper() == line(live.printed(kind), "Session-ID")


@pytest.mark.parametrize("kind", WRITTEN)
def test_session_id_context_is_what_openssl_prints(live: Live, kind: str) -> None:
    expected = line(live.printed(kind), "Session-ID-ctx")

    assert decode(live.der(kind)).session_id_context.hex().upper() == expected


@pytest.mark.parametrize("kind", WRITTEN)
def test_master_key_length_is_what_openssl_prints(live: Live, kind: str) -> None:
    text = live.printed(kind)

    assert decode(live.der(kind)).master_key_length * 2 == len(line(text, "Master-Key") + line(text, "Resumption PSK"))


@pytest.mark.parametrize("kind", WRITTEN)
def test_ticket_is_what_openssl_prints(live: Live, kind: str) -> None:
    assert decode(live.der(kind)).ticket.hex() == dumped_ticket(live.printed(kind))


@pytest.mark.parametrize("kind", WRITTEN)
def test_lifetime_hint_is_what_openssl_prints(live: Live, kind: str) -> None:
    expected = line(live.printed(kind), "TLS session ticket lifetime hint") or "0 (seconds)"

    assert f"{decode(live.der(kind)).lifetime_hint} (seconds)" == expected


@pytest.mark.parametrize("kind", WRITTEN)
def test_time_is_what_openssl_prints(live: Live, kind: str) -> None:
    assert str(decode(live.der(kind)).time) == line(live.printed(kind), "Start Time")


@pytest.mark.parametrize("kind", WRITTEN)
def test_timeout_is_what_openssl_prints(live: Live, kind: str) -> None:
    assert f"{decode(live.der(kind)).timeout} (sec)" == line(live.printed(kind), "Timeout")


@pytest.mark.parametrize("kind", WRITTEN)
def test_verify_result_is_what_openssl_prints(live: Live, kind: str) -> None:
    expected = line(live.printed(kind), "Verify return code").split()[0]

    assert str(decode(live.der(kind)).verify_result) == expected


@pytest.mark.parametrize("kind", WRITTEN)
def test_extended_master_secret_is_what_openssl_prints(live: Live, kind: str) -> None:
    expected = line(live.printed(kind), "Extended master secret") == "yes"

    assert decode(live.der(kind)).extended_master_secret is expected


@pytest.mark.parametrize("kind", WRITTEN)
def test_max_early_data_is_what_openssl_prints(live: Live, kind: str) -> None:
    expected = line(live.printed(kind), "Max Early Data") or "0"

    assert str(decode(live.der(kind)).max_early_data) == expected


@pytest.mark.parametrize("kind", WRITTEN)
def test_every_field_but_resumable_is_known(live: Live, kind: str) -> None:
    assert set(decode(live.der(kind)).known) == set(SESSION_FIELDS) - {"resumable"}


@pytest.mark.parametrize("resumable", [True, False])
def test_resumable_is_known_if_it_was_given(der: bytes, *, resumable: bool) -> None:
    assert decode(der, resumable=resumable).resumable is resumable


def test_a_session_id_session_has_no_ticket(live: Live) -> None:
    assert decode(live.der("tls12-id")).has_ticket is False


def test_a_ticket_session_has_one(live: Live) -> None:
    assert decode(live.der("tls12-ticket")).has_ticket is True


def test_ticket_length_is_that_of_the_ticket(live: Live) -> None:
    session = decode(live.der("tls12-ticket"))

    assert session.ticket_length == len(session.ticket)


def test_the_host_name_that_the_server_acknowledged_is_decoded(live: Live) -> None:
    assert decode(live.der("server-name")).server_name == "server.example"


def test_the_alpn_protocol_is_decoded(live: Live) -> None:
    assert decode(live.der("alpn")).alpn == b"http/1.1"


def test_the_early_data_that_a_ticket_allows_is_decoded(live: Live) -> None:
    assert decode(live.der("early-data")).max_early_data == 1234


def test_the_fragment_length_mode_is_decoded(live: Live) -> None:
    assert decode(live.der("fragment")).max_fragment_length_mode == 2


def test_a_server_session_holds_the_client_certificate(live: Live) -> None:
    leaf = x509.load_pem_x509_certificate(live.runtime.pki.issued("client").certificate.read_bytes())

    assert decode(live.der("client-cert")).peer_certificate == leaf.public_bytes(Encoding.DER)


def test_a_server_session_holds_its_session_id_context(live: Live) -> None:
    assert decode(live.der("client-cert")).session_id_context == b"resume"


def test_a_verified_peer_gives_verify_result_0(live: Live) -> None:
    assert decode(live.der("tls13")).verify_result == 0


def test_a_newer_openssl_records_its_group(live: Live) -> None:
    assert decode(live.der("cryptography-tls13")).kex_group == 4588  # X25519MLKEM768, the default since 3.5


def test_a_tls13_session_has_an_age_add(live: Live) -> None:
    assert decode(live.der("tls13")).age_add > 0


@pytest.mark.parametrize(
    ("tag", "name", "absent"),
    [
        ("[1]", "time", 0),
        ("[2]", "timeout", 0),
        ("[3]", "peer_certificate", b""),
        ("[4]", "session_id_context", b""),
        ("[5]", "verify_result", 0),
        ("[6]", "server_name", ""),
        ("[9]", "lifetime_hint", 0),
        ("[10]", "ticket", b""),
        ("[10]", "ticket_length", 0),
        ("[10]", "has_ticket", False),
        ("[14]", "age_add", 0),
        ("[19]", "kex_group", 0),  # OpenSSL 1.1.1 never writes it
    ],
)
def test_a_field_that_is_absent_is_zero_or_empty(der: bytes, tag: str, name: str, absent: object) -> None:
    rest = [element for element in structure.read(der) if element.name != tag]

    assert decode(structure.write(rest)).get(name) == absent
