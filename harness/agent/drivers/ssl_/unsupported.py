"""What Python's ``ssl`` cannot do, and why, as data that its driver and its stack share; nothing is asked of ssl here.

Sources: the documentation of the ``ssl`` module, and Modules/_ssl.c of CPython 3.11.
"""

from __future__ import annotations

KNOBS = {
    "cache_mode": "SSLContext has no way to SSL_CTX_set_session_cache_mode",
    "cache_size": "SSLContext has no way to SSL_CTX_sess_set_cache_size",
    "timeout": "SSLContext has no way to SSL_CTX_set_timeout",
    "ciphersuites": "SSLContext.set_ciphers sets TLS 1.2 ciphers only; TLS 1.3 ones cannot be set",
    "max_early_data": "Python's ssl has no early data",
    "max_fragment_length": "SSLContext has no way to SSL_CTX_set_tlsext_max_fragment_length",
    "session_id_prefix": "SSLContext has no way to SSL_CTX_set_generate_session_id",
    "session_id": "SSLContext has no way to SSL_CTX_set_generate_session_id",
    "ticket_keys": "SSLContext has no way to SSL_CTX_set_tlsext_ticket_keys",
    "anti_replay": "it matters only with early data, which Python's ssl has not",
}
"""Knobs that cannot be set at all."""

SESSION_ID_CONTEXT = b"Python"
"""The session id context that _ssl.c sets on every SSLContext; it can be neither changed nor unset."""

VALUES = {
    "session_id_context": "_ssl.c sets the session id context of every SSLContext to b'Python', for good",
    "groups": "SSLContext.set_ecdh_curve takes one group",
    "psk_modes": (
        "an OpenSSL client offers psk_ke only together with psk_dhe_ke (tls_construct_ctos_psk_kex_modes), and a "
        "server before 3.3 has no SSL_OP_PREFER_NO_DHE_KEX"
    ),
    "server_name": "Python's ssl sends no server name for an IP address",
    "versions": "SSLContext has a lowest and a highest version, so that the versions must be neighbours",
}
"""Why a knob cannot have every value."""

VERBS = {
    "renegotiate": "Python's ssl has no SSL_renegotiate",
    "flush": "SSLContext has no way to SSL_CTX_flush_sessions",
    "resize_cache": KNOBS["cache_size"],
    "remove": "SSLContext has no way to SSL_CTX_remove_session",
    "age_sessions": "a server's SSLContext gives no access to the sessions that it issues",
    "has_session": "Python's ssl has no SSL_has_matching_session_id",
}
"""Optional verbs that have no method, and fields of a verb that cannot be set."""

SESSIONS = {
    "session data": "Python's ssl has no i2d_SSL_SESSION; an SSLSession tells id, time, timeout, has_ticket, hint",
    "session import": "Python's ssl has no d2i_SSL_SESSION; it offers only SSLSession objects of the same SSLContext",
    "every ticket": "Python's ssl has no new-session callback; SSLObject.session is the last one",
    "is_resumable": "Python's ssl has no SSL_SESSION_is_resumable",
}
"""What cannot be done with sessions, by the value of the harness's Capability."""
