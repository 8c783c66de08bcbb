"""The callbacks that give an external PSK to OpenSSL, of both generations and both roles.

Those of TLS 1.3 alone give an SSL_SESSION, and cryptography does not bind SSL_SESSION_new. A client makes one for each
ClientHello (ssl_get_new_session), so that a spare Connection, which never sends it, yields a fresh one each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from OpenSSL import SSL

from harness.agent.drivers.pyopenssl import bindings as below
from harness.agent.drivers.pyopenssl import compat as older
from harness.agent.knobs import DEFAULT_IDENTITY, PYOPENSSL_FINDS_NO_SESSION, PYOPENSSL_USES_NO_SESSION
from harness.agent.library import LackError
from harness.agent.vocabulary import PskCallback, PskCipher, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.drivers.pyopenssl.evidence import Watch

KNOBS = frozenset({"psk_key", "psk_identity", "psk_cipher", "psk_callback"})


class ExternalPsk:
    """The external PSK of one Context. Keep it alive while a Connection is used: OpenSSL calls its callbacks."""

    def __init__(self, role: str, knobs: Mapping[str, Any], watch: Watch) -> None:
        """Raise LackError if the callbacks that the knobs name are not bound."""
        self._key: bytes = knobs["psk_key"]
        self._identities = [name.encode() for name in knobs.get("psk_identity", DEFAULT_IDENTITY)]
        self._cipher: PskCipher = knobs.get("psk_cipher", PskCipher.AES_128)
        self._client = role == "client"
        self._watch = watch
        bound = below.psk_sessions_bound(client=self._client)
        self._callback: PskCallback = knobs.get("psk_callback", PskCallback.BOTH if bound else PskCallback.PSK)
        if self._callback is not PskCallback.PSK and not bound:
            why = PYOPENSSL_USES_NO_SESSION if self._client else PYOPENSSL_FINDS_NO_SESSION
            raise LackError(f"psk_callback = {self._callback}: {why}")
        self._spare = SSL.Context(older.method("client"))
        self._callbacks: list[object] = []

    def set(self, context: SSL.Context) -> None:
        """Set the callbacks of a Context."""
        if self._callback is not PskCallback.SESSION:
            give_key = below.use_psk_key if self._client else below.find_psk_key
            self._callbacks.append(give_key(context, self._key_for))
        if self._callback is not PskCallback.PSK:
            give_session = below.use_psk_session if self._client else below.find_psk_session
            self._callbacks.append(give_session(context, self._session_for))

    def _key_for(self, address: int, identity: bytes | None) -> tuple[bytes, bytes] | None:
        """The identity and the key: of a client its own, of a server those of the identity that it is asked for."""
        name = self._known(identity)
        if name is None:
            return None
        self._watch.gave_psk(address, name)
        return name, self._key

    def _session_for(self, address: int, identity: bytes | None, *, retried: bool) -> tuple[bytes, Any] | None:
        """The identity and a session, which OpenSSL will own; None if a HelloRetryRequest's suite has another hash."""
        name = self._known(identity)
        if name is None or (retried and not self._cipher.has_hash_of(self._watch.suite(address))):
            return None
        connection = SSL.Connection(self._spare, None)
        connection.set_connect_state()
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            session = below.psk_session(connection, self._key, self._cipher.number, TLSVersion.TLSv1_3.wire)
        self._watch.gave_psk(address, name)
        return name, session

    def _known(self, identity: bytes | None) -> bytes | None:
        return self._identities[0] if identity is None else identity if identity in self._identities else None
