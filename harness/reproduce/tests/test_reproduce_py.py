"""reproduce.py runs with nothing but ssl or pyOpenSSL, agrees with what was seen, and says so where it does not.

On this machine's own stacks a few situations; each of them on pyOpenSSL on each OpenSSL of ``RESUMPTION_REPRODUCERS``
that a fetched cryptography has.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.model.knobs import PskMode
from harness.model.setup import Action
from harness.model.tls import Outcome, Role
from harness.model.view import Saw
from harness.reproduce.python import pyopenssl_lines, python_program, ssl_lines
from harness.reproduce.tests.reproducer_folders import laid_out, last_line, run
from harness.reproduce.tests.situations import SITUATIONS

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from harness.reproduce.story import Story
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.stacks.machine import Machine

BUILDS = os.environ.get("RESUMPTION_REPRODUCERS", "").split()
BY_NAME = {situation.name: situation for situation in SITUATIONS}
OF_BOTH = (
    "tls13-ticket-resumes",
    "tls12-ticket-resumes",
    "tls12-session-id-resumes",
    "tls13-restarted-server",
    "tls12-restarted-server",
    "tls12-restarted-server-session-id",
    "tls13-before-the-ticket",
    "tls13-psk-ke",
    "tls13-alpn",
    "tls13-client-certificate",
    "tls13-no-client-certificate",
    "tls12-verified-server",
    "tls13-no-common-version",
    "tls12-close-both",
    "tls12-close-client-only",
    "tls13-close-both",
    "tls13-close-client-only",
    "tls12-kept-both",
    "tls13-clocks-run",
)
"""What either package can say."""
OF_SSL = (
    "tls13-no-tickets",
    "tls13-five-tickets",
    "tls13-no-middlebox-compat",
    "tls13-stateful-ticket-resumes",
    "tls12-close-server-only",
    "tls12-close-eof",
    "tls13-close-server-only",
    "tls13-close-eof",
    "tls13-clock-of-both",
)
"""What Python's ssl can say besides: pyOpenSSL copies no session, so that it offers one once only."""
OF_PYOPENSSL = (
    "dtls12-ticket-resumes",
    "dtls12-restarted-server",
    "dtls12-session-id",
    "dtls12-close-client-only",
    "tls12-cache-off",
    "tls12-lookup-off",
    "tls13-timeouts-of-contexts",
    "tls12-no-id-context",
    "tls12-no-common-alpn",
    "tls12-kept-client-only",
    "tls12-kept-eof",
)
"""What pyOpenSSL can say besides."""
FEW = (
    "tls13-restarted-server",
    "tls12-session-id-resumes",
    "tls13-no-client-certificate",
    "tls13-clocks-run",
)
HOSTILE = {
    "quotes": "'; open('x', 'w'); '",
    "docstring": '""" + open("x", "w").name + """',
    "lines": "a\nopen('x', 'w')\n",
    "backslashes": "\\' \\\" \\\\ \\",
    "braces": "{} {0} {{x}} {context}",
    "bytes": "\u00fc\u202e\u0007\x7f",
}


@pytest.fixture(scope="module")
def runtime(machine: tuple[Machine, Runtime]) -> Runtime:
    return machine[1]


@pytest.fixture(scope="module")
def restarted(machine: tuple[Machine, Runtime]) -> Story:
    """A session is declined by another server."""
    return BY_NAME["tls13-restarted-server"].story(machine[0].one("ssl"), machine[1])


def ran(story: Story, runtime: Runtime, folder: Path, stack: Stack | None = None) -> subprocess.CompletedProcess[str]:
    program = laid_out(folder, story, "reproduce.py", python_program.render(story), runtime)
    if stack is None or stack.name != "pyopenssl":
        return run([sys.executable, "-W", "error", program], {}, folder)
    return run([*(stack.build.python or ()), "-W", "ignore", program], stack.build.environment, folder)


def last_was(story: Story, **seen: Any) -> Story:
    *others, last = story.attempts
    return replace(story, attempts=(*others, replace(last, result=replace(last.result, **seen))))


