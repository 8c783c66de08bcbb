"""Connections under the cipher suites that an OpenSSL can negotiate: which are read, which stay sealed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.tls import Role, TLSVersion
from harness.model.view import Saw
from harness.runtime.runtime import Runtime
from harness.wire.judge import judge
from harness.wire.reading import read
from harness.wire.suites import NAMES, SUITES, Aead, Bulk, openssl_names
from harness.wire.tests.openssl_programs import Programs, Step
from harness.wire.tests.tls_in_memory import Captures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.transcript import Transcript
    from harness.stacks.machine import Machine

OPENSSL = shutil.which("openssl") or "openssl"
LIST_CIPHERS = str(Path(__file__).with_name("list_ciphers.py"))
ALL = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
CCM_8 = "TLS_AES_128_CCM_8_SHA256"
TLS12 = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": True,
    "ECDHE-ECDSA-AES256-GCM-SHA384": True,
    "ECDHE-ECDSA-CHACHA20-POLY1305": True,
    "ECDHE-ECDSA-AES128-CCM": True,
    "ECDHE-ECDSA-AES256-CCM": True,
    "ECDHE-ECDSA-AES128-CCM8": True,
    "AES256-CCM8": True,
    "DHE-RSA-AES128-CCM8": True,
    "PSK-AES128-CCM8": True,
    "DHE-PSK-AES256-CCM8": True,
    "RSA-PSK-AES256-GCM-SHA384": True,
    "ECDHE-PSK-CHACHA20-POLY1305": True,
    "ADH-AES128-GCM-SHA256": True,
    "ECDHE-ECDSA-AES128-SHA256": True,
    "ECDHE-ECDSA-ARIA256-GCM-SHA384": False,
    "DHE-PSK-ARIA128-GCM-SHA256": False,
    "ECDHE-ECDSA-CAMELLIA256-SHA384": True,
    "CAMELLIA128-SHA256": True,
    "AES256-SHA": True,
    "DHE-RSA-AES256-SHA256": True,
    "ECDHE-PSK-AES128-CBC-SHA256": True,
    "NULL-SHA256": True,
}
"""OpenSSL's names of TLS 1.2 suites, and whether the harness opens their records."""


def _talked(transcript: Transcript) -> bool:
    return "ApplicationData" in transcript.types(Role.CLIENT) and bool(transcript.tickets)


