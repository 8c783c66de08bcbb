"""Which Capabilities s_server and s_client have, and why not the others; their knobs stand in the table of knobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.capability import Capability, abilities_of
from harness.model.tls import Role

if TYPE_CHECKING:
    from harness.model.capability import Abilities

IN_MEMORY = "each connection is a process of its own, and its memory ends with it"
"""Why an s_client cannot offer the object that another one held."""

COMMON_MISSING = {
    Capability.EVERY_TICKET.value: "-sess_out is overwritten by each ticket, only the last is seen",
    Capability.COUNTERS.value: "a running program prints its counters only while a connection is open",
    Capability.CONCURRENT.value: "it has one connection at a time",
    Capability.ABBREVIATED_RENEGOTIATION.value: "its renegotiation command calls SSL_renegotiate",
}


SERVER = (Capability.RUNNING_COUNTERS, Capability.RENEGOTIATION, Capability.EARLY_DATA, Capability.CLOCK)
SERVER_MISSING = COMMON_MISSING | {
    Capability.CLOSE_CLIENT_ONLY.value: "s_server answers a close_notify with its own at once",
    Capability.CLOSE_SERVER_ONLY.value: "s_server has no command that sends close_notify",
}
CLIENT = (
    Capability.SESSION_DATA,
    Capability.SESSION_FIELDS,
    Capability.SESSION_COPY,
    Capability.SESSION_IMPORT,
    Capability.RENEGOTIATION,
    Capability.CLOSE_CLIENT_ONLY,
    Capability.EARLY_DATA,
    Capability.CLOCK,
)
CLIENT_MISSING = COMMON_MISSING | {
    Capability.SESSION_BEFORE_TICKET.value: "s_client writes -sess_out when a TLS 1.3 ticket arrives, not before",
    Capability.SESSION_IN_MEMORY.value: IN_MEMORY,
    Capability.CLOSE_SERVER_ONLY.value: "s_client answers a close_notify with its own at once",
}


def program_abilities(role: Role, version: str, clock_missing: str | None) -> Abilities:
    """What the program of a role can do; ``clock_missing`` says why its clock cannot be moved, None if it can."""
    able, missing = (CLIENT, CLIENT_MISSING) if role is Role.CLIENT else (SERVER, SERVER_MISSING)
    clock = {} if clock_missing is None else {"clock": clock_missing, Capability.CLOCK.value: clock_missing}
    return abilities_of("openssl", role, version, missing | clock, able)
