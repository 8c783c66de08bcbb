"""The JSON object of `resumption diff` as types: the one source of its rows in docs/json.md; it makes no object."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

Fate = Literal["passed", "failed", "unsupported", "error", "absent"]


class PlaceObject(TypedDict):
    """Where a difference was seen."""

    scenario: Annotated[str, "the file and the test"]
    cell: Annotated[str, "the cell's id without its builds"]
    connection: Annotated[int | None, "the connection's number, null for what is of the whole cell"]


class DifferenceObject(TypedDict):
    """One observable that two builds show differently. Its values are text, and masked where they are random."""

    observable: Annotated[str, "the keys that lead to it in the object of a cell, with no connection's number"]
    before: Annotated[str, "with the first build; `none` for null, `absent` for what is not in a list"]
    after: Annotated[str, "with the second build"]
    cells: Annotated[int, "in how many cells"]
    places: Annotated[list[PlaceObject], "every place, in the order of the run"]


class OneSidedObject(TypedDict):
    """A cell that gave no result with one of the builds, so that there was nothing to compare."""

    scenario: Annotated[str, "the file and the test"]
    cell: Annotated[str, "the cell's id without its builds"]
    before: Annotated[Fate, "its verdict with the first build; `absent` if it is no cell there"]
    after: Annotated[Fate, "its verdict with the second build"]
    reason: Annotated[str, "why it is unsupported"]


class DiffObject(TypedDict):
    """What `resumption diff --json` prints."""

    schema: Annotated[int, "1; raised when a key changes its meaning or goes away"]
    before: Annotated[list[str], "`stack@build` of the endpoints of the first build"]
    after: Annotated[list[str], "`stack@build` of the endpoints of the second build"]
    compared: Annotated[int, "how many cells gave a result with both"]
    unsupported: Annotated[int, "how many are unsupported with both"]
    one_sided: Annotated[list[OneSidedObject], "the cells with a result on one side alone"]
    differences: Annotated[list[DifferenceObject], "what differs, in the order of the keys of a cell"]
