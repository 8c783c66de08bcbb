"""The JSON of a case is what docs/json.md and docs/case.schema.json say, for made and for real connections."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from harness.builds.system import build_for
from harness.model import tls as words
from harness.model.build import Build
from harness.model.connection import Counters
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.session import Session
from harness.model.tls import USUAL_VERSIONS, TLSVersion
from harness.model.transcript import Transcript
from harness.model.view import Saw
from harness.pair.pair import Pair
from harness.report.account import account
from harness.report.json import shapes
from harness.report.json.documentation import case_schema, page
from harness.report.json.encode import case_json, connection_json, counters_json
from harness.report.json.tests.json_schema import errors
from harness.report.text.account_text import account_text
from harness.runtime.runtime import Runtime
from harness.stacks.openssl import OpensslStack
from harness.tests.made.connections import SESSION, aborted, connection, disagreeing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection

DOCS = Path(__file__).parents[4] / "docs"
SCHEMA = case_schema()
CONFIGS = ClientConfig(alpn=("h2", "http/1.1")), ServerConfig(timeout=-5, session_id_context=b"\xff")


def case(connections: Sequence[Connection], counters: Counters | None = None) -> Any:
    """The object of a case after a journey through JSON text."""
    made = case_json("a@1", "b@2", TLSVersion.TLSv1_3, connections, counters, CONFIGS, then=({}, {"timeout": 1}))
    return json.loads(json.dumps(made))


def wrong(value: Any) -> list[str]:
    return errors(value, SCHEMA, SCHEMA["$defs"])


@pytest.fixture(scope="module", params=USUAL_VERSIONS)
def real(request: pytest.FixtureRequest) -> Iterator[list[Connection]]:
    """A full and a resumed connection of s_client and s_server."""
    build = build_for("openssl")
    if not isinstance(build, Build):
        raise TypeError(build)
    with Runtime() as runtime:
        stack = OpensslStack(build, runtime)
        pair = Pair((stack, stack), request.param, runtime)
        pair.connect(offer=pair.connect().session)
        yield pair.connections
        pair.close()
        stack.close()


@pytest.mark.parametrize(
    "made",
    [
        connection(),
        connection(Saw.FULL, offered=None, was_offered=False),
        connection(Saw.UNKNOWN),
        connection(last_session=Session({}), close=words.Close.EOF),
        disagreeing(),
        aborted(),
    ],
)
def test_a_made_connection_is_as_documented(made: Connection) -> None:
    assert wrong(case([made], Counters(items=3))) == []


def test_a_case_without_connections_is_as_documented() -> None:
    assert wrong(case([])) == []


def test_real_connections_are_as_documented(real: list[Connection]) -> None:
    assert wrong(case(real)) == []


def test_a_real_resumption_is_reported(real: list[Connection]) -> None:
    assert [each["outcome"] for each in case(real)["connections"]] == ["full", "resumed"]


def test_a_real_session_is_reported_whole(real: list[Connection]) -> None:
    shown = case(real)["connections"][0]["session"]

    assert {name for name, value in shown.items() if value is None} <= {"resumable"}


def test_real_messages_are_in_the_order_of_time(real: list[Connection]) -> None:
    times = [message["at"] or 0 for message in case(real)["connections"][1]["messages"]]

    assert times == sorted(times)


def test_a_real_hello_is_as_long_as_its_message(real: list[Connection]) -> None:
    shown = connection_json(real[0])
    (message,) = (message for message in shown["messages"] if message["type"] == "ServerHello")
    (hello,) = (hello for hello in shown["hellos"] if hello["type"] == "ServerHello")

    assert hello["length"] == message["length"]
    assert hello["length"] > 0


def test_a_real_case_reads_as_text(real: list[Connection]) -> None:
    lines = account_text(account(real), whole=True).plain.splitlines()

    assert [line for line in lines if line.startswith("Connection") and " of 2: " in line and "│" not in line] == [
        "Connection 1 of 2: full",
        f"Connection 2 of 2: resumed by {'psk' if real[0].tls is TLSVersion.TLSv1_3 else 'session_ticket'}",
    ]


def subclasses(value: Any) -> list[type]:
    """The types in a value that only derive from those of JSON."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [] if type(value) in {dict, list, str, int, float, bool, type(None)} else [type(value)]
    return [*own, *(kind for part in inner for kind in subclasses(part))]


def test_a_case_holds_plain_values_alone_so_that_execnet_carries_it(real: list[Connection]) -> None:
    made = case_json("a@1", "b@2", real[0].tls, real, Counters(), CONFIGS)

    assert subclasses(made) == []


