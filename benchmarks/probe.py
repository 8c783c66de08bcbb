"""What `resumption probe` says of servers that are set up here, beside sslyze and testssl.sh, and what it costs.

`python -m benchmarks.probe` starts each set-up on loopback and asks all three in turn. `--sslyze` and `--testssl` name
their programs, `--setup` is a glob of set-ups. What is missing says so.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.explain.probing.expectations import unmet
from harness.model.errors import HarnessError
from harness.model.probe import LABELS
from harness.model.tls import Mechanism
from harness.probe.probing import Wanted, probe
from harness.runtime.address import target
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine
from harness.tests import products, real_servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from harness.model.probe import Probe
    from harness.runtime.pki import Issued

    Starts = Callable[[Path, Issued], AbstractContextManager[str]]

DEADLINE = 300.0
ALWAYS, SOME, NEVER = "always", "some", "never"
SEED = 1
KEYS = os.urandom(80)
GOOD = {"shared": True, "single-key": True, "single-use": False, "no-early-data": True, "sound-tickets": True}
"""By the words of `--expect`, whether they hold, where nothing is out of order."""
FULLY = {"FULLY_SUPPORTED": ALWAYS, "PARTIALLY_SUPPORTED": SOME, "NOT_SUPPORTED": NEVER}
"""The words of sslyze."""


@dataclass(frozen=True)
class Setup:
    """Servers, and what is known of them because they were configured so."""

    name: str
    starts: Starts
    resumes: tuple[str, str, str]
    """In TLS 1.3, by TLS 1.2 ticket, by TLS 1.2 session id."""
    known: dict[str, bool] = field(default_factory=dict)

    def right(self, done: Probe) -> tuple[int, int]:
        """How many answers of a probe are right, and how many were asked for."""
        found = list(zip(resumed(done), self.resumes, strict=True))
        words = {word: not unmet(done, [word]) for word in self.known}
        found += [(str(words[word]), str(holds)) for word, holds in self.known.items()]
        return sum(seen == known for seen, known in found), len(found)


def nginx(settings: str, key: bytes = b"") -> Starts:
    """One nginx with these settings, and with this ticket key if one is given."""

    def start(folder: Path, issued: Issued) -> AbstractContextManager[str]:
        lines = settings
        if key:
            file = folder / "ticket.key"
            file.write_bytes(key)
            lines += f" ssl_session_ticket_key {file};"
        return real_servers.nginx(folder / "nginx", issued, lines)

    return start


def behind(*starts: Starts) -> Starts:
    """Several servers behind a round-robin balancer."""

    @contextmanager
    def start(folder: Path, issued: Issued) -> Iterator[str]:
        with ExitStack() as stack:
            ends = []
            for place, one in enumerate(starts):
                (folder / str(place)).mkdir()
                ends.append(stack.enter_context(one(folder / str(place), issued)))
            yield stack.enter_context(real_servers.balanced(*ends))

    return start


def made(serve: Callable[..., AbstractContextManager[str]], *more: Any) -> Starts:
    """A product of the tests, in a folder of its own."""
    return lambda folder, issued: serve(folder / "it", issued, *more)


def s_server(*options: str) -> Starts:
    """`openssl s_server` with these options."""
    return lambda _folder, issued: real_servers.s_server(issued, *options)


OFF = "ssl_session_tickets off;"
SHARED = "ssl_session_cache shared:TLS:1m;"
SETUPS = (
    Setup("nginx, tickets", nginx(""), (ALWAYS, ALWAYS, NEVER), GOOD),
    Setup("nginx, no tickets, no cache", nginx(OFF), (NEVER, NEVER, NEVER)),
    Setup("nginx, no tickets, shared cache", nginx(OFF + SHARED), (ALWAYS, NEVER, ALWAYS), {"shared": True}),
    Setup(
        "two nginx, a ticket key each",
        behind(nginx(""), nginx("")),
        (SOME, SOME, NEVER),
        GOOD | {"shared": False, "single-key": False},
    ),
    Setup("two nginx, one ticket key", behind(nginx("", KEYS), nginx("", KEYS)), (ALWAYS, ALWAYS, NEVER), GOOD),
    Setup(
        "two nginx, a cache each",
        behind(nginx(OFF + SHARED), nginx(OFF + SHARED)),
        (SOME, NEVER, SOME),
        {"shared": False},
    ),
    Setup("nginx, ticket key of zeros", nginx("", bytes(80)), (ALWAYS, ALWAYS, NEVER), GOOD | {"sound-tickets": False}),
    Setup(
        "nginx, early data",
        nginx("ssl_early_data on;"),
        (ALWAYS, ALWAYS, NEVER),
        GOOD | {"no-early-data": False, "no-replay": False},
    ),
    Setup("haproxy", made(products.haproxy), (ALWAYS, ALWAYS, ALWAYS), GOOD),
    Setup(
        "haproxy, no tickets, no cache",
        made(products.haproxy, "tune.ssl.cachesize 0", "no-tls-tickets"),
        (NEVER, NEVER, NEVER),
    ),
    Setup("Apache httpd", made(products.apache), (ALWAYS, ALWAYS, NEVER), GOOD),
    Setup(
        "Apache httpd, no tickets, shmcb",
        made(products.apache, "SSLSessionTickets off\nSSLSessionCache shmcb:cache(512000)"),
        (ALWAYS, NEVER, ALWAYS),
        {"shared": True},
    ),
    Setup("Node.js", made(products.node), (ALWAYS, ALWAYS, NEVER), GOOD),
    Setup("GnuTLS", made(products.gnutls), (ALWAYS, ALWAYS, NEVER), GOOD),
    Setup("Go", made(products.go), (ALWAYS, ALWAYS, NEVER), GOOD),
    Setup("Go, tickets off", made(products.go, "off"), (NEVER, NEVER, NEVER)),
    Setup("s_server", s_server("-www"), (ALWAYS, ALWAYS, ALWAYS), GOOD),
    Setup(
        "s_server -num_tickets 0", s_server("-www", "-num_tickets", "0"), (NEVER, ALWAYS, ALWAYS), {"resumes": False}
    ),
    Setup(
        "s_server, anti-replay",
        s_server("-early_data", "-tls1_3"),
        (SOME, NEVER, NEVER),  # each session once
        {"shared": True, "single-use": True, "no-early-data": False, "no-replay": True},
    ),
)


def resumed(done: Probe) -> list[str]:
    """What became of the offers of each mechanism."""
    found = {study.mechanism: study for study in done.studies}
    words = []
    for mechanism in (Mechanism.PSK, Mechanism.SESSION_TICKET, Mechanism.SESSION_ID):
        study = found[mechanism]
        words.append(NEVER if not study.accepted else ALWAYS if study.accepted == len(study.offers) else SOME)
    return words


def sslyze(path: str, address: str) -> str:
    """What sslyze says of tickets and session ids in TLS 1.2; it does not try TLS 1.3."""
    if not path:
        return "not here"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sslyze.json"
        run = [path, "--resum", f"--json_out={file}", address]
        subprocess.run(run, capture_output=True, timeout=DEADLINE, check=False)
        try:
            (scan,) = json.loads(file.read_text())["server_scan_results"]
            result = scan["scan_result"]["session_resumption"]["result"]
        except (OSError, ValueError, TypeError, KeyError):
            return "no answer"
    if result is None:
        return "no answer"
    names = ("tls_ticket_resumption_result", "session_id_resumption_result")
    return ", ".join(FULLY.get(result[name], result[name]) for name in names)


def testssl(path: str, address: str) -> str:
    """What testssl.sh says of tickets and session ids; its openssl tries each once, in TLS 1.3 where that is spoken."""
    if not path:
        return "not here"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "testssl.json"
        words = ("-S", "--quiet", "--fast", "--color", "0", "--warnings", "off", "--jsonfile", str(file), address)
        subprocess.run(
            [path, *words], capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False, cwd=folder
        )
        try:
            found = {one["id"]: one["finding"] for one in json.loads(file.read_text())}
        except (OSError, ValueError):
            return "no answer"
    short = {"supported": "yes", "not supported": "no"}
    names = ("sessionresumption_ticket", "sessionresumption_ID")
    return ", ".join(short.get(found.get(name, "?"), found.get(name, "?")) for name in names)


def processor() -> float:
    """Seconds of processor time of this process and of its children that are over."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


