"""A server program is started on loopback as a test wants it, says what it lacks, and leaves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.model.errors import EndpointError, UnsupportedError, UsageError
from harness.model.tls import Outcome
from harness.probe.program import Programs
from harness.runtime.runtime import Runtime
from harness.stacks.programs.apart import LACKS
from harness.stacks.programs.products import PRODUCTS, Product, Site, Start, Wanted
from harness.stacks.programs.program import Program, found

if TYPE_CHECKING:
    from pathlib import Path

    from harness.stacks.programs.products import Place


def made(name: str) -> Programs:
    """The server; skips where its program is not installed."""
    try:
        return Programs(name)
    except UnsupportedError as error:
        pytest.skip(f"UNSUPPORTED: {error}")


@pytest.mark.parametrize("name", PRODUCTS)
def test_it_listens_on_loopback_alone_and_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = set(psutil.Process().children(recursive=True))
    with made(name) as server:
        (one,) = server.programs
        assert server.connect().outcome is Outcome.FULL
        processes = [one for one in psutil.Process().children(recursive=True) if one not in before]
        listening = {
            tuple(place.laddr)
            for place in psutil.net_connections("tcp")  # of this network: some programs have one of their own
            if place.status == psutil.CONN_LISTEN and one.port in place.laddr
        }
        assert one.label.partition("@")[0] == name

    assert listening == {("127.0.0.1", one.port)}
    assert psutil.wait_procs(processes, 10)[1] == []
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_a_network_of_its_own_is_unsupported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "apart.py"
    script.write_text(f"import sys; sys.stderr.write('not permitted'); sys.exit({LACKS})")
    monkeypatch.setattr("harness.stacks.programs.program.APART", script)
    monkeypatch.setattr("harness.stacks.programs.program.found", lambda _product: "gnutls-serv")
    monkeypatch.setattr("harness.stacks.programs.program.version_of", lambda _product, _program, _group: "")

    with pytest.raises(UnsupportedError, match="gnutls-serv lacks a port on loopback alone: not permitted"):
        Programs("gnutls-serv")


@pytest.mark.parametrize("name", PRODUCTS)
def test_what_is_not_installed_names_the_package(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name, path: None)  # noqa: ARG005 - as shutil.which

    with pytest.raises(UnsupportedError, match=f"install it: apt install {PRODUCTS[name].package}"):
        found(PRODUCTS[name])


def test_a_program_that_does_not_start_says_why() -> None:
    def wrong(_wanted: Wanted, place: Place) -> Start:
        return Start({"wrong": ""}, ("s_server", "-accept", f"127.0.0.1:{place.port}", "-cert", "/no/such/file"))

    product = Product("wrong", ("openssl",), "openssl", ("version", "OpenSSL "), wrong)
    with Runtime() as runtime:
        wanted = Wanted(sites=(Site("localhost", runtime.pki.issued("server")),))
        said = r"wrong@\d\S*: does not start; it ended with exit code 1\n(.|\n)*/no/such/file"
        with pytest.raises(EndpointError, match=said):
            Program(product, wanted, runtime)


def test_a_server_that_ended_is_said_with_what_it_printed() -> None:
    with Programs("s_server-rev") as server:
        assert server.connect().outcome is Outcome.FULL
        (process,) = [one for one in psutil.Process().children() if "s_server" in one.cmdline()]
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        said = r"s_server-rev@\d\S*: refuses a connection \(.*\); it was killed by SIGKILL\n(.|\n)*ACCEPT"
        with pytest.raises(EndpointError, match=said):
            server.connect()


RESERVES = """
import errno, socket, sys
from pathlib import Path
from harness.stacks.programs import apart
from harness.stacks.programs.program import reserved

try:
    apart.enter()
except OSError as error:
    sys.exit(f"UNSUPPORTED: {error}")
Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 40001")
with reserved() as bound, socket.create_server(("127.0.0.1", 0)) as chosen:
    print(sorted((bound.getsockname()[1], chosen.getsockname()[1])))
    try:
        socket.create_server(("127.0.0.1", 0))
    except OSError as error:
        print(errno.errorcode[error.errno])
    with socket.create_server(bound.getsockname()):
        print("listens")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="UNSUPPORTED: Linux alone has such networks")
def test_a_reserved_port_is_given_to_nobody_but_who_asks_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", RESERVES], capture_output=True, text=True, check=False, timeout=60)
    if done.stderr.startswith("UNSUPPORTED"):
        pytest.skip(done.stderr)

    assert done.stdout.splitlines() == ["[40000, 40001]", "EADDRINUSE", "listens"]


def test_what_does_not_exist_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no server program 'caddy'; there are: nginx, haproxy, apache, stunnel"):
        Programs("caddy")
    with pytest.raises(UsageError, match="no cache 'big'; it can be: none, builtin, shared"):
        Programs("nginx", cache="big")