def with_knob(story: Story, role: Role, name: str, value: object) -> Story:
    contexts = {
        c.name: replace(c, given={**c.given, name: value}, knobs={**c.knobs, name: value}) if c.role is role else c
        for c in story.contexts
    }
    return replace(
        story,
        attempts=tuple(
            replace(a, client=contexts[a.client.name], server=contexts[a.server.name]) for a in story.attempts
        ),
    )


def test_an_openssl_without_an_option_is_refused(restarted: Story, runtime: Runtime, tmp_path: Path) -> None:
    newer = replace(
        restarted,
        attempts=tuple(
            replace(a, client=replace(a.client, version="3.5.9"), server=replace(a.server, version="3.5.9"))
            for a in restarted.attempts
        ),
    )
    text = python_program.render(with_knob(newer, Role.SERVER, "psk_modes", PskMode.KE))
    needed = 'requires("SSL_OP_PREFER_NO_DHE_KEX", 0x30300000)'
    future = laid_out(tmp_path, restarted, "reproduce.py", text.replace(needed, needed.replace("0x3", "0xf")), runtime)
    done = run([sys.executable, "-W", "error", future], {}, tmp_path)

    assert needed in text
    assert (done.returncode, "SSL_OP_PREFER_NO_DHE_KEX exists since 15.3.0" in done.stderr) == (125, True)


@pytest.mark.parametrize("stack", ["ssl", "pyopenssl"])
def test_another_key_exchange_of_the_psk_is_a_difference(
    stack: str, machine: tuple[Machine, Runtime], tmp_path: Path
) -> None:
    used = machine[0].one(stack)
    story = BY_NAME["tls13-psk-ke"].story(used, machine[1])
    done = ran(last_was(story, key_exchange="none"), machine[1], tmp_path, used)

    assert story.attempts[-1].result.key_exchange == "dhe"
    assert last_line(done) == "NOT as observed; connection 2: key_exchange is dhe, was none"
    assert done.returncode == 1


@pytest.mark.parametrize("name", [*OF_BOTH, *OF_SSL])
def test_ssl_agrees_with_ssl(name: str, machine: tuple[Machine, Runtime], tmp_path: Path) -> None:
    story = BY_NAME[name].story(machine[0].one("ssl"), machine[1])
    done = ran(story, machine[1], tmp_path)

    assert python_program.package(story) == ssl_lines.PACKAGE
    assert last_line(done) == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", FEW)
def test_ssl_agrees_with_the_libssl_that_it_is_linked_to(
    name: str, machine: tuple[Machine, Runtime], tmp_path: Path
) -> None:
    version = machine[0].one("ssl").build.version
    story = BY_NAME[name].story(machine[0].one(f"libssl@{version}"), machine[1])
    done = ran(story, machine[1], tmp_path)

    assert last_line(done) == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", [*FEW, *OF_PYOPENSSL])
def test_pyopenssl_agrees_with_pyopenssl(name: str, machine: tuple[Machine, Runtime], tmp_path: Path) -> None:
    stack = machine[0].one("pyopenssl")
    story = BY_NAME[name].story(stack, machine[1])
    done = ran(story, machine[1], tmp_path, stack)

    assert python_program.package(story) == pyopenssl_lines.PACKAGE
    assert last_line(done) == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("version", "name"), [(v, n) for v in BUILDS for n in (*OF_BOTH, *OF_PYOPENSSL)])
def test_it_agrees_on_every_pyopenssl(
    version: str, name: str, machine: tuple[Machine, Runtime], tmp_path: Path
) -> None:
    if not [found for found in machine[0].fetched("pyopenssl") if found.startswith(version)]:
        pytest.skip(f"no fetched cryptography has OpenSSL {version}")
    stack = machine[0].one(f"pyopenssl@{version}")
    if lacking := BY_NAME[name].lacks(stack):
        pytest.skip("; ".join(lacking))
    story = BY_NAME[name].story(stack, machine[1])
    done = ran(story, machine[1], tmp_path, stack)

    assert python_program.package(story) == pyopenssl_lines.PACKAGE
    assert last_line(done) == "as observed"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"outcome": Outcome.FULL}, "connection 2: outcome is declined, was full"),
        ({"server": Saw.RESUMED}, "connection 2: server is full, was resumed"),
        ({"tickets": 1}, "connection 2: tickets is 2, was 1"),
        ({"has_ticket": False}, "connection 2: has_ticket is yes, was no"),
    ],
)
def test_it_exits_with_1_where_something_else_was_seen(
    seen: dict[str, Any], words: str, restarted: Story, runtime: Runtime, tmp_path: Path
) -> None:
    done = ran(last_was(restarted, **seen), runtime, tmp_path)

    assert last_line(done) == f"NOT as observed; {words}"
    assert done.returncode == 1


