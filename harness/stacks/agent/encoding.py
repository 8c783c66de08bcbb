"""A config as the knobs and files of the protocol's ``context`` request."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from harness.agent.knobs import TICKET_KEYS
from harness.agent.knobs import UNSET as UNSET_WORD
from harness.model.knobs import UNSET, ClientConfig, Verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model.knobs import Config, ServerConfig
    from harness.runtime.pki import Pki

NOT_OF_A_CONTEXT = ("clock", "client_certificate", "server_certificate")
"""Knobs that become an environment or files."""


def ticket_keys(name: str) -> bytes:
    """The keys that servers with this name share: name 16 bytes, HMAC key 32, AES key 32; the same in every run."""
    return hashlib.shake_256(b"resumption harness ticket keys " + name.encode()).digest(TICKET_KEYS)


ENCODE: dict[str, Callable[[Any], Any]] = {
    "versions": lambda value: [str(version) for version in value],
    "cache_mode": lambda value: sorted(str(flag) for flag in value),
    "alpn": list,
    "session_id_context": lambda value: UNSET_WORD if value is UNSET else value.hex(),
    "session_id_prefix": bytes.hex,
    "session_id": bytes.hex,
    "ticket_keys": lambda name: ticket_keys(name).hex(),
    "psk_modes": str,
    "verify": str,
}
"""The knobs that are not the same in JSON."""


def knobs_object(config: Config) -> dict[str, Any]:
    """The ``knobs`` of a context request."""
    given = config.given()
    return {
        name: ENCODE[name](value) if name in ENCODE else value
        for name, value in given.items()
        if name not in NOT_OF_A_CONTEXT
    }


def files_object(config: ClientConfig | ServerConfig, pki: Pki) -> dict[str, str]:
    """The ``files`` of a context request: a server always has a certificate, a verifying end trusts the authority."""
    files: dict[str, str] = {}
    if config.verify not in {None, Verify.NONE}:
        files["ca"] = str(pki.authority())
    name = config.client_certificate if isinstance(config, ClientConfig) else config.server_certificate or "server"
    if name is not None:
        issued = pki.issued(name)
        files |= {"certificate": str(issued.certificate), "key": str(issued.key)}
    return files
