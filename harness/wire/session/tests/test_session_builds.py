"""Every field that `openssl sess_id -text` prints is the decoded one, with the program of each build that is here."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness.builds.store import BuildStore
from harness.builds.system import Missing, build_for
from harness.builds.versions import build_version
from harness.cli import main
from harness.model.errors import stretched
from harness.tests.live_sessions import program, taken_by_client
from harness.wire.session import der as asn1
from harness.wire.session import structure
from harness.wire.session.codec import decode, from_pem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.model.build import Build
    from harness.tests.live_sessions import Live
    from harness.wire.session.der import Element


def programs() -> dict[str, Build]:
    """The program of the machine, and those of the fetched builds."""
    own = build_for("openssl")
    return {**BuildStore().serving("openssl"), **({} if isinstance(own, Missing) else {own.version: own})}


PROGRAMS = programs()
OLD = ("-cipher", "DEFAULT:@SECLEVEL=0")
"""A security level at which TLS 1.0 and 1.1 are spoken."""
KEY = ("-psk", "0123456789abcdef")
MADE = {
    "TLS 1.0": (("-tls1", *OLD), ("-tls1", *OLD)),
    "TLS 1.1": (("-tls1_1", *OLD), ("-tls1_1", *OLD)),
    "TLS 1.2 id": (("-no_ticket",), ("-tls1_2",)),
    "TLS 1.2 ticket": ((), ("-tls1_2",)),
    "TLS 1.3": ((), ("-tls1_3",)),
    "PSK": (
        (*KEY, "-psk_hint", "a hint", "-tls1_2", "-cipher", "PSK"),
        (*KEY, "-psk_identity", "someone", "-tls1_2", "-cipher", "PSK"),
    ),
}
"""Options of s_server and s_client for each kind of session."""


def with_field(der: bytes, tag: int, value: Element) -> bytes:
    """The session with another field in the place of its tag."""
    elements = structure.read(der)
    start = len(structure.MANDATORY)
    fields = {element.tag: element for element in elements[start:]} | {tag: asn1.explicit(tag, value)}
    return structure.write([*elements[:start], *(fields[tag] for tag in sorted(fields))])


def with_protocol(der: bytes, number: int) -> bytes:
    """The session with another ssl_version."""
    elements = list(structure.read(der))
    elements[1] = asn1.integer(number)
    return structure.write(elements)


WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "SSLv3": lambda der: with_protocol(der, 0x0300),
    "DTLS 1.0": lambda der: with_protocol(der, 0xFEFF),
    "DTLS 1.2": lambda der: with_protocol(der, 0xFEFD),
    "SRP": lambda der: with_field(der, 12, asn1.octet_string(b"someone")),
    "PSK identity and hint": lambda der: with_field(
        with_field(der, 7, asn1.octet_string(b"hint")), 8, asn1.octet_string(b"who")
    ),
    "compression": lambda der: with_field(der, 11, asn1.octet_string(b"\x40")),
    "verify result": lambda der: with_field(der, 5, asn1.integer(10)),
}
"""Sessions of what is seldom built: a session of TLS 1.2 with another protocol or one more field."""


@dataclass(frozen=True)
class Printed:
    """What ``sess_id -text`` of one build prints of a session."""

    text: str

    def __getitem__(self, label: str) -> str:
        found = re.search(rf"^ *{re.escape(label)} *: ?(.*)$", self.text, re.MULTILINE)
        return found[1] if found else ""

    @property
    def ticket(self) -> str:
        """As hex; a line is ``0000 - 16 bytes   the same as text``."""
        rows = re.findall(r"^ +[0-9a-f]{4,} - ((?:[0-9a-f]{2}[ -]?)+)  ", self.text, re.MULTILINE)
        return re.sub(r"[ -]", "", "".join(rows))


ADDED = {"[19]": "3.0", "[20]": "3.2"}
"""kex_group and peer_rpk, and the first release that knows each: one before it cannot read such a session at all."""


def readable(der: bytes, build: Build) -> bytes:
    """The session without the fields that the build does not know."""
    unknown = {name for name, since in ADDED.items() if build_version(build.version) < build_version(since)}
    return structure.write(element for element in structure.read(der) if element.name not in unknown)


def printed(build: Build, der: bytes) -> Printed:
    """CalledProcessError where the build cannot read the session."""
    argv = [*(build.openssl or ()), "sess_id", "-inform", "DER", "-text", "-noout"]
    environment = {**os.environ, **build.environment}
    done = subprocess.run(argv, input=der, capture_output=True, check=True, timeout=stretched(20), env=environment)
    return Printed(done.stdout.decode())


def differing(der: bytes, shown: Printed) -> Iterator[str]:
    """Each line that says something else than the decoded session."""
    session = decode(der)
    empty = "None"
    expected = {
        "Protocol": session.protocol,
        "Session-ID": session.session_id.hex().upper(),
        "Session-ID-ctx": session.session_id_context.hex().upper(),
        "PSK identity": session.psk_identity.decode() or empty,
        "PSK identity hint": session.psk_identity_hint.decode() or empty,
        "SRP username": session.srp_username.decode() or empty,
        "TLS session ticket lifetime hint": f"{session.lifetime_hint} (seconds)" if session.lifetime_hint else "",
        "Compression": str(session.compression) if session.compression else "",
        "Start Time": str(session.time),
        "Timeout": f"{session.timeout} (sec)",
        "Max Early Data": str(session.max_early_data) if session.protocol == "TLSv1.3" else "",
    }
    if "Extended master secret" in shown.text:
        expected["Extended master secret"] = "yes" if session.extended_master_secret else "no"
    yield from (
        f"{label}: {shown[label]!r}, decoded {value!r}" for label, value in expected.items() if shown[label] != value
    )
    secret = shown["Master-Key"] + shown["Resumption PSK"]
    if len(secret) != 2 * session.master_key_length:
        yield f"master key of {len(secret) // 2} bytes, decoded {session.master_key_length}"
    if shown.ticket != session.ticket.hex():
        yield f"ticket {shown.ticket}, decoded {session.ticket.hex()}"
    if shown["Verify return code"].split()[0] != str(session.verify_result):
        yield f"verify result {shown['Verify return code']}, decoded {session.verify_result}"


@pytest.fixture(scope="module")
def made(live: Live) -> dict[str, bytes]:
    """A session of each kind, made by the machine's own OpenSSL or, of a protocol that few have, written."""
    real = {kind: from_pem(taken_by_client(live.runtime, *options)) for kind, options in MADE.items()}
    return {**real, **{kind: write(real["TLS 1.2 ticket"]) for kind, write in WRITTEN.items()}}


