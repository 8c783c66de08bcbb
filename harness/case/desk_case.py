"""Runs a story on any version of its stacks, and returns what was observed as a cell of results.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.case.case import Ends as StoryEnds
from harness.case.case import case_object, refusals, run
from harness.model.errors import (
    BuildError,
    HarnessError,
    RefusedError,
    SetUpError,
    UnsupportedError,
    UsageError,
    is_lost,
)
from harness.model.verdict import Verdict
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.json.shapes import CaseObject, CellObject, ResultsObject
    from harness.stacks.base import Stack
    from harness.story.story import Story

SCHEMA = 2
"""Of results.json."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Client and server as ``stack`` or ``stack@build``; an endpoint without a build uses the version under test."""

    client: str
    server: str
    second_client: str = ""
    """The second endpoint that a scenario switches to; empty if it has none."""
    second_server: str = ""

    def __post_init__(self) -> None:
        if not self.moving:
            raise UsageError(f"{' and '.join(self.named)} each name a build; remove the build of the one to bisect")

    @property
    def named(self) -> tuple[str, ...]:
        """Return every endpoint of the cell."""
        return tuple(filter(None, (self.client, self.server, self.second_client, self.second_server)))

    @property
    def moving(self) -> tuple[str, ...]:
        """Return the stacks whose build changes."""
        return tuple(dict.fromkeys(end for end in self.named if "@" not in end))

    def at(self, version: str) -> tuple[str, str]:
        """Return the ``stack@build`` of client and server."""
        return at(self.client, version), at(self.server, version)

    def secondsat(self, version: str) -> tuple[str, str]:
        """Return the ``stack@build`` of the second client and the second server, each empty if there is none."""
        return at(self.second_client, version), at(self.second_server, version)


@dataclass(frozen=True)
class DeskCase:
    """A story, as `resumption connect` runs it."""

    ends: Ends
    story: Story

    def see(self, version: str) -> CellObject:
        """Run the story in this process."""
        with Runtime() as runtime:
            machine = Machine(runtime)

            def find(named: str) -> Stack:
                return machine.one(at(named, version))

            try:
                client, server = (machine.one(label) for label in self.ends.at(version))
                if lacking := refusals(self.story, StoryEnds(client, server, find)):
                    return self._cell(version, Verdict.UNSUPPORTED, lacking[0])
                result = run(self.story, client, server, runtime, find)
                case = case_object(self.story, (client.label, server.label), result)
                return self._cell(version, Verdict.PASSED, case=case)
            except (BuildError, RefusedError, SetUpError, UnsupportedError) as error:
                lost = is_lost(error) and not isinstance(error, BuildError)
                return {**self._cell(version, Verdict.UNSUPPORTED, str(error)), "lost": lost}
            except UsageError:
                raise
            except (HarnessError, OSError) as error:
                return {**self._cell(version, Verdict.ERROR, str(error)), "lost": is_lost(error)}
            finally:
                machine.close()

    def _cell(self, version: str, verdict: Verdict, reason: str = "", case: CaseObject | None = None) -> CellObject:
        client, server = self.ends.at(version)
        return {
            "cell": f"{client}--{server}-{self.story.tls.label}",
            "scenario": "",
            "client": client,
            "server": server,
            "tls": self.story.tls.value,
            "verdict": verdict.value,
            "reason": reason,
            "seconds": 0.0,
            "folder": None,
            "case": case,
        }


def story_results(story: Story, name: str, labels: Sequence[str]) -> ResultsObject:
    """Run a story once with each ``stack@build`` at the ends that name no build; return the results of a run.

    ``name`` is that of its file, in the place of a scenario.
    """
    cells: list[CellObject] = []
    for label in labels:
        stack, _, version = label.partition("@")
        ends = [end if "@" in end else stack for end in (story.client.stack, story.server.stack)]
        seen = DeskCase(Ends(*ends), story).see(version)
        seen["scenario"] = name
        cells.append(seen)
    return {
        "schema": SCHEMA,
        "started": "",
        "clients": list(labels),
        "servers": list(labels),
        "finished": "",
        "exit_status": 0,
        "unmatched": [],
        "cells": cells,
    }


def at(end: str, version: str) -> str:
    """Return an end with a version if it names none; an empty one stays empty."""
    return f"{end}@{version}" if end and "@" not in end else end
