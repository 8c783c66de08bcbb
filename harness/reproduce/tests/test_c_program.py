"""reproduce.c compiles without a warning, runs, agrees with what was seen, and says so where it does not agree.

On this machine's own libssl a few situations; each of them on each build of ``RESUMPTION_REPRODUCERS``, a list of
versions like ``1.1.1w 3.0 4.0``, which tox -e reproducers fetches and sets.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.vocabulary import Cookie, release
from harness.builds.versions import matching
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.setup import Action
from harness.model.tls import ORDERS, Close, Outcome, Role, TLSVersion
from harness.pair.pair import Pair
from harness.reproduce.c import c_program
from harness.reproduce.story_builder import story_of
from harness.reproduce.tests.compiled import SANITIZERS, Compiler, compiler, lay_out
from harness.reproduce.tests.situations import BY_RELEASE, OVER_QUIC, SITUATIONS, SOON

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

    from harness.reproduce.story import Story
    from harness.reproduce.tests.situations import Situation
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.stacks.machine import Machine

BUILDS = os.environ.get("RESUMPTION_REPRODUCERS", "").split()
BY_NAME = {situation.name: situation for situation in (*SITUATIONS, *BY_RELEASE)}
FEW = (
    "tls12-restarted-server",
    "tls13-early-data",
    "tls13-aged-at-server",
    "tls12-kept-client-only",
    "tls13-changed-object",
    "tls13-cleared-ssl",
    "tls12-renegotiation",
    "tls12-no-id-context",
    "tls12-clock-of-server",
    "tls13-clock-of-client",
    "tls12-clock-of-both",
    "tls13-clocks-run",
    "tls13-psk-ke",
    "tls13-psk-ke-where-no-group-is-common",
    "dtls12-cookie",
    "dtls12-cookie-refused",
    "dtls12-close-eof",
    "dtls12-lost-flight-1-of-the-server",
    "dtls12-lost-flight-2-of-the-server",
    "dtls12-lost-resumption",
    "tls12-chosen-by-name",
    "tls13-chosen-by-hello",
)
PAIRS = (("1.1.1w", "3.5"), ("4.0", "1.1.1w"), ("3.0", "4.0"), ("3.5", "3.0"))
"""Clients and servers of different builds."""
APART = (
    "tls13-external-psk",
    "tls13-ticket-resumes",
    "tls12-restarted-server",
    "tls12-aged-at-server",
    "tls13-aged-at-client",
    "tls12-no-id-context",
    "tls13-other-hash",
    "tls13-retry-changes-the-hash",
    "tls12-max-fragment-length",
    "tls12-client-does-not-send-its-ticket",
    "tls12-ems-added",
    "tls13-hello-retry-request",
    "tls12-no-common-alpn",
    "tls13-no-client-certificate",
    "tls13-no-common-version",
    "tls13-early-data",
    "tls13-clock-of-server",
    "tls13-name-that-4.0-refuses",
    "tls12-close-rst",
    "tls12-kept-eof",
    "tls12-renegotiation",
    "tls12-renegotiation-by-server",
    "tls13-side-by-side",
    "tls12-chosen-by-hello",
    "tls13-chosen-by-name",
    "dtls12-ticket-resumes",
    "dtls12-cookie",
    "dtls12-cookie-refused",
    "dtls12-close-server-only",
)
"""Situations for them."""
HOSTILE = {
    "comment": "*/ int broken; /* \\",
    "quotes": 'a"; system("true"); //"\'',
    "lines": "a\nb\r\n\\\n#error broken\n",
    "trigraphs": "??/\"??'??<%: ??)",
    "percent": "%s%n%d%%",
    "bytes": "\u00fc\u202e\u0007\x7f",
}


@pytest.fixture(scope="module")
def runtime(machine: tuple[Machine, Runtime]) -> Runtime:
    return machine[1]


@pytest.fixture(scope="module")
def libssl(machine: tuple[Machine, Runtime]) -> Stack:
    return machine[0].one("libssl")


@pytest.fixture(scope="module")
def restarted(libssl: Stack, runtime: Runtime) -> Story:
    """A session is declined by another server."""
    return BY_NAME["tls13-restarted-server"].story(libssl, runtime)


def with_headers(machine: Machine, version: str) -> Stack:
    """The newest libssl of a version that has headers here too; the test is skipped, with the reason, without one."""
    stacks = [machine.one(f"libssl@{found}") for found in matching(version, list(machine.fetched("libssl")))]
    fit = [stack for stack in stacks if not Compiler(stack.build).unavailable]
    if not fit:
        pytest.skip(f"no fetched libssl@{version} has headers: resumption builds fetch --provider debian {version}")
    return fit[0]


def ran(
    story: Story,
    stack: Stack,
    runtime: Runtime,
    folder: Path,
    flags: tuple[str, ...] = (),
    server: Stack | None = None,
) -> subprocess.CompletedProcess[str]:
    """The program of a story, compiled for a build and run; where there are two, the client starts the server."""
    client, source = compiler(stack.build), lay_out(folder, story, c_program.render(story), runtime)
    program = client.compile(source, *flags)
    if not c_program.is_apart(story):
        return client.run(program, str(folder))
    tools = compiler((server or stack).build)
    other = tools.starter(tools.compile(source, *flags, name="server"))
    return client.run(program, str(folder), str(other))


def with_knobs(story: Story, knobs: Mapping[str, object], role: Role) -> Story:
    """The same story, but contexts of this role have other knobs, whatever was seen with them."""
    contexts = {c.name: replace(c, knobs={**c.knobs, **knobs}) if c.role is role else c for c in story.contexts}
    attempts = tuple(replace(a, client=contexts[a.client.name], server=contexts[a.server.name]) for a in story.attempts)
    return replace(story, attempts=attempts)


def last_was(story: Story, **seen: Any) -> Story:
    """The same story, but of the last connection something else was seen."""
    *others, last = story.attempts
    return replace(story, attempts=(*others, replace(last, result=replace(last.result, **seen))))


@pytest.mark.parametrize("name", FEW)
def test_it_agrees_and_is_clean_under_the_sanitizers(
    name: str, libssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    story = BY_NAME[name].story(libssl, runtime)
    done = ran(story, libssl, runtime, tmp_path, SANITIZERS)

    assert c_program.lacks(story) == []
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "as observed"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("version", "situation"),
    [pytest.param(v, s, id=f"{v}-{s.name}") for v in BUILDS for s in (*SITUATIONS, *BY_RELEASE, *OVER_QUIC)],
)
def test_it_agrees_on_every_build(
    version: str, situation: Situation, machine: tuple[Machine, Runtime], tmp_path: Path
) -> None:
    stack = with_headers(machine[0], version)
    if lacking := situation.lacks(stack):
        pytest.skip("; ".join(lacking))
    story = situation.story(stack, machine[1])
    done = ran(story, stack, machine[1], tmp_path)

    assert c_program.lacks(story) == []
    assert done.stdout.splitlines()[-1] == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("client", "server", "name"),
    [pytest.param(c, s, name, id=f"{c}-{s}-{name}") for c, s in PAIRS if c in BUILDS and s in BUILDS for name in APART],
)
def test_it_agrees_between_two_builds(
    client: str, server: str, name: str, machine: tuple[Machine, Runtime], tmp_path: Path
) -> None:
    ends = with_headers(machine[0], client), with_headers(machine[0], server)
    if lacking := BY_NAME[name].lacks(*ends):
        pytest.skip("; ".join(lacking))
    story = BY_NAME[name].story(ends[0], machine[1], ends[1])
    done = ran(story, ends[0], machine[1], tmp_path, server=ends[1])

    assert c_program.lacks(story) == []
    assert done.stdout.splitlines()[-1] == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("version", [version for version in BUILDS if release(version) >= (3, 5)])
def test_a_server_of_quic_that_resumes_where_it_declined_is_a_difference(
    version: str, machine: tuple[Machine, Runtime], tmp_path: Path
) -> None:
    stack = with_headers(machine[0], version)
    story = next(each for each in OVER_QUIC if each.name == "quic-restarted-server").story(stack, machine[1])
    last = ran(with_knobs(story, {"ticket_keys": "shared"}, Role.SERVER), stack, machine[1], tmp_path)

    assert last.stdout.splitlines()[-1] == "NOT as observed: connection 2, outcome: resumed, was declined"
    assert last.returncode == 1


def test_it_reports_the_session_and_both_ends_of_each_connection(
    restarted: Story, libssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    done = ran(restarted, libssl, runtime, tmp_path)

    assert "connection 2" in done.stdout
    assert "declined (client full, server full), mechanism none, alert none" in done.stdout
    assert "tickets 2, has_ticket yes, ticket of " in done.stdout


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"outcome": Outcome.RESUMED}, "outcome: declined, was resumed"),
        ({"tickets": 1}, "tickets: 2, was 1"),
        ({"has_ticket": False}, "has_ticket: yes, was no"),
        ({"asked": ((("counters", "hits"), 7),)}, "hits: 0, was 7"),
        ({"asked": ((("was_offered",), 0),)}, "was_offered: 1, was 0"),
        ({"asked": ((("session", "timeout"), 7201),)}, "session.timeout: 7200, was 7201"),
        ({"asked": ((("endpoints", "client", "cipher"), "none"),)}, "cipher: TLS_AES_256_GCM_SHA384, was none"),
        ({"asked": ((("alert", "number"), "40 sent by the client"),)}, "alert: none, was 40 sent by the client"),
    ],
)
def test_it_exits_with_1_where_something_else_was_seen(
    seen: dict[str, Any], words: str, restarted: Story, libssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    done = ran(last_was(restarted, **seen), libssl, runtime, tmp_path)

    assert done.stdout.splitlines()[-1] == f"NOT as observed: connection 2, {words}"
    assert done.returncode == 1


def test_it_exits_with_1_if_the_server_behaves_differently(
    restarted: Story, libssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    done = ran(with_knobs(restarted, {"ticket_keys": "shared"}, Role.SERVER), libssl, runtime, tmp_path)

    assert done.stdout.splitlines()[-1].startswith("NOT as observed: connection 2, outcome: resumed")
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [("tls12-chosen-by-name", "tickets: 1, was 0"), ("tls13-chosen-by-hello", "outcome: resumed, was declined")],
)
def test_another_context_for_the_server_name_is_a_difference(
    name: str, words: str, libssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    story = BY_NAME[name].story(libssl, runtime)
    alike = tuple(replace(each, knobs=story.attempts[0].server.knobs) for each in story.attempts[-1].choices)
    attempts = tuple(replace(attempt, choices=alike if attempt.choices else ()) for attempt in story.attempts)
    done = ran(replace(story, attempts=attempts), libssl, runtime, tmp_path)

    assert words in done.stdout.splitlines()[-1]
    assert done.returncode == 1


def test_it_exits_with_125_where_it_cannot_be_set_up(
    restarted: Story, libssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    source = lay_out(tmp_path, restarted, c_program.render(restarted), runtime)
    (tmp_path / "server.key").unlink()
    tools = compiler(libssl.build)
    done = tools.run(tools.compile(source), str(tmp_path))

    assert "cannot run: SSL_CTX_use_PrivateKey_file" in done.stderr
    assert done.returncode == 125


@pytest.mark.parametrize(
    ("cookie", "words"), [(Cookie.REFUSE, "as"), (Cookie.ACCEPT, "NOT as"), (Cookie.NONE, "NOT as")]
)
def test_a_server_of_dtls_that_accepts_a_cookie_is_a_difference(
    cookie: Cookie, words: str, libssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    story = with_knobs(BY_NAME["dtls12-cookie-refused"].story(libssl, runtime), {"cookie": cookie}, Role.SERVER)
    last = ran(story, libssl, runtime, tmp_path).stdout.splitlines()[-1]

    assert last.startswith(f"{words} observed")


def test_a_flight_is_lost_in_the_program_too(libssl: Stack, runtime: Runtime, tmp_path: Path) -> None:
    story = BY_NAME["dtls12-lost-resumption"].story(libssl, runtime)
    lost = ran(story, libssl, runtime, tmp_path)

    assert lost.stdout.count("  flight 1 of the server is lost\n") == 1
    assert lost.stdout.splitlines()[-1] == "as observed"


def test_a_message_that_the_tap_dropped_is_a_gap(libssl: Stack, runtime: Runtime) -> None:
    """Only whole flights can be lost between the ends of the program."""
    client, server = ClientConfig(**SOON), ServerConfig(**SOON)
    pair = Pair((libssl, libssl), TLSVersion.DTLSv1_2, runtime, client=client, server=server)
    pair.tamper("drop", "server", "NewSessionTicket")
    pair.connect()
    story = story_of(pair.connections)
    pair.close()

    assert c_program.lacks(story) == ["in connection 1 the tap dropped NewSessionTicket 1 of the server"]


@pytest.fixture(scope="module")
def clocked(libssl: Stack, runtime: Runtime) -> Story:
    """A story of two processes."""
    return BY_NAME["tls13-clock-of-server"].story(libssl, runtime)


def test_what_the_server_sees_differently_is_reported_too(
    clocked: Story, libssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    done = ran(last_was(clocked, outcome=Outcome.FULL), libssl, runtime, tmp_path)

    assert "the server: connection 3, outcome: declined, was full" in done.stdout
    assert done.stdout.splitlines()[-1] == "NOT as observed: at the server, see above"
    assert done.returncode == 1


def test_a_server_that_cannot_be_set_up_is_no_verdict(
    clocked: Story, libssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    source = lay_out(tmp_path, clocked, c_program.render(clocked), runtime)
    tools = compiler(libssl.build)
    done = tools.run(tools.compile(source), str(tmp_path), str(tmp_path / "missing"))

    assert "missing: No such file or directory" in done.stderr
    assert done.returncode == 125


@pytest.mark.skipif("3.5" not in BUILDS or "4.0" not in BUILDS, reason="needs RESUMPTION_REPRODUCERS with 3.5 and 4.0")
def test_the_program_of_one_release_recognises_another(machine: tuple[Machine, Runtime], tmp_path: Path) -> None:
    """A reset connection leaves a TLS 1.2 session in the cache since 4.0 (openssl/openssl#30230)."""
    new, old = (with_headers(machine[0], version) for version in ("4.0", "3.5"))
    story = BY_NAME["tls12-close-rst"].story(new, machine[1])
    done = ran(story, old, machine[1], tmp_path)

    assert story.attempts[1].result.outcome is Outcome.RESUMED
    assert "NOT as observed: connection 2, outcome: declined, was resumed" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("name", "was", "other"),
    [("tls13-psk-ke", "dhe", "none"), ("tls13-psk-ke-where-no-group-is-common", "none", "dhe")],
)
def test_another_key_exchange_of_the_psk_is_a_difference(
    name: str, was: str, other: str, libssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    story = BY_NAME[name].story(libssl, runtime)
    *before, last = story.attempts
    changed = replace(story, attempts=(*before, replace(last, result=replace(last.result, key_exchange=other))))
    done = ran(changed, libssl, runtime, tmp_path)

    assert last.result.key_exchange == was
    assert f"NOT as observed: connection 2, key_exchange: {was}, was {other}" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_text(text: str, libssl: Stack, runtime: Runtime, tmp_path: Path) -> None:
    story = BY_NAME["tls13-shared-ticket-keys"].story(libssl, runtime)
    story = with_knobs(story, {"alpn": (text, "h2"), "server_name": text}, Role.CLIENT)
    story = with_knobs(story, {"alpn": (text,), "session_id_context": text.encode(), "ticket_keys": text}, Role.SERVER)
    done = ran(replace(story, wrong=text), libssl, runtime, tmp_path)

    assert done.stdout.splitlines()[-1] == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


def test_parts_that_a_story_does_not_need_are_not_there(restarted: Story) -> None:
    source = c_program.render(restarted)

    assert "SSL_renegotiate" not in source
    assert "SSL_read_early_data" not in source
    assert "has_key_share" not in source
    assert "SSL_CTX_flush_sessions" not in source
    assert "close_rst" not in source


def test_an_end_that_goes_over_to_another_openssl_is_missing(restarted: Story) -> None:
    first, second = restarted.attempts
    other = replace(second, client=replace(second.client, number=2, version="1.1.1w"))
    story = replace(restarted, attempts=(first, other))
    here = first.client.version

    assert c_program.lacks(story) == [
        f"the client switched from one OpenSSL to another ({here}, 1.1.1w): a program has one"
    ]


def test_two_clocks_at_once_are_missing(restarted: Story) -> None:
    first, second = with_knobs(restarted, {"clock": 60}, Role.SERVER).attempts
    story = replace(restarted, attempts=(first, replace(second, beside=(1,))))

    assert c_program.lacks(story) == ["clocks of connections that are open side by side: each end goes by one clock"]


def test_records_beyond_the_limit_of_a_declined_session_are_missing(runtime: Runtime, libssl: Stack) -> None:
    story = BY_NAME["dtls12-ticket-resumes"].story(libssl, runtime)
    first, second = story.attempts
    assert second.offer is not None
    limited = replace(second, offer=replace(second.offer, edits=(("max_fragment_length_mode", 1),)))
    aborted = replace(limited, result=replace(limited.result, outcome=Outcome.ABORTED))

    assert c_program.lacks(replace(story, attempts=(first, limited))) == []
    assert c_program.lacks(replace(story, attempts=(first, aborted))) == [
        "records of connection 2 beyond its session's limit: a socket's MTU makes them so long"
    ]


def test_an_unknown_action_is_reported_as_missing(restarted: Story) -> None:
    first, second = restarted.attempts
    story = replace(restarted, attempts=(first, replace(second, during=(Action("key_update"),))))

    assert c_program.lacks(story) == ["key_update on connection 2"]


def test_what_came_before_1_1_1_is_missing(restarted: Story) -> None:
    contexts = {c.name: replace(c, version="1.1.0l") for c in restarted.contexts}
    attempts = tuple(
        replace(a, client=contexts[a.client.name], server=contexts[a.server.name]) for a in restarted.attempts
    )

    assert any("1.1.0l" in reason for reason in c_program.lacks(replace(restarted, attempts=attempts)))


def test_the_gaps_of_the_story_are_missing(restarted: Story) -> None:
    assert c_program.lacks(replace(restarted, gaps=("nobody knows",))) == ["nobody knows"]


def test_there_is_a_situation_for_every_way_to_close() -> None:
    assert {situation.close for situation in SITUATIONS} | {*ORDERS, Close.UNREAD} == set(Close)
