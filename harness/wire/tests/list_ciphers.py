"""Print ``NUMBER NAME`` of each cipher suite that a libssl can offer: ``list_ciphers.py LIBCRYPTO LIBSSL``.

It runs in the process that an agent of that build would have, without an import of the harness.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

ALL = (b"ALL:COMPLEMENTOFALL:@SECLEVEL=0", b"ALL:COMPLEMENTOFALL")  # 1.0.2 has no security levels


def function(library: ctypes.CDLL, names: tuple[str, ...], result: Any, *arguments: Any) -> Any:
    """The function that has one of these names."""
    found: Any = next(getattr(library, name) for name in names if hasattr(library, name))
    found.restype, found.argtypes = result, arguments
    return found


def main() -> None:
    """Print the suites."""
    pointer = ctypes.c_void_p
    crypto, ssl = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL), ctypes.CDLL(sys.argv[2])
    if hasattr(ssl, "SSL_library_init"):
        ssl.SSL_library_init()
    method = function(ssl, ("TLS_method", "SSLv23_method"), pointer)()
    context = function(ssl, ("SSL_CTX_new",), pointer, pointer)(method)
    choose = function(ssl, ("SSL_CTX_set_cipher_list",), ctypes.c_int, pointer, ctypes.c_char_p)
    if not any(choose(context, text) for text in ALL):
        sys.exit("SSL_CTX_set_cipher_list refuses all suites")
    connection = function(ssl, ("SSL_new",), pointer, pointer)(context)
    stack = function(ssl, ("SSL_get_ciphers",), pointer, pointer)(connection)
    count = function(crypto, ("OPENSSL_sk_num", "sk_num"), ctypes.c_int, pointer)(stack)
    value = function(crypto, ("OPENSSL_sk_value", "sk_value"), pointer, pointer, ctypes.c_int)
    number = function(ssl, ("SSL_CIPHER_get_id",), ctypes.c_uint32, pointer)
    name = function(ssl, ("SSL_CIPHER_get_name",), ctypes.c_char_p, pointer)
    for each in (value(stack, i) for i in range(count)):
        sys.stdout.write(f"{number(each) & 0xFFFF} {name(each).decode()}\n")


if __name__ == "__main__":
    main()