HEAD = ("set-up", *LABELS.values(), "right", "connections", "seconds", "of CPU", "sslyze", "testssl.sh")


def row(setup: Setup, options: argparse.Namespace) -> tuple[object, ...]:
    """The cells of a set-up."""
    with Runtime() as runtime, tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # for the workers of Apache httpd
        with setup.starts(Path(folder), runtime.pki.issued("server")) as address:
            before, begun = processor(), time.monotonic()
            machine = Machine(runtime)
            try:
                done = probe(runtime, machine.one("libssl"), target(address), Wanted(seed=SEED))
            finally:
                machine.close()
            took, cpu = time.monotonic() - begun, processor() - before
            others = sslyze(options.sslyze, address), testssl(options.testssl, address)
    right, asked = setup.right(done)
    return (*resumed(done), f"{right} of {asked}", done.connections, f"{took:.1f}", f"{cpu:.1f}", *others)


def main() -> None:
    """Print a row for each set-up."""
    options = argparse.ArgumentParser(description=__doc__)
    find = partial(shutil.which, path=f"{os.environ.get('PATH', '')}:{Path(sys.executable).parent}")
    options.add_argument("--sslyze", default=find("sslyze"), help="the program; pip install sslyze")
    options.add_argument("--testssl", default=find("testssl") or find("testssl.sh"), help="apt install testssl.sh")
    options.add_argument("--setup", default="*", help="only set-ups whose name this glob matches")
    given = options.parse_args()
    print("|", " | ".join(HEAD), "|")
    print("|---" * len(HEAD) + "|")
    for setup in [one for one in SETUPS if fnmatchcase(one.name, given.setup)]:
        try:
            found = row(setup, given)
        except pytest.skip.Exception as error:
            print(f"{setup.name}: {error.msg}", file=sys.stderr)
        except (HarnessError, subprocess.TimeoutExpired) as error:
            print(f"{setup.name}: {error}", file=sys.stderr)
        else:
            print("|", " | ".join(map(str, (setup.name, *found))), "|", flush=True)


if __name__ == "__main__":
    main()
