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
    since: str = ""
    """The first version that can do it; empty if any can."""


GNUTLS = r"printf 'GET / HTTP/1.0\r\n\r\n' | exec gnutls-cli --resume {}--x509cafile=$1 --port=$2 $3"
"""It connects twice; the second time it sends what it is given, and waits for the end.

It waits for a ticket of TLS 1.3 for some round trips only (gnutls_session_get_data2), with --waitresumption for ever.
"""
S_CLIENT = "openssl s_client -connect $1:$2 -CAfile $3"
S_TIME = "openssl s_time -connect $1:$2 -CAfile $3 -time 1 -www /"
GET = r"printf 'GET / HTTP/1.0\r\n\r\n'"
IN_A_FILE = (
    "d=$(mktemp -d); trap 'rm -r $d' EXIT; {} -sess_out $d/session; "
    f"openssl sess_id -noout -text -in $d/session && {S_CLIENT} -sess_in $d/session </dev/null"
)
"""It writes a session to a file; if `openssl sess_id` can read one there, the next connection offers it."""


def _openssl(name: str, script: str, since: str = "") -> ClientProgram:
    """A program of OpenSSL, as people run it in a shell."""
    argv = ("sh", "-c", script, name, "{host}", "{port}", "{ca}")
    return ClientProgram(name, ("openssl",), "openssl", ("version", "OpenSSL "), argv, since)


def _gnutls(name: str, option: str) -> ClientProgram:
    """GnuTLS's program, with this option."""
    argv = ("sh", "-c", GNUTLS.format(option), name, "{ca}", "{port}", "{host}")
    return ClientProgram(name, ("gnutls-cli",), "gnutls-bin", ("--version", "gnutls-cli "), argv)


CLIENTS = {
    client.name: client
    for client in (
        ClientProgram(
            "curl", ("curl",), "curl", ("--version", "curl "), ("curl", "-s", "--cacert", "{ca}", *["{url}"] * 3)
        ),
        _gnutls("gnutls-cli", ""),
        _gnutls("gnutls-cli-waits", "--waitresumption "),
        _openssl("s_client-reconnect", f"{S_CLIENT} -reconnect </dev/null"),
        _openssl("s_client-sess_in", IN_A_FILE.format(f"{GET} | {S_CLIENT} -ign_eof")),
        _openssl("s_client-closed", IN_A_FILE.format(f"{S_CLIENT} </dev/null")),
        _openssl("s_client-C", rf"printf 'C\n' | {S_CLIENT}", since="3.2"),
        _openssl("s_client-R", rf"printf 'R\n' | {S_CLIENT}"),
        _openssl("s_time-new", f"{S_TIME} -new"),
        _openssl("s_time-reuse", f"{S_TIME} -reuse"),
    )
}
"""Every client program, by its name."""
