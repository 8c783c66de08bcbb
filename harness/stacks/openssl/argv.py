"""Builds the command lines of s_server and s_client from knobs; harness.agent.knobs has the flags of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.knobs import for_programs
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
"""Keeps s_client reading stdin: a blocking SSL_read that completes a renegotiation does not return before data arrive.

Only without TLS 1.3, which has no renegotiation: with it, s_client could print a ticket before the connection's facts.
"""


def own_certificate(issued: Issued) -> list[str]:
    """Return the flags of a program's certificate and key, and of its chain: -cert reads one certificate of a file."""
    chain = ["-cert_chain", str(issued.further)] if issued.further else []
    return ["-cert", str(issued.certificate), *chain, "-key", str(issued.key)]


def server_argv(
    openssl: tuple[str, ...],
    version: str,
    config: ServerConfig,
    certificate: Issued | None,
    authority: Path,
    keylog: Path,
) -> list[str]:
    """Return the command line of s_server; ``authority`` is used only if the server verifies its clients."""
    own = own_certificate(certificate) if certificate else ["-nocert"]
    argv = [*openssl, "s_server", "-accept", f"{HOST}:0", *own]
    argv += ["-keylogfile", str(keylog), *no_default_authorities(version)]
    if config.verify in {Verify.OPTIONAL, Verify.ONCE, Verify.REQUIRED}:  # both flags set SSL_VERIFY_CLIENT_ONCE
        argv += ["-Verify" if config.verify is Verify.REQUIRED else "-verify", VERIFY_DEPTH]
        argv += ["-verify_return_error", "-CAfile", str(authority)]
    elif config.verify is Verify.LATER:  # the command c sets SSL_VERIFY_PEER
        argv += ["-CAfile", str(authority)]
    return argv + knob_flags(config, version)


def client_argv(
    openssl: tuple[str, ...], version: str, config: ClientConfig, certificate: Issued | None, authority: Path
) -> list[str]:
    """Return the command line of s_client, without the arguments of a single connection."""
    argv = [*openssl, "s_client", *no_default_authorities(version)]
    argv += [NON_BLOCKING] if config.versions and config.versions[-1].handshake is not TLSVersion.TLSv1_3 else []
    if certificate is not None:
        argv += own_certificate(certificate)
    if config.verify is Verify.REQUIRED:
        argv += ["-verify", VERIFY_DEPTH, "-verify_return_error", "-CAfile", str(authority)]
    return argv + knob_flags(config, version)


def connection_argv(port: int, sess_out: Path, sess_in: Path | None, early_data: Path | None) -> list[str]:
    """Return the further arguments of s_client for one connection."""
    argv = ["-connect", f"{HOST}:{port}", "-sess_out", str(sess_out)]
    argv += ["-sess_in", str(sess_in)] if sess_in is not None else []
    return argv + (["-early_data", str(early_data)] if early_data is not None else [])


def no_default_authorities(version: str) -> list[str]:
    """Return the flags against the default CA bundle, whose loading would take most of the time of a run."""
    return ["-no-CAfile", "-no-CApath"] + (["-no-CAstore"] if release(version) >= (3,) else [])


def knob_flags(config: Config, version: str) -> list[str]:
    """Return the flags of the given knobs, without files and descriptors of a single connection."""
    rows, given = knobs_of(config.role), for_programs(config.given(), version)
    return [flag for name, value in given.items() for flag in rows[name].words(config.role, version, value)]
