"""Determines with which options a build was made, as far as its libraries show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.builds.programs import CommandError, command
from harness.builds.system import DEADLINE

if TYPE_CHECKING:
    from harness.model.build import Build

OPTIONS = """
import ctypes, sys
crypto = ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)
ssl = ctypes.CDLL(sys.argv[2])

def called(name, kind, *arguments):
    function = getattr(crypto, name)
    function.restype, function.argtypes = kind, [ctypes.c_void_p] * len(arguments)
    return function(*arguments)

def compresses(name):
    oneshot = f"COMP_{name}_oneshot"
    if hasattr(crypto, oneshot):
        return bool(called(oneshot, ctypes.c_void_p))
    if name == "zlib" and hasattr(crypto, "COMP_get_type"):
        return bool(called("COMP_get_type", ctypes.c_int, called("COMP_zlib", ctypes.c_void_p)))
    return name == "zlib" and hasattr(crypto, "BIO_f_zlib")

print(*(name for name in ("zlib", "brotli", "zstd") if compresses(name)))
built = {"ssl3": "SSLv3_method", "srp": "SSL_CTX_set_srp_username"}
print(*(name for name, symbol in built.items() if hasattr(ssl, symbol)))

def security_level():
    for name in ("SSL_CTX_new", "TLS_method"):
        getattr(ssl, name).restype = ctypes.c_void_p
    context = ctypes.c_void_p(ssl.SSL_CTX_new(ctypes.c_void_p(ssl.TLS_method())))
    return ssl.SSL_CTX_get_security_level(context)

print(*(["seclevel2"] if hasattr(ssl, "SSL_CTX_get_security_level") and security_level() >= 2 else []))
"""
"""Prints the compressions that libcrypto has, what libssl was built with (`enable-ssl3-method`, no `no-srp`), and
`seclevel2` if its security level is 2, as since 3.2 or with `-DOPENSSL_TLS_SECURITY_LEVEL=2`.

COMP_zlib_oneshot and its like came with 3.2 and return NULL without the option. Before, COMP_zlib returns a method of
type 0 (NID_undef); in 1.0.2 only BIO_f_zlib, which zlib alone exports, shows it.
"""


def options(build: Build) -> tuple[str, ...] | None:
    """Return the options that a build was made with, such as ``zlib`` and ``srp``; None if its libraries do not say."""
    if build.libssl is None or build.libcrypto is None or build.python is None:
        return None
    argv = [*build.python, "-I", "-S", "-c", OPTIONS, str(build.libcrypto), str(build.libssl)]
    try:
        return tuple(command(argv, DEADLINE, build.environment).split())
    except CommandError:
        return None
