"""What an old libssl does not support, and why; shared by its driver and its stack."""

from __future__ import annotations

from harness.agent.knobs import QUIC_SINCE
from harness.agent.verbs import ONLY_CLIENTS_GET_ONE, ONLY_CLIENTS_OFFER, ONLY_SERVERS_ASK
from harness.agent.vocabulary import Capability, Role, release

SINCE_1_1_1 = (1, 1, 1)
SINCE_1_1_0 = (1, 1)
SINCE_3_0 = (3,)
NO_TLS13 = "OpenSSL before 1.1.1 has no TLS 1.3"
NO_GROUP = "OpenSSL before 3.0 has no SSL_get_negotiated_group"
ONLY_CLIENTS = "only a client writes early data"
ONLY_SERVERS = "only a server has such callbacks"
ONLY_SERVERS_SEND = "only a server sends tickets"
NO_EMS_OPTION = "OpenSSL before 3.0 has no SSL_OP_NO_EXTENDED_MASTER_SECRET"
NO_NEW_TICKET = "OpenSSL before 3.0 has no SSL_new_session_ticket"
WAITS_FOR_EVER = "SSL_write before OpenSSL 1.1.0 waits for a ClientHello for ever, once a client of DTLS refused it"
OF_CLIENTS = (Capability.SESSION_DUPLICATE, Capability.SESSION_TIMES, Capability.CLEAR, Capability.THREADS)
OF_SERVERS = (
    Capability.SET_TIMEOUTS,
    Capability.CALLBACK_CALLS,
    Capability.ROTATE_KEYS,
    Capability.CHOOSE_CONTEXT,
    Capability.CHOOSE_EARLY,
    Capability.ADD_SESSION,
)
TLS13_CAPABILITIES = {
    Capability.EVERY_TICKET: NO_TLS13,
    Capability.AUTHENTICATE: NO_TLS13,
    Capability.EARLY_DATA: NO_TLS13,
    Capability.EARLY_DATA_CONTENT: NO_TLS13,
    Capability.SESSION_DUPLICATE: "OpenSSL before 1.1.1 has no SSL_SESSION_dup",
    Capability.RESUMABLE: "OpenSSL before 1.1.1 has no SSL_SESSION_is_resumable",
    Capability.CHOOSE_EARLY: "OpenSSL before 1.1.1 has no SSL_CTX_set_client_hello_cb",
    Capability.SET_TIMEOUTS: "OpenSSL before 1.1.1 has no SSL_CTX_set_session_ticket_cb, to change its tickets",
    Capability.AGE_SERVER_SESSION: "OpenSSL before 1.1.1 has no SSL_CTX_set_session_ticket_cb, to age its tickets",
}
"""The Capabilities that need OpenSSL 1.1.1."""


def missing(role: str, version: str) -> dict[str, str]:
    """Return why Capabilities are missing, by their values; ValueError if ``version`` is not a version."""
    found = (
        {ability.value: why for ability, why in TLS13_CAPABILITIES.items()} if release(version) < SINCE_1_1_1 else {}
    )
    if release(version) < SINCE_3_0:
        found[Capability.CHANGED_RENEGOTIATION.value] = NO_EMS_OPTION
    if release(version) < SINCE_1_1_0:
        found[Capability.CHOOSE_CONTEXT.value] = "the driver calls SSL_clear_options, a macro before OpenSSL 1.1.0"
        found[Capability.THREADS.value] = "OpenSSL before 1.1.0 is safe in threads only with locks of the program's own"
        if role == "server":
            found[Capability.REFUSED_RENEGOTIATION.value] = WAITS_FOR_EVER
    if role == "server":
        found[Capability.EARLY_DATA_CONTENT.value] = ONLY_CLIENTS
        found[Capability.OCSP_RESPONSE.value] = ONLY_CLIENTS_GET_ONE
        found |= dict.fromkeys((each.value for each in OF_CLIENTS), ONLY_CLIENTS_OFFER)
    else:
        found |= dict.fromkeys((each.value for each in OF_SERVERS), ONLY_SERVERS)
        found[Capability.AUTHENTICATE.value] = ONLY_SERVERS_ASK
        found[Capability.NEW_TICKET.value] = ONLY_SERVERS_SEND
    if release(version) < SINCE_3_0:
        found[Capability.NEGOTIATED_GROUP.value] = NO_GROUP
        found[Capability.NEW_TICKET.value] = NO_NEW_TICKET
    since, why = QUIC_SINCE[Role(role)]
    if release(version) < release(since):
        found[Capability.QUIC.value] = why
    return found