PING = Step(b"ping\n", _talked)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime() as made:
        yield made


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key in one file, for the suites that take an RSA key."""
    file = tmp_path_factory.mktemp("rsa") / "rsa.pem"
    make = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*make, "-keyout", f"{file}.key", "-out", file], check=True, capture_output=True)
    file.write_text(file.read_text() + file.with_name("rsa.pem.key").read_text())
    return file


def test_each_suite_that_openssl_lists_is_known() -> None:
    listed = subprocess.run([OPENSSL, "ciphers", "-V", "-stdname", ALL], check=True, capture_output=True, text=True)
    lines = [line.split() for line in listed.stdout.splitlines()]
    found = {int(words[0].replace("0x", "").replace(",", ""), 16): words[2] for words in lines}

    assert len(found) > 100
    assert found == {number: NAMES.get(number) for number in found}


def test_each_suite_of_each_build_is_known_by_its_name(machine: tuple[Machine, Runtime]) -> None:
    builds = [build_for("openssl"), *machine[0].fetched("openssl").values()]
    unknown = {}
    for build in builds:
        assert isinstance(build, Build)
        assert build.openssl
        for list_of in (ALL, "ALL:COMPLEMENTOFALL"):  # 1.0.2 has no security levels
            argv, environment = [*build.openssl, "ciphers", "-V", list_of], {**os.environ, **build.environment}
            listed = subprocess.run(argv, env=environment, check=False, capture_output=True, text=True)
            lines = [line.split() for line in listed.stdout.splitlines()]
            for number, _dash, name, *_ in lines:
                iana = int(number.replace("0x", "").replace(",", ""), 16)
                if name not in openssl_names(iana) or iana not in SUITES:
                    unknown[build.version, number] = name
            assert lines or list_of == ALL

    assert unknown == {}


def test_each_suite_of_each_libssl_is_known_by_its_name(machine: tuple[Machine, Runtime]) -> None:
    unknown: dict[tuple[str, int], str] = {}
    for build in (build_for("libssl"), *machine[0].fetched("libssl").values()):
        assert isinstance(build, Build)
        argv = [*(build.python or (sys.executable,)), LIST_CIPHERS, str(build.libcrypto), str(build.libssl)]
        environment = {**os.environ, **build.environment}
        listed = subprocess.run(argv, env=environment, check=True, capture_output=True, text=True).stdout.splitlines()
        assert len(listed) > 100
        named = [(int(number), name) for number, name in map(str.split, listed)]
        unknown |= {
            (build.version, number): name
            for number, name in named
            if name not in openssl_names(number) or number not in SUITES
        }

    assert unknown == {}


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0x001F, "KRB5-DES-CBC3-SHA"),
        (0x0025, "KRB5-IDEA-CBC-MD5"),
        (0x0042, "DH-DSS-CAMELLIA128-SHA"),
        (0x0086, "DH-RSA-CAMELLIA256-SHA"),
        (0x0098, "DH-RSA-SEED-SHA"),
        (0xC00B, "ECDH-RSA-NULL-SHA"),
    ],
)
def test_suite_that_only_102_offers_has_its_name(number: int, name: str) -> None:
    assert name in openssl_names(number)


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        (0x1301, (Aead.AES_GCM, None, "", 16, "sha256", 16)),
        (0x1302, (Aead.AES_GCM, None, "", 32, "sha384", 16)),
        (0x1303, (Aead.CHACHA20_POLY1305, None, "", 32, "sha256", 16)),
        (0x1304, (Aead.AES_CCM, None, "", 16, "sha256", 16)),
        (0x1305, (Aead.AES_CCM, None, "", 16, "sha256", 8)),
        (0xC0AF, (Aead.AES_CCM, None, "", 32, "sha256", 8)),
        (0xC05D, (None, None, "", 32, "sha384", 16)),
        (0xC0B5, (None, None, "", 32, "sha384", 48)),
        (0x0005, (None, Bulk.RC4, "sha1", 16, "sha256", 16)),
        (0x000A, (None, Bulk.TRIPLE_DES_CBC, "sha1", 24, "sha256", 16)),
        (0x002F, (None, Bulk.AES_CBC, "sha1", 16, "sha256", 16)),
        (0xC073, (None, Bulk.CAMELLIA_CBC, "sha384", 32, "sha384", 16)),
        (0xC038, (None, Bulk.AES_CBC, "sha384", 32, "sha384", 16)),
    ],
)
def test_a_name_says_how_records_are_sealed(number: int, parts: tuple[object, ...]) -> None:
    assert SUITES[number][1:] == parts


@pytest.mark.parametrize(("cipher", "opened"), TLS12.items())
def test_each_kind_of_tls12_suite_is_judged(runtime: Runtime, rsa: Path, cipher: str, *, opened: bool) -> None:
    chosen = ("-cipher", f"{cipher}:@SECLEVEL=0", *(("-psk", "c0ffee") if "PSK" in cipher else ()))
    with Programs(runtime, "-tls1_2", "-dcert", str(rsa), "-dkey", str(rsa), *chosen) as programs:
        chunks = programs.client(*chosen, steps=(PING,))
    transcript = read(chunks, programs.keylog)

    assert transcript.server_hellos[0].cipher_suite in SUITES
    assert transcript.decrypted is opened
    assert judge(transcript).view.saw is Saw.FULL


def test_ccm_8_of_tls13_is_read(runtime: Runtime) -> None:
    chosen = ("-ciphersuites", CCM_8, "-cipher", "DEFAULT:@SECLEVEL=0")
    with Programs(runtime, "-tls1_3", *chosen) as programs:
        chunks = programs.client(*chosen, steps=(PING,))
    transcript = read(chunks, programs.keylog)

    assert NAMES[transcript.server_hellos[0].cipher_suite] == CCM_8
    assert transcript.decrypted
    assert judge(transcript).view.saw is Saw.FULL
    assert judge(read(chunks)).view.saw is Saw.FULL


@pytest.mark.parametrize("suite", [CCM_8, "TLS_AES_256_GCM_SHA384"])
def test_a_client_without_a_certificate_is_aborted_by_the_servers_alert(runtime: Runtime, suite: str) -> None:
    chosen = ("-ciphersuites", suite, "-cipher", "DEFAULT:@SECLEVEL=0")
    with Programs(runtime, "-tls1_3", "-Verify", "1", *chosen) as programs:
        refused = Step(b"", lambda transcript: bool(transcript.alerts))
        chunks = programs.client(*chosen, steps=(refused,))
    view = judge(read(chunks, programs.keylog)).view

    assert view.saw is Saw.ABORTED
    assert view.evidence == ("alert certificate_required (116) from the server",)
    assert judge(read(chunks)).view.saw is Saw.UNKNOWN


@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-RSA-CAMELLIA256-SHA384", "NULL-SHA256"])
def test_the_alert_of_a_server_is_read_beside_a_mac(runtime: Runtime, rsa: Path, cipher: str) -> None:
    chosen = ("-cipher", f"{cipher}:@SECLEVEL=0")
    with Programs(runtime, "-tls1_2", "-dcert", str(rsa), "-dkey", str(rsa), *chosen) as programs:
        chunks = programs.client(*chosen, steps=(Step(b"Q\n", lambda transcript: bool(transcript.alerts)),))
    transcript = read(chunks, programs.keylog)
    sealed = read(chunks)

    assert [alert.number for alert in transcript.alerts][:1] == [0]
    assert sealed.alerts == ()
    assert not sealed.decrypted


NO_ENCRYPT_THEN_MAC = 1 << 19
"""SSL_OP_NO_ENCRYPT_THEN_MAC (SSL_CTX_set_options(3)), for which Python has no name."""


@pytest.mark.parametrize("off", [0, NO_ENCRYPT_THEN_MAC])
@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"])
def test_a_mac_is_taken_before_and_after_the_encryption(tmp_path: Path, cipher: str, off: int) -> None:
    pair = Captures(tmp_path).pair(TLSVersion.TLSv1_2)
    for context in (pair.client, pair.server):
        context.set_ciphers(f"{cipher}:@SECLEVEL=0")
        context.options |= off
    capture = pair.connect()
    transcript = read(capture.chunks, capture.keylog)
    flipped = [replace(chunk, data=chunk.data[:-1] + bytes([chunk.data[-1] ^ 1])) for chunk in capture.chunks[-2:]]
    damaged = read([*capture.chunks[:-2], *flipped], capture.keylog)

    assert (22 in transcript.server_hellos[0].extensions) is (off == 0)
    assert transcript.decrypted
    assert transcript.misfits == {Role.CLIENT: 0, Role.SERVER: 0}
    assert damaged.misfits == {Role.CLIENT: 1, Role.SERVER: 1}


OLD = ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-NULL-SHA"]


@pytest.mark.parametrize("off", [0, NO_ENCRYPT_THEN_MAC])
@pytest.mark.parametrize("version", [TLSVersion.TLSv1, TLSVersion.TLSv1_1])
@pytest.mark.parametrize("cipher", OLD)
def test_all_records_of_tls10_and_tls11_are_read(tmp_path: Path, cipher: str, version: TLSVersion, off: int) -> None:
    pair = Captures(tmp_path).pair(version)
    for context in (pair.client, pair.server):
        context.set_ciphers(f"{cipher}:@SECLEVEL=0")
        context.options |= off
    first = pair.connect()
    second = pair.connect(first.session)
    transcript = read(second.chunks, second.keylog)

    assert judge(transcript).view.saw is Saw.RESUMED
    assert transcript.decrypted
    assert transcript.problem == ""
    assert transcript.server_hellos[0].version is version
    assert [alert.number for alert in transcript.alerts] == [0, 0]


def test_another_key_opens_no_record_of_tls10(tmp_path: Path) -> None:
    pair = Captures(tmp_path).pair(TLSVersion.TLSv1)
    for context in (pair.client, pair.server):
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    made = pair.connect()
    wrong = [f"{line[:-1]}{'0' if line[-1] != '0' else '1'}" for line in made.keylog]
    transcript = read(made.chunks, wrong)

    assert not transcript.decrypted
    assert transcript.alerts == ()
    assert judge(transcript).view.saw is Saw.FULL


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_under_a_suite_that_is_not_known_the_wire_is_unknown(runtime: Runtime, version: str) -> None:
    with Programs(runtime, version) as programs:
        transcript = read(programs.client(steps=(PING,)), programs.keylog)
    hellos = tuple(replace(hello, cipher_suite=0xFEFE) for hello in transcript.server_hellos)
    view = judge(replace(transcript, server_hellos=hellos)).view

    assert view.saw is Saw.UNKNOWN
    assert view.evidence == ("cipher suite 0xfefe is not known, nor how it seals records",)
