"""reproduce.sh runs with nothing but a shell and openssl, agrees with what was seen, and says so where it does not.

On this machine's own openssl a few situations; each of them on each build of ``RESUMPTION_REPRODUCERS``, a list of
versions like ``1.1.1w 3.0 4.0``.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.vocabulary import release
from harness.model.setup import Action
from harness.model.tls import Alert, Outcome, Role
from harness.model.view import Saw
from harness.reproduce import shell
from harness.reproduce.tests.reproducer_folders import laid_out, last_line, program, run
from harness.reproduce.tests.situations import SITUATIONS
from harness.runtime.clock import library

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from harness.reproduce.story import Story
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.stacks.machine import Machine

BUILDS = os.environ.get("RESUMPTION_REPRODUCERS", "").split()
BY_NAME = {situation.name: situation for situation in SITUATIONS}
OF_LIBSSL = (
    "tls13-ticket-resumes",
    "tls12-ticket-resumes",
    "tls12-session-id-resumes",
    "tls12-external-psk",
    "tls13-stateful-ticket-resumes",
    "tls13-restarted-server",
    "tls12-restarted-server",
    "tls12-restarted-server-session-id",
    "tls12-cache-off",
    "tls13-aged-at-client",
    "tls12-aged-at-client",
    "tls13-no-tickets",
    "tls13-five-tickets",
    "tls13-client-goes-back-to-tls12",
    "tls13-other-hash",
    "tls12-other-cipher",
    "tls13-psk-ke",
    "tls13-hello-retry-request",
    "tls13-alpn",
    "tls13-other-alpn",
    "tls12-server-name",
    "tls13-client-certificate",
    "tls13-no-client-certificate",
    "tls12-verified-server",
    "tls13-chains",
    "tls12-huge-client-certificate",
    "tls13-no-common-version",
    "tls13-early-data",
    "tls13-early-data-replayed",
    "tls13-no-middlebox-compat",
    "tls12-close-both",
    "tls13-close-both",
    "tls12-session-id-prefix",
    "tls12-max-fragment-length",
    "tls12-client-does-not-send-its-ticket",
    "tls12-clock-of-server",
    "tls13-clock-of-server",
    "tls13-clock-of-client",
    "tls12-clock-of-both",
    "tls13-clock-of-both",
    "tls13-clocks-run",
    "dtls12-ticket-resumes",
    "dtls12-restarted-server",
    "dtls12-session-id",
    "dtls10-ticket-resumes",
    "dtls12-cookie",
    "dtls12-server-name",
    "dtls12-external-psk",
    "dtls12-close-both",
)
"""What can be said with s_server and s_client of every version, though it was seen on libssl."""
SINCE = {
    "tls12-no-common-alpn": (3,),
    "tls12-ems-dropped": (3, 2),
    "tls12-ems-added": (3, 2),
    "tls13-compressed-certificate": (3, 2),
}
"""The same, from this version on."""
OF_OPENSSL = ("tls12-close-eof", "tls12-close-rst", "tls13-close-eof", "tls13-close-rst")
"""What can be said where it was seen on s_server."""
FEW = (
    "tls12-session-id-resumes",
    "tls13-restarted-server",
    "tls13-aged-at-client",
    "tls13-other-hash",
    "tls13-no-client-certificate",
    "tls13-early-data",
    "tls13-clock-of-client",
    "tls12-clock-of-both",
    "tls13-clocks-run",
    "dtls12-restarted-server",
    "dtls12-session-id",
    "dtls12-cookie",
)
HOSTILE = {
    "quotes": "'; touch x; '",
    "substitution": "$(touch x)`touch x`${x}",
    "lines": "a\nb\r\ntouch x\n",
    "backslashes": "\\' \\\" \\\\ \\",
    "comment": "# */ \"\"\" '''",
    "option": "-help",
    "glob": "* ? [a-z] ~",
    "bytes": "\u00fc\u202e\u0007\x7f",
}


@pytest.fixture(scope="module")
def runtime(machine: tuple[Machine, Runtime]) -> Runtime:
    return machine[1]


@pytest.fixture(scope="module")
def openssl(machine: tuple[Machine, Runtime]) -> Stack:
    return machine[0].one("openssl")


@pytest.fixture(scope="module")
def restarted(openssl: Stack, runtime: Runtime) -> Story:
    """A session is declined by another server."""
    return BY_NAME["tls13-restarted-server"].story(openssl, runtime)


def ran(
    story: Story, stack: Stack, runtime: Runtime, folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    script = laid_out(folder, story, "reproduce.sh", shell.render(story), runtime)
    spare = folder / "tmp"
    spare.mkdir(exist_ok=True)
    environment = {"OPENSSL": program(stack.build), "TMPDIR": str(spare), "LIBFAKETIME": str(library()), **environment}
    done = run([script], environment, folder)
    assert list(spare.iterdir()) == []
    return done


def last_was(story: Story, **seen: Any) -> Story:
    *others, last = story.attempts
    return replace(story, attempts=(*others, replace(last, result=replace(last.result, **seen))))


@pytest.mark.parametrize("name", FEW)
def test_it_agrees(name: str, openssl: Stack, runtime: Runtime, tmp_path: Path) -> None:
    story = BY_NAME[name].story(openssl, runtime)
    done = ran(story, openssl, runtime, tmp_path)

    assert shell.lacks(story) == []
    assert last_line(done) == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["tls13-chains", "tls12-huge-client-certificate"])
def test_it_agrees_with_what_libssl_did(
    name: str, machine: tuple[Machine, Runtime], openssl: Stack, tmp_path: Path
) -> None:
    """-cert reads one certificate of its file; what -msg prints of a huge one does not fit into a pipe."""
    story = BY_NAME[name].story(machine[0].one("libssl"), machine[1])
    done = ran(story, openssl, machine[1], tmp_path)

    assert shell.lacks(story) == []
    assert last_line(done) == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("version", "name"), [(v, n) for v in BUILDS for n in (*OF_LIBSSL, *SINCE)])
def test_it_agrees_on_every_build_with_what_libssl_did(
    version: str, name: str, machine: tuple[Machine, Runtime], tmp_path: Path
) -> None:
    openssl = machine[0].one(f"openssl@{version}")
    libssl = machine[0].one(f"libssl@{openssl.build.version}")
    if release(openssl.build.version) < SINCE.get(name, ()):
        pytest.skip(f"{name} can be said since {SINCE[name]}")
    story = BY_NAME[name].story(libssl, machine[1])
    done = ran(story, openssl, machine[1], tmp_path)

    assert shell.lacks(story) == []
    assert last_line(done) == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("version", "name"), [(v, n) for v in BUILDS for n in OF_OPENSSL])
def test_it_agrees_on_every_build_with_what_the_program_did(
    version: str, name: str, machine: tuple[Machine, Runtime], tmp_path: Path
) -> None:
    openssl = machine[0].one(f"openssl@{version}")
    story = BY_NAME[name].story(openssl, machine[1])
    done = ran(story, openssl, machine[1], tmp_path)

    assert shell.lacks(story) == []
    assert last_line(done) == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", [s.name for s in SITUATIONS if s.name not in {*OF_LIBSSL, *SINCE}])
def test_what_cannot_be_said_is_named(name: str, machine: tuple[Machine, Runtime]) -> None:
    libssl = machine[0].one("libssl")
    if lacking := BY_NAME[name].lacks(libssl):
        pytest.skip("; ".join(lacking))

    assert shell.lacks(BY_NAME[name].story(libssl, machine[1])) != []


@pytest.mark.parametrize("sh", ["dash", "bash"])
def test_any_shell_will_do(sh: str, restarted: Story, openssl: Stack, runtime: Runtime, tmp_path: Path) -> None:
    path = shutil.which(sh)
    if path is None:
        pytest.skip(f"there is no {sh} here")
    script = laid_out(tmp_path, restarted, "reproduce.sh", shell.render(restarted), runtime)
    done = run([path, script], {"OPENSSL": program(openssl.build)}, tmp_path)

    assert last_line(done) == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


def test_two_builds_meet(machine: tuple[Machine, Runtime], tmp_path: Path) -> None:
    ends = [machine[0].select(f"openssl@{version}")[0] for version in BUILDS[:2]]
    if len(ends) < 2:
        pytest.skip("needs two versions in RESUMPTION_REPRODUCERS")
    story = BY_NAME["tls12-ticket-resumes"].story(ends[0], machine[1], ends[1])
    programs = {"CLIENT_OPENSSL": program(ends[0].build), "SERVER_OPENSSL": program(ends[1].build)}
    done = ran(story, ends[0], machine[1], tmp_path, **programs)

    assert f"client OpenSSL {ends[0].build.version}" in done.stdout
    assert f"server OpenSSL {ends[1].build.version}" in done.stdout
    assert last_line(done) == "as observed"


@pytest.mark.skipif(
    "1.1.1w" not in BUILDS or "4.0" not in BUILDS, reason="needs RESUMPTION_REPRODUCERS with 1.1.1w and 4.0"
)
def test_the_script_of_one_release_recognises_another(machine: tuple[Machine, Runtime], tmp_path: Path) -> None:
    """That TCP ends without close_notify is a fatal error since 3.0, which drops the session from the cache."""
    new, old = (machine[0].one(f"openssl@{version}") for version in ("4.0", "1.1.1w"))
    story = BY_NAME["tls12-close-eof"].story(new, machine[1])
    done = ran(story, old, machine[1], tmp_path)

    assert story.attempts[1].result.outcome is Outcome.DECLINED
    assert last_line(done).startswith("NOT as observed; connection 2: outcome is resumed, was declined")
    assert done.returncode == 1


def test_each_connection_is_reported(restarted: Story, openssl: Stack, runtime: Runtime, tmp_path: Path) -> None:
    done = ran(restarted, openssl, runtime, tmp_path)

    assert "connection 2: outcome=declined client=full server=full mechanism=none alert=none tickets=2 " in done.stdout


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"outcome": Outcome.FULL}, "connection 2: outcome is declined, was full"),
        ({"server": Saw.RESUMED}, "connection 2: server is full, was resumed"),
        ({"tickets": 1}, "connection 2: tickets is 2, was 1"),
        ({"has_ticket": False}, "connection 2: has_ticket is yes, was no"),
        ({"key_exchange": "none"}, "connection 2: key_exchange is dhe, was none"),
    ],
)
def test_it_exits_with_1_where_something_else_was_seen(
    seen: dict[str, Any], words: str, restarted: Story, openssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    done = ran(last_was(restarted, **seen), openssl, runtime, tmp_path)

    assert last_line(done) == f"NOT as observed; {words}"
    assert done.returncode == 1


def test_what_datagrams_show_is_compared(openssl: Stack, runtime: Runtime, tmp_path: Path) -> None:
    """-msg of 1.1.1 and 3.0 names no message of DTLS; the script reads them by their first byte."""
    story = BY_NAME["dtls12-restarted-server"].story(openssl, runtime)
    done = ran(last_was(story, outcome=Outcome.FULL, tickets=2), openssl, runtime, tmp_path)

    differs = "connection 2: outcome is declined, was full; connection 2: tickets is 1, was 2"
    assert last_line(done) == f"NOT as observed; {differs}"
    assert done.returncode == 1


def test_another_alert_is_not_what_was_seen(openssl: Stack, runtime: Runtime, tmp_path: Path) -> None:
    story = BY_NAME["tls13-no-client-certificate"].story(openssl, runtime)
    done = ran(last_was(story, alert=Alert(40, Role.SERVER)), openssl, runtime, tmp_path)

    assert last_line(done) == "NOT as observed; connection 1: alert is 116, was 40"
    assert done.returncode == 1


def test_it_exits_with_1_where_the_server_is_not_restarted(
    restarted: Story, openssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    first, second = restarted.attempts
    done = ran(replace(restarted, attempts=(first, replace(second, server=first.server))), openssl, runtime, tmp_path)

    assert last_line(done).startswith("NOT as observed; connection 2: outcome is resumed, was declined")
    assert done.returncode == 1


def lying(folder: Path, openssl: Stack, words: str) -> str:
    """An s_client whose output is passed through sed: it lies."""
    path = folder / "openssl"
    path.write_text(
        f'#!/bin/sh\n[ "$1" = s_client ] || exec {program(openssl.build)} "$@"\n'
        f'{program(openssl.build)} "$@" 2>&1 | sed -u {words}\n'
    )
    path.chmod(0o700)
    return str(path)


def test_a_client_that_lies_is_contradicted_by_its_messages(
    restarted: Story, openssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    liar = lying(tmp_path, openssl, "'s/^New, TLS/Reused, TLS/'")
    done = ran(restarted, openssl, runtime, tmp_path, CLIENT_OPENSSL=liar)

    assert "client=resumed-but-messages-say-full" in done.stdout
    assert done.returncode == 1


def test_without_openssl_it_cannot_run(restarted: Story, openssl: Stack, runtime: Runtime, tmp_path: Path) -> None:
    done = ran(restarted, openssl, runtime, tmp_path, OPENSSL="/nowhere/openssl")

    assert "cannot run: no openssl program: /nowhere/openssl" in done.stderr
    assert done.returncode == 125


def test_without_a_key_it_cannot_run(restarted: Story, openssl: Stack, runtime: Runtime, tmp_path: Path) -> None:
    script = laid_out(tmp_path, restarted, "reproduce.sh", shell.render(restarted), runtime)
    script.with_name("server.key").unlink()
    done = run([script], {"OPENSSL": program(openssl.build)}, tmp_path)

    assert "cannot run: server1 did not start" in done.stderr
    assert done.returncode == 125


def test_a_program_that_hangs_is_ended_at_the_deadline(
    restarted: Story, openssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\ncase $1 in version) echo OpenSSL 3.0;; *) exec cat;; esac\n")
    hanging.chmod(0o700)
    done = ran(restarted, openssl, runtime, tmp_path, CLIENT_OPENSSL=str(hanging), DEADLINE="1")

    assert "cannot run: not done within 1 s" in done.stderr
    assert done.returncode == 125


def test_the_logs_are_kept_if_they_are_asked_for(
    restarted: Story, openssl: Stack, runtime: Runtime, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    ran(restarted, openssl, runtime, tmp_path, LOGS=str(logs))

    assert {"client1.log", "client2.log", "server1.log", "server2.log"} <= {path.name for path in logs.iterdir()}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_text(text: str, restarted: Story, openssl: Stack, runtime: Runtime, tmp_path: Path) -> None:
    contexts = {c.name: replace(c, given={**c.given, "alpn": (text,)}) for c in restarted.contexts}
    attempts = tuple(
        replace(a, client=contexts[a.client.name], server=contexts[a.server.name]) for a in restarted.attempts
    )
    done = ran(replace(restarted, attempts=attempts, wrong=text), openssl, runtime, tmp_path)

    assert last_line(done) == "as observed"
    assert done.returncode == 0
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("knob", "value"), [("server_name", "a\0b"), ("alpn", ("h2", "a\0b"))])
def test_a_nul_byte_cannot_be_said(knob: str, value: object, restarted: Story) -> None:
    attempts = tuple(
        replace(a, client=replace(a.client, given={**a.client.given, knob: value})) for a in restarted.attempts
    )

    assert shell.lacks(replace(restarted, attempts=attempts)) == [
        f"client knob {knob}: no argument of a program can hold a NUL byte"
    ]


def test_an_unknown_action_is_not_expressible(restarted: Story) -> None:
    first, second = restarted.attempts
    story = replace(restarted, attempts=(first, replace(second, before=(Action("bake"),))))

    assert shell.lacks(story) == ["connection 2: bake cannot be asked of s_server"]


@pytest.mark.parametrize(
    ("version", "alert", "lacking"),
    [
        (
            "4.0.3",
            Alert(50, Role.SERVER),
            ["connection 2: s_client refuses the name of -verify_hostname before it connects"],
        ),
        ("4.0.3", Alert(42, Role.CLIENT), []),
        ("3.6.5", Alert(50, Role.SERVER), []),
    ],
)
def test_a_name_that_openssl_refuses_is_not_expressible(
    version: str, alert: Alert, lacking: list[str], restarted: Story
) -> None:
    first, second = last_was(restarted, outcome=Outcome.ABORTED, alert=alert).attempts
    client = replace(second.client, version=version, given={**second.client.given, "expected_name": "a"})

    story = replace(restarted, attempts=(first, replace(second, client=client)))

    assert shell.lacks(story) == lacking


def test_the_gaps_of_the_story_are_missing(restarted: Story) -> None:
    assert shell.lacks(replace(restarted, gaps=("nobody knows",))) == ["nobody knows"]
