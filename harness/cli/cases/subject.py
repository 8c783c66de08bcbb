"""What `bisect` runs on each version: a story, or one cell of a scenario."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.case.desk_case import Ends
from harness.cli.runs.inner_run import results_of
from harness.matrix.cells import parse_id
from harness.model.errors import UsageError
from harness.model.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.json.shapes import CellObject


STACK = r"\w+(?:@[\w.+]+(?:-fips)?)?"
CELL = re.compile(
    r"(?P<test>[^\[\]]+\.py::[^\[\]]+)\[(?P<cell>\S+?--\S+?-(?P<tls>D?TLSv1(?:\.[123])?)"
    rf"(?:-then=(?P<client>{STACK}))?(?:-then\.server=(?P<server>{STACK}))?(?P<rest>(?:-.+)?))\]"
)
"""A test and the id of a cell: see `harness.matrix.cells`."""


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
        second_client, second_server = self.ends.secondsat(version)
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


def _located(test: str) -> str:
    """Return the test with the path of its file in the harness's checkout."""
    path, _, name = test.partition("::")
    if not Path(path).is_file():
        inside = Path(__file__).parents[3] / path
        path = str(inside) if inside.is_file() else path
    return f"{path}::{name}"
