"""Whether an agent keeps the rules of the protocol's page: each is tried on the running agent, alone or in a pair."""

from __future__ import annotations

import json
import os
import re
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.agent.verbs import CONTEXT, OPTIONAL
from harness.agent.vocabulary import LONGEST_LINE, ChosenAt
from harness.model.errors import HarnessError, NoBuildError, SetUpError, TimedOutError, stretched
from harness.model.tls import USUAL_VERSIONS, Outcome, Role
from harness.pair.pair import Pair
from harness.runtime.process import Child
from harness.stacks.agent.hello import read_hello
from harness.stacks.foreign import NAME, ForeignStack, Registration
from harness.stacks.machine import STACKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.model.tls import TLSVersion
    from harness.runtime.runtime import Runtime
    from harness.stacks.agent.hello import Hello
    from harness.stacks.base import Stack
    from harness.stacks.machine import Machine

KINDS = ("usage", "lack", "tls", "end", "internal")
SHOWN = 120
"""Bytes of a line that a message shows."""
STARTS_WITHIN = 10.0
"""Seconds in which an agent must answer ``hello``; a run waits longer, on a machine under load."""
PATIENCE = 5.0
"""Seconds that the agent gets for a reply that needs no peer."""


class BreachError(Exception):
    """The agent does not keep the rule that is being tried; the text says how."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One rule, and how the agent breaks it; None if it keeps it."""

    rule: str
    breach: str | None


