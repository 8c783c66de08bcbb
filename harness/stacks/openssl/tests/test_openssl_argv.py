"""Each knob becomes the flags that mean it, and one that a program has not is refused with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.agent.vocabulary import release
from harness.model.capability import Capability
from harness.model.knobs import UNSET, CacheMode, ClientConfig, PskMode, ServerConfig, Verify
from harness.model.tls import Role, TLSVersion
from harness.runtime.pki import Issued
from harness.stacks.openssl.abilities import program_abilities
from harness.stacks.openssl.argv import client_argv, connection_argv, server_argv

ISSUED = Issued(Path("s.crt"), Path("s.key"))
AUTHORITY = Path("ca.pem")
TLS12, TLS13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3


def _server(version: str = "3.0.19", **knobs: Any) -> list[str]:
    return server_argv(("openssl",), version, ServerConfig(**knobs), ISSUED, AUTHORITY, Path("keys"))


def _client(certificate: Issued | None = None, **knobs: Any) -> list[str]:
    return client_argv(("openssl",), "3.0.19", ClientConfig(**knobs), certificate, AUTHORITY)


def test_a_server_without_knobs_has_port_certificate_and_key_log_but_no_ca() -> None:
    assert " ".join(_server()) == (
        "openssl s_server -accept 127.0.0.1:0 -cert s.crt -key s.key -keylogfile keys -no-CAfile -no-CApath -no-CAstore"
    )


def test_a_chain_is_given_beside_the_certificate_that_is_read_alone() -> None:
    chained = Issued(Path("c.crt"), Path("c.key"), Path("c.chain"))

    assert "-cert c.crt -cert_chain c.chain -key c.key" in " ".join(_client(chained))


def test_a_client_without_knobs_has_no_authorities() -> None:
    assert " ".join(_client()) == "openssl s_client -no-CAfile -no-CApath -no-CAstore"


def test_a_client_that_may_renegotiate_does_not_block() -> None:
    assert _client(versions=(TLS12,))[-2:] == ["-nbio", "-tls1_2"]
    assert "-nbio" not in _client(versions=(TLS13,))


def test_a_server_of_one_version_has_its_flag() -> None:
    assert _server(versions=(TLS12,))[-1] == "-tls1_2"


def test_1_1_1_has_no_store_to_switch_off() -> None:
    assert "-no-CAstore" not in _server("1.1.1w")


@pytest.mark.parametrize(
    ("knob", "value", "flags"),
    [
        ("versions", (TLS13,), "-tls1_3"),
        ("versions", (TLS12, TLS13), "-min_protocol TLSv1.2 -max_protocol TLSv1.3"),
        ("tickets", False, "-no_ticket"),
        ("tickets", True, ""),
        ("middlebox_compat", False, "-no_middlebox"),
        ("middlebox_compat", True, ""),
        ("extended_master_secret", False, "-no_ems"),
        ("ciphers", "AES128-SHA", "-cipher AES128-SHA"),
        ("ciphersuites", "TLS_AES_128_GCM_SHA256", "-ciphersuites TLS_AES_128_GCM_SHA256"),
        ("groups", "P-256:X25519", "-groups P-256:X25519"),
        ("psk_modes", PskMode.BOTH, "-allow_no_dhe_kex"),
        ("psk_modes", PskMode.DHE, ""),
        ("alpn", ("h2", "http/1.1"), "-alpn h2,http/1.1"),
    ],
)
def test_a_knob_of_both_roles_becomes_the_same_flags_in_both(knob: str, value: Any, flags: str) -> None:
    assert _server(**{knob: value}) == [*_server(), *flags.split()]
    assert _client(**{knob: value}) == [*_client(), *flags.split()]


@pytest.mark.parametrize(
    ("knob", "value", "flags"),
    [
        ("cache_mode", frozenset({CacheMode.OFF}), "-no_cache"),
        ("cache_mode", frozenset({CacheMode.SERVER}), ""),
        ("num_tickets", 0, "-num_tickets 0"),
        ("session_id_context", b"context", "-context context"),
        ("session_id_prefix", b"prefix", "-id_prefix prefix"),
        ("anti_replay", False, "-no_anti_replay"),
        ("anti_replay", True, "-anti_replay"),
        ("client_renegotiation", True, "-client_renegotiation"),
        ("client_renegotiation", False, ""),
        ("max_early_data", 0, "-max_early_data 0"),
        ("max_early_data", 9, "-early_data -max_early_data 9"),
        ("psk_modes", PskMode.KE, "-allow_no_dhe_kex -prefer_no_dhe_kex"),
        ("verify", Verify.NONE, ""),
        ("verify", Verify.OPTIONAL, "-verify 3 -verify_return_error -CAfile ca.pem"),
        ("verify", Verify.REQUIRED, "-Verify 3 -verify_return_error -CAfile ca.pem"),
    ],
)
def test_a_knob_of_a_server_becomes_its_flags(knob: str, value: Any, flags: str) -> None:
    assert _server(**{knob: value}) == [*_server(), *flags.split()]


def test_a_client_that_verifies_has_the_authority() -> None:
    assert _client(verify=Verify.REQUIRED)[-5:] == ["-verify", "3", "-verify_return_error", "-CAfile", "ca.pem"]


def test_a_client_has_its_certificate_and_its_server_name() -> None:
    assert _client(ISSUED, server_name="a.example")[-6:] == [
        *("-cert", "s.crt", "-key", "s.key"),
        *("-servername", "a.example"),
    ]


def test_a_connection_has_its_port_and_its_session_files() -> None:
    argv = connection_argv(4433, Path("out"), Path("in"), Path("early"))

    assert " ".join(argv) == "-connect 127.0.0.1:4433 -sess_out out -sess_in in -early_data early"


@pytest.mark.parametrize(
    ("version", "number"), [("1.1.1w", (1, 1, 1, 23)), ("3.0.19", (3, 0, 19)), ("4.0.0-dev", (4, 0, 0))]
)
def test_a_version_is_compared_by_its_numbers(version: str, number: tuple[int, ...]) -> None:
    assert release(version) == number


SERVER = program_abilities(Role.SERVER, "3.0.19", None)
CLIENT = program_abilities(Role.CLIENT, "3.0.19", None)


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("session_id_context", b"c" * 32),
        ("session_id_prefix", b"id"),
        ("cache_size", 128),
        ("cache_mode", frozenset({CacheMode.OFF})),
        ("extended_master_secret", True),
        ("clock", -5),
    ],
)
def test_a_server_has_the_knob(knob: str, value: object) -> None:
    assert SERVER.lacks_knob(knob, value) is None


def test_a_server_since_3_3_can_prefer_psk_ke() -> None:
    assert program_abilities(Role.SERVER, "3.3.0", None).lacks_knob("psk_modes", PskMode.KE) is None


@pytest.mark.parametrize(
    ("knob", "value", "reason"),
    [
        ("session_id_context", UNSET, "-context takes text"),
        ("session_id_context", b"c" * 33, "text of 1 to 32 bytes"),
        ("session_id_context", b"\0", "-context takes text"),
        ("session_id_prefix", b"\xff", "-id_prefix takes text"),
        ("cache_size", 2, "s_server fixes it"),
        ("cache_mode", frozenset({CacheMode.NO_INTERNAL}), "-no_cache is off"),
        ("extended_master_secret", False, "-no_ems"),
        ("psk_modes", PskMode.KE, "has no SSL_OP_PREFER_NO_DHE_KEX"),
        ("timeout", 5, "no flag sets a session timeout"),
        ("ticket_keys", "name", "no flag sets ticket keys"),
        ("session_id", b"id", "no flag sets all of it"),
    ],
)
def test_a_server_lacks_the_knob_for_a_reason(knob: str, value: object, reason: str) -> None:
    assert reason in (SERVER.lacks_knob(knob, value) or "")


@pytest.mark.parametrize(
    ("knob", "value", "reason"),
    [
        ("cache_mode", frozenset({CacheMode.OFF}), "s_client fixes it"),
        ("cache_size", 2, "no flag sets it"),
        ("timeout", 5, "no flag sets a session timeout"),
        ("verify", Verify.OPTIONAL, "requires a certificate"),
    ],
)
def test_a_client_lacks_the_knob_for_a_reason(knob: str, value: object, reason: str) -> None:
    assert reason in (CLIENT.lacks_knob(knob, value) or "")


def test_extended_master_secret_is_switched_off_by_3_5() -> None:
    assert program_abilities(Role.CLIENT, "3.5.7", None).lacks_knob("extended_master_secret", value=False) is None


def test_without_libfaketime_no_clock_moves() -> None:
    still = program_abilities(Role.SERVER, "3.0.19", "libfaketime is not installed")

    assert still.lacks_knob("clock", 0) == "libfaketime is not installed"
    assert still.lacks(Capability.CLOCK) == "libfaketime is not installed"


@pytest.mark.parametrize("capability", Capability)
def test_a_capability_is_there_or_has_its_own_reason(capability: Capability) -> None:
    assert (capability in SERVER.capabilities) != bool(SERVER.lacks(capability))
    assert (capability in CLIENT.capabilities) != bool(CLIENT.lacks(capability))
