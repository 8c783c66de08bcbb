"""Early data, KeyUpdate, renegotiation and retry on the wire of s_server and s_client."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from harness.builds.store import BuildStore
from harness.builds.versions import build_version
from harness.model.tls import Role
from harness.model.view import Saw
from harness.runtime.runtime import Runtime
from harness.wire.gates.middlebox import StrictMiddlebox
from harness.wire.judge import judge
from harness.wire.reading import read
from harness.wire.tests.openssl_programs import Programs, Step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.model.build import Build
    from harness.model.transcript import Chunk, Transcript

EARLY = b"early\n"
END = "-----END CERTIFICATE-----\n"


def _talked(transcript: Transcript) -> bool:
    return "ApplicationData" in transcript.types(Role.CLIENT) and bool(transcript.tickets)


PING = Step(b"ping\n", _talked)
TICKETS = Step(b"", lambda transcript: bool(transcript.tickets))


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime() as made:
        yield made


@pytest.fixture(scope="module")
def renegotiated(runtime: Runtime) -> tuple[list[Chunk], list[str]]:
    with Programs(runtime, "-tls1_2", "-client_renegotiation") as programs:
        again = Step(b"R\n", lambda transcript: transcript.types(Role.SERVER).count("Finished") == 2)
        chunks = programs.client(steps=(PING, again))
        return chunks, programs.keylog


def test_a_renegotiation_shows_both_handshakes(renegotiated: tuple[list[Chunk], list[str]]) -> None:
    transcript = read(*renegotiated)

    assert transcript.handshakes == 2
    assert len(transcript.client_hellos) == 2
    assert transcript.decrypted


def test_a_renegotiation_is_judged_by_its_first_handshake(renegotiated: tuple[list[Chunk], list[str]]) -> None:
    assert judge(read(*renegotiated)).view.saw is Saw.FULL


def test_without_keys_a_renegotiation_leaves_the_number_of_tickets_open(
    renegotiated: tuple[list[Chunk], list[str]],
) -> None:
    transcript = read(renegotiated[0])

    assert transcript.tickets is None
    assert judge(transcript).view.saw is Saw.FULL


def test_sealed_change_cipher_specs_of_a_renegotiation_do_not_count(
    renegotiated: tuple[list[Chunk], list[str]],
) -> None:
    assert dict(read(*renegotiated).change_cipher_specs) == {Role.CLIENT: 1, Role.SERVER: 1}


@pytest.fixture(scope="module")
def updated(runtime: Runtime) -> tuple[list[Chunk], list[str]]:
    with Programs(runtime, "-tls1_3") as programs:
        update = Step(b"K\n", lambda transcript: "KeyUpdate" in transcript.types(Role.CLIENT))
        more = Step(b"more\n", lambda _: "more" in programs.server.output)
        answer = Step(
            b"answer\n", lambda transcript: "ApplicationData" in transcript.types(Role.SERVER), to_server=True
        )
        chunks = programs.client(steps=(PING, update, more, answer))
        return chunks, programs.keylog


def _spoken(transcript: Transcript, role: Role) -> list[str]:
    """Without the alerts of the end, which are lost if s_client closes before it has read all."""
    return [kind for kind in transcript.types(role) if kind != "Alert"]


def test_records_after_a_key_update_are_read(updated: tuple[list[Chunk], list[str]]) -> None:
    transcript = read(*updated)

    assert transcript.decrypted
    assert _spoken(transcript, Role.CLIENT)[-3:] == ["ApplicationData", "KeyUpdate", "ApplicationData"]
    assert _spoken(transcript, Role.SERVER)[-2:] == ["KeyUpdate", "ApplicationData"]


@pytest.fixture(scope="module")
def retried(runtime: Runtime) -> tuple[list[Chunk], list[str]]:
    with Programs(runtime, "-tls1_3", "-groups", "P-384") as programs:
        chunks = programs.client("-groups", "X25519:P-384", steps=(PING,))
        return chunks, programs.keylog


def test_a_retry_has_two_client_hellos_and_one_handshake(retried: tuple[list[Chunk], list[str]]) -> None:
    transcript = read(*retried)

    assert transcript.types()[:2] == ("ClientHello", "HelloRetryRequest")
    assert len(transcript.client_hellos) == 2
    assert transcript.handshakes == 1
    assert judge(transcript).view.saw is Saw.FULL


def test_the_groups_of_a_retry_are_shown(retried: tuple[list[Chunk], list[str]]) -> None:
    transcript = read(*retried)

    assert transcript.client_hellos[0].key_share_groups == (29,)
    assert transcript.client_hellos[1].key_share_groups == (24,)
    assert transcript.messages[1].fields["key_share"] == "secp384r1"


@pytest.fixture(scope="module")
def early_file(runtime: Runtime) -> Path:
    path = runtime.path(".early")
    path.write_bytes(EARLY)
    return path


def _early(runtime: Runtime, early: Path, suite: str, *arguments: str) -> tuple[list[Chunk], list[str]]:
    with Programs(runtime, "-tls1_3", "-early_data", "-ciphersuites", suite, *arguments) as programs:
        session = str(programs.session_file)
        programs.client("-ciphersuites", suite, "-sess_out", session, steps=(TICKETS,))
        chosen = ("-ciphersuites", suite)
        chunks = programs.client(*chosen, "-sess_in", session, "-early_data", str(early), steps=(TICKETS,))
        return chunks, programs.keylog


COMPRESSES = "3.2"
"""The first OpenSSL with s_server -cert_comp (RFC 8879); Debian builds it with zlib."""


@pytest.fixture(scope="module")
def compressing() -> Build:
    """The newest fetched program that compresses certificates."""
    found = BuildStore().serving("openssl")
    fit = [version for version in found if build_version(version) >= build_version(COMPRESSES)]
    if not fit:
        pytest.skip(f"no `openssl` since {COMPRESSES} is fetched; run: resumption builds fetch --provider debian 3.5")
    return found[max(fit, key=build_version)]


@pytest.mark.parametrize(
    ("server", "client", "message"),
    [
        (("-cert_comp",), (), "CompressedCertificate"),
        ((), (), "Certificate"),
        (("-cert_comp",), ("-no_rx_cert_comp",), "Certificate"),
    ],
)
def test_the_chain_of_a_server_is_read_whether_or_not_it_is_compressed(
    runtime: Runtime, compressing: Build, server: tuple[str, ...], client: tuple[str, ...], message: str
) -> None:
    leaf = ssl.PEM_cert_to_DER_cert(runtime.pki.issued("server").certificate.read_text().partition("-----END")[0] + END)
    with Programs(runtime, "-tls1_3", *server, build=compressing) as programs:
        transcript = programs.read(programs.client(*client, steps=(PING,)))

    assert [kind for kind in transcript.types(Role.SERVER) if kind.endswith("Certificate")] == [message]
    assert transcript.certificates[Role.SERVER][0] == leaf


SUITES = ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256"]


@pytest.mark.parametrize("suite", SUITES)
def test_early_data_is_read_under_each_suite(runtime: Runtime, early_file: Path, suite: str) -> None:
    transcript = read(*_early(runtime, early_file, suite))

    assert transcript.decrypted
    assert transcript.types(Role.CLIENT)[:4] == ("ClientHello", "ChangeCipherSpec", "ApplicationData", "EndOfEarlyData")
    assert judge(transcript).view.saw is Saw.RESUMED


def test_early_data_passes_the_strict_middlebox(runtime: Runtime, early_file: Path) -> None:
    chunks, _ = _early(runtime, early_file, SUITES[0])
    middlebox = StrictMiddlebox()

    assert [middlebox.feed(chunk.sender, chunk.data) for chunk in chunks] == [None] * len(chunks)


def test_a_retry_passes_the_strict_middlebox(retried: tuple[list[Chunk], list[str]]) -> None:
    middlebox = StrictMiddlebox()

    assert [middlebox.feed(chunk.sender, chunk.data) for chunk in retried[0]] == [None] * len(retried[0])
