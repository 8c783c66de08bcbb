"""libgnutls as loaded: its declarations, and its errors as the agent's."""

from __future__ import annotations

import errno
import os
from ctypes.util import find_library
from typing import Any, cast

import cffi

from harness.agent.library import EndError, TlsError, WantReadError, WantWriteError
from harness.foreign.described import Faults

DECLARED = """
typedef struct { unsigned char *data; unsigned int size; } gnutls_datum_t;
typedef void *session_t;
const char *gnutls_check_version(const char *);
const char *gnutls_strerror(int);
void gnutls_free_data(void);
int gnutls_init(session_t *, unsigned int);
void gnutls_deinit(session_t);
int gnutls_priority_set_direct(session_t, const char *, const char **);
int gnutls_certificate_allocate_credentials(void **);
void gnutls_certificate_free_credentials(void *);
int gnutls_certificate_set_x509_key_file(void *, const char *, const char *, int);
int gnutls_certificate_set_x509_trust_file(void *, const char *, int);
int gnutls_credentials_set(session_t, int, void *);
void gnutls_certificate_server_set_request(session_t, int);
void gnutls_session_set_verify_cert(session_t, const char *, unsigned);
void gnutls_session_set_verify_function(session_t, int (*)(session_t));
int gnutls_certificate_verify_peers2(session_t, unsigned int *);
void gnutls_transport_set_int2(session_t, int, int);
int gnutls_record_get_direction(session_t);
int gnutls_handshake(session_t);
long gnutls_record_send(session_t, const void *, size_t);
long gnutls_record_recv(session_t, void *, size_t);
int gnutls_bye(session_t, int);
int gnutls_alert_get(session_t);
int gnutls_alert_send_appropriate(session_t, int);
int gnutls_error_to_alert(int, int *);
int gnutls_error_is_fatal(int);
int gnutls_server_name_set(session_t, int, const void *, size_t);
int gnutls_server_name_get(session_t, void *, size_t *, unsigned *, unsigned);
int gnutls_alpn_set_protocols(session_t, const gnutls_datum_t *, unsigned, unsigned);
int gnutls_alpn_get_selected_protocol(session_t, gnutls_datum_t *);
int gnutls_session_ticket_key_generate(gnutls_datum_t *);
int gnutls_session_ticket_enable_server(session_t, const gnutls_datum_t *);
int gnutls_session_is_resumed(session_t);
int gnutls_session_set_data(session_t, const void *, size_t);
int gnutls_session_get_data2(session_t, gnutls_datum_t *);
unsigned gnutls_session_get_flags(session_t);
int gnutls_protocol_get_version(session_t);
const char *gnutls_ciphersuite_get(session_t);
int gnutls_group_get(session_t);
const char *gnutls_group_get_name(int);
const gnutls_datum_t *gnutls_certificate_get_peers(session_t, unsigned int *);
int gnutls_prf_rfc5705(session_t, size_t, const char *, size_t, const char *, size_t, char *);
void gnutls_db_set_cache_expiration(session_t, int);
void gnutls_session_get_random(session_t, gnutls_datum_t *, gnutls_datum_t *);
void gnutls_session_set_keylog_function(session_t, int (*)(session_t, const char *, const gnutls_datum_t *));
"""
AGAIN, INTERRUPTED = -28, -52
FATAL_RECEIVED, WARNING_RECEIVED = -12, -16
PREMATURE, PUSH, PULL, SESSION_EOF = -110, -53, -54, -328
CERTIFICATE_ERROR, UNKNOWN_KEY_ALGORITHM = -43, -80

ffi = cast("Any", cffi.FFI())
ffi.cdef(DECLARED)
lib: Any = ffi.dlopen(find_library("gnutls") or "libgnutls.so.30", os.RTLD_NOW | os.RTLD_LOCAL)


def text(pointer: Any) -> str:
    """A C string; empty for NULL."""
    return ffi.string(pointer).decode() if pointer else ""


def entry(code: int) -> dict[str, Any]:
    """An error as an entry of a queue: GnuTLS's number, under library 0."""
    return {"lib": 0, "reason": -code, "text": text(lib.gnutls_strerror(code))}


def checked(code: int) -> int:
    """The code of a call that does not touch the network; TlsError if it failed."""
    if code < 0:
        raise TlsError([entry(code)])
    return code


def _verify_if_sent(session: Any) -> int:
    """Verify a client's certificate if it sends one; gnutls_session_set_verify_cert also requires one."""
    count, status = ffi.new("unsigned int *"), ffi.new("unsigned int *")
    if not lib.gnutls_certificate_get_peers(session, count):
        return 0
    code = int(lib.gnutls_certificate_verify_peers2(session, status))
    return code if code < 0 else CERTIFICATE_ERROR if status[0] else 0


FAULTS = Faults()
"""What the callbacks of all connections raised."""
VERIFIED_IF_SENT = FAULTS.callback(ffi, "int(session_t)", _verify_if_sent, CERTIFICATE_ERROR)
"""For gnutls_session_set_verify_function."""


def wants(session: Any, code: int) -> None:
    """WantReadError or WantWriteError if the call has to wait for its socket."""
    if code in {AGAIN, INTERRUPTED}:
        raise WantWriteError if lib.gnutls_record_get_direction(session) else WantReadError


def end_of(code: int) -> EndError | None:
    """How the input ended, if that is what the code says."""
    if code in {PUSH, PULL}:
        return EndError("eof" if ffi.errno == 0 else "reset", [entry(code)])
    if code in {PREMATURE, SESSION_EOF}:
        return EndError("reset" if ffi.errno == errno.ECONNRESET else "eof", [entry(code)])
    return None
