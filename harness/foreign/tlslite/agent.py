"""Drives tlslite-ng for resumption-harness: the conversation of harness.agent with a driver that can break rules."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, ClassVar

if len(sys.argv) > 1:
    sys.path[:0] = sys.argv[1:2]  # where its wheels were unpacked

from tlslite.handshakesettings import HandshakeSettings
from tlslite.sessioncache import SessionCache
from tlslite.utils.keyfactory import parsePEMKey
from tlslite.x509certchain import X509CertChain

from harness.agent.agent import Agent
from harness.agent.knobs import early_data
from harness.agent.library import LackError
from harness.agent.program import serve
from harness.agent.verbs import CONNECTION, CONTEXT, missing_capabilities
from harness.agent.vocabulary import PROTOCOL, Capability, Role
from harness.foreign.described import check
from harness.foreign.tlslite.connection import SUITES, TlsliteConnection
from harness.foreign.tlslite.fast import install
from harness.foreign.tlslite.lacks import CAPABILITIES, CLIENT_KNOBS, KNOBS, OF_A_SERVER, SERVER_KNOBS, VERBS
from harness.foreign.tlslite.liar import Liar
from harness.foreign.tlslite.mutation import TABLE, named
from harness.foreign.tlslite.sessions import imported

for module in ("lies_of_clients", "lies_of_servers"):
    importlib.import_module(f"harness.foreign.tlslite.{module}")

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping

    from harness.agent.requests import Request

LIFETIME = 7200
TICKETS = 2
VERSIONS = {"1.2": (3, 3), "1.3": (3, 4)}
GROUPS = {"x25519": "x25519", "p-256": "secp256r1", "prime256v1": "secp256r1", "p-384": "secp384r1"}
BULKS = {"AES128": "aes128gcm", "AES256": "aes256gcm", "CHACHA20": "chacha20-poly1305"}


def limits(role: str) -> dict[str, Any]:
    """The knobs of a role, as ``hello`` reports them."""
    return {**KNOBS, **(CLIENT_KNOBS if role == "client" else SERVER_KNOBS), "mutation": named(role)}


class TlsliteContext:
    """The settings of every connection of a role, and of a server its ticket key and cache."""

    unsupported: ClassVar[Mapping[str, str]] = VERBS

    def __init__(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> None:
        check("tlslite-ng", limits(role), knobs)
        self._knobs = knobs
        self._mutation = TABLE.get(str(knobs.get("mutation")))
        self._alpn = [bytearray(name.encode()) for name in knobs.get("alpn") or ()] or None
        self._chain = self._key = None
        if role == "server":
            self._chain = X509CertChain()
            with open(files["certificate"], encoding="ascii") as certificate:  # noqa: PTH123 - a path is a text here
                self._chain.parsePemList(certificate.read())
            with open(files["key"], encoding="ascii") as key:  # noqa: PTH123 - a path is a text here
                self._key = parsePEMKey(key.read(), private=True)
        self._cache = SessionCache()
        self._settings = settings_of(knobs)
        if role == "server" and knobs.get("tickets") is not False:
            self._settings.ticketKeys = [ticket_key(knobs.get("ticket_keys"))]

    def connect(self, sock: socket.socket, session: Mapping[str, Any] | None) -> TlsliteConnection:
        """A client, with the session that it offers."""
        liar = Liar(sock, self._mutation)
        offered = None
        if session is not None:
            if session.get("opaque") is None:
                raise LackError(f"session import: {CAPABILITIES['session data']}")
            offered, allowed = imported(session["opaque"], self._knobs.get("server_name"))
            size = min(self._knobs.get("max_early_data") or 0, allowed)
            liar.early = early_data(size)
        liar.offered, liar.resuming = offered, offered is not None

        def start() -> Iterator[Any]:
            steps: Iterator[Any] = liar.handshakeClientCert(
                session=offered,
                settings=self._settings,
                serverName=self._knobs.get("server_name"),
                async_=True,
                alpn=self._alpn,
            )
            return steps

        return TlsliteConnection(liar, start)

    def accept(self, sock: socket.socket) -> TlsliteConnection:
        """A server; one that accepts no session has a new key and no cache."""
        liar = Liar(sock, self._mutation, self._chain)
        settings, cache = self._settings, self._cache
        if self._mutation is not None and self._mutation.declines:
            settings, cache = settings_of(self._knobs), SessionCache()
            settings.ticketKeys = [ticket_key(None)] if self._settings.ticketKeys else []

        def start() -> Iterator[Any]:
            steps: Iterator[Any] = liar.handshakeServerAsync(
                certChain=self._chain, privateKey=self._key, sessionCache=cache, settings=settings, alpn=self._alpn
            )
            return steps

        return TlsliteConnection(liar, start)

    def free(self) -> None:
        """Nothing to free."""


def ticket_key(given: Any) -> bytes:
    """The key of a server's tickets: from its knob, else a random one."""
    if given is None:
        return os.urandom(32)
    return hashlib.sha256(bytes.fromhex(given) if isinstance(given, str) else bytes(given)).digest()


