"""Addresses that may be probed: loopback and private ones, others only where the user allows it."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from harness.model.errors import UnreachableError, UsageError

FORM = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^\s:\[\]/@]+)):(?P<port>\d{1,5})")
LAST_PORT = 65535
NOT_ALLOWED = (
    "{text} is {shown}, which is neither a loopback nor a private address; "
    "add --allow-public if you may probe this server"
)


@dataclass(frozen=True, slots=True)
class Target:
    """A server to probe."""

    text: str
    """HOST:PORT as the user gave it."""
    host: str
    ip: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether it is on this machine."""
        return ip_address(self.ip.partition("%")[0]).is_loopback

    @property
    def name(self) -> str:
        """The name that a client sends (RFC 6066, 3); empty if the user gave an IP address."""
        try:
            ip_address(self.host.partition("%")[0])
        except ValueError:
            return self.host
        return ""

    @property
    def reached(self) -> str:
        """The IP address and the port."""
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


def target(text: str, *, allow_public: bool = False) -> Target:
    """Read HOST:PORT and resolve the host once, so that all connections go to one address.

    UsageError if it has another form, or one of its addresses is public and not allowed; UnreachableError if the host
    has no address.
    """
    found = FORM.fullmatch(text)
    if found is None or not 0 < int(found["port"]) <= LAST_PORT:
        raise UsageError(f"{text!r} is not HOST:PORT; it should look like 127.0.0.1:8443, [::1]:8443 or www.test:443")
    host, port = found["six"] or found["host"], int(found["port"])
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnreachableError(f"{text} cannot be reached: {getattr(error, 'strerror', None) or error}") from error
    ips = list(dict.fromkeys(str(info[4][0]) for info in infos))
    if not allow_public and (public := [ip for ip in ips if not _ours(ip)]):
        raise UsageError(NOT_ALLOWED.format(text=text, shown=", ".join(public)))
    return Target(text, host, ips[0], port)


def _ours(ip: str) -> bool:
    address = ip_address(ip.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_private or mapped.is_link_local) and not mapped.is_unspecified
