"""A key log in the NSS format (SSL_CTX_set_keylog_callback) as the keys of each direction; no record is opened here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.wire.decrypt import Epoch12, Epoch13
from harness.wire.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model.tls import Role
    from harness.model.transcript import ClientHello, ServerHello

TLS13_SUITES = tuple(suite for number, suite in SUITES.items() if number >> 8 == 0x13)  # noqa: PLR2004 - B.4
DEFLATE = 1
"""The compression method of RFC 3749, 2.1, which OpenSSL before 1.1.0 chooses if it was built with zlib."""
HASH_LENGTHS = {"sha256": 32, "sha384": 48}


class KeyLog:
    """The secrets of a key log by label and client random; lines that are none are passed over."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._secrets: dict[tuple[str, bytes], bytes] = {}
        for line in lines:
            label, *values = line.split()[:3] or [""]
            try:
                random, secret = map(bytes.fromhex, values)
            except ValueError:
                continue
            self._secrets[label, random] = secret

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def early(self, hello: ClientHello) -> list[Epoch13]:
        """The keys that early data may have: its suite is that of the session, which only its hash is known of."""
        secret = self._secrets.get(("CLIENT_EARLY_TRAFFIC_SECRET", hello.random), b"")
        return [Epoch13(suite, secret) for suite in TLS13_SUITES if HASH_LENGTHS[suite.hash] == len(secret)]

    def tls13(self, client: ClientHello, server: ServerHello, sender: Role) -> list[Epoch13]:
        """The handshake and the first application key of one direction, as far as they are there."""
        suite = SUITES.get(server.cipher_suite)
        labels = (f"{sender.name}_HANDSHAKE_TRAFFIC_SECRET", f"{sender.name}_TRAFFIC_SECRET_0")
        secrets = [self._secrets.get((label, client.random)) for label in labels]
        return [Epoch13(suite, secret) for secret in secrets if secret and suite]

    def tls12(self, client: ClientHello, server: ServerHello, sender: Role) -> list[Epoch12]:
        """The key of one direction after its change_cipher_spec, if it is there and the suite is an AEAD."""
        suite = SUITES.get(server.cipher_suite)
        master = self._secrets.get(("CLIENT_RANDOM", client.random))
        if not suite or not master:
            return []
        deflated = server.compression == DEFLATE
        return [Epoch12(suite, master, (client.random, server.random), sender, deflated=deflated)]