def settings_of(knobs: Mapping[str, Any]) -> HandshakeSettings:
    """The settings of a connection; LackError for a value that this agent does not know."""
    made = HandshakeSettings()
    enabled = sorted(VERSIONS[str(version.value)] for version in knobs.get("versions") or ())
    made.minVersion, made.maxVersion = (enabled[0], enabled[-1]) if enabled else ((3, 3), (3, 4))
    made.versions = [version for version in ((3, 4), (3, 3)) if made.minVersion <= version <= made.maxVersion]
    made.cipherNames = bulks(knobs)
    made.macNames = ["aead"]
    made.keyExchangeNames = ["ecdhe_ecdsa"]
    made.eccCurves = groups(knobs.get("groups") or "X25519:P-256:P-384")
    made.keyShares = made.eccCurves[:1]
    made.dhGroups = []
    made.defaultCurve = "secp256r1"
    made.useEncryptThenMAC = False
    made.usePaddingExtension = False
    made.use_heartbeat_extension = False
    made.record_size_limit = None
    made.certificate_compression_send = []
    made.certificate_compression_receive = []
    made.psk_modes = ["psk_dhe_ke"]
    made.useExtendedMasterSecret = knobs.get("extended_master_secret") is not False
    made.ticketLifetime = LIFETIME if knobs.get("timeout") is None else knobs["timeout"]
    made.ticketCipher = "aes256gcm"
    given = knobs.get("num_tickets")
    made.ticket_count = TICKETS if given is None else given
    return made


def bulks(knobs: Mapping[str, Any]) -> list[str]:
    """The ciphers of tlslite-ng for those that the knobs name, in their order."""
    wanted = [name for knob in ("ciphersuites", "ciphers") for name in (knobs.get(knob) or "").split(":") if name]
    for name in wanted:
        if name not in SUITES:
            raise LackError(f"ciphers: the agent has only {', '.join(SUITES)}")
    found = [bulk for name in wanted for word, bulk in BULKS.items() if word in name.replace("AES_", "AES")]
    return list(dict.fromkeys(found)) or list(BULKS.values())


def groups(text: str) -> list[str]:
    """The groups of tlslite-ng for a list of names."""
    names = text.lower().split(":")
    for name in names:
        if name not in GROUPS:
            raise LackError(f"groups: the agent has only {', '.join(GROUPS)}")
    return [GROUPS[name] for name in names]


class TlsliteLibrary:
    """The tlslite-ng that this process has imported."""

    name = "tlslite"
    driven: ClassVar[Mapping[str, type]] = {CONTEXT: TlsliteContext, CONNECTION: TlsliteConnection}

    def __init__(self) -> None:
        self.version: str = importlib.import_module("tlslite").__version__.partition("-")[0]
        self.description = f"tlslite-ng {self.version}"

    def missing(self, role: str) -> Mapping[str, str]:
        """Why Capabilities are missing."""
        return CAPABILITIES | missing_capabilities(VERBS) | (OF_A_SERVER if role == "server" else {})

    def context(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> TlsliteContext:
        """Make what the connections of a role share."""
        return TlsliteContext(role, knobs, files)


class TlsliteAgent(Agent):
    """The agent, which introduces itself as tlslite-ng."""

    def _hello(self, request: Request) -> dict[str, Any]:
        return super()._hello(request) | {
            "protocol": PROTOCOL,
            "family": "tlslite",
            "knobs": {role.value: limits(role.value) for role in Role},
            "capabilities": {
                role.value: {one.value: self._library.missing(role.value).get(one.value) for one in Capability}
                for role in Role
            },
            "defaults": {
                "tickets": TICKETS,
                "tickets_after_resumption": TICKETS,
                "lifetime": {"1.2": LIFETIME, "1.3": LIFETIME},
                "timeout": {"server": LIFETIME},
                "key_name": 0,
            },
        }


if __name__ == "__main__":
    install()
    serve(lambda _words: TlsliteLibrary(), TlsliteAgent)
