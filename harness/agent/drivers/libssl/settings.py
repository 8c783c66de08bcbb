"""The knobs of a context, each set by the OpenSSL function that its documentation names; reads no files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl import native as calls
from harness.agent.library import LackError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.agent.drivers.libssl.native import Native

OLD_KEYS = 48
"""Bytes of the ticket keys of 1.0.2: a name, an HMAC key and an AES key of 16 each."""
NOT_OF_A_CONTEXT = frozenset({"server_name", "session_id", "session_id_prefix"})
"""Knobs that a connection or a callback applies."""


class Settings:
    """Applies knobs to an SSL_CTX."""

    def __init__(self, native: Native, ctx: Any, role: str) -> None:
        self._native = native
        self._ssl = native.ssl
        self._ffi = native.ffi
        self._ctx = ctx
        self._role = role

    def apply(self, knob: str, value: Any) -> None:
        """Set one knob; LackError if this OpenSSL cannot, TlsError if it will not."""
        if knob in NOT_OF_A_CONTEXT:
            return
        setter: Callable[[Any], None] | None = getattr(self, f"set_{knob}", None)
        if setter is None:
            raise LackError(f"{knob}: the libssl driver has no code for it")
        self._native.before()
        setter(value)

    def _option(self, bit: int, *, on: bool) -> None:
        calls.set_option(self._native, self._ctx, bit, on=on)

    def _since_1_1_1(self, what: str) -> None:
        """LackError for a release that has no TLS 1.3; the numbers of its options mean other things there."""
        self._native.need("SSL_CTX_set_ciphersuites", what)

    def _ctrl(self, command: int, number: int = 0, pointer: Any = None) -> int:
        return int(self._ssl.SSL_CTX_ctrl(self._ctx, command, number, pointer or self._ffi.NULL))

    def set_versions(self, versions: list[str]) -> None:
        """SSL_CTX_set_min_proto_version and SSL_CTX_set_max_proto_version."""
        if calls.is_older(self._native):
            calls.set_versions(self._native, self._ctx, versions)
            return
        if "1.3" in versions:
            self._since_1_1_1("versions = 1.3")
        numbers = sorted(c.VERSIONS[version] for version in versions)
        self._native.must(self._ctrl(c.CTRL_SET_MIN_VERSION, numbers[0]), "versions")
        self._native.must(self._ctrl(c.CTRL_SET_MAX_VERSION, numbers[-1]), "versions")

    def set_tickets(self, on: bool) -> None:  # noqa: FBT001 - a setter is called with the knob's value
        """SSL_OP_NO_TICKET."""
        self._option(c.OP_NO_TICKET, on=not on)

    def set_middlebox_compat(self, on: bool) -> None:  # noqa: FBT001 - a setter is called with the knob's value
        """SSL_OP_ENABLE_MIDDLEBOX_COMPAT."""
        self._since_1_1_1("middlebox_compat")
        self._option(c.OP_ENABLE_MIDDLEBOX_COMPAT, on=on)

    def set_extended_master_secret(self, on: bool) -> None:  # noqa: FBT001 - a setter is called with the knob's value
        """SSL_OP_NO_EXTENDED_MASTER_SECRET."""
        if calls.is_older(self._native) and on:
            raise LackError("extended_master_secret: OpenSSL before 1.1.0 does not have it")
        if (1, 1) <= self._native.release < (3, 0) and not on:
            raise LackError("extended_master_secret: OpenSSL before 3.0 has no SSL_OP_NO_EXTENDED_MASTER_SECRET")
        if self._native.release >= (3, 0):
            self._option(c.OP_NO_EXTENDED_MASTER_SECRET, on=not on)

    def set_anti_replay(self, on: bool) -> None:  # noqa: FBT001 - a setter is called with the knob's value
        """SSL_OP_NO_ANTI_REPLAY."""
        self._since_1_1_1("anti_replay")
        self._option(c.OP_NO_ANTI_REPLAY, on=not on)

    def set_client_renegotiation(self, on: bool) -> None:  # noqa: FBT001 - a setter is called with the knob's value
        """SSL_OP_ALLOW_CLIENT_RENEGOTIATION."""
        if self._native.release >= (3, 0):
            self._option(c.OP_ALLOW_CLIENT_RENEGOTIATION, on=on)
        elif not on:
            raise LackError("client_renegotiation: OpenSSL before 3.0 has no SSL_OP_ALLOW_CLIENT_RENEGOTIATION")

    def set_psk_modes(self, mode: str) -> None:
        """SSL_OP_ALLOW_NO_DHE_KEX, and SSL_OP_PREFER_NO_DHE_KEX for psk_ke at a server."""
        self._since_1_1_1("psk_modes")
        if mode == "psk_ke":
            if self._role == "client":
                raise LackError(
                    "psk_modes: an OpenSSL client always offers psk_dhe_ke (tls_construct_ctos_psk_kex_modes)"
                )
            if self._native.release < (3, 3):
                raise LackError(
                    "psk_modes: OpenSSL before 3.3 has no SSL_OP_PREFER_NO_DHE_KEX, so psk_dhe_ke wins where offered"
                )
            self._option(c.OP_PREFER_NO_DHE_KEX, on=True)
        self._option(c.OP_ALLOW_NO_DHE_KEX, on=mode != "psk_dhe_ke")

    def set_cache_mode(self, words: list[str]) -> None:
        """SSL_CTX_set_session_cache_mode."""
        mode = 0
        for word in words:
            mode |= c.CACHE_MODES[word]
        self._ctrl(c.CTRL_SET_CACHE_MODE, mode)

    def set_cache_size(self, size: int) -> None:
        """SSL_CTX_sess_set_cache_size."""
        self._ctrl(c.CTRL_SET_CACHE_SIZE, size)

    def set_timeout(self, seconds: int) -> None:
        """SSL_CTX_set_timeout."""
        self._ssl.SSL_CTX_set_timeout(self._ctx, seconds)

    def set_num_tickets(self, number: int) -> None:
        """SSL_CTX_set_num_tickets."""
        self._native.must(self._native.need("SSL_CTX_set_num_tickets", "num_tickets")(self._ctx, number), "num_tickets")

    def set_max_early_data(self, size: int) -> None:
        """SSL_CTX_set_max_early_data; at a client it is the connection's affair."""
        if self._role == "server":
            function = self._native.need("SSL_CTX_set_max_early_data", "max_early_data")
            self._native.must(function(self._ctx, size), "max_early_data")

    def set_session_id_context(self, value: str) -> None:
        """SSL_CTX_set_session_id_context."""
        if value != "unset":
            data = bytes.fromhex(value)
            result = self._ssl.SSL_CTX_set_session_id_context(self._ctx, data, len(data))
            self._native.must(result, "session_id_context")

    def set_ticket_keys(self, value: str) -> None:
        """SSL_CTX_set_tlsext_ticket_keys; a call with NULL tells how long they are."""
        keys = bytes.fromhex(value)
        length = self._ctrl(c.CTRL_SET_TICKET_KEYS)
        if length == OLD_KEYS:
            keys = keys[:16] + keys[16:32] + keys[48:64]
        if length != len(keys):
            raise LackError(f"ticket_keys: this OpenSSL takes {length} bytes, not {len(keys)}")
        self._native.must(self._ctrl(c.CTRL_SET_TICKET_KEYS, length, self._ffi.from_buffer(keys)), "ticket_keys")

    def set_ciphers(self, ciphers: str) -> None:
        """SSL_CTX_set_cipher_list."""
        self._native.must(self._ssl.SSL_CTX_set_cipher_list(self._ctx, ciphers.encode()), "ciphers")

    def set_ciphersuites(self, suites: str) -> None:
        """SSL_CTX_set_ciphersuites."""
        function = self._native.need("SSL_CTX_set_ciphersuites", "ciphersuites")
        self._native.must(function(self._ctx, suites.encode()), "ciphersuites")

    def set_max_fragment_length(self, size: int) -> None:
        """SSL_CTX_set_tlsext_max_fragment_length: its code, 1 for 512 bytes to 4 for 4096."""
        function = self._native.need("SSL_CTX_set_tlsext_max_fragment_length", "max_fragment_length")
        self._native.must(function(self._ctx, c.MAX_FRAGMENT_LENGTHS[size]), "max_fragment_length")

    def set_groups(self, groups: str) -> None:
        """SSL_CTX_set1_groups_list."""
        text = self._ffi.new("char[]", groups.encode())
        self._native.must(self._ctrl(c.CTRL_SET_GROUPS_LIST, 0, text), "groups")

    def set_alpn(self, names: list[str]) -> None:
        """SSL_CTX_set_alpn_protos, which gives 0 for success; at a server it is a callback's affair."""
        if self._role == "client":
            wire = alpn_wire(names)
            self._native.must(1 - self._ssl.SSL_CTX_set_alpn_protos(self._ctx, wire, len(wire)), "alpn")

    def set_verify(self, word: str) -> None:
        """SSL_CTX_set_verify."""
        mode = {
            "none": 0,
            "optional": c.VERIFY_PEER,
            "required": c.VERIFY_PEER | c.VERIFY_FAIL_IF_NO_PEER_CERT,
        }[word]
        self._ssl.SSL_CTX_set_verify(self._ctx, mode, self._ffi.NULL)


def alpn_wire(names: list[str]) -> bytes:
    """Protocol names as ALPN has them, each after its length (RFC 7301, 3.1)."""
    return b"".join(bytes([len(name)]) + name.encode() for name in names)
