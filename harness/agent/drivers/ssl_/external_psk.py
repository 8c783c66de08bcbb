"""The callbacks of Python 3.13 that give an external PSK to OpenSSL (SSLContext.set_psk_client_callback).

Python has them for keys: those of TLS 1.3 that give a session have no counterpart. A callback does not get
the connection that it is for, but it comes within a call of one.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from harness.agent.drivers.ssl_.evidence import GUARD
from harness.agent.knobs import DEFAULT_IDENTITY, NO_PSK
from harness.agent.library import LackError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

KNOBS = frozenset({"psk_key", "psk_identity", "psk_cipher", "psk_callback", "psk_hint"})
CIPHERS = "DEFAULT"
"""OpenSSL's own, which have suites with a PSK; Python's own have none for TLS 1.2."""


class ExternalPsk:
    """The external PSK of one SSLContext."""

    def __init__(self, role: str, knobs: Mapping[str, Any]) -> None:
        self.given: str | None = None
        """The identity whose key a callback gave last; the connection within whose call it was takes it."""
        self._role = role
        self._key: bytes = knobs["psk_key"]
        self._identities: tuple[str, ...] = knobs.get("psk_identity", DEFAULT_IDENTITY)
        self._hint: str | None = knobs.get("psk_hint")

    def set(self, context: ssl.SSLContext) -> None:
        """Set the callback; LackError before Python 3.13."""
        name = f"set_psk_{self._role}_callback"
        setter = getattr(context, name, None)
        if setter is None:
            raise LackError(f"psk_key: {NO_PSK.why}")
        if self._role == "client":
            nothing: tuple[str | None, bytes] = (None, b"")
            setter(GUARD.of(self._of_client, nothing))
        else:
            setter(GUARD.of(self._of_server, b""), self._hint)

    def _of_client(self, _hint: str | None) -> tuple[str | None, bytes]:
        self.given = self._identities[0]
        return self.given, self._key

    def _of_server(self, identity: str | None) -> bytes:
        """The key of an identity that the server knows; empty refuses it."""
        if identity not in self._identities:
            return b""
        self.given = identity
        return self._key


def _unraisable(found: Any) -> None:
    """Say nothing of a TLS 1.3 ticket, which OpenSSL asks the callback about, and which Python cannot decode."""
    if not isinstance(found.exc_value, UnicodeDecodeError):
        sys.__unraisablehook__(found)


def ignore_tickets() -> None:
    """Let Python's callback of a server refuse an identity that is not a text, without a word on stderr."""
    sys.unraisablehook = _unraisable
