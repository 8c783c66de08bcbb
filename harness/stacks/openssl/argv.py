"""From the knobs to the command lines of s_server and s_client; each knob's flags stand in the table of knobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.vocabulary import release
from harness.model.knobs import Verify, knobs_of
from harness.model.tls import TLSVersion

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.knobs import ClientConfig, Config, ServerConfig
    from harness.runtime.pki import Issued

HOST = "127.0.0.1"
VERIFY_DEPTH = "3"
NON_BLOCKING = "-nbio"
"""Else an s_client that completes a renegotiation within SSL_read stays there until data come, and reads no stdin.

Only TLS 1.2 has renegotiation. With TLS 1.3 it would print a ticket that comes early before the connection's facts.
"""


def server_argv(
    openssl: tuple[str, ...], version: str, config: ServerConfig, certificate: Issued, authority: Path, keylog: Path
) -> list[str]:
    """The command line of an s_server for these knobs; ``authority`` is used only if it verifies its clients."""
    argv = [*openssl, "s_server", "-accept", f"{HOST}:0", "-cert", str(certificate.certificate)]
    argv += ["-key", str(certificate.key), "-keylogfile", str(keylog), *no_default_authorities(version)]
    if config.verify in {Verify.OPTIONAL, Verify.REQUIRED}:
        argv += ["-Verify" if config.verify is Verify.REQUIRED else "-verify", VERIFY_DEPTH]
        argv += ["-verify_return_error", "-CAfile", str(authority)]
    return argv + knob_flags(config)


def client_argv(
    openssl: tuple[str, ...], version: str, config: ClientConfig, certificate: Issued | None, authority: Path
) -> list[str]:
    """The command line of an s_client for these knobs, without what differs between its connections."""
    argv = [*openssl, "s_client", *no_default_authorities(version)]
    argv += [NON_BLOCKING] if config.versions == (TLSVersion.TLSv1_2,) else []
    if certificate is not None:
        argv += ["-cert", str(certificate.certificate), "-key", str(certificate.key)]
    if config.verify is Verify.REQUIRED:
        argv += ["-verify", VERIFY_DEPTH, "-verify_return_error", "-CAfile", str(authority)]
    return argv + knob_flags(config)


def connection_argv(port: int, sess_out: Path, sess_in: Path | None, early_data: Path | None) -> list[str]:
    """What an s_client needs for one connection."""
    argv = ["-connect", f"{HOST}:{port}", "-sess_out", str(sess_out)]
    argv += ["-sess_in", str(sess_in)] if sess_in is not None else []
    return argv + (["-early_data", str(early_data)] if early_data is not None else [])


def no_default_authorities(version: str) -> list[str]:
    """Load no default CA bundle: it is most of a naive run's time."""
    return ["-no-CAfile", "-no-CApath"] + (["-no-CAstore"] if release(version) >= (3,) else [])


def knob_flags(config: Config) -> list[str]:
    """The flags of the knobs that were given; files and descriptors of a connection are not among them."""
    rows = knobs_of(config.role)
    flags = [(rows[name].flags(config.role), value) for name, value in config.given().items()]
    return [flag for found, value in flags if found is not None for flag in found.make(value)]