class Talk:
    """A running agent, spoken to line by line."""

    def __init__(self, runtime: Runtime, command: Sequence[str]) -> None:
        self._loop = runtime.loop
        self._replies: dict[Any, Any] = {}
        self._wrong: str | None = None
        self._next = 0
        self.child = Child(
            runtime.loop,
            runtime.warden,
            f"the agent {command[0]}",
            command,
            environment=dict(os.environ),
            on_line=self._on_line,
            keep_stdout=False,
        )
        self.child.longest_line = LONGEST_LINE

    def _on_line(self, line: bytes) -> None:
        try:
            reply = json.loads(line.decode())
            number = reply["id"]
            bare = ("ok" in reply) == ("error" in reply)
        except (ValueError, KeyError, TypeError):
            number, bare = None, True
        if bare or number in self._replies:
            shown = line[:SHOWN].decode(errors="replace")
            self._wrong = self._wrong or f"wrote the line {shown!r}, which is not a reply to an open request"
        else:
            self._replies[number] = reply

    def send(self, verb: str, **fields: Any) -> int:
        """Send a request, and return its number."""
        self._next += 1
        self.child.send(json.dumps({"id": self._next, "verb": verb, **fields}).encode() + b"\n")
        return self._next

    def reply(self, number: int | None, what: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Return a reply; BreachError if none comes, or if the agent wrote something else or ended."""

        def came() -> bool:
            return number in self._replies or self._wrong is not None or self.child.ended.done

        try:
            self._loop.wait(came, f"the reply to {what}", stretched(seconds))
        except TimedOutError as error:
            raise BreachError(f"{what} got no reply in {error.seconds:g} s") from error
        if self._wrong is not None:
            raise BreachError(f"it {self._wrong}")
        if number not in self._replies:
            raise BreachError(f"it ended with status {self.child.ended.result()} at {what}")
        found: dict[str, Any] = self._replies.pop(number)
        return found

    def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Send a request, and return its reply."""
        return self.reply(self.send(verb, **fields), verb)

    def ok(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Send a request, and return the members of its reply; BreachError if it is refused."""
        reply = self.ask(verb, **fields)
        if not isinstance(reply.get("ok"), dict):
            raise BreachError(f"{verb} was refused: {reply.get('error')}")
        return dict(reply["ok"])

    def refused(self, kind: str, verb: str, **fields: Any) -> None:
        """Send a request that must be refused with this kind of error."""
        self.of_kind(self.ask(verb, **fields), kind, f"{verb} {fields}")

    @staticmethod
    def of_kind(reply: dict[str, Any], kind: str, what: str) -> None:
        """BreachError unless a reply is an error of this kind with a message."""
        error = reply.get("error")
        if not isinstance(error, dict) or error.get("kind") != kind or not isinstance(error.get("message"), str):
            raise BreachError(f"{what} must be an error of kind {kind} with a message, not {json.dumps(reply)[:200]}")

    def raw(self, line: bytes) -> None:
        """Send a line that is not a request."""
        self.child.send(line + b"\n")

    def ends(self, why: str) -> None:
        """BreachError unless the agent ends by itself now."""
        try:
            self._loop.wait(lambda: self.child.ended.done, f"the end of the agent {why}", stretched(PATIENCE))
        except TimedOutError as error:
            raise BreachError(f"it did not end {why} within {error.seconds:g} s") from error


Rule = tuple[str, "Callable[[Talk, Hello], None]"]


def _no_json(talk: Talk, _hello: Hello) -> None:
    talk.raw(b"hello")
    talk.of_kind(talk.reply(None, "a line that is not JSON"), "usage", "a line that is not JSON")


def _unknown(talk: Talk, _hello: Hello) -> None:
    talk.refused("usage", "dance")
    talk.refused("usage", "hello", nonsense=1)
    talk.refused("usage", "listen", context="none", **{"as": "l1"})
    talk.refused("usage", "handshake", connection="none")


def _says_hello_again(talk: Talk, hello: Hello) -> None:
    if talk.ok("hello").get("version") != hello.version:
        raise BreachError("a second hello says another version")


SAMPLES: Mapping[str, Mapping[str, object]] = {
    "rotate_keys": {"ring": ["00" * 80]},
    "choose_context": {"server_name": "server.example", "other": "c-lack", "at": ChosenAt.SERVER_NAME.value},
}
"""The fields of optional requests that are neither a number nor a session id."""


def _lacks(talk: Talk, hello: Hello) -> None:
    if Role.CLIENT not in hello.roles:
        return
    talk.ok("context", role="client", knobs={}, files={}, **{"as": "c-lack"})
    for row in OPTIONAL:
        if row.name in hello.lacks and row.on == CONTEXT:
            numbers = {name: "00" if name == "session_id" else 0 for name in row.fields}
            fields = {**numbers, **SAMPLES.get(row.name, {})}
            talk.refused("lack", row.name, context="c-lack", **fields)
    talk.ok("free_context", context="c-lack")


def _unknown_knob(talk: Talk, hello: Hello) -> None:
    for role in hello.roles:
        talk.refused("usage", "context", role=role.value, knobs={"nonsense": 1}, **{"as": "c-knob"})


def _order_of_connects(talk: Talk, hello: Hello) -> None:
    """Two connects in one burst arrive in order: the first accepted socket is the first request's."""
    if Role.CLIENT not in hello.roles:
        return
    talk.ok("context", role="client", knobs={}, files={}, **{"as": "c-order"})
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as opened:
        port, count = listener.getsockname()[1], 8
        asked = [
            talk.send("connect", context="c-order", port=port, session=None, **{"as": f"o{n}"}) for n in range(count)
        ]
        for number in asked:
            reply = talk.reply(number, "connect")
            if "ok" not in reply:
                raise BreachError(f"connect was refused: {reply['error']}")
        listener.settimeout(stretched(PATIENCE))
        ends = [opened.enter_context(listener.accept()[0]) for _ in range(count)]
        talk.send("handshake", connection="o0")
        ends[0].settimeout(stretched(PATIENCE))
        try:
            begun = ends[0].recv(1)
        except TimeoutError:
            begun = b""
        if begun != b"\x16":
            raise BreachError("eight connects in one burst did not reach the server in the order of the requests")
    talk.ok("free_context", context="c-order")


def _failed_handshake(talk: Talk, hello: Hello) -> None:
    """After a handshake that failed each request says its error, and release works."""
    if Role.CLIENT not in hello.roles:
        return
    talk.ok("context", role="client", knobs={}, files={}, **{"as": "c-fail"})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connect = talk.send("connect", context="c-fail", port=listener.getsockname()[1], session=None, **{"as": "f"})
        shaking = talk.send("handshake", connection="f")
        listener.settimeout(stretched(PATIENCE))
        peer = listener.accept()[0]
        talk.reply(connect, "connect")
        peer.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        peer.close()
        first = talk.reply(shaking, "handshake with a server that speaks no TLS")
    if first.get("error", {}).get("kind") not in {"tls", "end"}:
        raise BreachError(f"a failed handshake must be an error of kind tls or end, not {json.dumps(first)[:200]}")
    if talk.ask("write", connection="f", data="00").get("error", {}).get("kind") not in {"tls", "end"}:
        raise BreachError("a write after a failed handshake must be answered with that handshake's error")
    facts = talk.ok("release", connection="f").get("facts")
    if not isinstance(facts, dict) or facts.get("finished") is not False:
        raise BreachError("release after a failed handshake must give facts with finished false")
    talk.refused("usage", "release", connection="f")
    talk.ok("free_context", context="c-fail")


def _ends_with_stdin(talk: Talk, _hello: Hello) -> None:
    talk.child.end_input()
    talk.ends("when stdin ended")


RULES: tuple[Rule, ...] = (
    ("a line that is not a request gets an error of kind usage with id null", _no_json),
    ("an unknown verb, field or name is an error of kind usage", _unknown),
    ("an unknown knob is an error of kind usage", _unknown_knob),
    ("hello can be asked again", _says_hello_again),
    ("a verb that hello says is lacking is an error of kind lack", _lacks),
    ("TCP connects are made in the order of the requests", _order_of_connects),
    ("a failed handshake is an error of kind tls or end, and release works after it", _failed_handshake),
    ("the agent ends when stdin ends", _ends_with_stdin),
)
"""What is tried on the agent alone, in this order."""


BY_SIGTERM = "the agent ends by SIGTERM"


def _ends_by_sigterm(talk: Talk, _hello: Hello) -> None:
    try:
        talk.ok("hello")
        talk.child.terminate()
        talk.ends("by SIGTERM")
    finally:
        talk.child.close()


def check_agent(command: Sequence[str], runtime: Runtime, machine: Machine) -> Iterator[Checked]:
    """Try each rule; SetUpError if the agent cannot be started or does not answer ``hello``."""
    if not command:
        raise SetUpError("no command: write the agent's command line after --")
    try:
        talk = Talk(runtime, command)
    except (HarnessError, OSError) as error:
        raise SetUpError(f"the agent cannot be started: {error}") from error
    try:
        try:
            reply = talk.reply(talk.send("hello"), "hello", STARTS_WITHIN)
        except BreachError as error:
            raise SetUpError(f"the agent cannot be used: {error}\n{talk.child.output}".rstrip()) from error
        hello, breach = _hello_of(reply)
        yield Checked("hello has every member, in its type", breach)
        if hello is None:
            return
        for rule, attempt in RULES:
            yield Checked(rule, _breach(attempt, talk, hello))
    finally:
        talk.child.close()
    yield Checked(BY_SIGTERM, _breach(_ends_by_sigterm, Talk(runtime, command), hello))
    yield from _in_pairs(command, hello, runtime, machine)


def _hello_of(reply: dict[str, Any]) -> tuple[Hello | None, str | None]:
    try:
        return read_hello(reply["ok"]), None
    except KeyError:
        return None, f"hello was refused: {reply.get('error')}"
    except (ValueError, TypeError, AttributeError) as error:
        return None, str(error)


def _breach(attempt: Callable[[Talk, Hello], None], talk: Talk, hello: Hello) -> str | None:
    try:
        attempt(talk, hello)
    except BreachError as error:
        return str(error)
    except OSError as error:
        return f"no connection came: {error}"
    return None


def _in_pairs(command: Sequence[str], hello: Hello, runtime: Runtime, machine: Machine) -> Iterator[Checked]:
    """Each role and version against libssl: what the agent says is compared with the wire and with its peer."""
    stem = re.sub(r"\W", "_", os.path.basename(command[0]).lower())  # noqa: PTH119 - a command, maybe not a path
    name = stem if NAME.fullmatch(stem) and stem not in STACKS else "agent"
    stack = ForeignStack(Registration(name, tuple(command)), hello, runtime)
    try:
        try:
            peer = machine.select("libssl")[0]
        except NoBuildError as error:
            raise SetUpError(f"the agent meets libssl, and this machine has none: {error}") from error
        for role in sorted(hello.roles):
            for tls in USUAL_VERSIONS:
                why = stack.abilities(role).lacks_knob("versions", (tls,))
                if why is None:
                    rule = f"as a {role} of libssl in {tls.label}: connects, resumes, and says what the wire shows"
                    yield Checked(rule, _met(stack, peer, role, tls, runtime))
    finally:
        stack.close()


def _met(stack: Stack, peer: Stack, role: Role, tls: TLSVersion, runtime: Runtime) -> str | None:
    ends = (stack, peer) if role is Role.CLIENT else (peer, stack)
    try:
        pair = Pair(ends, tls, runtime)
    except HarnessError as error:
        return str(error)
    try:
        return _resumes(pair)
    except HarnessError as error:
        return str(error)
    finally:
        pair.close()


def _resumes(pair: Pair) -> str | None:
    first = pair.connect()
    if first.disagreement:
        return first.describe()
    if first.last_session is None:
        return "the first connection yielded no session"
    second = pair.connect(offer=first.last_session)
    if second.disagreement:
        return second.describe()
    resumed = second.observed_outcome() is Outcome.RESUMED
    return None if resumed else f"the second connection was not resumed:\n{second.describe()}"
