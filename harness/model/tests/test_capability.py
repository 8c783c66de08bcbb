"""What one Capability says of another: a stack that has a session's bytes has its fields, and has a copy of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.capability import Capability
from harness.model.tls import Role
from harness.stacks import libssl, pyopenssl, ssl_
from harness.stacks.openssl.abilities import program_abilities

if TYPE_CHECKING:
    from harness.model.capability import Abilities

CLIENTS = {
    "openssl@1.1.1w": program_abilities(Role.CLIENT, "1.1.1w", None),
    "openssl@4.0.3": program_abilities(Role.CLIENT, "4.0.3", None),
    "libssl@1.0.2q": libssl.abilities_of(Role.CLIENT, "1.0.2q"),
    "libssl@4.0.3": libssl.abilities_of(Role.CLIENT, "4.0.3"),
    "pyopenssl@4.0.3": pyopenssl.abilities_of(Role.CLIENT, "4.0.3"),
    "ssl@3.0.19": ssl_.abilities_of(Role.CLIENT, "3.0.19"),
}
OF_DATA = (Capability.SESSION_FIELDS, Capability.SESSION_COPY)


@pytest.mark.parametrize("capability", OF_DATA)
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_every_client_reports_a_sessions_fields_and_keeps_a_copy(client: Abilities, capability: Capability) -> None:
    assert client.lacks(capability) is None


@pytest.mark.parametrize("capability", [*OF_DATA, Capability.SESSION_DATA, Capability.SESSION_IMPORT])
def test_pyopenssl_below_cryptography_44_has_sessions_without_bytes(capability: Capability) -> None:
    client = pyopenssl.abilities_of(Role.CLIENT, "3.3.2")

    assert str(client.lacks(capability)).startswith("cryptography before 44 does not bind")
