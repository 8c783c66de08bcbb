"""On real products: the same ticket keys cure two back ends, and a ticket key of zeros is found."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import UnsupportedError
from harness.model.probe import Topic
from harness.model.tls import TLSVersion
from harness.probe.program import Programs
from harness.probe.tests.probers import answer
from harness.tests import products
from harness.tests.real_servers import balanced

if TYPE_CHECKING:
    from pathlib import Path

    from harness.probe.tests.probers import Prober
    from harness.runtime.pki import Issued

V13 = (TLSVersion.TLSv1_3,)
FORGED = "ANYBODY CAN FORGE TICKETS"
FLAGS = {"apache": "ANYBODY CAN DECRYPT THE CONNECTIONS"}
"""Where a key of zeros shows itself in another way: Apache authenticates its tickets with another one."""


def haproxy_keys(folder: Path, key: bytes) -> str:
    """The setting for a file with three times this key."""
    file = folder / f"{key[:4].hex()}.keys"
    file.write_text("".join(f"{base64.b64encode(key).decode()}\n" for _ in range(3)))
    return f"tls-ticket-keys {file}"


def apache_key(folder: Path, key: bytes) -> str:
    """The setting for a file with this key."""
    file = folder / f"{key[:4].hex()}.key"
    file.write_bytes(key)
    return f"SSLSessionTicketKeyFile {file}"


def node_key(key: bytes, more: str = "") -> str:
    """The options with this key, and more of them."""
    return f"{{ticketKeys: Buffer.from('{key[:48].hex()}', 'hex'), {more}}}"


SERVERS: dict[str, Callable[[Path, Issued, bytes], AbstractContextManager[str]]] = {
    "haproxy": lambda folder, issued, key: products.haproxy(folder / "haproxy", issued, bind=haproxy_keys(folder, key)),
    "apache": lambda folder, issued, key: products.apache(folder / "apache", issued, apache_key(folder, key[:48])),
    "node": lambda folder, issued, key: products.node(
        folder / "node", issued, node_key(key, "sessionIdContext: 'site'")
    ),
    "gnutls": lambda folder, issued, key: products.gnutls(folder / "gnutls", issued, key[:64]),
    "go": lambda folder, issued, key: products.go(folder / "go", issued, "random" if any(key) else "zero"),
}
"""Each with this ticket key."""


@pytest.mark.parametrize("known", [True, False], ids=["zero", "random"])
@pytest.mark.parametrize("name", sorted(SERVERS))
def test_a_ticket_key_of_zeros_is_found(prober: Prober, tmp_path: Path, name: str, *, known: bool) -> None:
    key = bytes(80) if known else os.urandom(80)
    with SERVERS[name](tmp_path, prober.runtime.pki.issued("server"), key) as address:
        done = prober(address, offers=1)

    flags = {one.label: one.flag for one in done.answers if one.topic is Topic.TICKET_CONTENTS}
    assert set(flags) == {"TLS 1.3", "TLS 1.2 ticket"}
    assert set(flags.values()) == {FLAGS.get(name, FORGED) if known else ""}


def two(prober: Prober, folder: Path, name: str, keys: tuple[bytes, bytes]) -> tuple[str, str]:
    """The flag and the change of a probe of two servers with these ticket keys behind a round robin."""
    issued = prober.runtime.pki.issued("server")
    with ExitStack() as stack:
        ends = []
        for place, key in enumerate(keys):
            (folder / str(place)).mkdir()
            ends.append(stack.enter_context(SERVERS[name](folder / str(place), issued, key)))
        done = prober(stack.enter_context(balanced(*ends)), versions=V13, software=name)
    found = answer(done, Topic.RESUMPTION)
    return found.flag, found.change


@pytest.mark.parametrize(
    ("name", "setting"),
    [("haproxy", "tls-ticket-keys"), ("node", "ticketKeys")],
)
def test_the_same_keys_cure_two_of_a_product(prober: Prober, tmp_path: Path, name: str, setting: str) -> None:
    one, other = os.urandom(80), os.urandom(80)
    (tmp_path / "apart").mkdir()
    (tmp_path / "same").mkdir()

    flag, change = two(prober, tmp_path / "apart", name, (one, other))
    assert flag == "NOT SHARED: 2 ticket keys behind this address"
    assert setting in change
    assert two(prober, tmp_path / "same", name, (one, one)) == ("", "")


def test_two_of_node_also_need_the_same_session_id_context(prober: Prober, tmp_path: Path) -> None:
    """Node makes the context of its command line, in which two processes differ by their port, say."""
    issued, options = prober.runtime.pki.issued("server"), node_key(os.urandom(48))
    with (
        products.node(tmp_path / "one", issued, options) as one,
        products.node(tmp_path / "other", issued, options) as other,
        balanced(one, other) as address,
    ):
        found = answer(prober(address, versions=V13, software="node"), Topic.RESUMPTION)

    assert found.flag == "NOT SHARED: accepted at each 2nd connection"
    assert "the same option sessionIdContext" in found.change


Start = Callable[["Path", "Issued"], AbstractContextManager[str]]
NEVER = "ISSUED, NEVER ACCEPTED"
NO_TICKET = "{secureOptions: crypto.constants.SSL_OP_NO_TICKET}"


def haproxy(settings: str = "", bind: str = "") -> Start:
    """One with these settings."""
    return lambda folder, issued: products.haproxy(folder / "it", issued, settings, bind)


def apache(settings: str) -> Start:
    """One with these settings."""
    return lambda folder, issued: products.apache(folder / "it", issued, settings)


def node(options: str) -> Start:
    """One with these options."""
    return lambda folder, issued: products.node(folder / "it", issued, options)


def go(keys: str) -> Start:
    """One with these keys."""
    return lambda folder, issued: products.go(folder / "it", issued, keys)


CURES: dict[str, tuple[Start, str, str, Start]] = {
    "haproxy-tickets": (
        haproxy("tune.ssl.cachesize 0", "no-tls-tickets"),
        NEVER,
        "leave out no-tls-tickets",
        haproxy("tune.ssl.cachesize 0"),
    ),
    "haproxy-cache": (
        haproxy("tune.ssl.cachesize 0", "no-tls-tickets"),
        NEVER,
        "or raise tune.ssl.cachesize",
        haproxy("tune.ssl.cachesize 1000", "no-tls-tickets"),
    ),
    "apache-tickets": (
        apache("SSLSessionTickets off\nSSLSessionCache none"),
        NEVER,
        "SSLSessionTickets on",
        apache("SSLSessionTickets on\nSSLSessionCache none"),
    ),
    "apache-cache": (
        apache("SSLSessionTickets off\nSSLSessionCache none"),
        NEVER,
        "or SSLSessionCache shmcb:",
        apache("SSLSessionTickets off\nSSLSessionCache shmcb:cache(512000)"),
    ),
    "node": (node(NO_TICKET), NEVER, "leave SSL_OP_NO_TICKET out of secureOptions", node("{}")),
    "go": (go("off"), "ISSUES NONE", "leave tls.Config.SessionTicketsDisabled false", go("random")),
}
"""A server that does not resume, what the probe says of it, the setting to change, and the server after the change."""


@pytest.mark.parametrize("name", sorted(CURES))
def test_the_change_that_is_named_cures_the_product(prober: Prober, tmp_path: Path, name: str) -> None:
    bad, flag, setting, good = CURES[name]
    issued, software = prober.runtime.pki.issued("server"), name.partition("-")[0]
    with bad(tmp_path, issued) as address:
        found = answer(prober(address, offers=1, versions=V13, software=software), Topic.RESUMPTION)
    (tmp_path / "cured").mkdir(mode=0o755)
    with good(tmp_path / "cured", issued) as address:
        cured = answer(prober(address, offers=1, versions=V13, software=software), Topic.RESUMPTION)

    assert found.flag == flag
    assert setting in found.change
    assert (cured.flag, cured.holds["resumes"]) == ("", True)


@pytest.mark.parametrize(
    ("name", "setting"),
    [("stunnel", "same ticketKeySecret and ticketMacSecret"), ("apache", "SSLSessionTicketKeyFile")],
)
def test_the_same_keys_cure_two_programs_behind_a_balancer(prober: Prober, name: str, setting: str) -> None:
    found = []
    for shared in (False, True):
        try:
            with Programs(name, behind=2, shared_keys=shared, runtime=prober.runtime, versions=V13) as server:
                found.append(answer(server.ask(offers=14, software=name), Topic.RESUMPTION))
        except UnsupportedError as error:
            pytest.skip(f"UNSUPPORTED: {error}")

    assert found[0].flag == "NOT SHARED: 2 ticket keys behind this address"
    assert setting in found[0].change
    assert (found[1].flag, found[1].change) == ("", "")
