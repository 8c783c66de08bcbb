"""The declaration of the JSON of clients and servers that the harness does not drive."""

# Without `from __future__ import annotations`: msgspec and TypedDict read the annotations at run time.

from typing import Annotated, Literal, TypedDict

from harness.report.json.shapes import ConnectionObject, about

SCHEMA = 1
"""Raised when a key changes its meaning or is removed, not when a key is added."""


class BetweenObject(TypedDict):
    """A client's command and a server, with the tap between them (`resumption between --json`)."""

    schema: Annotated[int, about("the version of this object")]
    address: Annotated[str, about("HOST:PORT of the server as it was given")]
    reached: Annotated[str, about("the IP address and port that was connected to")]
    command: Annotated[list[str], about("the client's command as it was given")]
    status: Annotated[int, about("how the command ended: its exit code, or the negative number of a signal")]
    witnesses: Annotated[list[Literal["wire"]], about("who saw the connections: neither end is a witness")]
    opened: Annotated[list[int], about("the numbers of the connections whose records a key log opened")]
    unreached: Annotated[int, about("how many connections of the command did not reach the server")]
    connections: Annotated[list[ConnectionObject], about("the connections, in the order in which they began")]


class KindObject(TypedDict):
    """What a client did with one kind of server."""

    kind: Annotated[str, about("the kind, as `--kind` takes it")]
    says: Annotated[str, about("what came of it, in one line")]
    offers: Annotated[list[int], about("the numbers of the connections that offered a session")]
    which: Annotated[str | None, about("which session the first offer is; null without an offer")]
    age: Annotated[
        float | None, about("seconds since the connection began that gave that session; null if there is none")
    ]
    twice: Annotated[bool, about("whether a session was offered in more than one connection")]
    recovers: Annotated[bool | None, about("whether the client goes on after a refused offer, null if none was")]
    controls: Annotated[
        dict[str, int] | None,
        about("the numbers of control connections by that of their data connections, null without `--ftps`"),
    ]
    statuses: Annotated[list[int], about("how each run of the command ended: an exit code, or a signal's negative")]
    connections: Annotated[list[ConnectionObject], about("the connections, in the order in which they began")]


class WatchObject(TypedDict):
    """What a client does with the sessions of several kinds of server (`resumption watch --json`)."""

    schema: Annotated[int, about("the version of this object")]
    command: Annotated[list[str], about("the client's command as it was given")]
    server: Annotated[str, about("`stack@build` of the server")]
    kinds: Annotated[list[KindObject], about("one for each kind of server")]
    not_as_expected: Annotated[list[str], about("a sentence for each expectation of `--expect` that does not hold")]
