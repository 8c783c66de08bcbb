"""Makes stories: it changes known ones, step by step and knob by knob, from the tables of knobs and steps alone."""

from __future__ import annotations

from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from msgspec.structs import fields, replace

from harness.explore.known import parts
from harness.explore.values import EDGES, EDITS, SHARED, role_of
from harness.model.errors import HarnessError
from harness.model.tls import USUAL_VERSIONS, Close, Role, TLSVersion
from harness.story.plan import Plan
from harness.story.smaller import without_step
from harness.story.step import Offer
from harness.story.steps import (
    KINDS,
    CloseOpen,
    Connect,
    MoveClock,
    NewClient,
    NewServer,
    Release,
    RunClock,
    StopClock,
    StopClocks,
    TamperStep,
)
from harness.story.story import End, Story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from random import Random

    from harness.story.step import Step

RUNNING = (MoveClock, RunClock)
"""Steps that let a clock run on with the true time: what they show differs from run to run, in whole seconds."""
TAMPERING = (TamperStep, Release)
"""Steps of a man in the middle: what is held waits for a release, and no library is at fault for what was changed."""
DROPPED = {"edit.master_key", "edit.max_fragment_length_mode", "client.max_fragment_length"}
"""What makes an end of DTLS drop records, as `parts` names it."""
AT_ONCE, SIZES = {"age_sessions", "set_timeouts"}, {"server.cache_size", "resize_cache"}
"""What gives all sessions of a server another time at once, and what makes its cache small, as `parts` names it."""
STOPPED = StopClocks()
COUNTED = frozenset({"connection", "server", "client", "number", "ticket", "taken"})
"""Fields that count connections, contexts or sessions, from 1."""
VERSIONS = (*USUAL_VERSIONS, TLSVersion.DTLSv1_2)
"""Protocol versions to try; QUIC has timers that need a clock that runs."""
MOST_STEPS = 14
MOST_TRIES = 40
MANY_TICKETS = 16
"""Tickets above which a story takes seconds."""


def is_playable(story: Story) -> bool:
    """Return whether the explorer can play a story, and what it makes of it.

    DTLS drops a record that it cannot decrypt (RFC 6347, 4.1.2.7), as each is whose session has another master key at
    one end: both ends then wait for a timer, and the clocks stand still. A client since 3.2 also drops what is longer
    than the maximum fragment length of the session that it offers (ssl_set_new_record_layer), even if the server
    declines it; 3.1 and before go on.

    Since 3.0 a full cache removes the session that ends first, and SSL_SESSION_set_time and SSL_SESSION_set_timeout put
    a session before those that end with it (https://github.com/openssl/openssl/pull/8687). A server that changes all of
    its sessions meets them in the order of their hashes, which are of random ids: which one is removed is chance.
    """
    found = parts(story)
    dropped = story.tls.datagrams and not found.isdisjoint(DROPPED)
    by_chance = not found.isdisjoint(AT_ONCE) and not found.isdisjoint(SIZES)
    tampered = any(isinstance(step, TAMPERING) for step in story.steps)
    return story.tls in VERSIONS and not (dropped or by_chance or tampered)


