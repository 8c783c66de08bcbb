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
- SSL_set_verify, SSL_set_options: a context that a Connection goes over to leaves both as they were.
- SSL_CTX_set_psk_client_callback and its like, SSL_CTX_use_psk_identity_hint: pyOpenSSL has no external PSKs.
- SSL_get1_session, SSL_SESSION_set1_master_key, SSL_SESSION_set_cipher, SSL_SESSION_set_protocol_version: the callbacks
  of TLS 1.3 give a session, which OpenSSL then owns.
- ERR_reason_error_string: SSL.Error has texts but no codes. The library's own table maps texts back to codes: no text
  has two codes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.hazmat.backends.openssl import backend
from OpenSSL import SSL, crypto

from harness.agent.drivers.pyopenssl import unsupported as lacks
from harness.agent.library import Guard, LackError, reason_numbers

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_lib: Any = getattr(SSL, "_lib")  # noqa: B009  # pyOpenSSL's stubs have no private names
_ffi: Any = getattr(SSL, "_ffi")  # noqa: B009  # see above

LIB_SSL = 20
SINCE_3_0 = 0x30000000
LIB_SHIFT = 23 if SSL.OPENSSL_VERSION_NUMBER >= SINCE_3_0 else 24
"""ERR_PACK of openssl/err.h, 3.0 and later, and before."""
LONGEST_KEY = 48
"""Bytes of the longest key of a session."""
EARLY_DATA_ERROR = 0
EARLY_DATA_FINISH = 2


GUARD = Guard()
"""The exceptions of the callbacks, which pyOpenSSL and cffi only print."""


