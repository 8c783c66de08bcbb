"""What GnuTLS, or this agent, does not support, and why."""

from __future__ import annotations

from typing import Any

NO_COUNTERS = "GnuTLS has no counters of sessions"
NO_CACHE = "GnuTLS leaves the cache of a server to the program, and this agent has none"
NO_RENEGOTIATION = "this agent does not renegotiate (gnutls_rehandshake)"
OWN_FORMAT = "GnuTLS exports a session in a format of its own (gnutls_session_get_data2)"

VERBS = {
    "counters": NO_COUNTERS,
    "flush": NO_CACHE,
    "resize_cache": NO_CACHE,
    "remove": NO_CACHE,
    "has_session": NO_CACHE,
    "age_sessions": "GnuTLS gives no access to the time in a ticket",
    "renegotiate": NO_RENEGOTIATION,
    "keep_session": "GnuTLS gives copies of a session only",
    "early_data": "this agent has no early data",
}
"""Optional verbs."""

CAPABILITIES = {
    "session data": OWN_FORMAT,
    "session import": OWN_FORMAT,
    "session fields": "the fields of a session are not part of GnuTLS's interface",
    "session before ticket": "gnutls_session_get_data2 waits for a ticket in TLS 1.3",
    "session in memory": VERBS["keep_session"],
    "every ticket": "gnutls_session_get_data2 gives the last one only",
    "new-session callback": "GnuTLS has no new-session callback",
    "negotiated group": "gnutls_group_get also gives the group of the session that a TLS 1.2 connection resumes",
    "OCSP response": "the agent has no code for gnutls_ocsp_status_request_get2",
    "is_resumable": "GnuTLS does not say whether a session can be resumed",
    "counters": NO_COUNTERS,
    "running counters": NO_COUNTERS,
    "early data": VERBS["early_data"],
    "early data content": VERBS["early_data"],
    "renegotiation": NO_RENEGOTIATION,
    "abbreviated renegotiation": NO_RENEGOTIATION,
}
"""By the value of the harness's Capability, in both roles."""
OF_A_CLIENT = {"server name": "gnutls_server_name_get is for servers"}
OF_A_SERVER = {"session id": NO_CACHE}

NO_SUITES = "the agent does not translate OpenSSL's names of cipher suites into a priority string"
KNOBS: dict[str, Any] = {
    "versions": [["1.2"], ["1.3"], ["1.2", "1.3"]],
    "tickets": [True],
    "cache_mode": NO_CACHE,
    "cache_size": NO_CACHE,
    "middlebox_compat": [True],
    "extended_master_secret": [True],
    "ciphers": NO_SUITES,
    "ciphersuites": NO_SUITES,
    "groups": None,
    "alpn": None,
    "max_early_data": VERBS["early_data"],
    "renegotiation": [False],
    "ignore_unexpected_eof": [False],
}
"""In both roles: null for every value, the only values, or why it cannot be set."""
CLIENT_KNOBS: dict[str, Any] = {
    "psk_modes": ["both"],
    "server_name": None,
    "verify": ["none", "required"],
    "timeout": "a client of GnuTLS has no limit but the ticket's lifetime",
    "max_fragment_length": "the agent has no code for it",
}
SERVER_KNOBS: dict[str, Any] = {
    "psk_modes": ["psk_dhe_ke"],
    "verify": None,
    "timeout": "gnutls_db_set_cache_expiration has bounds of its own",
    "num_tickets": [2],
    "session_id_context": "GnuTLS has no session id context",
    "session_id_prefix": NO_CACHE,
    "session_id": NO_CACHE,
    "ticket_keys": None,
    "anti_replay": VERBS["early_data"],
    "client_renegotiation": [False],
    "resumption_on_renegotiation": NO_RENEGOTIATION,
}
