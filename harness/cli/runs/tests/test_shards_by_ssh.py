"""Two shards on two hosts, by GNU parallel over ssh, merge into the same cells as one run.

Both hosts are an sshd on a loopback port that the kernel chooses, with keys in a private folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import stretched

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
RESUMPTION = shlex.join([sys.executable, "-m", "harness.cli"])
NEEDED = {
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "parallel": "parallel",
    "rsync": "rsync",
}
"""Program and Debian package."""
REQUIRED = "RESUMPTION_SSH"
"""Set to ``required``, a program that is not there fails the test, in place of skipping it."""
CHOSEN = ["-k", "middlebox_compat", "--client=libssl", "--server=libssl"]
PRIVILEGES = Path("/run/sshd")
"""Where an sshd of root separates its privileges; Debian makes it when its service starts."""

pytestmark = pytest.mark.ssh


def program(name: str) -> str:
    """The path of a program; skips, or fails if REQUIRED says so, where there is none."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        reason = f"there is no {name}; install Debian's {NEEDED[name]}"
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class Host:
    """An sshd for each connection to one listening socket, as inetd starts it."""

    def __init__(self, sshd: str, config: Path) -> None:
        self._argv = [sshd, "-i", "-f", str(config), "-E", str(config.with_name("sshd.log"))]
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._serving: list[subprocess.Popen[bytes]] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the listening socket is shut down at the end
            while True:
                connection, _ = self._listening.accept()
                with connection:
                    descriptor = connection.fileno()
                    self._serving.append(subprocess.Popen(self._argv, stdin=descriptor, stdout=descriptor))

    def close(self) -> None:
        """Take no more connections, and end those that there are."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()
        for process in self._serving:
            process.terminate()
            process.wait()


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[str]:
    """The command of an ssh that reaches `first` and `second`."""
    programs = {name: program(name) for name in NEEDED}
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run([programs["ssh-keygen"], "-q", "-t", "ed25519", "-N", "", "-f", keys / name], check=True)
    if os.geteuid() == 0:
        PRIVILEGES.mkdir(mode=0o755, exist_ok=True)
    (keys / "sshd_config").write_text(
        f"HostKey {keys / 'host'}\nAuthorizedKeysFile {keys / 'user.pub'}\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nPidFile none\n"
    )
    host = Host(programs["sshd"], keys / "sshd_config")
    (keys / "known_hosts").write_text(f"[127.0.0.1]:{host.port} {(keys / 'host.pub').read_text()}")
    (keys / "config").write_text(
        f"Host first second\n  HostName 127.0.0.1\n  Port {host.port}\n  IdentityFile {keys / 'user'}\n"
        f"  IdentitiesOnly yes\n  UserKnownHostsFile {keys / 'known_hosts'}\n  HostKeyAlias [127.0.0.1]:{host.port}\n"
    )
    yield shlex.join([programs["ssh"], "-F", str(keys / "config")])
    host.close()


def ids(*folders: Path) -> list[tuple[str, str, str]]:
    """Scenario, cell and verdict of each cell of some runs."""
    runs = [json.loads((folder / "results.json").read_text()) for folder in folders]
    return sorted((cell["scenario"], cell["cell"], cell["verdict"]) for run in runs for cell in run["cells"])


def test_two_shards_by_ssh_merge_into_the_cells_of_one_run(ssh: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PARALLEL_SSH": ssh, "HOME": str(tmp_path)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    chosen = shlex.join(CHOSEN)
    shard = f"RESUMPTION_SHARD={{}}/2 {RESUMPTION} run {chosen} -n0 --results $here/shard-{{}}"
    argv = ["parallel", "--will-cite", "--joblog", "jobs", "-S", "1/first,1/second", "--workdir", "..."]
    argv += ["--return", "shard-{}", "--cleanup", f"here=$PWD; cd {shlex.quote(str(ROOT))}; {shard}", ":::", "1", "2"]
    sharded = subprocess.run(
        argv,
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=stretched(120),
    )
    assert sharded.returncode == 0, sharded.stdout + sharded.stderr
    whole = subprocess.run(
        [*shlex.split(RESUMPTION), "run", *CHOSEN, "-n0", f"--results={tmp_path / 'whole'}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=stretched(120),
    )
    assert whole.returncode == 0, whole.stdout + whole.stderr

    hosts = [line.split("\t")[1] for line in (tmp_path / "jobs").read_text().splitlines()[1:]]
    shards = [tmp_path / "shard-1", tmp_path / "shard-2"]
    assert sorted(host.removeprefix("1/") for host in hosts) == ["first", "second"]
    assert [json.loads((one / "results.json").read_text())["shard"] for one in shards] == ["1/2", "2/2"]
    assert all(ids(one) for one in shards)
    merged = subprocess.run(
        [*shlex.split(RESUMPTION), "report", *map(str, shards), "-o", str(tmp_path / "merged")],
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert merged.returncode == 0, merged.stdout + merged.stderr
    assert ids(tmp_path / "merged") == ids(tmp_path / "whole")
