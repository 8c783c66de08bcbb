"""The table of client programs: which package has one, and the command line with which it connects several times."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClientProgram:
    """One program."""

    name: str
    programs: tuple[str, ...]
    """Names of its file, the first that is found."""
    package: str
    """What Debian calls its package."""
    version: tuple[str, str]
    """The option that prints its version, and the word before it."""
    argv: tuple[str, ...]
    """The command, with the placeholders of `resumption watch`."""


GNUTLS = r"printf 'GET / HTTP/1.0\r\n\r\n' | exec gnutls-cli --resume --x509cafile=$1 --port=$2 $3"
"""It connects twice; the second time it sends what it is given, and waits for the end."""
CLIENTS = {
    client.name: client
    for client in (
        ClientProgram(
            "curl", ("curl",), "curl", ("--version", "curl "), ("curl", "-s", "--cacert", "{ca}", *["{url}"] * 3)
        ),
        ClientProgram(
            "gnutls-cli",
            ("gnutls-cli",),
            "gnutls-bin",
            ("--version", "gnutls-cli "),
            ("sh", "-c", GNUTLS, "gnutls-cli", "{ca}", "{port}", "{host}"),
        ),
    )
}
"""Every client program, by its name."""
