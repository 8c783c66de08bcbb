"""The JSON object of a run, results.json, as types: the one source of its rows in docs/json.md; it makes no object."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from harness.report.json.case_shape import CaseObject, Tls  # noqa: TC001 - report.schema reads the types at run time

Verdict = Literal["passed", "failed", "unsupported", "error"]


class CellObject(TypedDict):
    """One cell of the matrix that is over. In results.jsonl, which a killed run leaves, each is a line of its own."""

    cell: Annotated[str, "its id: client, server, TLS version and the knobs that vary"]
    scenario: Annotated[str, "the file and the test, `scenarios/tls13_ticket.py::test_ticket_resumes`"]
    client: Annotated[str, "`stack@build` of the client"]
    server: Annotated[str, "`stack@build` of the server"]
    tls: Annotated[Tls, "the protocol version of the cell"]
    verdict: Annotated[Verdict, "`error` is no verdict about the scenario: a time-out, witnesses that differ"]
    reason: Annotated[str, "why it is not `passed`; the first line can stand alone"]
    seconds: Annotated[float, "set-up, test and tear-down together"]
    folder: Annotated[str | None, "where its evidence is kept, null if it passed or is unsupported"]
    case: Annotated[CaseObject | None, "what was seen, null if the test did not begin or its worker died"]


class ResultsObject(TypedDict):
    """The file results.json of a run. The first line of results.jsonl has its keys up to `servers`."""

    schema: Annotated[int, "1; raised when a key changes its meaning or goes away"]
    started: Annotated[str, "when the run began, ISO 8601, UTC"]
    clients: Annotated[list[str], "`stack@build` of every client of the run"]
    servers: Annotated[list[str], "`stack@build` of every server of the run"]
    finished: Annotated[str, "when the run ended, ISO 8601, UTC"]
    exit_status: Annotated[int, "pytest's exit code; 2 if the run was interrupted"]
    unmatched: Annotated[list[str], "declared differences between builds that no build of this run could show"]
    cells: Annotated[list[CellObject], "every cell, in the order in which they ended"]
