"""The hellos of a connection are reported with their extensions and lengths, as the bytes had them."""

from __future__ import annotations

from dataclasses import replace

from harness.model.transcript import ClientHello, ServerHello, Transcript
from harness.report.diff.difference import differences
from harness.report.json.encode import hellos_json
from harness.report.json.shapes import ConnectionObject

CLIENT = ClientHello(0x0303, bytes(32), bytes(32), (0x1302, 0x00FF), {23: b"", 35: b"abc"}, length=99)
SERVER = ServerHello(0x0303, bytes(32), b"", 0x1302, {43: b"\3\4"}, None, length=70)
RETRY = ServerHello(0x0303, bytes(32), b"", 0x1302, {}, None, hello_retry_request=True)


def test_a_client_hello_is_reported_with_its_lengths() -> None:
    assert hellos_json(Transcript(client_hellos=(CLIENT,))) == [
        {
            "sender": "client",
            "type": "ClientHello",
            "length": 99,
            "session_id_length": 32,
            "compression_methods": 1,
            "cipher_suites": [0x1302, 0x00FF],
            "extensions": [
                {"number": 23, "name": "extended_master_secret", "length": 0},
                {"number": 35, "name": "session_ticket", "length": 3},
            ],
        }
    ]


def test_a_server_hello_has_the_one_suite_that_it_chose() -> None:
    (shown,) = hellos_json(Transcript(server_hellos=(SERVER,)))

    assert (shown["sender"], shown["type"], shown["length"]) == ("server", "ServerHello", 70)
    assert shown["cipher_suites"] == [0x1302]
    assert shown["extensions"] == [{"number": 43, "name": "supported_versions", "length": 2}]


def test_a_retry_is_distinguished_and_after_the_clients_hellos() -> None:
    shown = hellos_json(Transcript(client_hellos=(CLIENT, CLIENT), server_hellos=(RETRY, SERVER)))

    assert [hello["type"] for hello in shown] == ["ClientHello", "ClientHello", "HelloRetryRequest", "ServerHello"]


def test_compression_methods_are_counted_and_compared_alone() -> None:
    """OpenSSL 1.0.2 names DEFLATE beside the null method, which is a byte more."""
    deflate = replace(CLIENT, compression_methods=b"\1\0", length=100)
    one, other = ({"hellos": hellos_json(Transcript(client_hellos=(hello,)))} for hello in (CLIENT, deflate))
    found = differences(ConnectionObject, one, other)

    assert [(each.observable, each.before, each.after) for each in found] == [
        ("hellos.client.ClientHello.compression_methods", "1", "2")
    ]


def test_results_without_compression_methods_had_one() -> None:
    (old,), (new,) = (hellos_json(Transcript(client_hellos=(CLIENT,))) for _ in range(2))
    del old["compression_methods"]

    assert differences(ConnectionObject, {"hellos": [old]}, {"hellos": [new]}) == []
