"""The loaded libssl: its version, what it lacks, its error queue, and callbacks that raise."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness.agent.library import LackError, TlsError
from harness.model.errors import stretched
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from pathlib import Path

    from harness.agent.drivers.libssl.native import Native

SCRIPT = """
import sys
from harness.agent.drivers.libssl.native import Native
native = Native(sys.argv[1], sys.argv[2])
print(native.version)
"""


@pytest.fixture(scope="module")
def native() -> Native:
    from harness.agent.drivers.libssl.native import Native  # noqa: PLC0415 - loads cffi, which only these tests need

    build = libssl_build()
    return Native(str(build.libssl), str(build.libcrypto))


def test_the_version_is_the_loaded_librarys(native: Native) -> None:
    assert native.version == libssl_build().version
    assert native.release == tuple(map(int, native.version.split(".")[:2]))


def test_a_function_that_is_absent_is_a_lack(native: Native) -> None:
    with pytest.raises(LackError, match=r"knob: OpenSSL \S+ has no SSLv23_method"):
        native.need("SSLv23_method", "knob")


def test_every_function_is_looked_up_before_a_thread_can_begin(native: Native) -> None:
    """Two threads that look up functions at once make the same types, at which cffi may abort."""
    from harness.agent.drivers.libssl.declared import ffi  # noqa: PLC0415 - loads cffi

    found = vars(native.ssl).keys() | vars(native.crypto).keys()
    missing = set(dir(ffi.dlopen(native.paths[0]))) - found

    assert {"SSL_do_handshake", "SSL_session_reused", "ERR_get_error"} <= found
    assert not any(native.has(name) for name in missing)


def test_a_refusal_names_the_knob_and_the_reason(native: Native) -> None:
    native.before()
    with pytest.raises(TlsError) as caught:
        native.must(native.ssl.SSL_CTX_new(native.ffi.NULL) != native.ffi.NULL, "context")

    assert caught.value.queue[0]["lib"] == 20
    assert caught.value.queue[0]["reason"] == 196  # SSL_R_NULL_SSL_METHOD_PASSED
    assert caught.value.queue[0]["knob"] == "context"


def test_an_exception_of_a_callback_is_raised_by_the_next_check(native: Native) -> None:
    def fails(_argument: object) -> int:
        raise ZeroDivisionError

    callback = native.callback("int(void *)", fails)

    assert callback(native.ffi.NULL) == 0
    with pytest.raises(ZeroDivisionError):
        native.check_callbacks()
    native.check_callbacks()


def test_a_session_that_lost_its_id_is_in_no_external_cache(native: Native, tmp_path: Path) -> None:
    from harness.agent.drivers.libssl.callbacks.calls import Calls  # noqa: PLC0415 - loads cffi
    from harness.agent.drivers.libssl.callbacks.external_cache import ExternalCache  # noqa: PLC0415 - loads cffi

    calls = Calls({})
    cache = ExternalCache(native, tmp_path / "cache", {}, calls)
    context = native.ffi.gc(native.ssl.SSL_CTX_new(native.ssl.TLS_method()), native.ssl.SSL_CTX_free)
    session = native.ffi.gc(native.ssl.SSL_SESSION_new(), native.ssl.SSL_SESSION_free)
    cache.set(context)

    assert native.ssl.SSL_CTX_add_session(context, session) == 1
    native.ffi.release(context)
    native.check_callbacks()
    assert calls.take(None) == [{"call": "remove", "subject": "", "result": "absent"}]


def test_an_exception_of_a_callback_that_a_free_calls_is_raised_there(native: Native, tmp_path: Path) -> None:
    from harness.agent.drivers.libssl.callbacks.external_cache import NO_ID  # noqa: PLC0415 - loads cffi
    from harness.agent.drivers.libssl.context import LibsslContext  # noqa: PLC0415 - loads cffi

    context = LibsslContext(native, "server", {}, {"external_cache": str(tmp_path)})
    session = native.ffi.gc(native.ssl.SSL_SESSION_new(), native.ssl.SSL_SESSION_free)
    assert native.ssl.SSL_CTX_add_session(context._ctx, session) == 1  # noqa: SLF001 - no verb adds one without id
    (tmp_path / NO_ID).mkdir()  # which the callback for removed sessions cannot unlink

    with pytest.raises(IsADirectoryError) as raised:
        context.free()
    assert raised.value.__notes__[-1] == "which SSL_CTX_free called"
    native.check_callbacks()


def test_a_library_that_is_no_openssl_is_refused() -> None:
    argv = [sys.executable, "-c", SCRIPT, str(libssl_build().libssl), "libc.so.6"]
    done = subprocess.run(argv, capture_output=True, check=False, text=True, timeout=stretched(10))

    assert done.returncode != 0
    assert "libc.so.6 is not OpenSSL" in done.stderr


@pytest.mark.parametrize("role", ["client", "server"])
def test_a_knob_that_the_driver_has_no_code_for_is_refused(native: Native, role: str) -> None:
    from harness.agent.drivers.libssl.context import LibsslContext  # noqa: PLC0415 - loads cffi

    with pytest.raises(LackError, match="nonsense: the libssl driver has no code for it"):
        LibsslContext(native, role, {"nonsense": True}, {})
