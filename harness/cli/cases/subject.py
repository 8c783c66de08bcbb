"""What `bisect` runs on each version: a case, or one cell of a scenario."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.case.case import Ends as StoryEnds
from harness.case.case import case_object, refusals, run
from harness.cli.runs.inner_run import results_of
from harness.matrix.cells import parse_id
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

    from harness.report.json.shapes import CaseObject, CellObject
    from harness.stacks.base import Stack
    from harness.story.story import Story


STACK = r"\w+(?:@[\w.+]+(?:-fips)?)?"
CELL = re.compile(
    r"(?P<test>[^\[\]]+\.py::[^\[\]]+)\[(?P<cell>\S+?--\S+?-(?P<tls>TLSv1\.[23])"
    rf"(?:-then=(?P<client>{STACK}))?(?:-then\.server=(?P<server>{STACK}))?(?P<rest>(?:-.+)?))\]"
)
"""A test and the id of a cell: see `harness.matrix.cells`."""


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
        return _at(self.client, version), _at(self.server, version)

    def seconds_at(self, version: str) -> tuple[str, str]:
        """Return the ``stack@build`` of the second client and the second server, each empty if there is none."""
        return _at(self.second_client, version), _at(self.second_server, version)


class Subject(Protocol):
    """Something that can run on any version of the stacks under test."""

    @property
    def ends(self) -> Ends:
        """Client and server."""
        ...

    def see(self, version: str) -> CellObject:
        """Return the observation as a cell of results.json.

        Its verdict is `unsupported` if the build does not support the case or breaks during the first connection; it
        is `lost` if the harness could not run it.
        """
        ...


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
                return machine.one(_at(named, version))

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


@dataclass(frozen=True)
class ScenarioCell:
    """One cell of a scenario: ``test`` is the file and the test, ``rest`` is the id after its endpoints."""

    ends: Ends
    test: str
    tls: str
    """The protocol version as in the id, ``TLSv1.3``."""
    rest: str

    @classmethod
    def parse(cls, text: str, builds: Sequence[str]) -> ScenarioCell:
        """Read ``scenarios/x.py::test[libssl@3.0.19--libssl@3.0.19-TLSv1.3]``, as pytest names it.

        An endpoint is under test if it names no build. If each names one, those with one of ``builds`` are.
        """
        found = CELL.fullmatch(text)
        try:
            client, server, _ = parse_id(found["cell"] if found else "")
        except ValueError:
            found = None
        if found is None:
            raise UsageError(
                f"{text!r} is not a cell id; it should look like "
                "scenarios/tls13_ticket.py::test_NAME[libssl--libssl-TLSv1.3]"
            )
        ends = [client, server, found["client"] or "", found["server"] or ""]
        if all("@" in end for end in ends if end):
            ends = [end.partition("@")[0] if end.partition("@")[2] in builds else end for end in ends]
        return cls(Ends(*ends), _located(found["test"]), found["tls"], found["rest"])

    def see(self, version: str) -> CellObject:
        """Run the cell with pytest."""
        client, server = self.ends.at(version)
        second_client, second_server = self.ends.seconds_at(version)
        over = f"-then={second_client}" * bool(second_client) + f"-then.server={second_server}" * bool(second_server)
        test = f"{self.test}[{client}--{server}-{self.tls}{over}{self.rest}]"
        clients, servers = (list(filter(None, ends)) for ends in ((client, second_client), (server, second_server)))
        try:
            results = results_of(clients, servers, ["-n0", test], quiet=True)
        except UsageError as error:
            raise UsageError(f"there is no cell {test}; `resumption run --collect-only -q` lists all cells") from error
        cell = results["cells"][0]
        without_any = not (cell["case"] and cell["case"]["connections"])
        broken = cell["verdict"] == Verdict.ERROR.value and without_any and not cell.get("lost")
        return {**cell, "verdict": "unsupported"} if broken else cell


def _at(end: str, version: str) -> str:
    return f"{end}@{version}" if end and "@" not in end else end


def _located(test: str) -> str:
    """Return the test with the path of its file in the harness's checkout."""
    path, _, name = test.partition("::")
    if not Path(path).is_file():
        inside = Path(__file__).parents[3] / path
        path = str(inside) if inside.is_file() else path
    return f"{path}::{name}"
