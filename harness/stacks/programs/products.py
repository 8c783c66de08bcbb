"""The table of server programs: which package has one, what it can, and its configuration for a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from signal import Signals
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.runtime.pki import Issued


TWO = 2
"""Contexts of an s_server."""


class Cache(StrEnum):
    """Where a server keeps sessions."""

    NONE = "none"
    BUILTIN = "builtin"
    """In each process, by the library."""
    SHARED = "shared"
    """Shared between its processes."""


@dataclass(frozen=True, slots=True)
class Site:
    """A name that is served, with its certificate."""

    name: str
    issued: Issued
    asks: bool = False
    """Whether it demands a certificate of its clients."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a server is to be configured."""

    tickets: bool = True
    cache: Cache = Cache.NONE
    keys: bytes | None = None
    """80 bytes: a ticket key's name (16) and secrets (64); None lets the server make one of its own."""
    sites: tuple[Site, ...] = ()
    """At least one; the first is served to a client that names none."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server runs."""

    folder: Path
    port: int
    """Of 127.0.0.1."""
    descriptor: int
    """Of a socket that listens there, which a server may inherit."""
    authority: Path
    """PEM, which issues the certificates of clients."""


@dataclass(frozen=True, slots=True)
class Start:
    """What starts a server: its files by name, with the words of its command line after the program."""

    files: Mapping[str, str | bytes]
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    before: tuple[tuple[str, ...], ...] = ()
    """Commands that are run to their end first, in its folder."""


class Takes(StrEnum):
    """How a server comes to its port."""

    INHERITS = "inherits"
    """It takes over a socket that listens."""
    LISTENS = "listens"
    """It listens itself, on loopback."""
    APART = "apart"
    """It would listen on every interface, so it gets a network of its own."""


@dataclass(frozen=True, slots=True)
class Reload:
    """How it reads its configuration again: a signal, and how it shows that it has."""

    signal: Signals = Signals.SIGHUP
    printed: str = ""
    """What it prints then; empty if all its processes are new."""


@dataclass(frozen=True)
class Product:
    """One program."""

    name: str
    programs: tuple[str, ...]
    """Names of its file, the first that is found."""
    package: str
    """What Debian calls its package."""
    version: tuple[str, str]
    """The option that prints its version, and the word before it; empty if it prints none."""
    start: Callable[[Wanted, Place], Start]
    takes: Takes = Takes.LISTENS
    cache: Cache = Cache.NONE
    """Its cache where nothing is said of it."""
    says: bytes = b""
    """What a client says; a GET if empty."""
    reload: Reload = Reload()
    lacks: Mapping[str, str] = field(default_factory=dict)
    """Why it cannot be what is wanted, by ``cache=shared``, ``tickets=False``, ``keys``, ``sites`` (more than
    one), ``third site``, ``asking``, ``reload``."""

    def missing(self, wanted: Wanted) -> str:
        """Why it cannot be configured so; empty if it can."""
        asked = {
            f"cache={wanted.cache}": True,
            f"tickets={wanted.tickets}": True,
            "keys": wanted.keys is not None,
            "sites": len(wanted.sites) > 1,
            "third site": len(wanted.sites) > TWO,
            "asking": any(site.asks for site in wanted.sites),
        }
        return next((self.lacks[name] for name, is_asked in asked.items() if is_asked and name in self.lacks), "")


def _nginx(wanted: Wanted, place: Place) -> Start:
    caches = {Cache.NONE: "off", Cache.BUILTIN: "builtin", Cache.SHARED: "shared:TLS:1m"}
    lines = [
        "daemon off;",
        f"pid {place.folder}/pid;",
        "events { }",
        "http {",
        "access_log off;",
        *(f"{name}_temp_path {place.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")),
        "ssl_protocols TLSv1.2 TLSv1.3;",
        f"ssl_session_tickets {'on' if wanted.tickets else 'off'};",
        f"ssl_session_cache {caches[wanted.cache]};",
        f"ssl_session_ticket_key {place.folder}/ticket.key;" if wanted.keys else "",
    ]
    for site in wanted.sites:
        lines += [
            f"server {{ listen 127.0.0.1:{place.port} ssl; server_name {site.name};",
            f"ssl_certificate {site.issued.certificate}; ssl_certificate_key {site.issued.key};",
            f"ssl_client_certificate {place.authority}; ssl_verify_client on;" if site.asks else "",
            'location / { return 200 "hello\\n"; } }',
        ]
    files: dict[str, str | bytes] = {"nginx.conf": "\n".join([*lines, "}"])}
    if wanted.keys:
        files["ticket.key"] = wanted.keys
    arguments = ("-p", str(place.folder), "-c", str(place.folder / "nginx.conf"), "-e", str(place.folder / "error.log"))
    return Start(files, arguments, {"NGINX": f"{place.descriptor};"})


