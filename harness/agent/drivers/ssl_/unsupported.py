"""What Python's ``ssl`` does not support, and why; shared by its driver and its stack.

Sources: the documentation of the ``ssl`` module, and Modules/_ssl.c of CPython 3.11.
"""

from __future__ import annotations

from harness.agent import knob
from harness.agent.knobs import NO_QUIC, SSL_HAS_NO_DTLS, SSL_HAS_PSK
from harness.agent.verbs import ONLY_CLIENTS_OFFER, ONLY_SERVERS_ASK, ONLY_SERVERS_CHOOSE, missing_capabilities
from harness.agent.vocabulary import Capability

NO_EARLY_DATA = "Python's ssl has no early data"
CHOOSE_EARLY = "Python's ssl has no SSL_CTX_set_client_hello_cb"
TAKES_NOTHING = (
    "SSLObject.context calls SSL_set_SSL_CTX alone, and the other context has another verify mode or other options, "
    "which nothing gives to the connection"
)
SERVER_NAME = "SSLObject.server_hostname is what the client was given, not what SSL_get_servername returns"
NEW_SESSION_CALLBACK = "Python's ssl has no SSL_CTX_sess_set_new_cb"
GROUP = "Python's ssl has no SSL_get_negotiated_group before Python 3.15"
EXPORTER = "Python's ssl has no SSL_export_keying_material"

VERBS = {
    "renegotiate": "Python's ssl has no SSL_renegotiate",
    "duplicate": "SSLObject.session is a copy anyway (i2d_SSL_SESSION and d2i_SSL_SESSION), and no SSL_SESSION_dup",
    "older": "SSLSession.time cannot be set",
    "timeout": "SSLSession.timeout cannot be set",
    "ssl": "Python's ssl has no SSL_clear",
    "flush": "Python's ssl has no SSL_CTX_flush_sessions",
    "resize_cache": "Python's ssl has no SSL_CTX_sess_set_cache_size",
    "remove": "Python's ssl has no SSL_CTX_remove_session",
    "age_sessions": "a server's SSLContext does not expose the sessions that it issues",
    "set_timeouts": "a server's SSLContext does not expose the sessions that it issues",
    "callback_calls": "Python's ssl has no SSL_CTX_sess_set_get_cb",
    "rotate_keys": "Python's ssl has no SSL_CTX_set_tlsext_ticket_key_cb",
    "add_session": "Python's ssl has no SSL_CTX_add_session",
    "new_ticket": "Python's ssl has no SSL_new_session_ticket",
    "leave_unread": "SSLObject.unwrap waits for the peer, and SSL_shutdown alone cannot be called after it failed",
    "early_data": NO_EARLY_DATA,
    "has_session": "Python's ssl has no SSL_has_matching_session_id",
}
"""Optional verbs without a method, and fields of verbs that cannot be set."""

SESSIONS = {
    "session data": "Python's ssl has no i2d_SSL_SESSION; an SSLSession has only id, time, timeout, has_ticket, hint",
    "session import": "Python's ssl has no d2i_SSL_SESSION; it offers only SSLSession objects of the same SSLContext",
    "every ticket": "Python's ssl has no new-session callback; SSLObject.session is the last one",
    "is_resumable": "Python's ssl has no SSL_SESSION_is_resumable",
}
"""What is not supported for sessions, by the value of the harness's Capability."""

MISSING = {
    Capability.SESSION_DATA: SESSIONS["session data"],
    Capability.SESSION_IMPORT: SESSIONS["session import"],
    Capability.EVERY_TICKET: SESSIONS["every ticket"],
    Capability.RESUMABLE: SESSIONS["is_resumable"],
    Capability.EARLY_DATA: NO_EARLY_DATA,
    Capability.NEW_SESSION_CALLBACK: NEW_SESSION_CALLBACK,
    Capability.SERVER_NAME: SERVER_NAME,
    Capability.NEGOTIATED_GROUP: GROUP,
    Capability.EXPORTER: EXPORTER,
    Capability.CHOOSE_EARLY: CHOOSE_EARLY,
    Capability.OCSP_RESPONSE: "SSLObject has no way to SSL_get_tlsext_status_ocsp_resp",
    Capability.DATAGRAMS: SSL_HAS_NO_DTLS,
    Capability.REFUSED_RENEGOTIATION: VERBS["renegotiate"],
    Capability.QUIC: NO_QUIC["ssl"],
}


def missing(role: str, _version: str) -> dict[str, str]:
    """Return why Capabilities are missing, by their values."""
    found = {ability.value: reason for ability, reason in MISSING.items()} | missing_capabilities(VERBS)
    if knob.PYTHON < SSL_HAS_PSK:
        found[Capability.PSK_IDENTITIES.value] = "SSLContext has no set_psk_server_callback before Python 3.13"
    if role == "client":
        found[Capability.AUTHENTICATE.value] = ONLY_SERVERS_ASK
        found |= dict.fromkeys((Capability.CHOOSE_CONTEXT.value, Capability.CHOOSE_EARLY.value), ONLY_SERVERS_CHOOSE)
    else:
        found[Capability.THREADS.value] = ONLY_CLIENTS_OFFER
    return found
