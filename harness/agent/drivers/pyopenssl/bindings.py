"""The functions of pyOpenSSL's cffi library that the driver needs because pyOpenSSL has no public API for them.

The reason for each:

- SSL_session_reused: Connection does not say whether its session was resumed.
- i2d_SSL_SESSION, d2i_SSL_SESSION, SSL_set_session: a Session cannot be exported, and Connection.set_session accepts
  only sessions of its own Context (ValueError since pyOpenSSL 26.3). A fresh object per offer needs d2i anyway.
- SSL_get0_group_name: pyOpenSSL has Connection.get_group_name since 26.0 only.
- SSL_CTX_get_options: Context.set_options raises ValueError after its first Connection.
- SSL_CTX_set_msg_callback: nothing else shows that a NewSessionTicket was received or sent.
- SSL_CTX_set1_curves_list: Context.set_tmp_ecdh takes one elliptic curve, not a list and not X25519.
- SSL_CTX_set1_sigalgs_list: pyOpenSSL has no signature algorithms.
- SSL_CTX_set_post_handshake_auth, SSL_verify_client_post_handshake: pyOpenSSL asks for certificates in handshakes only.
- SSL_CTX_set_max_early_data, SSL_read_early_data: pyOpenSSL has no early data.
- ERR_reason_error_string: SSL.Error has texts but no codes. The library's own table maps texts back to codes: no text
  has two codes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.backends.openssl import backend
from OpenSSL import SSL, crypto

from harness.agent.drivers.pyopenssl import unsupported as lacks
from harness.agent.library import LackError

if TYPE_CHECKING:
    from collections.abc import Callable

_lib: Any = getattr(SSL, "_lib")  # noqa: B009  # pyOpenSSL's stubs have no private names
_ffi: Any = getattr(SSL, "_ffi")  # noqa: B009  # see above

LIB_SSL = 20
SINCE_3_0 = 0x30000000
LIB_SHIFT = 23 if SSL.OPENSSL_VERSION_NUMBER >= SINCE_3_0 else 24
"""ERR_PACK of openssl/err.h, 3.0 and later, and before."""
MOST_REASON = 4096
EARLY_DATA_ERROR = 0
EARLY_DATA_FINISH = 2


def version() -> str:
    """Return OpenSSL's version, such as ``3.0.19``."""
    return backend.openssl_version_text().split()[1]


def address(connection: SSL.Connection) -> int:
    """Return the address of the SSL, which identifies a connection in the message callback."""
    return int(_ffi.cast("uintptr_t", _ssl(connection)))


def reused(connection: SSL.Connection) -> bool | None:
    """SSL_session_reused; None if it is not bound, as in cryptography 40 and 41."""
    return bool(_lib.SSL_session_reused(_ssl(connection))) if hasattr(_lib, "SSL_session_reused") else None


def options(connection: SSL.Connection) -> int:
    """SSL_CTX_get_options of the connection's Context, which is frozen by now."""
    return int(_lib.SSL_CTX_get_options(_ctx(connection.get_context())))


def group(connection: SSL.Connection) -> str | None:
    """SSL_get0_group_name, empty if there is none; None if it is not bound. See the driver of libssl for its limits."""
    if not getattr(_lib, "Cryptography_HAS_SSL_GET0_GROUP_NAME", False):
        return None
    name = _lib.SSL_get0_group_name(_ssl(connection))
    return "" if name == _ffi.NULL else _ffi.string(name).decode()


def chain(connection: SSL.Connection) -> list[bytes]:
    """The DER of each certificate of SSL_get_peer_cert_chain."""
    found = connection.get_peer_cert_chain() or []
    return [crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate) for certificate in found]


def own_certificate(connection: SSL.Connection) -> list[bytes]:
    """The DER of the peer's certificate, if there is one."""
    found = connection.get_peer_certificate()
    return [] if found is None else [crypto.dump_certificate(crypto.FILETYPE_ASN1, found)]


def can_export() -> bool:
    """Return whether sessions can be exported: cryptography before 44 binds no i2d_SSL_SESSION or d2i_SSL_SESSION."""
    return hasattr(_lib, "i2d_SSL_SESSION")


def export(session: SSL.Session) -> bytes | None:
    """i2d_SSL_SESSION; None for a session without a cipher."""
    if not can_export():
        return None
    raw = getattr(session, "_session")  # noqa: B009  # see above
    size = _lib.i2d_SSL_SESSION(raw, _ffi.NULL)
    if size <= 0:
        _lib.ERR_clear_error()
        return None
    buffer = _ffi.new("unsigned char[]", size)
    _lib.i2d_SSL_SESSION(raw, _ffi.new("unsigned char **", buffer))
    return bytes(_ffi.buffer(buffer, size))


