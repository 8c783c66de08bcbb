"""What pyOpenSSL does not support, and why; shared by its driver and its stack.

"Not bound" means that neither pyOpenSSL nor cryptography 50's cffi library has the function.
"""

from __future__ import annotations

from harness.agent.knobs import NO_QUIC, PYOPENSSL_HAS_DTLS, PYOPENSSL_LACKS_DTLS, PYOPENSSL_LACKS_SIGALGS
from harness.agent.verbs import (
    ONLY_CLIENTS_GET_ONE,
    ONLY_CLIENTS_OFFER,
    ONLY_SERVERS_ASK,
    ONLY_SERVERS_CHOOSE,
    missing_capabilities,
)
from harness.agent.vocabulary import Capability, release

CLIENT_EARLY_DATA = "SSL_get_early_data_status is not bound: a client cannot tell whether its early data was accepted"
GROUPS = "cryptography before 47 has no SSL_CTX_set1_curves_list"
SIGNATURE_ALGORITHMS = PYOPENSSL_LACKS_SIGALGS

NO_DER = "cryptography before 44 does not bind i2d_SSL_SESSION or d2i_SSL_SESSION: a Session cannot be exported"
"""Why sessions cannot leave their process on OpenSSL before 3.4: cryptography 44 is the first wheel with 3.4."""

AT_START = (
    "Context cannot clear an option, and SSL_CTX_set_num_tickets is not bound: "
    "only OPENSSL_CONF can set it, when the process starts"
)
"""Why middlebox_compat = off and num_tickets need a separate agent process."""

VERBS = {
    "abbreviated": "SSL_renegotiate_abbreviated is not bound",
    "ciphers": "Connection has no set_cipher_list",
    "no_extended_master_secret": "the driver has no code for Connection.set_options",
    "duplicate": "SSL_SESSION_dup is not bound",
    "older": "SSL_SESSION_set_time is not bound",
    "timeout": "SSL_SESSION_set_timeout is not bound",
    "ssl": "SSL_clear is not bound",
    "counters": "SSL_CTX_ctrl, and with it SSL_CTX_sess_*, is not bound",
    "flush": "SSL_CTX_flush_sessions is not bound",
    "resize_cache": "SSL_CTX_ctrl, and with it SSL_CTX_sess_set_cache_size, is not bound",
    "remove": "SSL_CTX_remove_session is not bound",
    "age_sessions": "SSL_SESSION_set_time is not bound",
    "set_timeouts": "SSL_SESSION_set_timeout is not bound",
    "callback_calls": "SSL_CTX_sess_set_get_cb is not bound",
    "rotate_keys": "SSL_CTX_set_tlsext_ticket_key_cb is not bound",
    "add_session": "SSL_CTX_add_session is not bound",
    "new_ticket": "SSL_new_session_ticket is not bound",
    "leave_unread": "the driver reads all that arrives before it closes",
    "early_data": CLIENT_EARLY_DATA,
    "has_session": "SSL_has_matching_session_id is not bound",
}
"""Optional verbs without a method, and fields of verbs that cannot be set."""

CHOOSE_EARLY = "SSL_CTX_set_client_hello_cb is not bound"
TAKES_NOT_ALL = (
    "the other context lacks an option that this one has, and SSL_clear_options is not bound; or it has another verify "
    "mode, and cryptography before 37 does not bind SSL_set_verify"
)
SERVER_NAME = "without Context.set_tlsext_servername_callback a server acknowledges no name, and reports none"
GROUP = "cryptography before 46 does not bind SSL_get0_group_name"
NEW_SESSION_CALLBACK = "SSL_CTX_sess_set_new_cb is not bound"
IS_RESUMABLE = "SSL_SESSION_is_resumable is not bound"

MISSING = {
    Capability.RESUMABLE: IS_RESUMABLE,
    Capability.NEW_SESSION_CALLBACK: NEW_SESSION_CALLBACK,
    Capability.RUNNING_COUNTERS: VERBS["counters"],
    Capability.CHOOSE_EARLY: CHOOSE_EARLY,
    Capability.QUIC: NO_QUIC["pyopenssl"],
}
OF_DER = (
    Capability.SESSION_DATA,
    Capability.SESSION_FIELDS,
    Capability.SESSION_COPY,
    Capability.SESSION_IMPORT,
    Capability.EVERY_TICKET,
)
HAS_KEY_LOG = release("1.1.1h")
"""The OpenSSL in the first cryptography that pyOpenSSL 20 takes."""
NO_KEY_LOG = "pyOpenSSL before 20 has no Context.set_keylog_callback"
HAS_GROUP = (3, 5, 3)
"""The OpenSSL of the first cryptography 46."""
HAS_DER = (3, 4)
"""The OpenSSL in the first release of cryptography that binds i2d_SSL_SESSION."""


def missing(role: str, version: str) -> dict[str, str]:
    """Return why Capabilities are missing on this OpenSSL, by their values."""
    found = {ability.value: reason for ability, reason in MISSING.items()} | missing_capabilities(VERBS)
    if role == "client":
        found[Capability.EARLY_DATA.value] = CLIENT_EARLY_DATA
        found[Capability.AUTHENTICATE.value] = ONLY_SERVERS_ASK
        found |= dict.fromkeys((Capability.CHOOSE_CONTEXT.value, Capability.CHOOSE_EARLY.value), ONLY_SERVERS_CHOOSE)
    else:
        found[Capability.SERVER_NAME.value] = SERVER_NAME
        found[Capability.OCSP_RESPONSE.value] = ONLY_CLIENTS_GET_ONE
        found[Capability.THREADS.value] = ONLY_CLIENTS_OFFER
    if release(version) < release(PYOPENSSL_HAS_DTLS):
        found[Capability.DATAGRAMS.value] = PYOPENSSL_LACKS_DTLS.why
    if release(version) < HAS_KEY_LOG:
        found[Capability.KEY_LOG.value] = NO_KEY_LOG
    if release(version) < HAS_GROUP:
        found[Capability.NEGOTIATED_GROUP.value] = GROUP
    if release(version) < HAS_DER:
        found |= {ability.value: NO_DER for ability in OF_DER}
    return found
