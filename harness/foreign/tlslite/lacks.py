"""What tlslite-ng, or this agent, does not support, and why."""

from __future__ import annotations

from typing import Any

NO_COUNTERS = "tlslite-ng has no counters of sessions"
NO_CONTROL = "tlslite-ng gives no access to the sessions of its cache"
OWN_FORMAT = "the agent writes a session of tlslite-ng in a format of its own"
NO_CODE = "the agent has no code for it"
NO_RENEGOTIATION = "tlslite-ng does not renegotiate"
ONE_ALONE = "tlslite-ng gives copies of a session only"

VERBS = {
    "counters": NO_COUNTERS,
    "flush": NO_CONTROL,
    "resize_cache": NO_CONTROL,
    "remove": NO_CONTROL,
    "has_session": NO_CONTROL,
    "age_sessions": NO_CONTROL,
    "renegotiate": NO_RENEGOTIATION,
    "keep_session": ONE_ALONE,
    "early_data": NO_CODE,
}
"""Optional verbs."""

CAPABILITIES = {
    "session data": OWN_FORMAT,
    "session before ticket": NO_CODE,
    "session in memory": ONE_ALONE,
    "new-session callback": "tlslite-ng has no new-session callback",
    "negotiated group": NO_CODE,
    "peer chain": NO_CODE,
    "OCSP response": NO_CODE,
    "exporter": NO_CODE,
    "is_resumable": NO_CODE,
    "running counters": NO_COUNTERS,
    "early data content": NO_CODE,
    "abbreviated renegotiation": NO_RENEGOTIATION,
}
"""By the value of the harness's Capability, in both roles."""
OF_A_SERVER = {"early data": "a server of tlslite-ng reads no early data"}

NO_CHECK = "the agent verifies no certificates"
FIXED = "tlslite-ng has no way to set it"
KNOBS: dict[str, Any] = {
    "versions": [["1.2"], ["1.3"], ["1.2", "1.3"]],
    "tickets": None,
    "cache_mode": FIXED,
    "cache_size": FIXED,
    "timeout": FIXED,
    "middlebox_compat": [True],
    "extended_master_secret": None,
    "ciphers": None,
    "ciphersuites": None,
    "groups": None,
    "psk_modes": ["psk_dhe_ke"],
    "alpn": None,
    "verify": ["none"],
    "max_early_data": None,
    "renegotiation": [False],
    "ignore_unexpected_eof": [False],
}
"""In both roles: null for every value, the only values, or why it cannot be set."""
CLIENT_KNOBS: dict[str, Any] = {"server_name": None, "max_fragment_length": FIXED}
SERVER_KNOBS: dict[str, Any] = {
    "max_early_data": [0],
    "timeout": None,
    "num_tickets": None,
    "session_id_context": "tlslite-ng has no session id context",
    "session_id_prefix": FIXED,
    "session_id": FIXED,
    "ticket_keys": None,
    "anti_replay": FIXED,
    "client_renegotiation": [False],
    "resumption_on_renegotiation": NO_RENEGOTIATION,
}