def test_it_exits_with_1_where_the_server_is_not_restarted(restarted: Story, runtime: Runtime, tmp_path: Path) -> None:
    first, second = restarted.attempts
    done = ran(replace(restarted, attempts=(first, replace(second, server=first.server))), runtime, tmp_path)

    assert last_line(done).startswith("NOT as observed; connection 2: outcome is resumed, was declined")
    assert done.returncode == 1


def test_a_library_that_lies_is_contradicted_by_the_messages(
    restarted: Story, runtime: Runtime, tmp_path: Path
) -> None:
    program = laid_out(tmp_path, restarted, "reproduce.py", python_program.render(restarted), runtime)
    lie = 'import ssl; ssl.SSLSocket.session_reused = property(lambda tls: True); import runpy; runpy.run_path("{}", '
    lying = [sys.executable, "-c", lie.format(program) + 'run_name="__main__")']
    done = run(lying, {}, tmp_path)

    assert "client=resumed-but-messages-say-full server=resumed-but-messages-say-full" in done.stdout
    assert done.returncode == 1


def test_without_a_key_it_cannot_run(restarted: Story, runtime: Runtime, tmp_path: Path) -> None:
    program = laid_out(tmp_path, restarted, "reproduce.py", python_program.render(restarted), runtime)
    program.with_name("server.key").unlink()
    done = run([sys.executable, program], {}, tmp_path)

    assert "cannot run: FileNotFoundError" in done.stderr
    assert done.returncode == 125


@pytest.mark.parametrize("stack", ["ssl", "pyopenssl"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_text(text: str, stack: str, machine: tuple[Machine, Runtime], tmp_path: Path) -> None:
    story = BY_NAME["tls13-restarted-server"].story(machine[0].one(stack), machine[1])
    story = with_knob(with_knob(story, Role.CLIENT, "alpn", (text,)), Role.SERVER, "alpn", (text,))
    done = ran(replace(story, wrong=text), machine[1], tmp_path, machine[0].one(stack))

    assert last_line(done) == "as observed"
    assert done.returncode == 0
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "name",
    [
        "tls13-early-data",
        "tls12-flushed",
        "tls12-evicted",
        "tls13-aged-at-client",
        "tls13-first-ticket",
        "tls12-renegotiation",
        "tls13-side-by-side",
        "tls12-server-name",
        "tls13-clock-of-server",
    ],
)
def test_what_cannot_be_said_is_named(name: str, machine: tuple[Machine, Runtime]) -> None:
    libssl = machine[0].one("libssl")
    if lacking := BY_NAME[name].lacks(libssl):
        pytest.skip("; ".join(lacking))
    found = python_program.lacks(BY_NAME[name].story(libssl, machine[1]))

    assert found != []
    assert all(why.startswith("Python's ssl: ") for why in found)


def test_two_openssls_cannot_be_said(restarted: Story) -> None:
    first, second = restarted.attempts
    other = replace(restarted, attempts=(first, replace(second, server=replace(second.server, version="1.1.1w"))))

    assert any("two OpenSSLs" in why for why in python_program.lacks(other))


def test_an_unknown_action_is_not_expressible(restarted: Story) -> None:
    first, second = restarted.attempts
    story = replace(restarted, attempts=(first, replace(second, before=(Action("bake"),))))

    assert python_program.lacks(story) == ["Python's ssl: connection 2: bake: no such function in Python"]


def test_a_chosen_context_is_not_scripted(machine: tuple[Machine, Runtime]) -> None:
    story = BY_NAME["tls13-chosen-by-name"].story(machine[0].one("libssl"), machine[1])

    assert "Python's ssl: connection 2: choose: it is not scripted" in python_program.lacks(story)


def test_the_gaps_of_the_story_are_missing(restarted: Story) -> None:
    assert python_program.lacks(replace(restarted, gaps=("nobody knows",))) == ["Python's ssl: nobody knows"]
