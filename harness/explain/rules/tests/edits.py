"""Edits of recorded connections: a message is written again as bytes with one change, and read by the wire's parser."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.model.tls import Role
from harness.model.transcript import (
    ClientHello,
    EncryptedExtensions,
    Message,
    NewSessionTicket,
    ServerHello,
)
from harness.wire import hellos, messages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model.connection import Connection

    Edit = Callable[[Sequence[Connection]], Sequence[Connection]]

CLIENT, SERVER = Role.CLIENT, Role.SERVER
Change: TypeAlias = "Callable[[Any], Mapping[str, Any]]"
"""From what was read of a message to the fields that change."""


def vector(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size, "big") + data


def numbers(values: Sequence[int]) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


def block(extensions: Mapping[int, bytes]) -> bytes:
    return vector(2, b"".join(numbers([number]) + vector(2, body) for number, body in extensions.items()))


def hello_bytes(hello: ClientHello) -> bytes:
    """The body of a ClientHello; its extensions are ``hello.extensions``, whatever the parsed fields say."""
    return b"".join(
        [
            numbers([hello.legacy_version]),
            hello.random,
            vector(1, hello.session_id),
            vector(2, numbers(hello.cipher_suites)),
            vector(1, hello.compression_methods),
            block(hello.extensions),
        ]
    )


def answer_bytes(hello: ServerHello) -> bytes:
    return b"".join(
        [
            numbers([hello.legacy_version]),
            hello.random,
            vector(1, hello.session_id),
            numbers([hello.cipher_suite]),
            bytes([hello.compression]),
            block(hello.extensions),
        ]
    )


def ticket_bytes(ticket: NewSessionTicket) -> bytes:
    early = {42: ticket.max_early_data.to_bytes(4, "big")} if ticket.max_early_data else {}
    head = struct.pack(">II", ticket.lifetime, ticket.age_add)
    return head + vector(1, ticket.nonce) + vector(2, ticket.ticket) + block(early)


def psks(identities: Sequence[bytes], ages: Sequence[int], binders: Sequence[bytes]) -> bytes:
    """The body of pre_shared_key."""
    offered = b"".join(vector(2, one) + age.to_bytes(4, "big") for one, age in zip(identities, ages, strict=True))
    return vector(2, offered) + vector(2, b"".join(vector(1, binder) for binder in binders))


def with_extension(extensions: Mapping[int, bytes], number: int, body: bytes | None) -> dict[int, bytes]:
    """The extensions with one set, before pre_shared_key if it is new, or left out if it is None."""
    made = {key: value for key, value in extensions.items() if key != number or body is not None}
    if body is not None:
        made[number] = body
    last = made.pop(41, None) if number != 41 else None
    return made if last is None else made | {41: last}


def read_again(content: Any) -> Any:
    """What the wire's parser reads of the bytes of a message."""
    if isinstance(content, ClientHello):
        return replace(hellos.client_hello(hello_bytes(content)), external_psks=content.external_psks)
    if isinstance(content, ServerHello):
        return hellos.server_hello(answer_bytes(content))
    if isinstance(content, EncryptedExtensions):
        return messages.encrypted_extensions(block(content.extensions), 0)
    if isinstance(content, NewSessionTicket):
        return messages.new_session_ticket(ticket_bytes(content), 0, tls13=True)
    return content


def with_messages(connection: Connection, made: Sequence[Message], **changes: Any) -> Connection:
    """The connection with these messages on its wire."""
    contents = [message.content for message in made]
    transcript = replace(
        connection.transcript,
        messages=tuple(made),
        client_hellos=tuple(each for each in contents if isinstance(each, ClientHello)),
        server_hellos=tuple(each for each in contents if isinstance(each, ServerHello)),
        tickets=tuple(each for each in contents if isinstance(each, NewSessionTicket)),
        **changes,
    )
    return replace(connection, transcript=transcript)


def on(number: int, edit: Callable[[Connection], Connection]) -> Edit:
    """The edit of one connection of a recording, 1 for the first."""
    return lambda recorded: [edit(one) if one.number == number else one for one in recorded]


def both(*edits: Edit) -> Edit:
    def edit(recorded: Sequence[Connection]) -> Sequence[Connection]:
        for each in edits:
            recorded = each(recorded)
        return recorded

    return edit


def message(number: int, kind: str, change: Change, *, sender: Role | None = None, which: int = 0) -> Edit:
    """Change fields of the ``which``-th message of this type in a connection."""

    def edit(connection: Connection) -> Connection:
        made = list(connection.transcript.messages)
        places = [i for i, m in enumerate(made) if m.type == kind and sender in {None, m.sender}]
        place = places[which]
        content = made[place].content
        assert content is not None
        changed = read_again(replace(content, **change(content)))  # type: ignore[type-var] # a dataclass, as the kind says
        made[place] = replace(made[place], content=changed)
        return with_messages(connection, made)

    return on(number, edit)


def extension(number: int, kind: str, of: int, body: Any, *, which: int = 0) -> Edit:
    """Set an extension to bytes, to what a function makes of the message, or leave it out (None)."""

    def change(content: Any) -> Mapping[str, Any]:
        made = body(content) if callable(body) else body
        return {"extensions": with_extension(content.extensions, of, made)}

    return message(number, kind, change, which=which)


def insert(number: int, before: tuple[str, Role], made: Message, *, after: bool = False) -> Edit:
    """Put a message before, or after, the first one of this type and sender."""

    def edit(connection: Connection) -> Connection:
        found = list(connection.transcript.messages)
        place = next(i for i, m in enumerate(found) if (m.type, m.sender) == before)
        found.insert(place + after, made)
        return with_messages(connection, found)

    return on(number, edit)


def remove(number: int, kind: str, sender: Role) -> Edit:
    """Leave out the messages of this type and sender."""

    def edit(connection: Connection) -> Connection:
        kept = [m for m in connection.transcript.messages if (m.type, m.sender) != (kind, sender)]
        return with_messages(connection, kept)

    return on(number, edit)


def repeat(number: int, kind: str, sender: Role) -> Edit:
    """Send the first message of this type and sender twice in a row."""

    def edit(connection: Connection) -> Connection:
        found = list(connection.transcript.messages)
        place = next(i for i, m in enumerate(found) if (m.type, m.sender) == (kind, sender))
        return with_messages(connection, [*found[: place + 1], *found[place:]])

    return on(number, edit)


def move_before(number: int, kind: str, sender: Role, to: tuple[str, Role]) -> Edit:
    """Move the first message of this type and sender before another one."""

    def edit(connection: Connection) -> Connection:
        found = list(connection.transcript.messages)
        place = next(i for i, m in enumerate(found) if (m.type, m.sender) == (kind, sender))
        moved = found.pop(place)
        found.insert(next(i for i, m in enumerate(found) if (m.type, m.sender) == to), moved)
        return with_messages(connection, found)

    return on(number, edit)


def plain(kind: str, sender: Role, content: Any = None, length: int = 1) -> Message:
    return Message(sender, kind, length, 0.0, content=content)


def older(seconds: int) -> Edit:
    """Make the session that connection 2 offers so much older, as its client sees it."""

    def edit(connection: Connection) -> Connection:
        session = connection.offered
        assert session is not None
        known = {**session.known, "time": session.time - seconds}
        return replace(connection, offered=replace(session, known=known))

    return on(2, edit)
