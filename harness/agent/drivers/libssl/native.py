"""The two libraries as loaded: version, error queue, private keys, callbacks, and what only OpenSSL 1.0.2 needs."""

from __future__ import annotations

import errno
import os
import re
import threading
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl.declared import ffi
from harness.agent.library import EndError, LackError, TlsError, WantReadError, WantWriteError
from harness.agent.vocabulary import NO_SSLV3, CertCompression, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

THREE = (3, 0)
SILENT = {"lib": 0, "reason": 0, "text": "the library failed without an error: it did not wait to read or to write"}
"""The entry of a failure of which OpenSSL says no more than SSL_ERROR_SYSCALL, as it does of the end of TCP."""


class InterruptedByCallbackError(Exception):
    """The client-hello callback has interrupted the handshake; the next call goes on."""


# Macros over SSL_ctrl and SSL_CTX_ctrl in OpenSSL 1.0.2; functions in every later release.
CTRL_GET_SESSION_REUSED = 8
CTRL_OPTIONS = 32
CTRL_CLEAR_OPTIONS = 77
CTRL_SET_ECDH_AUTO = 94
OP_NO_SSLV2 = 1 << 24
"""Of 1.0.2; the bit later means another option."""


class Clock(Protocol):
    """The time of a context."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        ...


class OfThread(threading.local):
    """What a thread has of its own, as it has its error queue."""

    def __init__(self) -> None:
        self.clock: Clock | None = None
        self.failures: list[BaseException] = []
        """Exceptions raised in callbacks, which cannot propagate through C; see ``check_callbacks``."""


class Library:
    """The declared functions of a loaded library; one that it does not export is an AttributeError.

    All are looked up at once, so that no two threads make the same type: cffi then may abort the process, see
    https://github.com/python-cffi/cffi/issues/271.
    """

    def __init__(self, path: str) -> None:
        self._loaded = ffi.dlopen(path, os.RTLD_NOW | os.RTLD_LOCAL)
        for name in dir(self._loaded):
            with suppress(AttributeError, ffi.error):
                setattr(self, name, getattr(self._loaded, name))

    def __getattr__(self, name: str) -> Any:
        """Say that there is none."""
        raise AttributeError(f"{self._loaded} exports no {name}")


class Native:
    """libcrypto is opened first, so that libssl binds to it and to no other of the same name."""

    def __init__(self, libssl: str, libcrypto: str) -> None:
        self.ffi = cast("Any", ffi)
        self.paths = (libssl, libcrypto)
        self._thread = OfThread()
        self.times: object = None
        """What lets the libraries see it (harness.agent.drivers.libssl.time)."""
        self.crypto: Any = Library(libcrypto)
        self.ssl: Any = Library(libssl)
        if self.has("OPENSSL_init_ssl"):
            self.ssl.OPENSSL_init_ssl(0, self.ffi.NULL)
        else:
            self.ssl.SSL_library_init()
            self.ssl.SSL_load_error_strings()
        version = getattr(self.crypto, "OpenSSL_version", None) or getattr(self.crypto, "SSLeay_version", None)
        self.description = "" if version is None else self.text(version(0)) or ""
        found = re.match(r"OpenSSL (\d+)\.(\d+)\.(\S+)", self.description)
        if found is None:
            raise LackError(f"{libcrypto} is not OpenSSL: it identifies itself as {self.description!r}")
        self.version = f"{found[1]}.{found[2]}.{found[3]}"
        self.release = (int(found[1]), int(found[2]))
        self.keys = PrivateKeys(self)

    @property
    def clock(self) -> Clock | None:
        """Whose time the libraries see in this thread, once `Times` is there; None for the true one."""
        return self._thread.clock

    @cached_property
    def cert_compressions(self) -> tuple[CertCompression, ...]:
        """The algorithms of certificate compression that this build has: COMP_zlib_oneshot and its like, since 3.2."""
        found = ((each, getattr(self.crypto, f"COMP_{each}_oneshot", None)) for each in CertCompression)
        return tuple(each for each, function in found if function is not None and function() != self.ffi.NULL)

    def has(self, name: str) -> bool:
        """Return whether libssl exports a function."""
        return hasattr(self.ssl, name)

    def need(self, name: str, what: str) -> Callable[..., Any]:
        """Return a function of libssl; LackError names what needs it."""
        function: Callable[..., Any] | None = getattr(self.ssl, name, None)
        if function is None:
            raise LackError(f"{what}: OpenSSL {self.version} has no {name}")
        return function

    def text(self, pointer: Any) -> str | None:
        """Decode a C string; None for NULL."""
        return None if pointer == self.ffi.NULL else self.ffi.string(pointer).decode(errors="replace")

    def callback(self, signature: str, function: Callable[..., Any]) -> Any:
        """Make a C callback, which the caller keeps alive. On an exception it returns 0; check_callbacks raises it.

        ``signature`` is a type of a function, such as ``int(SSL *)``.
        """

        def failed(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
            error.add_note(f"raised in the callback {function.__qualname__}")
            self._thread.failures.append(error)

        return self.ffi.callback(signature.replace("(", "(*)(", 1), function, onerror=failed)

    def check_callbacks(self, within: str = "") -> None:
        """Raise the first exception that a callback raised since the last check; ``within`` names the function."""
        if failures := self._thread.failures:
            first, *_ = failures
            failures.clear()
            if within:
                first.add_note(f"which {within} called")
            raise first

    def before(self, clock: Clock | None = None) -> None:
        """Clear the error queue and errno, which SSL_get_error reads; the libraries see the time of ``clock``."""
        self._thread.clock = clock
        self.crypto.ERR_clear_error()
        self.ffi.errno = 0

    def errors(self) -> list[dict[str, Any]]:
        """Drain the error queue and return its entries, oldest first (before 3.0, codes are packed differently)."""
        queue = []
        while code := self.crypto.ERR_get_error():
            new = self.release >= THREE
            lib, reason = ((code >> 23) & 0xFF, code & 0x7FFFFF) if new else ((code >> 24) & 0xFF, code & 0xFFF)
            queue.append({"lib": lib, "reason": reason, "text": self.text(self.crypto.ERR_reason_error_string(code))})
        return queue

    def must(self, result: int, knob: str) -> None:
        """Raise TlsError, with the knob in each entry, unless the result is positive."""
        if result <= 0:
            queue = self.errors() or [{"lib": 0, "reason": 0, "text": "the library gave no reason"}]
            raise TlsError([{**entry, "knob": knob} for entry in queue])

    def raise_for(self, ssl: Any, result: int, *, failed: bool = False) -> None:
        """Raise the error of a failed operation. Call this with its result, before any other call on this thread.

        ``failed``: the SSL has failed before. OpenSSL 3.0 to 3.6 then says SSL_ERROR_SYSCALL and reads nothing, as it
        also says of an end of the input.
        """
        number = self.ffi.errno
        code = self.ssl.SSL_get_error(ssl, result)
        if code == c.ERROR_WANT_READ:
            raise WantReadError
        if code == c.ERROR_WANT_WRITE:
            raise WantWriteError
        if code == c.ERROR_WANT_CLIENT_HELLO_CB:
            raise InterruptedByCallbackError
        if code == c.ERROR_ZERO_RETURN:
            raise EndError("close_notify")
        queue = self.errors()
        if any(entry["lib"] == c.LIB_SSL and entry["reason"] == c.UNEXPECTED_EOF for entry in queue):
            raise EndError("eof", queue)
        if code == c.ERROR_SYSCALL and not queue:
            if not number and (failed or self.release < THREE) and self.ssl.SSL_want(ssl) == c.WANTS_NOTHING:
                raise TlsError([SILENT])
            raise EndError("reset" if number in {errno.ECONNRESET, errno.EPIPE} else "eof")
        raise TlsError(queue)


class PrivateKeys:
    """Private keys by file content, kept as long as the agent runs."""

    def __init__(self, native: Native) -> None:
        self._native = native
        self._kept: dict[bytes, Any] = {}

    def use(self, ctx: Any, path: str) -> None:
        """Load a PEM key into the SSL_CTX; TlsError if OpenSSL cannot read it or it does not match the certificate."""
        ssl, crypto = self._native.ssl, self._native.crypto
        try:
            content = Path(path).read_bytes()
        except OSError:  # OpenSSL reports what is wrong with it
            content = b""
        kept = self._kept.get(content)
        if kept is not None:
            self._native.must(ssl.SSL_CTX_use_PrivateKey(ctx, kept), "key")
            return
        self._native.must(ssl.SSL_CTX_use_PrivateKey_file(ctx, path.encode(), c.FILETYPE_PEM), "key")
        if hasattr(crypto, "EVP_PKEY_up_ref"):  # since 1.1.0
            key = ssl.SSL_CTX_get0_privatekey(ctx)
            crypto.EVP_PKEY_up_ref(key)
            self._kept[content] = key


def is_older(native: Native) -> bool:
    """Return whether the release is older than 1.1.0."""
    return native.release < (1, 1)


def set_option(native: Native, ctx: Any, bit: int, *, on: bool) -> None:
    """SSL_CTX_set_options or SSL_CTX_clear_options."""
    if is_older(native):
        native.ssl.SSL_CTX_ctrl(ctx, CTRL_OPTIONS if on else CTRL_CLEAR_OPTIONS, bit, native.ffi.NULL)
    else:
        (native.ssl.SSL_CTX_set_options if on else native.ssl.SSL_CTX_clear_options)(ctx, bit)


def session_reused(native: Native, ssl: Any) -> int:
    """SSL_session_reused."""
    if is_older(native):
        return int(native.ssl.SSL_ctrl(ssl, CTRL_GET_SESSION_REUSED, 0, native.ffi.NULL))
    return int(native.ssl.SSL_session_reused(ssl))


def set_versions(native: Native, ctx: Any, versions: tuple[TLSVersion, ...]) -> None:
    """Enable versions up to TLS 1.2, or DTLS 1.2, by options: SSL_CTX_set_min_proto_version needs 1.1.0."""
    if TLSVersion.TLSv1_3 in versions:
        raise LackError(f"versions: OpenSSL {native.version} has no TLS {TLSVersion.TLSv1_3}")
    set_option(native, ctx, OP_NO_SSLV2 | NO_SSLV3, on=True)
    for version in TLSVersion:
        set_option(native, ctx, version.no_option, on=True)
    for version in versions:
        set_option(native, ctx, version.no_option, on=False)


def choose_curves(native: Native, ctx: Any) -> None:
    """SSL_CTX_set_ecdh_auto, which a 1.0.2 server needs for ECDHE; later releases always enable it."""
    if is_older(native):
        native.ssl.SSL_CTX_ctrl(ctx, CTRL_SET_ECDH_AUTO, 1, native.ffi.NULL)


class Kept:
    """Makes C callbacks and keeps them alive: as long as it lives, OpenSSL can call them."""

    def __init__(self, native: Native) -> None:
        self._native = native
        self._callbacks: list[Any] = []

    def __call__(self, signature: str, function: Callable[..., Any]) -> Any:
        """Make one; see `Native.callback`."""
        self._callbacks.append(self._native.callback(signature, function))
        return self._callbacks[-1]