def test_a_value_of_another_type_would_be_found() -> None:
    assert wrong({**case([]), "schema": "1"}) == ["$.schema is not of type integer"]


def test_a_missing_key_would_be_found() -> None:
    assert wrong({name: value for name, value in case([]).items() if name != "tls"}) == ["$.tls is missing"]


def test_an_undocumented_key_would_be_found() -> None:
    assert wrong({**case([]), "colour": 1}) == ["$.colour is not documented"]


def test_a_disagreement_has_no_outcome() -> None:
    assert connection_json(disagreeing())["outcome"] is None


def test_a_disagreement_is_reported_with_its_evidence() -> None:
    assert "SSL_session_reused() == 0" in (connection_json(disagreeing())["disagreement"] or "")


@pytest.mark.parametrize("saw", list(Saw))
def test_telling_does_not_count_as_looking(saw: Saw) -> None:
    made = connection(saw)
    connection_json(made)

    assert made.asserted is False


def test_the_fields_that_a_new_session_has_otherwise_are_named() -> None:
    made = connection(last_session=Session({**SESSION.known, "ticket": b"other", "timeout": 300}))

    assert connection_json(made)["session_difference"] == ["timeout", "ticket"]


def test_without_a_new_session_no_field_differs_and_none_is_equal() -> None:
    assert connection_json(aborted())["session_difference"] is None


def test_the_mechanism_of_a_full_handshake_is_null() -> None:
    assert connection_json(connection(Saw.FULL))["mechanism"] is None


def test_the_alert_has_its_number_and_sender() -> None:
    alert = connection_json(aborted())["alert"]

    assert alert == {"number": 80, "name": "internal_error", "level": 2, "sender": "server"}


def test_tickets_that_are_counted_differently_are_null() -> None:
    assert connection_json(connection(transcript=Transcript(tickets=())))["tickets"] is None


def test_tickets_that_one_witness_counted_are_reported() -> None:
    assert connection_json(connection(transcript=Transcript()))["tickets"] == 1


def test_bytes_are_hex() -> None:
    assert case([connection()])["connections"][0]["session"]["ticket"] == "ab" * 208


def test_an_unknown_field_is_null() -> None:
    assert case([connection(last_session=SESSION)])["connections"][0]["session"]["flags"] is None


def test_knobs_are_reported_as_a_user_types_them() -> None:
    assert case([])["knobs"] == {
        "client": {"alpn": "h2,http/1.1"},
        "server": {"timeout": "-5", "session_id_context": "hex:ff"},
        "then_client": {},
        "then_server": {"timeout": "1"},
    }


def test_counters_that_no_stack_reported_are_null() -> None:
    assert counters_json(None) is None


def test_the_counters_are_those_of_the_model() -> None:
    assert list(shapes.CountersObject.__annotations__) == [field.name for field in dataclasses.fields(Counters)]


@pytest.mark.parametrize("name", ["Outcome", "Mechanism", "Role", "Close", "Ending"])
def test_the_words_are_those_of_the_model(name: str) -> None:
    assert get_args(getattr(shapes, name)) == tuple(getattr(words, name))


def test_what_a_witness_saw_has_the_words_of_the_model() -> None:
    assert get_args(shapes.Saw) == tuple(Saw)


def test_the_page_is_up_to_date() -> None:
    assert (DOCS / "json.md").read_text() == page(), "run: python docs/generate.py"


def test_the_schema_is_up_to_date() -> None:
    assert json.loads((DOCS / "case.schema.json").read_text()) == SCHEMA, "run: python docs/generate.py"


def test_the_explanation_and_the_setup_of_a_real_decline_are_reported() -> None:
    build = build_for("openssl")
    assert isinstance(build, Build)
    with Runtime() as runtime:
        stack = OpensslStack(build, runtime)
        pair = Pair((stack, stack), TLSVersion.TLSv1_3, runtime)
        offer = pair.connect().session
        pair.new_server(num_tickets=1)
        pair.connect(offer)
        shown = case(pair.connections)
        pair.close()
        stack.close()
    first, second = shown["connections"]

    assert wrong(shown) == []
    assert first["explanation"] is None
    assert [found["reason"] for found in second["explanation"]["findings"]] == ["ticket_key_unknown"]
    assert (first["circumstances"]["server_context"], second["circumstances"]["server_context"]) == (1, 2)
    assert second["circumstances"]["server"] == {"versions": "1.3", "num_tickets": "1"}
