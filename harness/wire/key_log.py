"""A key log in the NSS format (SSL_CTX_set_keylog_callback) as the keys of each direction."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from harness.model.transcript import ENCRYPT_THEN_MAC
from harness.wire.decrypt import EarlyEpoch, Epoch12, Epoch13, MacEpoch12
from harness.wire.quic.protection import PacketKeys
from harness.wire.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.model.tls import Role
    from harness.model.transcript import ClientHello, ServerHello
    from harness.wire.suites import Suite

TLS13_SUITES = tuple(suite for number, suite in SUITES.items() if number >> 8 == 0x13)  # noqa: PLR2004 - B.4
DEFLATE = 1
"""The compression method of RFC 3749, 2.1, which OpenSSL before 1.1.0 chooses if it was built with zlib."""
HASH_LENGTHS = {"sha256": 32, "sha384": 48}
PARTS = 3
"""Words of a line: label, client random, secret."""


def secrets_of(lines: Iterable[str]) -> Mapping[tuple[str, str], str]:
    """The secrets of a key log by label and client random, all as written; lines of another form are skipped."""
    return _secrets_of(tuple(dict.fromkeys(lines)))


@lru_cache(maxsize=8)  # both ends log the same, and several facts of a connection need it
def _secrets_of(lines: tuple[str, ...]) -> Mapping[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for line in lines:
        words = line.split(maxsplit=PARTS)
        if len(words) >= PARTS:
            found[words[0], words[1].lower()] = words[2]
    return found


class KeyLog:
    """The secrets of a key log by label and client random; lines of another form are skipped."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._secrets = secrets_of(lines)

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def _secret(self, label: str, hello: ClientHello) -> bytes:
        """Empty if it is not there, or not written in hexadecimal digits."""
        try:
            return bytes.fromhex(self._secrets.get((label, hello.random.hex()), ""))
        except ValueError:
            return b""

    def early(self, hello: ClientHello) -> list[EarlyEpoch]:
        """The keys that early data may have: of the session's suite no more is known than its hash."""
        secret = self._secret("CLIENT_EARLY_TRAFFIC_SECRET", hello)
        return [EarlyEpoch(suite, secret) for suite in TLS13_SUITES if HASH_LENGTHS[suite.hash] == len(secret)]

    def tls13(self, client: ClientHello, server: ServerHello, sender: Role) -> list[Epoch13]:
        """The handshake key and the first application key of one direction, if they are there."""
        return [Epoch13(suite, secret) for suite, secret in self._traffic(client, server, sender)]

    def quic(self, client: ClientHello, server: ServerHello, sender: Role) -> list[PacketKeys]:
        """The same for packets of QUIC, whose secrets have the same labels (RFC 9001, 5.1)."""
        return [PacketKeys(suite, secret) for suite, secret in self._traffic(client, server, sender)]

    def _traffic(self, client: ClientHello, server: ServerHello, sender: Role) -> list[tuple[Suite, bytes]]:
        suite = SUITES.get(server.cipher_suite)
        if suite is None or suite.aead is None:
            return []
        labels = (f"{sender.name}_HANDSHAKE_TRAFFIC_SECRET", f"{sender.name}_TRAFFIC_SECRET_0")
        return [(suite, secret) for label in labels if (secret := self._secret(label, client))]

    def tls12(self, client: ClientHello, server: ServerHello, sender: Role) -> list[Epoch12 | MacEpoch12]:
        """The key of one direction after its change_cipher_spec, if it is there and the suite's cipher is known."""
        suite, master = SUITES.get(server.cipher_suite), self._secret("CLIENT_RANDOM", client)
        if suite is None or not master or server.version is None:
            return []
        randoms, deflated = (client.random, server.random), server.compression == DEFLATE
        if suite.aead is not None:
            return [Epoch12(suite, master, randoms, sender, deflated=deflated)]
        if suite.bulk is None:
            return []
        first = ENCRYPT_THEN_MAC in server.extensions
        keys = MacEpoch12(
            suite, master, randoms, sender, deflated=deflated, encrypted_first=first, version=server.version
        )
        return [keys]