def settings(values: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return each value of each knob of an end."""
    return [(name, text) for name in sorted(values) for text in values[name]]


def standing(story: Story) -> Story:
    """Return a story whose clocks stand still and are moved by steps alone."""
    steps: list[Step] = []
    for step in story.steps:
        if isinstance(step, RUNNING):
            steps.append(StopClock(of=step.of, seconds=int(step.seconds), number=step.number))
        elif not isinstance(step, StopClocks):
            steps.append(step)
    ends = {str(role): End(knobs=_without_clock(story.end(role).knobs)) for role in Role}
    return replace(story, steps=(STOPPED, *steps), **ends)


def _without_clock(knobs: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in knobs.items() if name != "clock" and text != "unset"}


class Deck:
    """The settings of an end, each value of each knob: in a random order, and all of them before one comes again."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._all = settings(values)
        self._left: list[tuple[str, str]] = []
        self._drawn: list[tuple[str, str]] = []

    def draw(self, random: Random) -> dict[str, str]:
        """Return the next one."""
        self._left = self._left or random.sample(self._all, len(self._all))
        self._drawn.append(self._left.pop())
        return dict(self._drawn[-1:])

    def keep(self) -> None:
        """Take those that were drawn for tried."""
        self._drawn.clear()

    def put_back(self, random: Random) -> None:
        """Take most of those that were drawn for not tried: the next story may be possible with them."""
        self._left += [card for card in self._drawn if _odds(random, 70)]
        self._drawn.clear()


class Generator:
    """Makes stories that every build can tell; the same in a row from the same random numbers and the same corpus."""

    def __init__(self, values: Mapping[Role, Mapping[str, Sequence[str]]], fits: Callable[[Story, Plan], bool]) -> None:
        self._values = values
        self._decks, self._later = ({role: Deck(values[role]) for role in Role} for _ in range(2))
        self._fits = fits
        self._ways = (
            *(self._knob,) * 5,
            *(self._insert,) * 3,
            *(self._other_terms,) * 4,
            *(self._again,) * 2,
            self._field,
            self._field,
            self._remove,
            self._other_tls,
        )

    def story(self, random: Random, corpus: Sequence[Story]) -> Story | None:
        """Return a new story; None if no change that was tried gives one that all builds can tell."""
        for _ in range(MOST_TRIES):
            story = self._chosen(random, corpus)
            for _ in range(1 + min(int(random.expovariate(0.8)), 5)):
                story = random.choice(self._ways)(random, story, corpus)
            story = _closed(story)
            if len(story.steps) <= MOST_STEPS and not _takes_long(story) and self.is_possible(story):
                for deck in self._all_decks():
                    deck.keep()
                return story
            for deck in self._all_decks():
                deck.put_back(random)
        return None

    def _all_decks(self) -> Iterator[Deck]:
        yield from self._decks.values()
        yield from self._later.values()

    def plain(self) -> list[Story]:
        """Return all that an exploration without seeds begins with: a session that is taken and offered.

        In each version with the defaults, and then with each way to close and each value of each knob, in the versions
        in turn.
        """
        again = Connect(offer=Offer())
        begin = [Story(tls=tls, steps=(Connect(), again)) for tls in VERSIONS]
        changed = [replace(begin[0], steps=(Connect(close=close), again)) for close in Close]
        changed += [
            replace(begin[0], client=End(knobs={name: text})) for name, text in settings(self._values[Role.CLIENT])
        ]
        changed += [
            replace(begin[0], server=End(knobs={name: text})) for name, text in settings(self._values[Role.SERVER])
        ]
        for turn, story in enumerate(changed):
            versions = (*VERSIONS[turn % len(VERSIONS) :], *VERSIONS)
            begin += [one for tls in versions if self.is_possible(one := replace(story, tls=tls))][:1]
        return begin

    def is_possible(self, story: Story) -> bool:
        """Return whether every build can tell a story."""
        try:
            return is_playable(story) and self._fits(story, Plan.of(story))
        except HarnessError:
            return False

    @staticmethod
    def _chosen(random: Random, corpus: Sequence[Story]) -> Story:
        """One of the corpus; later ones, which showed something new, are chosen more often."""
        return corpus[max(random.randrange(len(corpus)), random.randrange(len(corpus)))]

    def _knob(self, random: Random, story: Story, corpus: Sequence[Story]) -> Story:
        """Set or unset a knob at an end, or take over the knobs of another story."""
        role = random.choice(tuple(Role))
        end = story.end(role)
        knobs = dict(end.knobs)
        if _odds(random, 15):
            knobs |= random.choice(corpus).end(role).knobs
        elif knobs and _odds(random, 25):
            del knobs[random.choice(sorted(knobs))]
        else:
            knobs |= self._setting(random, role)
        return replace(story, **{str(role): replace(end, knobs=_without_clock(knobs))})

    def _setting(self, random: Random, role: Role) -> dict[str, str]:
        """Return one knob with a value: in turn, or of any knob, as those with few values are rare among all."""
        if _odds(random, 60):
            return self._decks[role].draw(random)
        name = random.choice(sorted(self._values[role]))
        return {name: str(random.choice(self._values[role][name]))}

    def _insert(self, random: Random, story: Story, _corpus: Sequence[Story]) -> Story:
        """Add a step of any kind anywhere behind the first."""
        word = random.choice(sorted(KINDS))
        step = None if KINDS[word] in {*RUNNING, *TAMPERING, StopClocks} else self.step(random, word, story)
        if step is None:
            return story
        place = random.randint(1, len(story.steps))
        return replace(story, steps=(*story.steps[:place], step, *story.steps[place:]))

    def step(self, random: Random, word: str, story: Story) -> Step | None:
        """Return a step of a kind, with all that it requires and some of the rest; None if the values misfit."""
        kind = KINDS[word]
        hints = get_type_hints(kind, include_extras=True)
        made = {
            each.name: self._value(random, hints[each.name], each.name, role_of(word), story)
            for each in fields(kind)
            if each.required or _odds(random, 50)
        }
        try:
            return msgspec.convert({"do": word, **msgspec.to_builtins(made)}, kind)
        except msgspec.ValidationError:
            return None

    def _again(self, random: Random, story: Story, _corpus: Sequence[Story]) -> Story:
        """Connect once more, with a session of an earlier connection."""
        offer = self._offer(random, story)
        step = Connect(offer=offer)
        return replace(story, steps=(*story.steps, step))

    def _other_terms(self, random: Random, story: Story, _corpus: Sequence[Story]) -> Story:
        """Offer the latest session where one end has changed in a knob; a server mostly knows it then."""
        if _odds(random, 50):
            steps: tuple[Step, ...] = (NewClient(knobs=self._later[Role.CLIENT].draw(random)), Connect(offer=Offer()))
            return replace(story, steps=(*story.steps, *steps))
        steps = (NewServer(knobs=self._later[Role.SERVER].draw(random)), Connect(offer=Offer()))
        shared = random.choice([name for name in SHARED if name in self._values[Role.SERVER]] or [""])
        knobs = {shared: self._values[Role.SERVER][shared][0]} if shared and _odds(random, 80) else {}
        server = replace(story.server, knobs={**knobs, **story.server.knobs})
        return replace(story, server=server, steps=(*story.steps, *steps))

    def _field(self, random: Random, story: Story, _corpus: Sequence[Story]) -> Story:
        """Change one field of one step."""
        place = random.randrange(len(story.steps))
        step = story.steps[place]
        named = [each for each in fields(step) if not isinstance(step, StopClocks)]
        if not named:
            return story
        each = random.choice(named)
        hint = get_type_hints(type(step), include_extras=True)[each.name]
        made = self._value(random, hint, each.name, role_of(step.kind), story)
        try:
            changed = msgspec.convert(msgspec.to_builtins(replace(step, **{each.name: made})), type(step))
        except msgspec.ValidationError:
            return story
        return replace(story, steps=(*story.steps[:place], changed, *story.steps[place + 1 :]))

    @staticmethod
    def _remove(random: Random, story: Story, _corpus: Sequence[Story]) -> Story:
        """Leave out a step."""
        if len(story.steps) <= 2:  # noqa: PLR2004 - the clocks' and a connection's
            return story
        return without_step(story, random.randrange(1, len(story.steps))) or story

    @staticmethod
    def _other_tls(random: Random, story: Story, _corpus: Sequence[Story]) -> Story:
        """Use another protocol version."""
        return replace(story, tls=random.choice(VERSIONS))

    def _offer(self, random: Random, story: Story) -> Offer:
        hints = get_type_hints(Offer, include_extras=True)
        made = {
            each.name: self._value(random, hints[each.name], each.name, Role.CLIENT, story)
            for each in fields(Offer)
            if _odds(random, 60 if each.name == "connection" else 12)
        }
        return Offer(**{name: value for name, value in made.items() if value is not None})

    def _value(self, random: Random, hint: Any, name: str, role: Role, story: Story) -> Any:
        """Return a value of a type, an edge of it where it has edges."""
        hint, least, most = _bare(random, hint)
        if get_origin(hint) is Literal:
            return random.choice(get_args(hint))
        if get_origin(hint) is dict:
            made = _edit(random) if name == "edit" else self._setting(random, role)
            return made if _odds(random, 80) else {}
        if hint is Offer:
            return self._offer(random, story)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return random.choice(tuple(hint))
        if hint is str:
            return random.choice(
                [text for knob, texts in self._values[role].items() if name in knob for text in texts] or ["a"]
            )
        return _number(random, hint, name, least, most) if hint in {bool, int, float} else None


def _edit(random: Random) -> dict[str, str]:
    field = random.choice(sorted(EDITS))
    return {field: random.choice(EDITS[field])}


def _odds(random: Random, percent: int) -> bool:
    return random.randrange(100) < percent


def _bare(random: Random, hint: Any) -> tuple[Any, float | None, float | None]:
    """A type without what is said about it, with its least and greatest value; one of several at random."""
    least: float | None = None
    most: float | None = None
    while get_origin(hint) in {Annotated, Union, UnionType}:
        if get_origin(hint) is not Annotated:
            hint = random.choice(
                [each for each in get_args(hint) if each is not str]
            )  # such as a session from elsewhere
            continue
        hint, *about = get_args(hint)
        for meta in about:
            if isinstance(meta, Meta):
                least = meta.ge if least is None else least
                most = meta.le if most is None else most
    return hint, least, most


def _number(random: Random, kind: type, name: str, least: float | None, most: float | None) -> Any:
    if kind is bool:
        return _odds(random, 50)
    if name in COUNTED:
        return random.randint(1, 3)
    edges = [each for each in EDGES if (least is None or each >= least) and (most is None or each <= most)]
    return kind(random.choice(edges))


def _closed(story: Story) -> Story:
    """Return a story whose open connections are closed at its end."""
    opened: list[int] = []
    count = 0
    for step in story.steps:
        if step.kind in {"connect", "open"}:
            count += 1
        if step.kind == "open":
            opened.append(count)
        elif isinstance(step, CloseOpen) and opened:
            number = step.connection or opened[-1]
            opened = [one for one in opened if one != number]
    return replace(story, steps=(*story.steps, *(CloseOpen(connection=number) for number in opened)))


def _takes_long(story: Story) -> bool:
    knobs = [story.server.knobs, *(getattr(step, "knobs", {}) for step in story.steps)]
    counts = (found.get("num_tickets", "0") for found in knobs)
    return any(count.isdigit() and int(count) > MANY_TICKETS for count in counts)
