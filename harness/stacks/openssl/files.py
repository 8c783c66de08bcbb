"""The private files of one s_client: the session it offers, the session it writes, and its key log."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from harness.agent.kinds import psk_of
from harness.agent.knobs import early_data as early_data_of
from harness.agent.knobs import psk_in_a_file
from harness.agent.vocabulary import PskCipher
from harness.runtime.pki import write_private
from harness.stacks.openssl.argv import connection_argv
from harness.wire.session import codec, pem

if TYPE_CHECKING:
    from harness.model.knobs import Config
    from harness.model.session import Session
    from harness.runtime.runtime import Runtime


def psk_session(runtime: Runtime, config: Config) -> list[str]:
    """The flag with the session that is an end's external PSK, and its file; empty if -psk says it, or it has none."""
    given = config.given()
    if not psk_in_a_file(given):
        return []
    cipher = given.get("psk_cipher", PskCipher.AES_128).number
    session = codec.external_psk(cipher, bytes.fromhex(psk_of(given["psk_key"])))
    return ["-psk_session", str(write_private(runtime.path(".pem"), pem.to_pem(session)))]


class ClientFiles:
    """Files in the private folder of the run, which is removed with them; only their owner can read them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._sess_out = runtime.path(".sess")
        self._keylog = runtime.path(".keys")
        self._loaded: tuple[bytes, Session | None] = b"", None

    def argv(self, port: int, offered: bytes | None, early_data: int) -> list[str]:
        """Return the arguments of s_client; ``offered`` is the DER of a session, ``early_data`` a number of bytes."""
        sess_in = None if offered is None else write_private(self._runtime.path(".pem"), pem.to_pem(offered))
        early = write_private(self._runtime.path(".early"), early_data_of(early_data)) if early_data else None
        return ["-keylogfile", str(self._keylog), *connection_argv(port, self._sess_out, sess_in, early)]

    def session(self, taken_by: str) -> Session | None:
        """Return the session that s_client wrote last, or None."""
        with contextlib.suppress(FileNotFoundError):
            data = self._sess_out.read_bytes()
            if data and data != self._loaded[0]:
                self._loaded = data, codec.load(data, taken_by=taken_by)
        return self._loaded[1]

    def keys(self) -> tuple[str, ...]:
        """Return the lines of the key log, without comments."""
        with contextlib.suppress(FileNotFoundError):
            return tuple(line for line in self._keylog.read_text().splitlines() if not line.startswith("#"))
        return ()
