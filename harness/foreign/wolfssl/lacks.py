"""What wolfSSL, or this agent, does not support, and why."""

from __future__ import annotations

from typing import Any

NO_COUNTERS = "wolfSSL counts the sessions of the whole process"
ONE_CACHE = "the cache of wolfSSL is one for the whole process, so that a second server knows each id of the first"
NO_RENEGOTIATION = "this agent does not renegotiate (wolfSSL_Rehandshake)"
NO_EARLY_DATA = "this agent has no early data"
OWN_FORMAT = "wolfSSL exports a session in a format of its own (wolfSSL_i2d_SSL_SESSION)"

VERBS = {
    "counters": NO_COUNTERS,
    "flush": ONE_CACHE,
    "resize_cache": "the size of wolfSSL's cache is chosen when it is compiled",
    "remove": ONE_CACHE,
    "has_session": ONE_CACHE,
    "age_sessions": "wolfSSL gives no access to the time in a ticket",
    "renegotiate": NO_RENEGOTIATION,
    "keep_session": "this agent offers a copy of a session each time",
    "early_data": NO_EARLY_DATA,
}
"""Optional verbs."""

CAPABILITIES = {
    "session data": OWN_FORMAT,
    "session fields": "wolfSSL gives the timeout of a session for the lifetime of its ticket",
    "session import": OWN_FORMAT,
    "session before ticket": "this agent takes a session of TLS 1.3 when its ticket has arrived",
    "session in memory": VERBS["keep_session"],
    "every ticket": "wolfSSL_get1_session gives the last one only",
    "new-session callback": "this agent sets none (wolfSSL_CTX_sess_set_new_cb)",
    "server name": "wolfSSL_SNI_GetRequest needs a list of a server's own names",
    "negotiated group": "wolfSSL_get_curve_name also gives the group of the session that is resumed",
    "peer chain": "the agent has no code for wolfSSL's chain of certificates",
    "OCSP response": "the agent has no code for wolfSSL_get_ocsp_response",
    "key log": "the library is compiled without HAVE_SECRET_CALLBACK, which shows the secrets of TLS 1.3",
    "is_resumable": "wolfSSL_SESSION_is_resumable does not look at what the session holds",
    "counters": NO_COUNTERS,
    "running counters": NO_COUNTERS,
    "early data": NO_EARLY_DATA,
    "early data content": NO_EARLY_DATA,
    "renegotiation": NO_RENEGOTIATION,
    "abbreviated renegotiation": NO_RENEGOTIATION,
}
"""By the value of the harness's Capability, in both roles."""
OF_A_SERVER = {"session id": ONE_CACHE}

NO_SUITES = "the agent does not translate OpenSSL's lists of cipher suites"
KNOBS: dict[str, Any] = {
    "cache_mode": ONE_CACHE,
    "cache_size": VERBS["resize_cache"],
    "middlebox_compat": "a client of wolfSSL sends a session id where it resumes, and otherwise none",
    "extended_master_secret": [True],
    "ciphers": NO_SUITES,
    "ciphersuites": NO_SUITES,
    "groups": None,
    "alpn": None,
    "max_early_data": NO_EARLY_DATA,
    "renegotiation": [False],
    "ignore_unexpected_eof": [False],
}
"""In both roles: null for every value, the only values, or why it cannot be set."""
# A TLS 1.2 client of wolfSSL 5.5.4 aborts where its ticket is declined, and does not signal secure renegotiation.
CLIENT_KNOBS: dict[str, Any] = {
    "versions": [["1.3"]],
    "tickets": None,
    "psk_modes": ["both"],
    "server_name": None,
    "verify": ["none", "required"],
    "timeout": "a client of wolfSSL goes by the lifetime of the ticket",
    "max_fragment_length": "the agent has no code for it",
}
SERVER_KNOBS: dict[str, Any] = {
    "versions": [["1.2"], ["1.3"], ["1.2", "1.3"]],
    "tickets": [True],
    "psk_modes": ["psk_dhe_ke"],
    "verify": None,
    "timeout": "wolfSSL sets the lifetime of a ticket apart from that of a session",
    "num_tickets": None,
    "session_id_context": "wolfSSL does not compare the session id context of a session in its cache",
    "session_id_prefix": ONE_CACHE,
    "session_id": ONE_CACHE,
    "ticket_keys": None,
    "anti_replay": NO_EARLY_DATA,
    "client_renegotiation": [False],
    "resumption_on_renegotiation": NO_RENEGOTIATION,
}
