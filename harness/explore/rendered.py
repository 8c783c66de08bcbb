"""Writes a scenario from a story, with the dated expectation and the docstring left to fill in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from harness.explore.oracles import BUILDS
from harness.model.knobs import parse_knob
from harness.model.session import Turned, parse_edit
from harness.model.tls import Close, Role
from harness.story.step import LATEST
from harness.story.steps import (
    Age,
    AgeSessions,
    Authenticate,
    CloseOpen,
    Connect,
    Exchange,
    Flush,
    Keep,
    NewClient,
    NewServer,
    Open,
    Remove,
    Renegotiate,
    ResizeCache,
    Session,
    SetTimeouts,
    StopClock,
    StopClocks,
    UseClient,
    UseServer,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.explore.oracles import Suspicion
    from harness.story.step import Offer, Step
    from harness.story.story import Story


class _Writer:
    """Collects the lines of a test, and the words that it imports."""

    def __init__(self, story: Story) -> None:
        self.words = {"scenario", f"TLSv{story.tls}".replace(".", "_"), "Expectation", "Differs", "Role"}
        self.lines: list[str] = []
        self.open: list[int] = []
        self.count = 0
        for step in story.steps:
            self._step(step)

    def literal(self, value: Any) -> str:
        """Return a value as Python writes it."""
        if isinstance(value, Enum):
            self.words.add(type(value).__name__)
            return f"{type(value).__name__}.{value.name}"
        if isinstance(value, frozenset):
            return "{" + ", ".join(sorted(map(self.literal, value))) + "}"
        if isinstance(value, tuple):
            return "(" + "".join(f"{self.literal(each)}, " for each in value).rstrip() + ")"
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)

    def knobs(self, role: Role, knobs: Mapping[str, str]) -> str:
        """Return keyword arguments."""
        return ", ".join(f"{name}={self.literal(parse_knob(role, name, text))}" for name, text in knobs.items())

    def dictionary(self, role: Role, knobs: Mapping[str, str]) -> str:
        """Return a dictionary of knobs."""
        pairs = (f'"{name}": {self.literal(parse_knob(role, name, text))}' for name, text in knobs.items())
        return "{" + ", ".join(pairs) + "}"

    def _step(self, step: Step) -> None:
        self.lines += [f"    {line}" for line in self._lines(step)]

    def _lines(self, step: Step) -> list[str]:  # noqa: C901, PLR0911, PLR0912 - one case a kind of step
        server = "pair.server"
        match step:
            case Connect():
                self.count += 1
                close = "" if step.close is Close.BOTH else f", close={self.literal(step.close)}"
                offer = f"offer={self._session(step.offer)}" if step.offer else ""
                said = f"{offer}{close}".removeprefix(", ")
                early = [f"pair.new_client(max_early_data={step.early_data})"] if step.early_data is not None else []
                return [*early, f"c{self.count} = pair.connect({said})"]
            case Open():
                self.count += 1
                self.open.append(self.count)
                offer = self._session(step.offer) if step.offer else ""
                if step.thread:
                    return [f"live{self.count} = pair.open({offer})  # TODO together=, with the others of its group"]
                return [f"live{self.count} = pair.open({offer})", f"live{self.count}.handshake()"]
            case CloseOpen():
                number = step.connection or self.open[-1]
                self.open.remove(number)
                return [f"c{number} = live{number}.close({self.literal(step.how)})"]
            case Exchange():
                return [f"live{step.connection or self.open[-1]}.exchange()"]
            case Session() | Keep():
                word = "session" if isinstance(step, Session) else "keep_session"
                number = step.connection or self.open[-1]
                changes = {
                    each: value
                    for each in ("duplicate", "older", "timeout", "ssl")
                    if (value := getattr(step, each, None)) not in {None, False}
                }
                said = ", ".join(f"{each}={value}" for each, value in changes.items())
                return [f"taken{number} = live{number}.{word}({said})"]
            case Renegotiate():
                number = step.connection or self.open[-1]
                said = f"{self.literal(step.by)}, abbreviated={step.abbreviated}"
                said += f", ciphers={step.ciphers!r}" if step.ciphers is not None else ""
                said += ", no_extended_master_secret=True" if step.no_extended_master_secret else ""
                return [f"live{number}.renegotiate({said})"]
            case Authenticate():
                return [f"live{step.connection or self.open[-1]}.authenticate()"]
            case NewClient() | NewServer():
                role = Role.CLIENT if isinstance(step, NewClient) else Role.SERVER
                return [f"pair.new_{role}({self.knobs(role, step.knobs)})"]
            case UseClient():
                return [f"pair.use({self.literal(Role.CLIENT)}, {step.client})"]
            case UseServer():
                return [f"pair.use({self.literal(Role.SERVER)}, {step.server})"]
            case ResizeCache():
                return [f"{server}.resize_cache({step.entries})"]
            case Flush():
                at = "0" if step.connection is None else f"c{step.connection}.session.time + {step.seconds}"
                return [f"pair.{step.of}.flush({at})"]
            case Remove():
                return [f"{server}.remove(c{step.connection}.session.session_id)"]
            case AgeSessions():
                return [f"{server}.age_sessions({step.seconds})"]
            case SetTimeouts():
                return [f"{server}.set_timeouts({step.seconds})"]
            case Age():
                return [f"pair.age({step.seconds})"]
            case StopClocks():
                return ["pair.stop_clocks(NOW)"]
            case StopClock():
                return [f"pair.{step.of}.stop_clock(NOW + {step.seconds})"]
            case _:
                return [f"...  # TODO the step {step.kind}"]

    def _session(self, offer: Offer) -> str:
        number = self.count - 1 if offer.connection == LATEST else offer.connection
        taken = f"c{number}.session" if offer.ticket is None else f"c{number}.sessions[{offer.ticket - 1}]"
        taken = f"taken{number}" if offer.taken is not None else taken
        if offer.older:
            self.words.add("aged")
            taken = f"aged({taken}, {offer.older})"
        if offer.timeout is not None:
            self.words.add("edited")
            taken = f"edited({taken}, timeout={offer.timeout})"
        if offer.edit:
            values = {name: parse_edit(name, text) for name, text in offer.edit.items()}
            self.words |= {"edited", *("Turned" for value in values.values() if isinstance(value, Turned))}
            taken = f"edited({taken}, {', '.join(f'{name}={value!r}' for name, value in values.items())})"
        return taken


def scenario_text(story: Story, suspicion: Suspicion) -> str:
    """Return the file of a scenario that pins what a story shows."""
    writer = _Writer(story)
    tls = f"TLSv{story.tls}".replace(".", "_")
    clock = any(isinstance(step, StopClocks | StopClock | Age) for step in story.steps)
    ends = {str(role): dict(story.end(role).knobs) | ({"clock": "0"} if clock else {}) for role in Role}
    knobs = "".join(f"    {role}={writer.dictionary(Role(role), texts)},\n" for role, texts in ends.items() if texts)
    values = "\n".join(f"# {label}: {value}" for label, value in suspicion.values)
    seen = datetime.now(UTC).date()
    subject = suspicion.what if suspicion.oracle == BUILDS else suspicion.expect.partition(".")[2].partition(" ")[0]
    named = subject if subject.isidentifier() else "outcome"
    shown = f"c{suspicion.connection or 1}." + (f"counters.{named}" if named in _COUNTERS else named)
    asserts = "\n".join(
        f"    assert c{number}.outcome is ...  # TODO"
        for number in range(1, writer.count + 1)
        if number != suspicion.connection
    )
    words = ", ".join(sorted(writer.words))
    return f'''"""TODO what happens, in one sentence, and the RFC section or the OpenSSL function that it rests on."""

from datetime import date

from harness import {words}

SEEN = date({seen.year}, {seen.month}, {seen.day})
{"NOW = 1_600_000_000" if clock else ""}
{values}
PINNED = Expectation(..., Differs(..., Role.SERVER, "*@...", SEEN, "TODO the evidence"))

pytestmark = scenario(
    versions=[{tls}],
{knobs})


def test_TODO(pair):
{chr(10).join(writer.lines)}

{asserts}
    assert {shown} == PINNED.of(pair)
'''


_COUNTERS = frozenset(
    ("items", "connect", "accept", "accept_good", "hits", "callback_hits", "misses", "timeouts", "overflows")
)
