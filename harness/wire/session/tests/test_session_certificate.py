"""The end of a certificate, beside what cryptography reads of the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from harness.runtime.pki import Pki
from harness.wire.session.certificate import not_after

if TYPE_CHECKING:
    from pathlib import Path


def der(end: datetime) -> bytes:
    start = datetime(1950, 1, 1, tzinfo=UTC)
    issued = trustme.CA().issue_cert("server.example", not_before=start, not_after=end)
    return x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("year", [1955, 1999, 2027, 2049, 2050, 2099])
def test_the_end_is_read_in_either_form_of_time(year: int) -> None:
    end = datetime(year, 2, 3, 4, 5, 6, tzinfo=UTC)

    assert not_after(der(end)) == int(end.timestamp())


@pytest.mark.parametrize("name", ["server", "brief-server"])
def test_the_certificates_of_the_run_are_read(name: str, tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(Pki(tmp_path).issued(name).certificate.read_bytes())

    assert not_after(certificate.public_bytes(Encoding.DER)) == int(certificate.not_valid_after_utc.timestamp())


@pytest.mark.parametrize("data", [b"", b"certificate", b"\x30\x00", b"\x30\x03\x30\x01\x02", b"\x30\x80", bytes(64)])
def test_what_is_no_certificate_has_no_end(data: bytes) -> None:
    assert not_after(data) is None


def test_a_certificate_that_was_cut_has_no_end() -> None:
    whole = der(datetime(2030, 1, 1, tzinfo=UTC))

    assert {not_after(whole[:length]) for length in range(len(whole))} == {None}
