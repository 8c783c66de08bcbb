"""Constants of OpenSSL's headers, the same from 1.0.2 to 4.0 except where noted here and in native.py."""

from __future__ import annotations

from harness.agent.vocabulary import TLSVersion

CTRL_SET_MSG_CALLBACK_ARG = 16
CTRL_MODE = 33
CTRL_SET_CACHE_SIZE = 42
CTRL_GET_CACHE_SIZE = 43
CTRL_SET_CACHE_MODE = 44
CTRL_SET_SERVERNAME_CB = 53
CTRL_SET_STATUS_CB, CTRL_SET_STATUS_TYPE, CTRL_GET_STATUS_RESPONSE, CTRL_SET_STATUS_RESPONSE = 63, 65, 70, 71
CTRL_SET_HOSTNAME = 55
CTRL_SET_TICKET_KEYS = 59
CTRL_SET_TICKET_KEY_CB = 72
CTRL_SET_GROUPS_LIST = 92
CTRL_SET_SIGALGS_LIST = 98
CTRL_GET_PEER_TMP_KEY = 109
CTRL_SET_DH_AUTO = 118  # since 1.1.0
CTRL_SET_MIN_VERSION = 123
CTRL_SET_MAX_VERSION = 124
CTRL_GET_NEGOTIATED_GROUP = 134  # since 3.0

COUNTERS = {
    "items": 20,
    "connect": 21,
    "connect_good": 22,
    "connect_renegotiate": 23,
    "accept": 24,
    "accept_good": 25,
    "accept_renegotiate": 26,
    "hits": 27,
    "callback_hits": 28,
    "misses": 29,
    "timeouts": 30,
    "overflows": 31,
    "cache_size": CTRL_GET_CACHE_SIZE,
}
"""SSL_CTRL_SESS_* by the names of the protocol."""

MODE_ENABLE_PARTIAL_WRITE = 1
MODE_ACCEPT_MOVING_WRITE_BUFFER = 2

FILETYPE_PEM = 1

VERSION_NAMES = {version.wire: version.value for version in TLSVersion}

PARAM_UTF8_STRING = 4  # OSSL_PARAM_UTF8_STRING

RECORD_ALERT = 21
RECORD_HANDSHAKE = 22
SERVER_HELLO = 2
NEW_SESSION_TICKET = 4

ERROR_WANT_READ = 2
ERROR_WANT_WRITE = 3
ERROR_SYSCALL = 5
WANTS_NOTHING = 1
"""SSL_NOTHING of SSL_want(3): the last operation on the BIO did not fail."""
ERROR_ZERO_RETURN = 6
ERROR_WANT_CLIENT_HELLO_CB = 11
CLIENT_HELLO_SUCCESS = 1
CLIENT_HELLO_RETRY = -1

LIB_SSL = 20
UNEXPECTED_EOF = 294  # SSL_R_UNEXPECTED_EOF_WHILE_READING, since 3.0
ALERT_REASONS = range(1000, 1256)  # SSL_AD_REASON_OFFSET plus the number of the received alert

EARLY_DATA_STATUS = ("not_sent", "rejected", "accepted")
READ_EARLY_DATA_ERROR = 0
READ_EARLY_DATA_FINISH = 2

TLSEXT_OK = 0
TLSEXT_ALERT_FATAL = 2
TLSEXT_NOACK = 3
NPN_NEGOTIATED = 1
OP_NO_EXTENDED_MASTER_SECRET = 1
"""SSL_OP_NO_EXTENDED_MASTER_SECRET, since 3.0."""
FATAL = 2
"""SSL3_AL_FATAL."""