def offer(connection: SSL.Connection, der: bytes) -> bool:
    """d2i_SSL_SESSION and SSL_set_session; False if the bytes are not a session."""
    if not can_export():
        raise LackError(f"session import: {lacks.NO_DER}")
    source = _ffi.new("unsigned char[]", der)
    session = _lib.d2i_SSL_SESSION(_ffi.NULL, _ffi.new("unsigned char **", source), len(der))
    _lib.ERR_clear_error()
    if session == _ffi.NULL:
        return False
    done = bool(_lib.SSL_set_session(_ssl(connection), session) == 1)
    _lib.SSL_SESSION_free(session)
    return done


def watch(context: SSL.Context, saw: Callable[[int, bool, int, int, bytes], None]) -> object:
    """SSL_CTX_set_msg_callback: address of the SSL, whether sent, version, content type, message.

    Keep the result alive while the context is used. None if the function is not bound (cryptography before 39).
    """
    if not hasattr(_lib, "SSL_CTX_set_msg_callback"):
        return None

    def on_message(sent: int, version: int, content: int, buffer: Any, size: int, ssl: Any, _argument: Any) -> None:
        saw(int(_ffi.cast("uintptr_t", ssl)), bool(sent), version, content, bytes(_ffi.buffer(buffer, size)))

    callback = _ffi.callback("void(int, int, int, void *, size_t, SSL *, void *)", on_message)
    _lib.SSL_CTX_set_msg_callback(_ctx(context), callback)
    return callback


def set_groups(context: SSL.Context, names: str) -> bool:
    """SSL_CTX_set1_curves_list, the older name of SSL_CTX_set1_groups_list; False if a name is unknown."""
    if not hasattr(_lib, "SSL_CTX_set1_curves_list"):
        raise LackError(f"groups: {lacks.GROUPS}")
    done = bool(_lib.SSL_CTX_set1_curves_list(_ctx(context), names.encode()) == 1)
    _lib.ERR_clear_error()
    return done


def set_signature_algorithms(context: SSL.Context, names: str) -> bool:
    """SSL_CTX_set1_sigalgs_list; False if a name is unknown."""
    done = bool(_lib.SSL_CTX_set1_sigalgs_list(_ctx(context), names.encode()) == 1)
    _lib.ERR_clear_error()
    return done


def set_ciphersuites(context: SSL.Context, names: str) -> bool:
    """SSL_CTX_set_ciphersuites, which pyOpenSSL before 25.2 does not have; False if a name is unknown."""
    done = bool(_lib.SSL_CTX_set_ciphersuites(_ctx(context), names.encode()) == 1)
    _lib.ERR_clear_error()
    return done


def set_max_early_data(context: SSL.Context, size: int) -> None:
    """SSL_CTX_set_max_early_data, in bytes."""
    _lib.SSL_CTX_set_max_early_data(_ctx(context), size)


def set_post_handshake_auth(context: SSL.Context, *, on: bool) -> None:
    """SSL_CTX_set_post_handshake_auth."""
    _lib.SSL_CTX_set_post_handshake_auth(_ctx(context), int(on))


def verify_client_post_handshake(connection: SSL.Connection) -> bool:
    """SSL_verify_client_post_handshake; False if OpenSSL refuses."""
    return bool(_lib.SSL_verify_client_post_handshake(_ssl(connection)) == 1)


def read_early_data(connection: SSL.Connection, size: int) -> bytes | None:
    """SSL_read_early_data once; None at the end of early data. Raises what Connection.recv raises."""
    buffer = _ffi.new("unsigned char[]", size)
    count = _ffi.new("size_t *")
    result = _lib.SSL_read_early_data(_ssl(connection), buffer, size, count)
    if result == EARLY_DATA_ERROR:
        getattr(connection, "_raise_ssl_error")(_ssl(connection), 0)  # noqa: B009  # see above
    return None if result == EARLY_DATA_FINISH else bytes(_ffi.buffer(buffer, count[0]))


@cache
def _reasons() -> dict[str, int]:
    texts: dict[str, int] = {}
    for reason in range(1, MOST_REASON):
        text = _lib.ERR_reason_error_string(LIB_SSL << LIB_SHIFT | reason)
        if text != _ffi.NULL:
            texts[_ffi.string(text).decode()] = reason
    return texts


def code(library: str, reason: str) -> tuple[int | None, int | None]:
    """Return the library and reason codes of an SSL.Error entry; None for both if it is not libssl's."""
    if library != "SSL routines":
        return None, None
    return LIB_SSL, _reasons().get(reason)


def _ssl(connection: SSL.Connection) -> Any:
    return getattr(connection, "_ssl")  # noqa: B009  # see above


def _ctx(context: SSL.Context) -> Any:
    return getattr(context, "_context")  # noqa: B009  # see above