def _haproxy(wanted: Wanted, place: Place) -> Start:
    import base64  # noqa: PLC0415 - this product alone needs it

    files: dict[str, str | bytes] = {}
    sites = []
    for number, site in enumerate(wanted.sites):
        files[f"{number}.pem"] = site.issued.certificate.read_bytes() + site.issued.key.read_bytes()
        asks = f" [ca-file {place.authority} verify required]" if site.asks else ""
        sites.append(f"{place.folder / f'{number}.pem'}{asks} {site.name}\n")
    files["sites"] = "".join(sites)
    keys = ""
    if wanted.keys:
        files["tickets"] = (base64.b64encode(wanted.keys) + b"\n") * 3  # haproxy demands three, old to new
        keys = f" tls-ticket-keys {place.folder / 'tickets'}"
    off = "" if wanted.tickets else " no-tls-tickets"
    files["haproxy.cfg"] = (
        f"global\n  tune.ssl.cachesize {0 if wanted.cache is Cache.NONE else 1000}\n  tune.ssl.default-dh-param 2048\n"
        "defaults\n  mode http\n  timeout client 10s\n  timeout server 10s\n  timeout connect 10s\n"
        f"frontend it\n  bind fd@{place.descriptor} ssl crt-list {place.folder / 'sites'}{keys}{off}"
        ' ssl-min-ver TLSv1.2\n  http-request return status 200 content-type text/plain string "hello\\n"\n'
    )
    return Start(files, ("-W", "-db", "-f", str(place.folder / "haproxy.cfg")))  # a master, which can reload


def _apache(wanted: Wanted, place: Place) -> Start:
    modules = "/usr/lib/apache2/modules"
    cache = {Cache.NONE: "none", Cache.SHARED: f"shmcb:{place.folder}/cache(512000)"}[wanted.cache]
    lines = [
        *(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in ("mpm_event", "authz_core", "socache_shmcb")),
        f"LoadModule ssl_module {modules}/mod_ssl.so",
        f"ServerRoot {place.folder}",
        f"PidFile {place.folder}/pid",
        f"DefaultRuntimeDir {place.folder}",
        # After a reload with several processes, one of them at times refuses what the others issue under the same key
        # (2.4.71 with OpenSSL 3.0.19: 17 of 50 reloads with three processes, none of 14 with one).
        "StartServers 1",
        "ServerLimit 1",
        "MaxRequestWorkers 25",
        "User nobody",
        "Group nogroup",
        "ServerName localhost",
        "ErrorLog error.log",
        f"Listen 127.0.0.1:{place.port} https",
        "SSLProtocol -all +TLSv1.2 +TLSv1.3",
        f"SSLSessionCache {cache}",
        f"SSLSessionTickets {'on' if wanted.tickets else 'off'}",
    ]
    for site in wanted.sites:
        lines += [
            f"<VirtualHost 127.0.0.1:{place.port}>",
            f"ServerName {site.name}",
            "SSLEngine on",
            f"SSLCertificateFile {site.issued.certificate}",
            f"SSLCertificateKeyFile {site.issued.key}",
            f"SSLCACertificateFile {place.authority}\nSSLVerifyClient require" if site.asks else "",
            f"SSLSessionTicketKeyFile {place.folder}/tickets" if wanted.keys else "",  # of 48 bytes
            "</VirtualHost>",
        ]
    files: dict[str, str | bytes] = {"httpd.conf": "\n".join([*lines, ""])}
    if wanted.keys:
        files["tickets"] = wanted.keys[:48]
    return Start(files, ("-d", str(place.folder), "-f", str(place.folder / "httpd.conf"), "-DFOREGROUND"))


def _stunnel(wanted: Wanted, place: Place) -> Start:
    site = wanted.sites[0]
    lines = [
        "foreground = yes",
        "pid =",
        "debug = info",
        "[it]",
        f"accept = 127.0.0.1:{place.port}",
        f"cert = {site.issued.certificate}",
        f"key = {site.issued.key}",
        "exec = /bin/cat",
        "execArgs = cat",
        "" if wanted.tickets else "options = NO_TICKET",
        f"ticketKeySecret = {wanted.keys[:32].hex()}\nticketMacSecret = {wanted.keys[32:64].hex()}"
        if wanted.keys
        else "",
    ]
    return Start({"stunnel.conf": "\n".join([*lines, ""])}, (str(place.folder / "stunnel.conf"),))


def _gnutls(wanted: Wanted, place: Place) -> Start:
    site = wanted.sites[0]
    names = {"port": place.port, "x509certfile": site.issued.certificate, "x509keyfile": site.issued.key}
    switches = {
        "noticket": not wanted.tickets,
        "nodb": wanted.cache is Cache.NONE,
        "disable-client-cert": not site.asks,
        "http": True,
        "quiet": True,
    }
    arguments = [f"--{name}={value}" for name, value in names.items()]
    return Start({}, (*arguments, *(f"--{name}" for name, is_set in switches.items() if is_set)))


