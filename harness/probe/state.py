"""The state of a long probe in a file, so that it goes on after a kill; its sessions only where they are kept."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.model.errors import SessionFormatError, UsageError, given_bytes, reason_of
from harness.model.probe import Held, Look, Round
from harness.model.tls import Mechanism, Outcome
from harness.runtime.files import write_whole
from harness.wire.session.codec import load, to_pem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.model.session import Session
    from harness.probe.keeping import Keeper

SCHEMA = 1
LONGEST = 64 << 20
"""Bytes of a file; the rounds of a year have a tenth of it."""
UNITS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)")


def duration(text: str, option: str) -> float:
    """Seconds of ``90s``, ``5min``, ``1h`` or ``2d``; UsageError for anything else."""
    found = DURATION.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise UsageError(f"{option} {text!r}: give a number and s, min, h or d, such as 1h")
    return float(found[1]) * UNITS[found[2]]


@dataclass
class Waiting:
    """A session that a later round offers."""

    mechanism: Mechanism
    made: float
    head: bytes
    """The first bytes of its ticket, which may name its key; empty if it has none."""
    session: Session
    over: bool = False
    """Whether it was declined, expired, or used up."""


@dataclass
class Holding:
    """What is known between the rounds."""

    rounds: list[Round] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    """The first bytes of the tickets that were seen: those that agree prove a name."""
    once: dict[Mechanism, bool] = field(default_factory=dict)
    """Whether a session resumes only once."""
    hints: dict[Mechanism, int] = field(default_factory=dict)
    """The lifetime that the server says, seconds."""


@dataclass
class State:
    """A long probe of one address by one client: which rounds are over, and what they saw."""

    address: str
    client: str
    every: float
    lasts: float
    begun: float
    file: Path | None = None
    keeper: Keeper | None = None
    holding: Holding = field(default_factory=Holding)
    lost: bool = False
    """Whether it goes on without the sessions of its earlier rounds."""

    @property
    def rounds(self) -> int:
        """How many rounds there are in all."""
        return math.floor(self.lasts / self.every) + 1

    def due(self, number: int) -> float:
        """When a round is due, seconds since the epoch."""
        return self.begun + (number - 1) * self.every

    def next_round(self, now: float) -> int | None:
        """The next round: the first that is not over, or the latest that is due; None if all are over."""
        done = self.holding.rounds[-1].number if self.holding.rounds else 0
        late = min(self.rounds, math.floor((now - self.begun) / self.every) + 1)
        number = max(done + 1, late)
        return number if number <= self.rounds else None

    def write(self) -> None:
        """Write the file, if there is one, and the sessions, if they are kept."""
        waiting = []
        for one in self.holding.waiting:
            name = f"waiting-{one.mechanism.value}-{one.made:.6f}.pem"
            kept = self.keeper is not None and not one.over and one.session.der is not None
            if kept and self.keeper and one.session.der and not (self.keeper.folder / name).exists():
                self.keeper.write(name, to_pem(one.session.der))
            waiting.append(
                {
                    "mechanism": one.mechanism.value,
                    "made": one.made,
                    "head": one.head.hex(),
                    "over": one.over,
                    "file": name if kept else None,
                }
            )
        if self.file is None:
            return
        whole = {
            "schema": SCHEMA,
            "address": self.address,
            "client": self.client,
            "every": self.every,
            "for": self.lasts,
            "begun": self.begun,
            "rounds": [_of_round(one) for one in self.holding.rounds],
            "heads": sorted({head.hex() for head in self.holding.heads}),
            "once": {mechanism.value: once for mechanism, once in self.holding.once.items()},
            "hints": {mechanism.value: hint for mechanism, hint in self.holding.hints.items()},
            "waiting": waiting,
        }
        write_whole(self.file, (json.dumps(whole, indent=1) + "\n").encode())


def opened(new: State) -> State:
    """The state in the file of a new one, if it is there; UsageError if it is another probe's, or cannot be read."""
    if new.file is None or not new.file.exists():
        return new
    try:
        read = json.loads(given_bytes(new.file, f"--state {new.file}", "name another file", LONGEST))
        same = [read[name] for name in ("schema", "address", "client", "every", "for")]
        if same != [SCHEMA, new.address, new.client, new.every, new.lasts]:
            raise UsageError(
                f"{new.file} is the state of another probe: {read['address']} by {read['client']}, every "
                f"{read['every']:g} s for {read['for']:g} s; name another --state, or remove it"
            )
        new.begun = float(read["begun"])
        new.holding = _holding(read)
        _take(new, read["waiting"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{new.file} is not the state of a probe ({reason_of(error)}); name another --state, or remove it"
        ) from error
    return new


def _take(state: State, waiting: list[Mapping[str, Any]]) -> None:
    """Take up the sessions that wait; those that were not kept are lost."""
    for one in waiting:
        if one["over"]:
            continue
        path = state.keeper.folder / one["file"] if state.keeper and one["file"] else None
        if path is None or not path.exists():
            state.lost = True
            continue
        try:
            session = load(path.read_bytes())
        except SessionFormatError:
            state.lost = True
            continue
        mechanism = Mechanism(one["mechanism"])
        state.holding.waiting.append(Waiting(mechanism, one["made"], bytes.fromhex(one["head"]), session))


def _holding(read: Mapping[str, Any]) -> Holding:
    return Holding(
        [_to_round(one) for one in read["rounds"]],
        [],
        [bytes.fromhex(head) for head in read["heads"]],
        {Mechanism(name): once for name, once in read["once"].items()},
        {Mechanism(name): hint for name, hint in read["hints"].items()},
    )


def _of_round(one: Round) -> dict[str, Any]:
    looks = {
        mechanism.value: {
            "at": look.at,
            "keys": list(look.keys),
            "offers": [{"age": held.age, "key": held.key, "outcome": held.outcome.value} for held in look.offers],
        }
        for mechanism, look in one.looks.items()
    }
    return {"number": one.number, "at": one.at, "error": one.error, "looks": looks}


def _to_round(read: Mapping[str, Any]) -> Round:
    looks = {
        Mechanism(name): Look(
            look["at"],
            tuple(look["keys"]),
            tuple(Held(held["age"], held["key"], Outcome(held["outcome"])) for held in look["offers"]),
        )
        for name, look in read["looks"].items()
    }
    return Round(read["number"], read["at"], looks, read["error"])
