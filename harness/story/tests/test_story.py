"""A story is written and read without loss; one that does not fit is refused with its step and the reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from harness.case.desk import Offering, desk
from harness.case.tell import tell
from harness.model.errors import UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tampering import Part, Tamper
from harness.model.tls import Close, Role, TLSVersion
from harness.story.pages import with_tables
from harness.story.plan import MisfitError, Plan
from harness.story.reading import read_story, story_of_json, story_of_text
from harness.story.smaller import without_step
from harness.story.step import Offer
from harness.story.steps import (
    KINDS,
    AddSession,
    Age,
    AgeSessions,
    Authenticate,
    ChooseContext,
    CloseOpen,
    Connect,
    Exchange,
    Flush,
    Keep,
    MoveClock,
    NewClient,
    NewServer,
    NewTicket,
    Open,
    Release,
    Remove,
    Renegotiate,
    ResizeCache,
    RotateKeys,
    RunClock,
    Session,
    SetTimeouts,
    StopClock,
    StopClocks,
    TamperStep,
    UseClient,
    UseServer,
)
from harness.story.story import End, Story, story_schema
from harness.tests.made_pages import same_schemas

PAGES = Path(__file__).parents[3] / "docs"
TLS12 = TLSVersion.TLSv1_2

WHOLE = Story(
    tls=TLS12,
    about="every kind of step",
    client=End(stack="libssl@3.0.19", knobs={"alpn": "h2,http/1.1"}),
    server=End(knobs={"session_id_context": "hex:00ff"}),
    expect=("connection[2].outcome == resumed",),
    steps=(
        StopClocks(),
        Connect(close=Close.EOF),
        Age(seconds=-5),
        NewClient(knobs={"max_early_data": "100", "alpn": "unset"}),
        UseClient(client=1),
        NewServer(stack="libssl@3.5.6"),
        UseServer(server=1),
        TamperStep(what=Tamper.EDIT, sender=Role.CLIENT, which=2, part=Part.TRAILING, value="00ff"),
        Open(offer=Offer(connection=1, older=7, timeout=9), thread=True),
        Release(connection=2),
        Exchange(),
        Session(connection=2),
        Keep(duplicate=True, older=5, timeout=60),
        Keep(ssl=True),
        Renegotiate(by=Role.SERVER, abbreviated=True),
        Authenticate(),
        NewTicket(),
        CloseOpen(how=Close.RST),
        ResizeCache(entries=1),
        Flush(connection=1, seconds=3),
        Flush(of=Role.CLIENT),
        Remove(connection=2, server=2),
        ChooseContext(server_name="a.example", other=2, server=1),
        RotateKeys(ring="b,a/48", server=1),
        AddSession(connection=2, server=2),
        AgeSessions(seconds=4),
        SetTimeouts(seconds=60),
        MoveClock(of=Role.CLIENT, seconds=1),
        StopClock(of=Role.SERVER, seconds=10, number=2),
        RunClock(of=Role.SERVER, seconds=1.5, pace=0.1),
        Connect(offer=Offer(connection=2, ticket=1), early_data=100),
        Connect(offer=Offer()),
    ),
)


def test_every_kind_of_step_is_read_as_it_was_written() -> None:
    assert {step.kind for step in WHOLE.steps} == set(KINDS)
    assert story_of_text(WHOLE.text(), "a file") == WHOLE


KEPT_SSL = [{"do": "open"}, {"do": "keep", "ssl": True}]
AGAIN: dict[str, object] = {"do": "connect", "offer": {"connection": 1, "taken": 1}}


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([*KEPT_SSL, {"do": "close"}, AGAIN, AGAIN], "that SSL has connected again already"),
        ([*KEPT_SSL, AGAIN, {"do": "close"}], "its SSL has one connection at a time"),
        ([{"do": "open"}, {"do": "keep", "ssl": True, "older": 5}, {"do": "close"}], "an SSL is kept as it is"),
    ],
)
def test_an_ssl_connects_again_once_and_as_it_is(steps: list[dict[str, object]], why: str) -> None:
    with pytest.raises(MisfitError, match=why):
        Plan.of(Story(tls=TLS12, steps=tuple(msgspec.convert(step, KINDS[str(step["do"])]) for step in steps)))


def test_handshakes_in_threads_begin_with_those_right_beside_them() -> None:
    threads = [Open(thread=True), Open(thread=True), Open(), Open(thread=True)]
    story = Story(tls=TLS12, steps=(*threads, *(CloseOpen(connection=number) for number in range(1, 5))))

    assert Plan.of(story).together == {1: 2, 2: 2, 4: 1}


@pytest.mark.parametrize(("offering", "count"), [(each, 5) for each in Offering])
def test_what_connections_offer_and_how_many_at_once_fit(offering: Offering, count: int) -> None:
    threads = None if offering is Offering.SSL else 2
    made = desk(TLS12, offering=offering, threads=threads, age_copy=0, times=4 if threads is None else 2)

    assert Plan.of(made).count == count


def test_each_kind_of_step_has_a_function_that_does_it() -> None:
    assert [word for word, kind in KINDS.items() if tell.dispatch(kind) is tell.dispatch(object)] == []


def test_the_options_of_connect_make_a_story_that_fits() -> None:
    made = desk(
        TLS12,
        client=ClientConfig(alpn=("h2",)),
        server=ServerConfig(ticket_keys="a"),
        then_client={"alpn": None},
        then_server={"ticket_keys": "b"},
        age=3,
        age_copy=2,
        times=2,
    )

    assert Plan.of(made).count == 3
    assert story_of_text(made.text(), "a file") == made
    assert made.steps[2] == NewClient(knobs={"alpn": "unset"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f is not JSON: Expecting value at line 1, column 1"),
        ("[1", "f is not JSON"),
        ("[" * 100_000, "f is not JSON of a story"),
        ('{"story": NaN}', "NaN is not a number of JSON"),
        ("[]", "f holds no object"),
        ('{"schema": 1, "connections": []}', "it is the JSON of a case or of a run"),
        ('{"story": 2}', "is a story of version 2, and this harness reads version 1"),
        ('{"story": true}', "`story` is the version of the format, 1, and not True"),
        ('{"story": 1, "tls": "1.3"}', "`steps` must be an array"),
        ('{"story": 1, "tls": "0.9", "steps": []}', "`tls` is '0.9'; it must be one of 1.0, 1.1"),
        ('{"story": 1, "tls": ["1.3"], "steps": []}', "`tls` is ['1.3']; it must be one of 1.0, 1.1"),
        ('{"story": 1, "steps": []}', "missing required field `tls`"),
        ('{"story": 1, "tls": "1.3", "steps": [], "sevrer": {}}', "unknown field `sevrer`; the fields are tls, steps"),
        ('{"story": 1, "tls": "1.3", "steps": []}', "the story makes no connection"),
        ('{"story": 1, "tls": "1.3", "client": {"knobs": {"x": "1"}}, "steps": []}', "no client knob 'x'"),
        ('{"story": 1, "tls": "1.3", "client": {"knobs": {"alpn": 1}}, "steps": []}', "Expected `str`, got `int`"),
    ],
)
def test_what_is_not_a_story_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("[", r"\[")):
        story_of_text(text, "f")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (["connect"], "step 1 must be an object whose `do` is one of connect, open"),
        ([{"do": "conect"}], "step 1: there is no step 'conect' (did you mean 'connect'?)"),
        (
            [{"do": "connect", "ofer": {}}],
            "step 1 (connect): Object contains unknown field `ofer`; it has offer",
        ),
        ([{"do": "age", "seconds": "1"}], "step 1 (age): Expected `int`, got `str` - at `$.seconds`"),
        ([{"do": "age", "seconds": 10**12}], "step 1 (age): Expected `int` <= 1000000000"),
        ([{"do": "connect", "offer": {}}], "step 1 (connect) does not fit: no connection comes before it"),
        (
            [{"do": "connect"}, {"do": "connect", "offer": {"connection": 2}}],
            "connection 2, and 1 come before",
        ),
        ([{"do": "connect", "offer": {"session": "!"}}], "is the DER of a session in Base64"),
        ([{"do": "connect", "offer": {"session": "MA==", "connection": 1}}], "names one of a connection, and not both"),
        ([{"do": "exchange"}], "step 1 (exchange) does not fit: no connection is open"),
        ([{"do": "open"}, {"do": "close", "connection": 3}], "connection 3 is not open; open are: 1"),
        ([{"do": "open"}], "connection 1 is never closed"),
        ([{"do": "open"}, {"do": "connect", "offer": {"connection": 1}}], "connection 1 is still open"),
        ([{"do": "use_server", "server": 2}], "there is no server 2; the steps before it made 1"),
        ([{"do": "remove", "connection": 1}], "connection 1 is not over before it"),
        (
            [{"do": "open"}, {"do": "exchange"}, {"do": "keep"}, {"do": "remove", "connection": 1}, {"do": "close"}],
            "step 4 (remove) does not fit: connection 1 is open, and what `keep` took of it stays in its client's",
        ),
        ([{"do": "new_server", "knobs": {"timeout": "x"}}], "step 1 (new_server): server knob timeout cannot be 'x'"),
        (
            [
                {"do": "open"},
                {"do": "keep"},
                {"do": "close"},
                {"do": "new_client"},
                {"do": "connect", "offer": {"connection": 1, "taken": 1}},
            ],
            "a kept session is the object in its client's memory",
        ),
    ],
)
def test_a_step_that_does_not_fit_is_named_with_the_reason(steps: list[object], message: str) -> None:
    with pytest.raises(UsageError) as error:
        story_of_json({"story": 1, "tls": "1.3", "steps": steps}, "f")

    assert message in str(error.value)


def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, message in (("missing", "No such file"), ("", "Is a directory"), ("binary", "is not text")):
        with pytest.raises(UsageError, match=message):
            read_story(tmp_path / name)


def test_a_story_without_a_connection_renumbers_the_later_ones() -> None:
    story = Story(
        tls=TLS12,
        steps=(
            Connect(),
            Open(),
            NewServer(),
            Exchange(connection=2),
            CloseOpen(connection=2),
            Remove(connection=1),
            Connect(offer=Offer(connection=1)),
            UseServer(server=2),
        ),
    )

    assert without_step(story, 0) is None
    assert without_step(story, 1) == Story(
        tls=TLS12,
        steps=(Connect(), NewServer(), Remove(connection=1), Connect(offer=Offer(connection=1)), UseServer(server=2)),
    )
    without_server = without_step(story, 2)
    assert without_server is not None
    assert UseServer(server=2) not in without_server.steps


@same_schemas
def test_the_schema_is_current() -> None:
    assert json.loads((PAGES / "story.schema.json").read_text()) == story_schema(), "run: python docs/generate.py"


def test_the_tables_of_the_page_are_current() -> None:
    page = (PAGES / "stories.md").read_text()

    assert with_tables(page) == page, "run: python docs/generate.py"


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({"what": "edit"}, "an edit, and nothing else, names a part"),
        ({"what": "drop", "part": "binder"}, "an edit, and nothing else, names a part"),
        (
            {"what": "drop", "message": "Bye"},
            "no message 'Bye'; there are: sealed record, flight, datagram, ClientHello",
        ),
        ({"what": "insert", "value": "xyz"}, "hexadecimal digits"),
    ],
)
def test_a_change_on_the_way_that_makes_no_sense_is_refused(step: dict[str, str], why: str) -> None:
    made = msgspec.convert({"do": "tamper", "sender": "client", **step}, TamperStep)

    with pytest.raises(MisfitError, match=re.escape(why)):
        Plan.of(Story(tls=TLS12, steps=(made, Connect())))


@pytest.mark.parametrize(
    ("tls", "steps", "why"),
    [
        ("1.2", [{"do": "tamper", "what": "drop", "sender": "client", "message": "flight"}], "drop a flight"),
        ("1.2", [{"do": "tamper", "what": "reverse", "sender": "client"}], "cannot reverse a sealed record"),
        ("dtls1.2", [{"do": "tamper", "what": "cut", "sender": "client"}], "UDP has nothing to reset"),
        ("dtls1.2", [{"do": "connect", "close": "rst"}], "UDP has nothing to reset"),
        ("dtls1.2", [{"do": "connect", "early_data": 9}], "early data is of TLS 1.3"),
        ("dtls1.2", [{"do": "new_client", "knobs": {"versions": "1.3"}}], "an end speaks either"),
        ("quic", [{"do": "open"}, {"do": "renegotiate"}], "no step renegotiate with QUICv1: it has no renegotiation"),
        ("quic", [{"do": "open"}, {"do": "authenticate"}], "RFC 9001, 4.4"),
        ("quic", [{"do": "open"}, {"do": "new_ticket"}], "takes no connection of QUIC"),
        ("quic", [{"do": "open"}, {"do": "keep", "ssl": True}], "SSL_clear takes no connection of QUIC"),
        ("quic", [{"do": "open", "thread": True}], "one connection of QUIC after the other"),
        ("quic", [{"do": "stop_clocks"}], "need a clock that runs"),
        (
            "quic",
            [{"do": "tamper", "what": "drop", "sender": "client"}],
            "its packets are sealed as a whole; name a datagram",
        ),
        (
            "quic",
            [{"do": "tamper", "what": "cut", "sender": "client", "message": "datagram"}],
            "cannot cut a datagram: its packets are sealed as a whole",
        ),
        ("dtls1.2", [{"do": "tamper", "what": "drop", "sender": "client", "message": "datagram"}], "that is of QUIC"),
        ("quic", [{"do": "connect", "close": "free"}], "it can by both, client-only, server-only"),
        ("quic", [{"do": "connect", "close": "eof"}], "UDP has no end: an end of QUIC that gets no CONNECTION_CLOSE"),
        ("quic", [{"do": "connect", "early_data": 9}], "OpenSSL's QUIC has no early data"),
        ("quic", [{"do": "new_client", "knobs": {"middlebox_compat": "on"}}], "RFC 9001, 8.4"),
        ("quic", [{"do": "new_server", "knobs": {"not_resumable": "connection"}}], "it can be context"),
        ("quic", [{"do": "new_client", "knobs": {"versions": "1.3"}}], "an end speaks either"),
        ("1.3", [{"do": "new_client", "knobs": {"versions": "quic"}}], "an end speaks either"),
        ("1.3", [{"do": "new_client", "knobs": {"retransmit_after": "50"}}], "it is of DTLS"),
    ],
)
def test_what_datagrams_or_streams_do_not_have_is_refused(tls: str, steps: list[dict[str, object]], why: str) -> None:
    story = {"story": 1, "tls": tls, "client": {}, "server": {}, "steps": [*steps, {"do": "connect"}]}

    with pytest.raises(UsageError, match=re.escape(why)):
        story_of_json(story, "here")
