"""A server of GnuTLS whose ticket key can be set: gnutls-serv makes a random one. Run it as a program.

Arguments: HOST:PORT, certificate, key, and the ticket key as 128 hexadecimal digits, or nothing for a random one.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import Any

import cffi

ffi = cffi.FFI()
ffi.cdef(
    """
    typedef void *gnutls_session_t; typedef void *gnutls_certificate_credentials_t;
    typedef struct { unsigned char *data; unsigned int size; } gnutls_datum_t;
    int gnutls_certificate_allocate_credentials(gnutls_certificate_credentials_t *);
    int gnutls_certificate_set_x509_key_file(gnutls_certificate_credentials_t, const char *, const char *, int);
    int gnutls_init(gnutls_session_t *, unsigned int);
    void gnutls_deinit(gnutls_session_t);
    int gnutls_set_default_priority(gnutls_session_t);
    int gnutls_credentials_set(gnutls_session_t, int, void *);
    void gnutls_transport_set_int2(gnutls_session_t, int, int);
    int gnutls_session_ticket_key_generate(gnutls_datum_t *);
    int gnutls_session_ticket_enable_server(gnutls_session_t, const gnutls_datum_t *);
    int gnutls_handshake(gnutls_session_t);
    ssize_t gnutls_record_recv(gnutls_session_t, void *, size_t);
    ssize_t gnutls_record_send(gnutls_session_t, const void *, size_t);
    int gnutls_bye(gnutls_session_t, int);
    """
)
SERVER, CERTIFICATE, PEM = 1, 1, 1
"""GNUTLS_SERVER, GNUTLS_CRD_CERTIFICATE, GNUTLS_X509_FMT_PEM."""
ANSWER = b"HTTP/1.0 200 OK\r\nServer: gnutls\r\nConnection: close\r\n\r\nhello\n"


def main(address: str, certificate: str, key: str, ticket_key: str) -> None:
    """Serve one connection after another, until a signal ends the process."""
    lib: Any = ffi.dlopen("libgnutls.so.30")
    credentials = ffi.new("gnutls_certificate_credentials_t *")
    lib.gnutls_certificate_allocate_credentials(credentials)
    if lib.gnutls_certificate_set_x509_key_file(credentials[0], certificate.encode(), key.encode(), PEM) < 0:
        raise SystemExit("the certificate cannot be used")
    datum: Any = ffi.new("gnutls_datum_t *")
    data = ffi.new("unsigned char[]", bytes.fromhex(ticket_key))
    if ticket_key:
        datum.data, datum.size = data, len(bytes.fromhex(ticket_key))
    else:
        lib.gnutls_session_ticket_key_generate(datum)
    host, _, port = address.rpartition(":")
    with socket.create_server((host, int(port)), backlog=64) as listener:
        while True:
            peer = listener.accept()[0]
            with peer:
                serve(lib, peer, credentials[0], datum)


def serve(lib: Any, peer: socket.socket, credentials: Any, datum: Any) -> None:
    """Handshake, answer whatever comes first, and close."""
    session = ffi.new("gnutls_session_t *")
    lib.gnutls_init(session, SERVER)
    lib.gnutls_set_default_priority(session[0])
    lib.gnutls_credentials_set(session[0], CERTIFICATE, credentials)
    lib.gnutls_session_ticket_enable_server(session[0], datum)
    lib.gnutls_transport_set_int2(session[0], peer.fileno(), peer.fileno())
    with contextlib.suppress(OSError):
        if lib.gnutls_handshake(session[0]) == 0:
            room = ffi.new("char[]", 16384)
            if lib.gnutls_record_recv(session[0], room, 16384) > 0:
                lib.gnutls_record_send(session[0], ANSWER, len(ANSWER))
            lib.gnutls_bye(session[0], 1)
    lib.gnutls_deinit(session[0])


if __name__ == "__main__":
    main(*sys.argv[1:5])
