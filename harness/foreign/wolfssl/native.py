"""libwolfssl as loaded: its declarations, and its errors as the agent's."""

from __future__ import annotations

import os
from ctypes.util import find_library
from typing import Any, cast

import cffi

from harness.agent.library import TlsError

DECLARED = """
int wolfSSL_Init(void);
const char *wolfSSL_lib_version(void);
void *wolfTLS_client_method(void);
void *wolfTLS_server_method(void);
void *wolfTLSv1_2_client_method(void);
void *wolfTLSv1_2_server_method(void);
void *wolfTLSv1_3_client_method(void);
void *wolfTLSv1_3_server_method(void);
void *wolfSSL_CTX_new(void *);
void wolfSSL_CTX_free(void *);
int wolfSSL_CTX_SetMinVersion(void *, int);
void wolfSSL_CTX_set_verify(void *, int, void *);
int wolfSSL_CTX_use_certificate_chain_file(void *, const char *);
int wolfSSL_CTX_use_PrivateKey_file(void *, const char *, int);
int wolfSSL_CTX_load_verify_locations(void *, const char *, const char *);
int wolfSSL_CTX_set1_groups_list(void *, const char *);
int wolfSSL_CTX_set_num_tickets(void *, size_t);
long wolfSSL_CTX_set_tlsext_ticket_keys(void *, unsigned char *, int);
void *wolfSSL_new(void *);
void wolfSSL_free(void *);
void wolfSSL_KeepArrays(void *);
void wolfSSL_SSLSetIORecv(void *, int (*)(void *, char *, int, void *));
void wolfSSL_SSLSetIOSend(void *, int (*)(void *, char *, int, void *));
int wolfSSL_UseSessionTicket(void *);
int wolfSSL_set_SessionTicket_cb(void *, int (*)(void *, const unsigned char *, int, void *), void *);
int wolfSSL_UseSNI(void *, unsigned char, const void *, unsigned short);
int wolfSSL_UseALPN(void *, char *, unsigned int, unsigned char);
int wolfSSL_ALPN_GetProtocol(void *, char **, unsigned short *);
int wolfSSL_connect(void *);
int wolfSSL_accept(void *);
int wolfSSL_read(void *, void *, int);
int wolfSSL_write(void *, const void *, int);
int wolfSSL_shutdown(void *);
int wolfSSL_get_error(void *, int);
char *wolfSSL_ERR_error_string(unsigned long, char *);
int wolfSSL_get_alert_history(void *, int *);
void *wolfSSL_get1_session(void *);
void wolfSSL_SESSION_free(void *);
int wolfSSL_i2d_SSL_SESSION(void *, unsigned char **);
void *wolfSSL_d2i_SSL_SESSION(void **, const unsigned char **, long);
int wolfSSL_set_session(void *, void *);
int wolfSSL_session_reused(void *);
int wolfSSL_SESSION_has_ticket(void *);
unsigned long wolfSSL_SESSION_get_ticket_lifetime_hint(void *);
long wolfSSL_SESSION_get_timeout(void *);
long wolfSSL_SESSION_get_time(void *);
int wolfSSL_get_keys(void *, unsigned char **, unsigned int *, unsigned char **, unsigned int *, unsigned char **,
    unsigned int *);
const char *wolfSSL_get_cipher_name(void *);
const char *wolfSSL_get_version(void *);
void *wolfSSL_get_peer_certificate(void *);
void wolfSSL_X509_free(void *);
int wolfSSL_export_keying_material(void *, unsigned char *, size_t, const char *, size_t, void *, size_t, int);
"""
WANT_READ, WANT_WRITE, ZERO_RETURN = 2, 3, 6
ALERT_RECEIVED = -313
"""FATAL_ERROR: the peer sent a fatal alert."""
BLOCKED, RESET, CLOSED = -2, -3, -5
"""What a callback for input or output returns (WOLFSSL_CBIO_ERR)."""
DONE = 1

ffi = cast("Any", cffi.FFI())
ffi.cdef(DECLARED)
lib: Any = ffi.dlopen(find_library("wolfssl") or "libwolfssl.so.35", os.RTLD_NOW | os.RTLD_LOCAL)
lib.wolfSSL_Init()


def text(pointer: Any) -> str:
    """A C string; empty for NULL."""
    return ffi.string(pointer).decode() if pointer else ""


def entry(code: int) -> dict[str, Any]:
    """An error as an entry of a queue: wolfSSL's number, which is negative, under library 0."""
    said = ffi.new("char[]", 256)
    return {"lib": 0, "reason": abs(code), "text": text(lib.wolfSSL_ERR_error_string(code & (1 << 64) - 1, said))}


def checked(code: int, what: str) -> None:
    """TlsError if a call that does not touch the network failed."""
    if code != DONE:
        raise TlsError([{"lib": 0, "reason": abs(code), "text": f"wolfSSL refuses {what}"}])
