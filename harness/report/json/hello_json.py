"""The hellos of a connection as JSON objects: what they carry and how long it is, not what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.tls import Role
from harness.model.transcript import ClientHello
from harness.wire.names import EXTENSIONS, name_of

if TYPE_CHECKING:
    from harness.model.transcript import ServerHello, Transcript
    from harness.report.json.case_shape import HelloObject


def hellos_json(transcript: Transcript) -> list[HelloObject]:
    """The ClientHellos in the order in which they were sent, then the server's."""
    return [*map(_hello, transcript.client_hellos), *map(_hello, transcript.server_hellos)]


def _hello(hello: ClientHello | ServerHello) -> HelloObject:
    if isinstance(hello, ClientHello):
        sender, kind, suites = Role.CLIENT, "ClientHello", hello.cipher_suites
    else:
        kind = "HelloRetryRequest" if hello.hello_retry_request else "ServerHello"
        sender, suites = Role.SERVER, (hello.cipher_suite,)
    return {
        "sender": sender.value,
        "type": kind,
        "length": hello.length,
        "session_id_length": len(hello.session_id),
        "cipher_suites": list(suites),
        "extensions": [
            {"number": number, "name": name_of(EXTENSIONS, number), "length": len(body)}
            for number, body in hello.extensions.items()
        ],
    }
