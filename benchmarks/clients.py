"""What `resumption watch` says of the clients that this machine has, beside what is known of each.

`python -m benchmarks.clients` runs each client three times against each kind of server, one connection after another
where a client can make several. `--python` names an interpreter that has the libraries.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from harness.builds.store import BuildStore
from harness.model.errors import HarnessError
from harness.model.tls import Outcome
from harness.runtime.runtime import Runtime
from harness.serve.kinds import KINDS
from harness.serve.watching import Watched
from harness.stacks.machine import Machine
from harness.tests.products import PATH

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.serve.behaviour import Behaviour

DEADLINE = 120.0
BUILDS = ("1.1.1w", "4.0.3")
"""Fetched builds whose s_client is a client too."""
HTTP = """
import http.client, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
for _ in range(3):
    connection = http.client.HTTPSConnection("localhost", int(sys.argv[3]), context=context)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except OSError:
        pass
    connection.close()
"""
KEEPS = """
import socket, ssl, sys
context, session = ssl.create_default_context(cafile=sys.argv[2]), None
for _ in range(3):
    try:
        with socket.create_connection(("localhost", int(sys.argv[3]))) as tcp:
            with context.wrap_socket(tcp, server_hostname="localhost", session=session) as tls:
                tls.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
                while tls.recv(1000):
                    pass
                session = tls.session
                tls.unwrap()
    except (OSError, ValueError):
        session = None
"""
MODULE = """
import sys
import {module}
for _ in range(3):
    try:
        {call}
    except Exception:
        pass
"""
AIOHTTP = """
import aiohttp, asyncio, ssl, sys
async def main():
    context = ssl.create_default_context(cafile=sys.argv[2])
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            try:
                async with session.get(sys.argv[1], ssl=context) as answer:
                    await answer.read()
            except Exception:
                pass
asyncio.run(main())
"""
NODE_HTTPS = """
const https = require("https"), fs = require("fs"), ca = fs.readFileSync(process.argv[2])
const agent = new https.Agent({ca: ca})
const once = left => left && https.get(process.argv[1], {agent}, answer => {
  answer.resume(); answer.on("close", () => once(left - 1))
}).on("error", () => once(left - 1))
once(3)
"""
NODE_FETCH = """
(async () => { for (let i = 0; i < 3; i++) { try { await (await fetch(process.argv[1])).text() } catch {} } })()
"""


GO = """
package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
)

