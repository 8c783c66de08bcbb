"""The table of server programs: which package has one, what it can, and its configuration for a case."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.runtime.pki import Issued


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


@dataclass(frozen=True)
class Product:
    """One program."""

    name: str
    programs: tuple[str, ...]
    """Names of its file, the first that is found."""
    package: str
    """What Debian calls its package."""
    version: tuple[str, str]
    """The option that prints its version, and the word before it."""
    start: Callable[[Wanted, Place], Start]
    inherits: bool
    """Whether it takes over a socket that listens; if not, it listens itself."""
    cache: Cache = Cache.NONE
    """Its cache where nothing is said of it."""
    says: bytes = b""
    """What a client says; a GET if empty."""
    lacks: Mapping[str, str] = field(default_factory=dict)
    """Why it cannot be what is wanted, by ``cache=shared``, ``keys``, ``sites``, ``reload``."""

    def missing(self, wanted: Wanted) -> str:
        """Why it cannot be configured so; empty if it can."""
        asked = {f"cache={wanted.cache}": True, "keys": wanted.keys is not None, "sites": len(wanted.sites) > 1}
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
    return Start(files, ("-db", "-f", str(place.folder / "haproxy.cfg")))


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
        "[it]",
        f"accept = 127.0.0.1:{place.port}",
        f"cert = {site.issued.certificate}",
        f"key = {site.issued.key}",
        "exec = /bin/cat",
        "execArgs = cat",
        "" if wanted.tickets else "options = NO_TICKET",
    ]
    return Start({"stunnel.conf": "\n".join([*lines, ""])}, (str(place.folder / "stunnel.conf"),))


PRODUCTS = {
    product.name: product
    for product in (
        Product("nginx", ("nginx",), "nginx", ("-v", "nginx/"), _nginx, inherits=True),
        Product(
            "haproxy",
            ("haproxy",),
            "haproxy",
            ("-v", "version "),
            _haproxy,
            inherits=True,
            lacks={
                "cache=builtin": "its cache is shared",
                "reload": "it reloads only beneath a master process",
            },
        ),
        Product(
            "apache",
            ("apache2", "httpd"),
            "apache2",
            ("-v", "Apache/"),
            _apache,
            inherits=False,
            lacks={"cache=builtin": "mod_ssl keeps sessions in a shared cache, or in none"},
        ),
        Product(
            "stunnel",
            ("stunnel4", "stunnel"),
            "stunnel4",
            ("-version", "stunnel "),
            _stunnel,
            inherits=False,
            cache=Cache.BUILTIN,
            says=b"hello\n",
            lacks={
                "cache=none": "its cache cannot be switched off",
                "cache=shared": "its cache is that of the library",
                "keys": "its ticket keys are of its own making",
                "sites": "its further names are services of their own",
                "reload": "it reloads with new keys only",
            },
        ),
    )
}
"""Every product, by its name."""
