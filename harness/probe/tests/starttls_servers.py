"""Real servers that begin TLS after a talk in plain text, each on loopback in a private folder."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.tests.products import free, listening, program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.runtime.pki import Issued

FTP = """
import sys
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer
TLS_FTPHandler.certfile, TLS_FTPHandler.keyfile = sys.argv[2:]
FTPServer(("127.0.0.1", int(sys.argv[1])), TLS_FTPHandler).serve_forever()
"""
SLAPD = """
include /etc/ldap/schema/core.schema
pidfile {folder}/pid
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
"""
DOVECOT = """
protocols = {kind}
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
service {kind}-login {{
  chroot =
  inet_listener {kind} {{
    port = {port}
  }}
  inet_listener {kind}s {{
    port = 0
  }}
}}
passdb {{
  driver = static
  args = password=x
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}
}}
"""


@dataclass(frozen=True)
class Place:
    """Where a server runs, and what it shows."""

    folder: Path
    issued: Issued
    port: str


def smtp(place: Place) -> list[str]:
    """Aiosmtpd."""
    files = ["--tlscert", str(place.issued.certificate), "--tlskey", str(place.issued.key)]
    words = ["-n", "-l", f"127.0.0.1:{place.port}", *files, "-c", "aiosmtpd.handlers.Sink"]
    return [sys.executable, "-m", library("aiosmtpd"), *words]


def ftp(place: Place) -> list[str]:
    """Pyftpdlib."""
    library("pyftpdlib")
    return [sys.executable, "-c", FTP, place.port, str(place.issued.certificate), str(place.issued.key)]


def ldap(place: Place) -> list[str]:
    """OpenLDAP's slapd."""
    path = program("slapd", "apt-get install --no-install-recommends slapd")
    names = {"folder": place.folder, "certificate": place.issued.certificate, "key": place.issued.key}
    (place.folder / "slapd.conf").write_text(SLAPD.format(**names))
    return [path, "-f", str(place.folder / "slapd.conf"), "-h", f"ldap://127.0.0.1:{place.port}", "-d", "0"]


def dovecot(place: Place, kind: str) -> list[str]:
    """Dovecot with one protocol: Debian has each in a package of its own."""
    path = program("dovecot", f"apt-get install --no-install-recommends dovecot-{kind}d")
    if not Path("/usr/lib/dovecot", kind).exists():
        pytest.skip(f"this machine has no Dovecot with {kind}: apt-get install --no-install-recommends dovecot-{kind}d")
    names = {"folder": place.folder, "certificate": place.issued.certificate, "key": place.issued.key}
    (place.folder / "dovecot.conf").write_text(DOVECOT.format(kind=kind, port=place.port, **names))
    return [path, "-F", "-c", str(place.folder / "dovecot.conf")]


SERVERS: dict[str, Callable[[Place], list[str]]] = {
    "smtp": smtp,
    "ftp": ftp,
    "ldap": ldap,
    "imap": partial(dovecot, kind="imap"),
    "pop3": partial(dovecot, kind="pop3"),
}
"""By the protocol."""


def library(name: str) -> str:
    """The name of a library; skips where it is not installed."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"this Python has no {name}: pip install {name}")
    return name


@contextlib.contextmanager
def starttls_server(kind: str, folder: Path, issued: Issued) -> Iterator[str]:
    """Run a server of this protocol; HOST:PORT."""
    address = free()
    argv = SERVERS[kind](Place(folder, issued, address.rpartition(":")[2]))
    with listening(argv, address, folder):
        yield address
