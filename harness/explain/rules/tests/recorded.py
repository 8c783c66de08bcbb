"""Real connections between two agents of the system's libssl, recorded once for all tests of the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Role, TLSVersion
from harness.pair.pair import Pair
from harness.stacks.libssl import LibsslStack
from harness.tests.quic_conversations import FULL, RESUMED, connection
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime

TLS12, TLS13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
NAME = "server.example"
CBC = "ECDHE-ECDSA-AES128-SHA256"
GROUPS = {"groups": "P-384:P-256"}
KNOBS: dict[str, tuple[TLSVersion, dict[str, Any], dict[str, Any]]] = {
    "psk": (TLS13, {"server_name": NAME}, {}),
    "external": (TLS13, {"psk_key": "shared"}, {"psk_key": "shared", "server_certificate": "none"}),
    "early": (TLS13, {"max_early_data": 100, "alpn": ("h2",)}, {"max_early_data": 1024, "alpn": ("h2", "http/1.1")}),
    "retry": (TLS13, GROUPS, {"groups": "P-256"}),
    "fragment13": (TLS13, {"max_fragment_length": 1024}, {}),
    "ticket12": (TLS12, {"server_name": NAME, "max_fragment_length": 1024}, {}),
    "id12": (TLS12, {"alpn": ("h2",)}, {"tickets": False, "alpn": ("h2",)}),
    "mac12": (TLS12, {"ciphers": CBC}, {"ciphers": CBC}),
    "older11": (TLSVersion.TLSv1_1, {}, {"versions": (TLSVersion.TLSv1_1, TLS12)}),
    "older12": (TLS12, {}, {"versions": (TLS12, TLS13)}),
}
"""The TLS version, the client's knobs and the server's: a full handshake, and one that resumes its session."""


class Recorded:
    """Each recording is made when it is first asked for."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stack = LibsslStack(libssl_build(), runtime)
        self._made: dict[str, list[Connection]] = {}

    def __getitem__(self, name: str) -> list[Connection]:
        if name not in self._made:
            self._made[name] = OTHERS[name](self) if name in OTHERS else self._resumed(*KNOBS[name])
        return self._made[name]

    def _pair(self, tls: TLSVersion, client: dict[str, Any], server: dict[str, Any]) -> Pair:
        ends = (self._stack, self._stack)
        return Pair(ends, tls, self._runtime, client=ClientConfig(**client), server=ServerConfig(**server))

    def _resumed(self, tls: TLSVersion, client: dict[str, Any], server: dict[str, Any]) -> list[Connection]:
        pair = self._pair(tls, client, server)
        try:
            pair.connect(pair.connect().session)
        finally:
            pair.close()
        return pair.connections

    def in_quic(self) -> list[Connection]:
        """Of other OpenSSLs, as the system's may have no QUIC."""
        return [connection(FULL), connection(RESUMED)]

    def renegotiated(self) -> list[Connection]:
        """One connection with a second handshake."""
        pair = self._pair(TLS12, {}, {})
        try:
            live = pair.open()
            live.handshake()
            live.exchange()
            live.renegotiate(Role.SERVER)
            live.close()
        finally:
            pair.close()
        return pair.connections

    def close(self) -> None:
        """End the agents."""
        self._stack.close()


OTHERS = {"renegotiated": Recorded.renegotiated, "quic": Recorded.in_quic}
NAMES = (*KNOBS, *OTHERS)