def _callback(signature: str, function: Callable[..., Any]) -> object:
    """A C callback, which the caller keeps alive. On an exception it returns 0, and `GUARD` keeps that."""

    def failed(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        GUARD.note(error, function)

    return _ffi.callback(signature, function, onerror=failed)


class KeyFor(Protocol):
    """Gives an external PSK by its key."""

    def __call__(self, address: int, identity: bytes | None) -> tuple[bytes, bytes] | None:
        """The identity and the key for the SSL at an address; a client is asked for no identity. None for none."""


class SessionFor(Protocol):
    """Gives an external PSK as a session of TLS 1.3."""

    def __call__(self, address: int, identity: bytes | None, *, retried: bool) -> tuple[bytes, Any] | None:
        """The identity and a session, which OpenSSL will own; ``retried`` after a HelloRetryRequest. None for none."""


def version() -> str:
    """Return OpenSSL's version, such as ``3.0.19``."""
    return backend.openssl_version_text().split()[1]


def address(connection: SSL.Connection) -> int:
    """Return the address of the SSL, which identifies a connection in the message callback."""
    return _address(_ssl(connection))


def reused(connection: SSL.Connection) -> bool | None:
    """SSL_session_reused; None if it is not bound, as in cryptography 40 and 41."""
    return bool(_lib.SSL_session_reused(_ssl(connection))) if hasattr(_lib, "SSL_session_reused") else None


def options(connection: SSL.Connection) -> int:
    """SSL_CTX_get_options of the connection's Context, which is frozen by now."""
    return options_of(connection.get_context())


def options_of(context: SSL.Context) -> int:
    """SSL_CTX_get_options."""
    return int(_lib.SSL_CTX_get_options(_ctx(context)))


def can_take_over(first: SSL.Context, other: SSL.Context) -> bool:
    """Whether a connection of one Context can get all that `take_over` gives; cryptography before 37 lacks a part."""
    same = _lib.SSL_CTX_get_verify_mode(_ctx(first)) == _lib.SSL_CTX_get_verify_mode(_ctx(other))
    return (same or hasattr(_lib, "SSL_set_verify")) and not options_of(first) & ~options_of(other)


def take_over(connection: SSL.Connection, context: SSL.Context) -> None:
    """Give a connection the verify mode and the options of a context (SSL_set_verify, SSL_set_options)."""
    if hasattr(_lib, "SSL_set_verify"):
        _lib.SSL_set_verify(_ssl(connection), _lib.SSL_CTX_get_verify_mode(_ctx(context)), _ffi.NULL)
    _lib.SSL_set_options(_ssl(connection), options_of(context))


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
    _lib.ERR_clear_error()
    _lib.SSL_SESSION_free(session)
    return done


def watch(context: SSL.Context, saw: Callable[[int, bool, int, int, bytes], None]) -> object:
    """SSL_CTX_set_msg_callback: address of the SSL, whether sent, version, content type, message.

    Keep the result alive while the context is used. None if the function is not bound (cryptography before 39).
    """
    if not hasattr(_lib, "SSL_CTX_set_msg_callback"):
        return None

    def on_message(sent: int, version: int, content: int, buffer: Any, size: int, ssl: Any, _argument: Any) -> None:
        saw(_address(ssl), bool(sent), version, content, bytes(_ffi.buffer(buffer, size)))

    callback = _callback("void(int, int, int, void *, size_t, SSL *, void *)", on_message)
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
    if not hasattr(_lib, "SSL_CTX_set1_sigalgs_list"):
        raise LackError(f"signature_algorithms: {lacks.SIGNATURE_ALGORITHMS}")
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
    """SSL_verify_client_post_handshake; False if OpenSSL refuses.

    What it leaves in the queue of errors is dropped: before OpenSSL 4.0, SSL_get_error takes an error of the queue for
    one of the call that it is asked about (https://github.com/openssl/openssl/pull/29991), so that the next read fails.
    """
    done = bool(_lib.SSL_verify_client_post_handshake(_ssl(connection)) == 1)
    _lib.ERR_clear_error()
    return done


def read_early_data(connection: SSL.Connection, size: int) -> bytes | None:
    """SSL_read_early_data once; None at the end of early data. Raises what Connection.recv raises."""
    buffer = _ffi.new("unsigned char[]", size)
    count = _ffi.new("size_t *")
    result = _lib.SSL_read_early_data(_ssl(connection), buffer, size, count)
    if result == EARLY_DATA_ERROR:
        getattr(connection, "_raise_ssl_error")(_ssl(connection), 0)  # noqa: B009  # see above
    return None if result == EARLY_DATA_FINISH else bytes(_ffi.buffer(buffer, count[0]))


def same(one: SSL.Session | None, other: SSL.Session | None) -> bool:
    """Whether both are the same SSL_SESSION, or one is a copy of the other with its key, or both are none."""
    first, second = (None if session is None else getattr(session, "_session") for session in (one, other))  # noqa: B009  # see above
    if first is None or second is None:
        return first is second
    return bool(first == second) or _key_of(first) == _key_of(second)


def _key_of(session: Any) -> bytes:
    """SSL_SESSION_get_master_key."""
    room = _ffi.new("unsigned char[]", LONGEST_KEY)
    return bytes(_ffi.buffer(room, _lib.SSL_SESSION_get_master_key(session, room, LONGEST_KEY))[:])


def psk_sessions_bound(*, client: bool) -> bool:
    """Whether the callbacks of TLS 1.3 alone are bound; a client's need the message callback too."""
    return bool(getattr(_lib, "Cryptography_HAS_PSK_TLSv1_3", False)) and (
        not client or hasattr(_lib, "SSL_CTX_set_msg_callback")
    )


def use_psk_key(context: SSL.Context, key_for: KeyFor) -> object:
    """SSL_CTX_set_psk_client_callback. Keep the result alive while the context is used."""

    def give(ssl: Any, _hint: Any, identity: Any, room: int, psk: Any, most: int) -> int:
        given = key_for(_address(ssl), None)
        if given is None or len(given[0]) >= room or len(given[1]) > most:
            return 0
        _ffi.memmove(identity, given[0] + b"\0", len(given[0]) + 1)
        _ffi.memmove(psk, given[1], len(given[1]))
        return len(given[1])

    signature = "unsigned int(SSL *, char *, char *, unsigned int, unsigned char *, unsigned int)"
    callback = _callback(signature, give)
    _lib.SSL_CTX_set_psk_client_callback(_ctx(context), callback)
    return callback


def find_psk_key(context: SSL.Context, key_for: KeyFor) -> object:
    """SSL_CTX_set_psk_server_callback. Keep the result alive while the context is used."""

    def find(ssl: Any, identity: Any, psk: Any, most: int) -> int:
        given = key_for(_address(ssl), _ffi.string(identity))
        if given is None or len(given[1]) > most:
            return 0
        _ffi.memmove(psk, given[1], len(given[1]))
        return len(given[1])

    callback = _callback("unsigned int(SSL *, char *, unsigned char *, unsigned int)", find)
    _lib.SSL_CTX_set_psk_server_callback(_ctx(context), callback)
    return callback


def use_psk_session(context: SSL.Context, session_for: SessionFor) -> object:
    """SSL_CTX_set_psk_use_session_callback. Keep the result alive while the context is used."""
    names: dict[bytes, Any] = {}

    def give(ssl: Any, digest: Any, identity: Any, size: Any, session: Any) -> int:
        given = session_for(_address(ssl), None, retried=digest != _ffi.NULL)
        if given is not None:
            names[given[0]] = names.get(given[0]) or _ffi.new("unsigned char[]", given[0])
            identity[0], size[0], session[0] = names[given[0]], len(given[0]), given[1]
        return 1

    callback = _callback("int(SSL *, EVP_MD *, unsigned char **, size_t *, SSL_SESSION **)", give)
    _lib.SSL_CTX_set_psk_use_session_callback(_ctx(context), callback)
    return callback


def find_psk_session(context: SSL.Context, session_for: SessionFor) -> object:
    """SSL_CTX_set_psk_find_session_callback. Keep the result alive while the context is used."""

    def find(ssl: Any, identity: Any, size: int, session: Any) -> int:
        given = session_for(_address(ssl), bytes(_ffi.buffer(identity, size)), retried=False)
        if given is not None:
            session[0] = given[1]
        return 1

    callback = _callback("int(SSL *, unsigned char *, size_t, SSL_SESSION **)", find)
    _lib.SSL_CTX_set_psk_find_session_callback(_ctx(context), callback)
    return callback


def psk_session(connection: SSL.Connection, key: bytes, suite: int, version: int) -> Any:
    """SSL_get1_session of a client that has made its ClientHello, with a key, a suite and a version of its own.

    ValueError if OpenSSL refuses the key, the suite or the version. The caller owns it: SSL_SESSION_free.
    """
    made = _lib.SSL_get1_session(_ssl(connection))
    cipher = _lib.SSL_CIPHER_find(_ssl(connection), suite.to_bytes(2, "big"))
    if (
        cipher == _ffi.NULL
        or _lib.SSL_SESSION_set1_master_key(made, key, len(key)) != 1
        or _lib.SSL_SESSION_set_cipher(made, cipher) != 1
        or _lib.SSL_SESSION_set_protocol_version(made, version) != 1
    ):
        _lib.SSL_SESSION_free(made)
        raise ValueError("OpenSSL refuses the key, the suite or the version of a session for an external PSK")
    return made


def set_psk_hint(context: SSL.Context, hint: str) -> bool:
    """SSL_CTX_use_psk_identity_hint; False if OpenSSL refuses it."""
    done = bool(_lib.SSL_CTX_use_psk_identity_hint(_ctx(context), hint.encode()) == 1)
    _lib.ERR_clear_error()
    return done


@cache
def _reasons() -> dict[str, int]:
    texts: dict[str, int] = {}
    for reason in reason_numbers(since_3_0=SSL.OPENSSL_VERSION_NUMBER >= SINCE_3_0):
        text = _lib.ERR_reason_error_string(LIB_SSL << LIB_SHIFT | reason)
        if text != _ffi.NULL:
            texts[_ffi.string(text).decode()] = reason
    return texts


def code(library: str, reason: str) -> tuple[int | None, int | None]:
    """Return the library and reason codes of an SSL.Error entry; None for both if it is not libssl's."""
    if library != "SSL routines":
        return None, None
    return LIB_SSL, _reasons().get(reason)


def _address(ssl: Any) -> int:
    return int(_ffi.cast("uintptr_t", ssl))


def _ssl(connection: SSL.Connection) -> Any:
    return getattr(connection, "_ssl")  # noqa: B009  # see above


def _ctx(context: SSL.Context) -> Any:
    return getattr(context, "_context")  # noqa: B009  # see above