func main() {
	authority, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	config := &tls.Config{RootCAs: trusted, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	if os.Args[3] == "default" {
		config.ClientSessionCache = nil
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	for i := 0; i < 3; i++ {
		if answer, err := client.Get(os.Args[1]); err == nil {
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
	}
}
"""
"""It keeps sessions only in a cache that the program gives it (tls.Config.ClientSessionCache)."""
GNUTLS = r"printf 'GET / HTTP/1.0\r\n\r\n' | exec gnutls-cli --resume --x509cafile=$1 -p $2 localhost"
"""It connects twice; the second time it sends what it is given, and waits for the end."""


@dataclass(frozen=True)
class Client:
    """A client, what starts it, and whether it is known to resume at all: by its source or its documentation."""

    name: str
    argv: tuple[str, ...]
    resumes: bool
    module: str = ""
    """The library that its interpreter has to have."""
    program: str = ""
    """The program that has to be there, if it is not the first word."""


def environment(build: Build) -> tuple[str, ...]:
    """What comes before the program of a build."""
    return ("env", *(f"{name}={value}" for name, value in build.environment.items())) if build.environment else ()


def built_by_go(folder: Path) -> str:
    """The program of GO, built in the folder; a path where nothing is if this machine has no Go."""
    compiler, made = shutil.which("go", path=PATH), folder / "go-client"
    if compiler is not None:
        source = made.with_suffix(".go")
        source.write_text(GO)
        environment = {"HOME": str(Path.home()), **os.environ, "GOTOOLCHAIN": "local", "GO111MODULE": "off"}
        subprocess.run([compiler, "build", "-o", made, source], env=environment, check=True)
    return str(made)


def clients(python: str, go: str) -> list[Client]:
    """Those that are known here, whether this machine has them or not; ``go`` is the program of GO."""
    places = ("{url}", "{ca}", "{port}")

    def library(name: str, call: str) -> Client:
        return Client(f"Python {name}", (python, "-c", MODULE.format(module=name, call=call), *places), False, name)  # noqa: FBT003

    s_client = ("s_client", "-connect", "localhost:{port}", "-reconnect")
    builds = [build for build in BuildStore().serving("openssl").values() if build.version in BUILDS and build.openssl]
    return [
        Client("curl", ("curl", "-s", "--cacert", "{ca}", "{url}", "{url}", "{url}"), resumes=True),
        Client("wget", ("wget", "-q", "-O/dev/null", "-t1", "--ca-certificate={ca}", *["{url}"] * 3), resumes=False),
        Client("openssl s_client -reconnect", ("openssl", *s_client), resumes=True),
        *(
            Client(
                f"openssl {build.version} s_client -reconnect",
                (*environment(build), *(build.openssl or ()), *s_client),
                resumes=True,
            )
            for build in builds
        ),
        Client(
            "gnutls-cli --resume",
            ("sh", "-c", GNUTLS, "gnutls-cli", "{ca}", "{port}"),
            resumes=True,
            program="gnutls-cli",
        ),
        Client("node https.Agent", ("node", "-e", NODE_HTTPS, "{url}", "{ca}"), resumes=True),
        Client("node fetch", ("env", "NODE_EXTRA_CA_CERTS={ca}", "node", "-e", NODE_FETCH, "{url}"), resumes=True),
        Client("Go net/http, a session cache", (go, "{url}", "{ca}", "cache"), resumes=True),
        Client("Go net/http", (go, "{url}", "{ca}", "default"), resumes=False),
        Client("Python ssl, its session kept", (python, "-c", KEEPS, *places), resumes=True),
        Client("Python http.client", (python, "-c", HTTP, *places), resumes=False),
        library("urllib3", "urllib3.PoolManager(ca_certs=sys.argv[2], retries=False).request('GET', sys.argv[1])"),
        library("requests", "requests.get(sys.argv[1], verify=sys.argv[2])"),
        library("httpx", "httpx.get(sys.argv[1], verify=__import__('ssl').create_default_context(cafile=sys.argv[2]))"),
        Client("Python aiohttp", (python, "-c", AIOHTTP, *places), resumes=False, module="aiohttp"),
        Client(
            "curl_cffi, one session",
            (
                python,
                "-c",
                MODULE.format(
                    module="curl_cffi.requests",
                    call="globals().setdefault('s', curl_cffi.requests.Session(verify=sys.argv[2])).get(sys.argv[1])",
                ),
                *places,
            ),
            resumes=True,
            module="curl_cffi",
        ),
    ]


def missing(client: Client) -> bool:
    """Whether this machine does not have it."""
    program = client.program or next(word for word in client.argv if word != "env" and "=" not in word)
    if shutil.which(program) is None:
        return True
    asks = [client.argv[0], "-c", f"import {client.module}"]
    return bool(client.module) and subprocess.run(asks, capture_output=True, check=False).returncode != 0


def cell(behaviour: Behaviour) -> str:
    """What came of one kind, in a word or two."""
    offers, kind = len(behaviour.offers), behaviour.kind
    if not kind.gives:
        return "offers" if offers else "none"
    if kind.expires:
        return "offers it" if behaviour.expired else "drops it"
    if not offers:
        return "never"
    if kind.steady:
        return f"{behaviour.count(Outcome.RESUMED)} of {offers}"
    return {True: "recovers", False: "stops", None: "unknown"}[behaviour.recovers]


def main() -> None:
    """Print a row for each client."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--python", default=sys.executable, help="an interpreter that has the libraries")
    options.add_argument("--client", default="*", help="only clients whose name this glob matches")
    given = options.parse_args()
    print("|", " | ".join(["client", *(kind.name for kind in KINDS), "known", "right"]), "|")
    print("|---" * (len(KINDS) + 3) + "|")
    with TemporaryDirectory() as folder, Runtime() as runtime:
        machine = Machine(runtime)
        try:
            stack = machine.one("libssl")
            for client in [
                one for one in clients(given.python, built_by_go(Path(folder))) if fnmatchcase(one.name, given.client)
            ]:
                if missing(client):
                    print(f"{client.name}: not here", file=sys.stderr)
                    continue
                watched = Watched(client.argv, 1, DEADLINE)
                try:
                    found = [watched.against(kind, stack, runtime) for kind in KINDS]
                except HarnessError as error:
                    print(f"{client.name}: {error}", file=sys.stderr)
                    continue
                resumes = any(one.count(Outcome.RESUMED) for one in found if one.kind.steady)
                known = "resumes" if client.resumes else "never resumes"
                right = "yes" if resumes is client.resumes else "NO"
                print("|", " | ".join([client.name, *map(cell, found), known, right]), "|", flush=True)
        finally:
            machine.close()


if __name__ == "__main__":
    main()
