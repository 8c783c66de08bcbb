"""The folder of an exploration: its corpus, its state and its findings, from which a killed one goes on."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from harness.explore.oracles import Suspicion  # noqa: TC001 - msgspec reads the annotations at run time
from harness.model.errors import UsageError, reason_of
from harness.runtime.files import ANYONE, write_whole
from harness.story.reading import read_story, story_of_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.story.story import Story

SCHEMA = 1
STATE, LOCK = "state-{}.json", "state-{}.lock"
"""The state of a shard, by its seed, and the file that the process of this seed has locked."""
CORPUS, FINDINGS, KNOWN, FLAKY = "corpus", "findings", "known", "flaky"
"""The folders in it: stories that showed something new, findings, known ones, and what did not repeat."""
KEYS = "keys"
"""The folder of the keys of all findings: each is a file that holds the name of the finding's folder."""


@dataclass(frozen=True)
class Waiting:
    """A suspicion that is not yet followed up."""

    story: dict[str, Any]
    suspicion: Suspicion
    where: str
    """Where it is known; empty if it is new."""

    def read(self) -> Story:
        """Return the story in which it came up."""
        return story_of_json(self.story, "a suspicion of this exploration")


@dataclass
class Versioned:
    """The version of a state, which is read before the rest of it."""

    schema: int = SCHEMA


@dataclass
class State:
    """How far an exploration is."""

    builds: list[str]
    seed: int
    schema: int = SCHEMA
    programs: int = 0
    seconds: float = 0.0
    tuples: list[str] = field(default_factory=list)
    """Digests of the behaviours that were seen."""
    corpus: list[str] = field(default_factory=list)
    """The names of the corpus's files, in the order in which they were added."""
    findings: dict[str, str] = field(default_factory=dict)
    """The folder of each finding, by its key; of one that is known or does not repeat as well."""
    tried: dict[str, int] = field(default_factory=dict)
    """How often each kind of suspicion came up and was, or is to be, followed up."""
    waiting: list[Waiting] = field(default_factory=list)
    """What is to be followed up, in this order."""


@contextmanager
def held(path: Path, seed: int) -> Iterator[None]:
    """Keep other processes from a seed's state, which they would overwrite, as long as this one lives (flock(2)).

    UsageError if another one has it, or if the folder has no place for it.
    """
    in_place(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / LOCK.format(seed)).open("a", encoding="ascii")
    except OSError as error:
        raise UsageError(f"nothing can be written to {path} ({error.strerror}); name another --to") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"another process explores {path} with --seed {seed}; name a --seed that none has (-n N takes N of "
                "them, from --seed on), or another --to"
            ) from error
        except OSError as error:
            raise UsageError(f"{lock.name} cannot be locked ({error.strerror}); name a --to on another disk") from error
        yield


def in_place(path: Path) -> None:
    """UsageError if there is something else than a folder."""
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is not a folder; name another one with --to")


class Folder:
    """The folder; shards that share one keep a state each, by their seed."""

    def __init__(self, path: Path, builds: list[str], seed: int) -> None:
        self.path = path
        self._state = path / STATE.format(seed)
        self.state = self._read(builds, seed)
        self._shared: set[str] = set()

    def _read(self, builds: list[str], seed: int) -> State:
        in_place(self.path)
        if not self._state.exists():
            return State(builds, seed)
        state = self._decoded(self._state)
        if state.builds != builds:
            raise UsageError(
                f"{self.path} is an exploration of {', '.join(state.builds)}; name the same builds, or a new --to"
            )
        return state

    @staticmethod
    def _decoded(path: Path) -> State:
        damaged = "remove it to begin again, the corpus and the findings stay"
        try:
            text = path.read_bytes()
            schema = msgspec.json.decode(text, type=Versioned).schema
        except (msgspec.DecodeError, OSError) as error:
            raise UsageError(f"{path} is damaged: {reason_of(error)}; {damaged}") from error
        if schema != SCHEMA:
            raise UsageError(f"{path} has schema {schema}, and this harness reads {SCHEMA}; name a new --to")
        try:
            state = msgspec.json.decode(text, type=State)
            for waiting in state.waiting:
                waiting.read()
        except (msgspec.DecodeError, UsageError) as error:
            raise UsageError(f"{path} is damaged: {error}; {damaged}") from error
        return state

    def stories(self) -> list[Story]:
        """Return the corpus in order: its own stories, then those of other shards; UsageError for a damaged one.

        A story whose file was removed, as that error says, is no longer of the corpus.
        """
        self.state.corpus = [name for name in self.state.corpus if (self.path / CORPUS / name).exists()]
        own = [self._story(name) for name in self.state.corpus]
        return [*own, *self.of_others()]

    def of_others(self) -> list[Story]:
        """Return the stories that other shards have added since the last call."""
        there = {path.name for path in (self.path / CORPUS).glob("*.json")} if self.path.exists() else set()
        added = sorted(there - self._shared - set(self.state.corpus))
        self._shared |= set(added)
        return [self._story(name) for name in added]

    def _story(self, name: str) -> Story:
        path = self.path / CORPUS / name
        try:
            return read_story(path)
        except UsageError as error:
            raise UsageError(f"the corpus is damaged: {error}\nremove {path}, or restore it, and go on") from error

    def add(self, story: Story) -> None:
        """Add a story to the corpus."""
        text = story.text()
        name = f"{digest(text)}.json"
        if name not in self.state.corpus:
            self.state.corpus.append(name)
            _write(self.path / CORPUS / name, text)

    def found(self, key: str) -> bool:
        """Return whether a finding of this key is filed, by this shard or by another one."""
        return key in self.state.findings or (self.path / KEYS / key).exists()

    def file(self, key: str, place: Path) -> bool:
        """Give a finding's folder its key; False, and the folder is removed, if another shard was first."""
        name = f"{place.parent.name}/{place.name}"
        keys = self.path / KEYS
        keys.mkdir(parents=True, exist_ok=True)
        try:
            with (keys / key).open("x", encoding="utf-8") as file:
                file.write(name)
        except FileExistsError:
            shutil.rmtree(place)
            return False
        self.state.findings[key] = name
        return True

    def of_shards(self) -> list[State]:
        """Return the state of this shard, and the last one that each other shard has written."""
        others = [path for path in sorted(self.path.glob(STATE.format("*"))) if path != self._state]
        return [self.state, *map(self._decoded, others)]

    def save(self) -> None:
        """Write the state, so that a killed exploration goes on from here."""
        _write(self._state, json.dumps(asdict(self.state)))

    def new(self, kind: str, slug: str) -> Path:
        """Return an empty folder for what is being written of a finding; one that a kill has left is removed."""
        made = self.path / kind / f".{self.state.seed}-{slug}"
        if made.exists():
            shutil.rmtree(made)
        made.mkdir(parents=True)
        return made

    @staticmethod
    def settle(made: Path) -> Path:
        """Give a folder that is whole its number, and return it."""
        slug = made.name.partition("-")[2]
        number = 1 + max((int(one.name[:3]) for one in made.parent.iterdir() if one.name[:3].isdigit()), default=0)
        while True:
            place = made.parent / f"{number:03d}-{slug}"
            try:
                place.mkdir()
            except FileExistsError:
                number += 1
            else:
                return made.rename(place)


def digest(value: Any) -> str:
    """Return a short digest of a text, or of the text of a value."""
    return hashlib.sha256(str(value).encode(errors="surrogateescape")).hexdigest()[:16]


def _write(path: Path, text: str) -> None:
    """Write a file as a whole: a reader, also after a kill, sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text, ANYONE)
