"""A server for strangers judges each connection of a real client by two witnesses, and says why it did not resume."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from harness.explain import explain
from harness.explain.proof.check import false_evidence
from harness.explain.rules import breaches_of
from harness.model.errors import DisagreementError, UnsupportedError, UsageError, stretched
from harness.model.knobs import CacheMode
from harness.model.reason import Reason
from harness.model.tls import USUAL_VERSIONS, Close, Mechanism, Outcome, TLSVersion
from harness.model.view import Saw
from harness.serve.served import Served
from harness.serve.tests.clients import RESUMES, python_client, run, serving
from harness.serve.visit import Manner

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

ECHO = """
import socket, ssl, sys
tls = ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
tls.sendall(b"hello\\n")
print(tls.recv(100))
"""
BOTH = pytest.mark.parametrize("tls", USUAL_VERSIONS)


def outcomes(served: Served) -> list[Outcome]:
    assert false_evidence(served.connections) == ()
    return [connection.outcome for connection in ordered(served)]


def ordered(served: Served) -> list[Connection]:
    return sorted(served.connections, key=lambda one: one.number)


def why(served: Served) -> list[tuple[Reason, ...]]:
    found = [explain(served.connections, connection) for connection in ordered(served)]
    return [explanation.reasons if explanation else () for explanation in found]


@BOTH
@pytest.mark.parametrize("stack", ["libssl", "pyopenssl", "ssl"])
def test_a_client_that_keeps_its_session_resumes(machine: tuple[Machine, Runtime], stack: str, tls: TLSVersion) -> None:
    with serving(machine, stack, versions=(tls,)) as served:
        run(served, python_client(served, 3, keeps=True), 3)

        assert outcomes(served) == [Outcome.FULL, Outcome.RESUMED, Outcome.RESUMED]
        assert [breaches_of(served.connections, connection) for connection in served.connections] == [()] * 3


@BOTH
def test_a_client_that_keeps_none_gets_the_reason(machine: tuple[Machine, Runtime], tls: TLSVersion) -> None:
    with serving(machine, versions=(tls,)) as served:
        run(served, python_client(served, 2, keeps=False), 2)

        assert outcomes(served) == [Outcome.FULL, Outcome.FULL]
        assert why(served) == [(), (Reason.NO_SESSION,)]


def test_a_new_server_declines_the_ticket_of_the_last(machine: tuple[Machine, Runtime]) -> None:
    with serving(machine, versions=(TLSVersion.TLSv1_3,)) as served:
        served.begun = lambda _number: served.restart()
        run(served, python_client(served, 2, keeps=True), 2)

        assert outcomes(served) == [Outcome.FULL, Outcome.DECLINED]
        assert why(served)[1] == (Reason.TICKET_KEY_UNKNOWN,)


def test_a_server_without_tickets_is_the_reason(machine: tuple[Machine, Runtime]) -> None:
    with serving(machine, versions=(TLSVersion.TLSv1_3,), num_tickets=0) as served:
        run(served, python_client(served, 2, keeps=True), 2)

        assert outcomes(served) == [Outcome.FULL, Outcome.FULL]
        assert why(served)[1] == (Reason.NO_TICKET_SENT,)


@pytest.mark.parametrize(
    ("knobs", "mechanism"),
    [
        ({"tickets": False}, Mechanism.SESSION_ID),
        ({"cache_mode": frozenset({CacheMode.OFF})}, Mechanism.SESSION_TICKET),
    ],
)
def test_s_client_reconnects_five_times_although_it_says_nothing(
    machine: tuple[Machine, Runtime], knobs: dict[str, Any], mechanism: Mechanism
) -> None:
    with serving(machine, versions=(TLSVersion.TLSv1_2,), **knobs) as served:
        argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{served.port}", "-reconnect"]
        printed = run(served, argv, 6)

        assert printed.count("Reused, TLSv1.2") == 5
        assert outcomes(served) == [Outcome.FULL, *[Outcome.RESUMED] * 5]
        assert {connection.mechanism for connection in ordered(served)[1:]} == {mechanism}


def test_a_stateful_ticket_is_seen_as_the_session_that_it_names(machine: tuple[Machine, Runtime]) -> None:
    with serving(machine, versions=(TLSVersion.TLSv1_3,), tickets=False) as served:
        run(served, python_client(served, 2, keeps=True), 2)
        first, second = ordered(served)

        assert second.outcome is Outcome.RESUMED
        assert second.offered in first.sessions


def test_lines_of_another_protocol_are_sent_back(machine: tuple[Machine, Runtime]) -> None:
    with serving(machine) as served:
        printed = run(served, [sys.executable, "-c", ECHO, str(served.port)], 1)

        assert outcomes(served) == [Outcome.FULL]
        assert printed == "b'hello\\n'\n"


def test_an_unclean_end_is_seen_as_one(machine: tuple[Machine, Runtime]) -> None:
    with serving(machine, manner=Manner(notifies=False)) as served:
        run(served, python_client(served, 1, keeps=False), 1)
        (only,) = served.connections

        assert only.close in {Close.EOF, Close.CLIENT_ONLY}


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello"])
def test_a_client_that_speaks_no_tls_is_an_aborted_connection(machine: tuple[Machine, Runtime], first: bytes) -> None:
    with serving(machine) as served:
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.sendall(first)
            client.shutdown(socket.SHUT_WR)
            served.wait(lambda: len(served.connections) == 1, "the connection", stretched(10))

        assert outcomes(served) == [Outcome.ABORTED]


def test_clients_are_served_side_by_side(machine: tuple[Machine, Runtime]) -> None:
    with serving(machine) as served:
        argv = python_client(served, 3, keeps=True)
        others = [subprocess.Popen(argv, stdout=subprocess.DEVNULL) for _ in range(3)]
        run(served, argv, 12)
        codes = [other.wait(stretched(10)) for other in others]

        assert codes == [0, 0, 0]
        assert sorted(outcomes(served)) == sorted([Outcome.FULL] * 4 + [Outcome.RESUMED] * 8)


def test_a_server_that_lies_is_caught_by_the_wire(machine: tuple[Machine, Runtime]) -> None:
    with serving(machine) as served:
        run(served, python_client(served, 1, keeps=False), 1)
        (only,) = served.connections
        lying = replace(only, server=replace(only.server, view=replace(only.server.view, saw=Saw.RESUMED)))

        with pytest.raises(DisagreementError, match=r"server .* resumed"):
            _ = lying.outcome


def test_a_client_is_no_witness_and_says_so(machine: tuple[Machine, Runtime]) -> None:
    with serving(machine) as served:
        run(served, python_client(served, 1, keeps=False), 1)
        (only,) = served.connections

        assert [view.witness.value for view in only.views] == ["server", "wire"]
        assert only.client.view.evidence == ("the harness does not drive this client",)


@pytest.mark.parametrize(("tls", "label"), [("dtls1.2", "DTLSv1.2"), ("quic", "QUICv1")])
def test_a_server_over_udp_is_refused(machine: tuple[Machine, Runtime], tls: str, label: str) -> None:
    with pytest.raises(UsageError, match=f"a server of {label} cannot be kept open"):
        serving(machine, versions=(TLSVersion(tls),)).__enter__()


def test_a_port_that_is_taken_is_named(machine: tuple[Machine, Runtime]) -> None:
    with serving(machine) as served, pytest.raises(UsageError, match=f"port {served.port} of 127.0.0.1 cannot be used"):
        Served(machine[0].one("libssl"), machine[1], port=served.port)


def test_s_server_cannot_serve_strangers(machine: tuple[Machine, Runtime]) -> None:
    with pytest.raises(UnsupportedError, match=r"lacks serving strangers: .*close_notify"):
        Served(machine[0].one("openssl"), machine[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_command_ends_at_a_signal_with_nothing_left(tmp_path: Path, number: signal.Signals) -> None:
    argv = [sys.executable, "-m", "harness.cli", "serve", "libssl"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as started:
        assert started.stdout is not None
        port = int(started.stdout.readline().split("localhost:")[1].split("/")[0])
        family = psutil.Process(started.pid).children(recursive=True)
        with socket.create_connection(("127.0.0.1", port)):
            started.send_signal(number)
            rest = started.stdout.read()

        assert started.wait(stretched(20)) == (-number if number is signal.SIGKILL else 0)
    assert rest.endswith("ended after 0 connections\n") is (number is not signal.SIGKILL)
    assert psutil.wait_procs(family, stretched(10))[1] == []
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_the_counters_of_the_server_are_shown_at_the_end() -> None:
    argv = [sys.executable, "-m", "harness.cli", "serve", "libssl", "--connections=3", "--server-set", "versions=1.2"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        port = started.stdout.readline().split("localhost:")[1].split("/")[0]
        authority = started.stdout.readline().split(": ")[1].strip()
        script = RESUMES.replace("KEEPS", "True")
        subprocess.run([sys.executable, "-c", script, port, authority, "3"], check=True, timeout=stretched(30))
        *_, connection, counters, more, end = started.stdout.read().splitlines()

    assert connection.startswith("Connection 3 was resumed by session_ticket")
    assert counters.startswith("Counters of the server: accept 3, accept_good 3, hits 2, misses 1, cache_size 20480")
    assert end == "ended after 3 connections"
    assert more.startswith("  ")
