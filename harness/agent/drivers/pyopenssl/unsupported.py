"""What pyOpenSSL cannot do, and why, as data that its driver and its stack share; nothing is asked of pyOpenSSL here.

"Not bound" means that neither pyOpenSSL nor the cffi library of cryptography 50 below it has the function.
"""

from __future__ import annotations

CLIENT_EARLY_DATA = "SSL_get_early_data_status is not bound: a client could not tell what became of its early data"
GROUPS = "cryptography before 47 has no SSL_CTX_set1_curves_list"

NO_DER = "cryptography before 44 binds neither i2d_SSL_SESSION nor d2i_SSL_SESSION: a Session has no bytes"
"""Why sessions stay in the process that took them on OpenSSL before 3.4: cryptography 44 is the first wheel with it."""

AT_START = (
    "nothing clears an option of a Context and SSL_CTX_set_num_tickets is not bound: "
    "only an OPENSSL_CONF that holds it when the process starts can set it"
)
"""Why middlebox_compat = off and num_tickets need an agent process of their own."""

VERBS = {
    "abbreviated": "SSL_renegotiate_abbreviated is not bound",
    "counters": "SSL_CTX_ctrl, and with it SSL_CTX_sess_*, is not bound",
    "flush": "SSL_CTX_flush_sessions is not bound",
    "resize_cache": "SSL_CTX_ctrl, and with it SSL_CTX_sess_set_cache_size, is not bound",
    "remove": "SSL_CTX_remove_session is not bound",
    "age_sessions": "SSL_SESSION_set_time is not bound",
    "has_session": "SSL_has_matching_session_id is not bound",
}
"""Optional verbs that have no method, and fields of a verb that cannot be set."""

IS_RESUMABLE = "SSL_SESSION_is_resumable is not bound"
