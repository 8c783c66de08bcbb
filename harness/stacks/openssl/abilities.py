"""The Capabilities of s_server and s_client, and why they lack the others; harness.agent.knobs has their knobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.knobs import NO_QUIC, QUIC_SINCE
from harness.agent.verbs import CONTEXT, ONLY_SERVERS_ASK, OPTIONAL
from harness.agent.vocabulary import release
from harness.model.capability import Capability, abilities_of
from harness.model.tls import Role

if TYPE_CHECKING:
    from harness.model.capability import Abilities

IN_MEMORY = "each connection is a process of its own, and its memory ends with it"
"""Why an s_client cannot offer a session object of another one."""

NO_COMMAND = "the program has no command for it"
"""Why it lacks a verb that has no reason of its own."""

COMMON_MISSING = {
    **{row.needs: NO_COMMAND for row in OPTIONAL if row.needs is not None},
    Capability.EARLY_DATA_CONTENT.value: "its early data is the harness's pattern, in a file",
    Capability.RESUMABLE.value: "the program does not print it",
    Capability.NEW_SESSION_CALLBACK.value: "it is the program's own, and its calls are not printed",
    Capability.SERVER_NAME.value: "the program does not print it",
    Capability.EVERY_TICKET.value: "each ticket overwrites the file of -sess_out, so only the last one is seen",
    Capability.NEGOTIATED_GROUP.value: "the program does not print it",
    Capability.PEER_CHAIN.value: "it prints the names of a chain, not its certificates",
    Capability.CHOOSE_EARLY.value: "no flag sets a client-hello callback",
    Capability.OCSP_RESPONSE.value: "it prints what a response says, not its bytes",
    Capability.EXPORTER.value: "-keymatexport prints the material itself, for anybody to read",
    Capability.PSK_IDENTITIES.value: "in TLS 1.2 s_server warns of an unknown identity and goes on (psk_server_cb)",
    Capability.COUNTERS.value: "a running program prints its counters only while a connection is open",
    Capability.CLOSE_IN_ORDER.value: "it calls SSL_shutdown after each end of its input, in an order of its own",
    Capability.NEW_TICKET.value: "no command of a running s_server sends a ticket",
    Capability.CONCURRENT.value: "it has one connection at a time",
    Capability.CHANGED_RENEGOTIATION.value: "its renegotiation command changes nothing before it",
    Capability.SESSION_DUPLICATE.value: IN_MEMORY,
    Capability.SESSION_TIMES.value: IN_MEMORY,
    Capability.CLEAR.value: "only -reconnect connects again with its SSL, and prints nothing of the harness's between",
    Capability.THREADS.value: "the program has one thread",
    Capability.ABBREVIATED_RENEGOTIATION.value: "its renegotiation command calls SSL_renegotiate",
}


NO_COUNTERS = "s_client prints no counters"
OF_A_CLIENT = (
    Capability.SESSION_DATA.value,
    Capability.SESSION_FIELDS.value,
    Capability.SESSION_COPY.value,
    Capability.SESSION_IMPORT.value,
    Capability.SESSION_BEFORE_TICKET.value,
)
BOTH_ENDS = (Capability.CLOCK, Capability.SESSION_ID, Capability.KEY_LOG, Capability.OPENSSL_CHOICES)
SERVER = (
    *BOTH_ENDS,
    Capability.RUNNING_COUNTERS,
    Capability.RENEGOTIATION,
    Capability.REFUSED_RENEGOTIATION,
    Capability.DATAGRAMS,
    Capability.AUTHENTICATE,
    Capability.EARLY_DATA,
)
SERVER_MISSING = COMMON_MISSING | {
    Capability.QUIC.value: NO_QUIC["openssl"],
    Capability.CHOOSE_CONTEXT.value: "the second context of -servername has a certificate, and nothing else of its own",
    Capability.CLOSE_CLIENT_ONLY.value: "s_server answers a close_notify with its own at once",
    Capability.CLOSE_SERVER_ONLY.value: "s_server has no command that sends close_notify",
    **dict.fromkeys(OF_A_CLIENT, "s_server saves no sessions to a file"),
}
CLIENT = (
    Capability.SESSION_DATA,
    Capability.SESSION_FIELDS,
    Capability.SESSION_COPY,
    Capability.SESSION_IMPORT,
    Capability.RENEGOTIATION,
    Capability.REFUSED_RENEGOTIATION,
    Capability.DATAGRAMS,
    Capability.CLOSE_CLIENT_ONLY,
    Capability.EARLY_DATA,
    Capability.NEGOTIATED_GROUP,
    *BOTH_ENDS,
)
CLIENT_MISSING = COMMON_MISSING | {
    **{row.needs: IN_MEMORY for row in OPTIONAL if row.needs is not None and row.on == CONTEXT},
    Capability.AUTHENTICATE.value: ONLY_SERVERS_ASK,
    Capability.COUNTERS.value: NO_COUNTERS,
    Capability.RUNNING_COUNTERS.value: NO_COUNTERS,
    Capability.SESSION_BEFORE_TICKET.value: "s_client writes -sess_out when a TLS 1.3 ticket arrives, not before",
    Capability.SESSION_IN_MEMORY.value: IN_MEMORY,
    Capability.CLOSE_SERVER_ONLY.value: "s_client answers a close_notify with its own at once",
}


def program_abilities(role: Role, version: str, clock_missing: str | None) -> Abilities:
    """Return what the program of a role supports; ``clock_missing`` says why its clock cannot be moved, if so."""
    able, missing = (CLIENT, CLIENT_MISSING) if role is Role.CLIENT else (SERVER, SERVER_MISSING)
    clock = {} if clock_missing is None else {Capability.CLOCK.value: clock_missing}
    since, older = QUIC_SINCE[Role.CLIENT]
    if role is Role.CLIENT and release(version) >= release(since):
        able = (*able, Capability.QUIC)
    elif role is Role.CLIENT:
        missing = {**missing, Capability.QUIC.value: older}
    lacking = {name: why for name, why in missing.items() if name not in able}
    return abilities_of("openssl", role, version, lacking | clock, able)
