"""A fatal alert after the handshake aborts the connection for all three witnesses, whoever had already read data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.knobs import ClientConfig, ServerConfig, Verify
from harness.model.tls import Alert, Ending, Outcome, Role, TLSVersion
from harness.model.view import Saw
from harness.pair.pair import Pair

if TYPE_CHECKING:
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

OLD = "1.1.1k"
"""Before 1.1.1l a client takes no NewSessionTicket above 16384 bytes (tls_process_new_session_ticket)."""


def test_a_client_that_refuses_a_large_ticket_aborts_for_all_witnesses(machine: tuple[Machine, Runtime]) -> None:
    fetched = [label for label in machine[0].fetched("libssl") if label.endswith(OLD)]
    if not fetched:
        pytest.skip(f"no libssl@{OLD} is fetched; run: resumption builds fetch {OLD}")
    client, server = machine[0].one(f"libssl@{OLD}"), machine[0].one("libssl")
    knobs = ClientConfig(client_certificate="large-client"), ServerConfig(verify=Verify.REQUIRED)
    pair = Pair((client, server), TLSVersion.TLSv1_3, machine[1], client=knobs[0], server=knobs[1])
    refused = pair.connect(presume_full=False)
    pair.close()

    assert refused.outcome is Outcome.ABORTED
    assert refused.alert == Alert(47, Role.CLIENT)
    assert [view.saw for view in refused.views] == [Saw.ABORTED] * 3
    assert any("reason=152" in error for error in refused.client.errors)


@pytest.mark.parametrize("version", ["1.0.2q", "1.1.0l"])
def test_a_silent_failure_of_an_old_library_is_not_the_end_of_input(
    machine: tuple[Machine, Runtime], version: str
) -> None:
    if not [label for label in machine[0].fetched("libssl") if label.endswith(f"@{version}")]:
        pytest.skip(f"no libssl@{version} is fetched; run: resumption builds fetch {version}")
    client, server = machine[0].one("libssl"), machine[0].one(f"libssl@{version}")
    knobs = ClientConfig(client_certificate="huge-client"), ServerConfig(verify=Verify.REQUIRED)
    pair = Pair((client, server), TLSVersion.TLSv1_2, machine[1], client=knobs[0], server=knobs[1])
    connection = pair.connect(presume_full=False)
    pair.close()

    assert connection.outcome is Outcome.ABORTED
    assert [error.partition(" the library")[0] for error in connection.server.errors] == ["lib=0 reason=0"]
    assert "without an error" in connection.server.view.evidence[0]
    assert connection.server.ending is not Ending.EOF