def _selfserv(wanted: Wanted, place: Place) -> Start:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - this product alone needs it
        NoEncryption,
        load_pem_private_key,
        pkcs12,
    )
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 - as above

    site = wanted.sites[0]
    key = load_pem_private_key(site.issued.key.read_bytes(), None)
    certificate = load_pem_x509_certificate(site.issued.certificate.read_bytes())
    both = pkcs12.serialize_key_and_certificates(b"it", key, certificate, None, NoEncryption())  # type: ignore[arg-type]
    store = f"sql:{place.folder}"
    return Start(
        {"it.p12": both},
        (
            *("-d", store, "-n", "it", "-p", str(place.port), "-V", "tls1.2:tls1.3"),
            *(["-u"] if wanted.tickets else []),
            *(["-N"] if wanted.cache is Cache.NONE else []),
        ),
        before=(
            ("certutil", "-N", "-d", store, "--empty-password"),
            ("pk12util", "-i", str(place.folder / "it.p12"), "-d", store, "-W", ""),
        ),
    )


PAGE = "page.txt"
"""A file in the folder of s_server, which -WWW serves."""


def _s_server(way: str) -> Callable[[Wanted, Place], Start]:
    """Start s_server so."""

    def start(wanted: Wanted, place: Place) -> Start:
        site, *others = wanted.sites
        arguments = ["s_server", "-accept", f"127.0.0.1:{place.port}", way]
        arguments += ["-cert", str(site.issued.certificate), "-key", str(site.issued.key)]
        for other in others:
            arguments += ["-servername", other.name]
            arguments += ["-cert2", str(other.issued.certificate), "-key2", str(other.issued.key)]
        arguments += [] if wanted.tickets else ["-no_ticket"]
        arguments += ["-no_cache"] if wanted.cache is Cache.NONE else []
        return Start({PAGE: "hello\n"}, tuple(arguments))

    return start


def _of_openssl(name: str, way: str, says: bytes) -> Product:
    """A way in which people run s_server."""
    return Product(
        name,
        ("openssl",),
        "openssl",
        ("version", "OpenSSL "),
        _s_server(way),
        cache=Cache.BUILTIN,
        says=says,
        lacks={
            "cache=shared": "its cache is that of its one process",
            "keys": "its ticket keys are of its own making",
            "third site": "it has a context for any name, and one for the name of -servername",
            "asking": "-Verify asks under each name",
            "reload": "it reads its options at its start alone",
        },
    )


PRODUCTS = {
    product.name: product
    for product in (
        Product("nginx", ("nginx",), "nginx", ("-v", "nginx/"), _nginx, Takes.INHERITS),
        Product(
            "haproxy",
            ("haproxy",),
            "haproxy",
            ("-v", "version "),
            _haproxy,
            Takes.INHERITS,
            reload=Reload(Signals.SIGUSR2),
            lacks={"cache=builtin": "its cache is shared"},
        ),
        Product(
            "apache",
            ("apache2", "httpd"),
            "apache2",
            ("-v", "Apache/"),
            _apache,
            lacks={"cache=builtin": "mod_ssl keeps sessions in a shared cache, or in none"},
        ),
        Product(
            "stunnel",
            ("stunnel4", "stunnel"),
            "stunnel4",
            ("-version", "stunnel "),
            _stunnel,
            cache=Cache.BUILTIN,
            says=b"hello\n",
            reload=Reload(printed=" bound to "),
            lacks={
                "cache=none": "its cache cannot be switched off",
                "cache=shared": "its cache is that of the library",
                "sites": "its further names are services of their own",
            },
        ),
        Product(
            "gnutls-serv",
            ("gnutls-serv",),
            "gnutls-bin",
            ("--version", "gnutls-serv "),
            _gnutls,
            Takes.APART,
            cache=Cache.BUILTIN,
            lacks={
                "cache=shared": "its cache is that of its one process",
                "keys": "its ticket keys are of its own making",
                "sites": "it serves one name",
                "reload": "it reads its options at its start alone",
            },
        ),
        Product(
            "selfserv",
            ("selfserv",),
            "libnss3-tools",
            ("", ""),
            _selfserv,
            Takes.APART,
            cache=Cache.BUILTIN,
            lacks={
                "cache=shared": "its cache is that of its one process",
                "keys": "its ticket keys are of its own making",
                "sites": "it serves one name",
                "reload": "it reads its options at its start alone",
            },
        ),
        _of_openssl("s_server-www", "-www", b""),
        _of_openssl("s_server-WWW", "-WWW", f"GET /{PAGE} HTTP/1.0\r\n\r\n".encode()),
        _of_openssl("s_server-rev", "-rev", b"hello\n"),
    )
}
"""Every product, by its name."""
