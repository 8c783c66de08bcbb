"""An option that only one build has explains what it changes, and nothing else."""

from __future__ import annotations

import pytest

from harness.report.diff.options import explaining

HELLO = "hellos.client.ClientHello.extensions.compress_certificate.length"


@pytest.mark.parametrize(
    ("observable", "before", "after", "found"),
    [
        (HELLO, ("zlib",), ("zlib", "zstd"), "zstd with 3.5.9 alone"),
        (HELLO, ("zlib", "srp"), ("zstd",), "zlib with 3.5.8 alone; zstd with 3.5.9 alone"),
        (HELLO, ("zlib", "srp"), ("zlib",), ""),
        ("hellos.client.ClientHello.extensions.signature_algorithms", (), ("seclevel2",), "seclevel2 with 3.5.9 alone"),
        ("messages.server.CertificateRequest.length", ("zlib",), (), "zlib with 3.5.8 alone"),
        ("outcome", ("zlib",), (), ""),
        (HELLO, None, ("zlib",), ""),
    ],
)
def test_an_option_of_one_build_explains_what_it_changes(
    observable: str, before: tuple[str, ...] | None, after: tuple[str, ...] | None, found: str
) -> None:
    assert explaining([observable], ("3.5.8", before), ("3.5.9", after)) == found


def test_an_option_explains_what_came_in_the_place_of_another_message() -> None:
    changed = ["messages.client.Certificate", "messages.client.CompressedCertificate"]

    assert explaining(changed, ("3.0.20", ()), ("3.5.9", ("zlib",))) == "zlib with 3.5.9 alone"
    assert explaining(changed[:1], ("3.0.20", ()), ("3.5.9", ("zlib",))) == ""