@pytest.mark.parametrize("kind", [*MADE, *WRITTEN])
@pytest.mark.parametrize("version", PROGRAMS)
def test_decoded_fields_are_those_that_each_build_prints(made: dict[str, bytes], version: str, kind: str) -> None:
    der = readable(made[kind], PROGRAMS[version])

    assert list(differing(der, printed(PROGRAMS[version], der))) == []


def test_a_psk_session_reports_its_identity(made: dict[str, bytes]) -> None:
    assert decode(made["PSK"]).psk_identity == b"someone"


def test_a_difference_is_seen(made: dict[str, bytes]) -> None:
    other = with_field(made["SRP"], 12, asn1.octet_string(b"another"))
    build = next(iter(PROGRAMS.values()))

    assert list(differing(other, printed(build, readable(made["SRP"], build)))) == [
        "SRP username: 'someone', decoded 'another'"
    ]


def between(low: str, high: str) -> Build | None:
    """The newest program that is here from one release up to another."""
    found = [v for v in PROGRAMS if build_version(low) <= build_version(v) < build_version(high)]
    return PROGRAMS[max(found, key=build_version)] if found else None


@pytest.fixture(scope="module")
def srp(live: Live) -> bytes:
    """The session of a real user of SRP. s_server -srpvfile serves none since 3.0 (openssl/openssl#32566)."""
    build = between("1.1.0", "3.0")
    if build is None:
        pytest.skip("no program from 1.1.0 to 1.1.1 is here; run: resumption builds fetch --provider debian 1.1.1w")
    users = live.runtime.path(".srpv")
    users.touch()
    add = [*program(build), "srp", "-add", "-srpvfile", str(users), "-passout", "pass:word", "-gn", "2048", "someone"]
    environment = {**os.environ, **build.environment}
    subprocess.run(add, capture_output=True, check=True, timeout=stretched(20), env=environment)
    suites = ("-tls1_2", "-cipher", "SRP")
    user = ("-srpuser", "someone", "-srppass", "pass:word")
    return from_pem(taken_by_client(live.runtime, ("-srpvfile", str(users), *suites), (*user, *suites), build))


@pytest.fixture(scope="module")
def raw_key(live: Live) -> bytes:
    """The session of a real client that got a raw public key instead of a certificate (RFC 7250)."""
    build = between("3.2", "9")
    if build is None:
        pytest.skip("no program since 3.2 is here; run: resumption builds fetch --provider debian 3.5")
    options = ("-enable_server_rpk", "-tls1_3")
    return from_pem(taken_by_client(live.runtime, options, options, build))


def test_a_real_session_of_srp_has_its_user(srp: bytes) -> None:
    session = decode(srp)

    assert session.srp_username == b"someone"
    assert session.peer_certificate == b""
    assert session.unknown_fields == ""


def test_a_real_raw_public_key_is_the_servers(live: Live, raw_key: bytes) -> None:
    certificate = x509.load_pem_x509_certificate(live.runtime.pki.issued("server").certificate.read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    session = decode(raw_key)

    assert session.peer_rpk == key
    assert session.peer_certificate == b""
    assert session.unknown_fields == ""


@pytest.mark.parametrize("kind", ["srp", "raw_key"])
@pytest.mark.parametrize("version", PROGRAMS)
def test_each_build_prints_the_same_of_a_real_session(request: pytest.FixtureRequest, version: str, kind: str) -> None:
    der = readable(request.getfixturevalue(kind), PROGRAMS[version])

    assert list(differing(der, printed(PROGRAMS[version], der))) == []


@pytest.mark.parametrize(("kind", "says"), [("srp", "srp_username.*someone"), ("raw_key", "peer_rpk.*91 bytes")])
def test_the_command_shows_what_is_special_of_a_real_session(
    request: pytest.FixtureRequest,
    live: Live,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    says: str,
) -> None:
    file = live.runtime.path(".der")
    file.write_bytes(request.getfixturevalue(kind))

    assert main(["session", str(file)]) == 0
    assert re.search(says, capsys.readouterr().out)


def test_a_field_that_no_openssl_writes_is_named(live: Live) -> None:
    odd = with_field(live.der("tls13"), 33, asn1.octet_string(b"\x01"))

    assert decode(odd).unknown_fields == "[33]=040101"
