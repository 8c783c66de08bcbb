"""What a connection can tell of itself now, as Facts; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl.compat import session_reused
from harness.agent.library import Facts

if TYPE_CHECKING:
    from harness.agent.drivers.libssl.connection import LibsslTls
    from harness.agent.drivers.libssl.native import Native


def gather(native: Native, connection: LibsslTls) -> Facts:
    """Ask the SSL, and add what the callbacks wrote down."""
    ssl = connection.ssl
    now = session_reused(native, ssl)
    reused = bool(now) if connection.reused is None else connection.reused
    later = "" if bool(now) == reused else f", == {now} after the last handshake"
    cipher = native.ssl.SSL_get_current_cipher(ssl)
    early = native.has("SSL_get_early_data_status")
    return Facts(
        finished=connection.finished,
        reused=reused,
        reused_at_end=bool(now),
        evidence=f"SSL_session_reused() == {int(reused)}{later}",
        version=c.VERSION_NAMES.get(native.ssl.SSL_version(ssl)),
        cipher=None if cipher == native.ffi.NULL else native.text(native.ssl.SSL_CIPHER_get_name(cipher)),
        alpn=alpn(native, connection),
        server_name=native.text(native.ssl.SSL_get_servername(ssl, 0)),
        peer_certificate=has_peer_certificate(native, connection),
        early_data=c.EARLY_DATA_STATUS[native.ssl.SSL_get_early_data_status(ssl)] if early else None,
        tickets=connection.tickets,
        alerts=connection.alerts,
        keylog=connection.keylog,
        errors=connection.errors,
    )


def alpn(native: Native, connection: LibsslTls) -> str | None:
    """The protocol that was selected (SSL_get0_alpn_selected)."""
    start = native.ffi.new("const unsigned char **")
    length = native.ffi.new("unsigned int *")
    native.ssl.SSL_get0_alpn_selected(connection.ssl, start, length)
    return native.ffi.buffer(start[0], length[0])[:].decode(errors="replace") if length[0] else None


def has_peer_certificate(native: Native, connection: LibsslTls) -> bool:
    """Whether there is a certificate of the peer's; before 3.0 the call takes a reference."""
    if native.has("SSL_get0_peer_certificate"):
        return bool(native.ssl.SSL_get0_peer_certificate(connection.ssl) != native.ffi.NULL)
    certificate = native.ssl.SSL_get_peer_certificate(connection.ssl)
    if certificate == native.ffi.NULL:
        return False
    native.crypto.X509_free(certificate)
    return True
