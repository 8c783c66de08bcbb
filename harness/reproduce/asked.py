"""What the program in C compares where expectations name it: counters, fields of a session, whether it was offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.model.connection import Connection

    Keys = tuple[str, ...]
    """A path in the JSON of a connection."""
    Asked = tuple[int, Keys]
    """The number of a connection, and what is named of it."""

COUNTERS: Mapping[str, str] = {
    "items": "SSL_CTX_sess_number",
    "connect": "SSL_CTX_sess_connect",
    "connect_good": "SSL_CTX_sess_connect_good",
    "connect_renegotiate": "SSL_CTX_sess_connect_renegotiate",
    "accept": "SSL_CTX_sess_accept",
    "accept_good": "SSL_CTX_sess_accept_good",
    "accept_renegotiate": "SSL_CTX_sess_accept_renegotiate",
    "hits": "SSL_CTX_sess_hits",
    "callback_hits": "SSL_CTX_sess_cb_hits",
    "misses": "SSL_CTX_sess_misses",
    "timeouts": "SSL_CTX_sess_timeouts",
    "overflows": "SSL_CTX_sess_cache_full",
}
"""The functions for the counters of a server: SSL_CTX_sess_number(3)."""
FIELDS: Mapping[str, str] = {
    "timeout": "SSL_SESSION_get_timeout",
    "lifetime_hint": "SSL_SESSION_get_ticket_lifetime_hint",
    "max_early_data": "SSL_SESSION_get_max_early_data",
}
"""The functions for fields of a session, which are numbers."""
CIPHERS = (("endpoints", "client", "cipher"), ("endpoints", "server", "cipher"))
"""The cipher of a connection, which is that of the session that it yielded."""
ALERT = ("alert", "number")
"""The alert, also of a connection whose handshake was completed."""
WAS_OFFERED = ("was_offered",)
"""Whether the server saw the session in the ClientHello."""
SEEN = (
    ALERT,
    WAS_OFFERED,
    *(("counters", name) for name in COUNTERS),
    *(("session", name) for name in FIELDS),
    *CIPHERS,
)
"""What can be named, by its path."""


def asked_of(connection: Connection, asked: Sequence[Asked]) -> tuple[tuple[Keys, int | str], ...]:
    """Return what is named of a connection, with the value that was observed; what is unknown is left out."""
    found: dict[Keys, int | str] = {}
    for number, keys in asked:
        if number == connection.number and keys in SEEN and (value := _value(connection, keys)) is not None:
            found[keys] = value
    return tuple(found.items())


def _value(connection: Connection, keys: Keys) -> Any:
    session = connection.last_session
    if keys == ALERT:
        alert = connection.observed_alert()
        return "none" if alert is None else f"{alert.number} sent by the {alert.sender}"
    if keys == WAS_OFFERED:
        return None if connection.offered is None else int(connection.was_offered)
    if keys in CIPHERS:
        ends = connection.client, connection.server
        return next((end.cipher for end in ends if end.cipher), None) if session else None
    if keys[0] == "session":
        return session.get(keys[1]) if session else None
    return getattr(connection.counters, keys[1]) if connection.counters else None


def of_session(keys: Keys) -> bool:
    """Return whether it is read from the session that the client got."""
    return keys[0] == "session" or keys in CIPHERS


def expressions(number: int, server: str, asked: Sequence[tuple[Keys, int | str]]) -> Iterator[tuple[str, bool]]:
    """Yield a call of `count` or `same` for each, without a semicolon, and whether the client makes it."""
    connection = f"c{number}"
    for keys, value in asked:
        session = f"{connection}.session"
        if keys == ALERT:
            yield f'same(&{connection}, "alert", {connection}.seen.alert, "{value}")', "client" in str(value)
        elif keys == WAS_OFFERED:
            yield f'count(&{connection}, "was_offered", (long){connection}.offered, {value}L)', False
        elif keys in CIPHERS:
            cipher = f"{session} ? SSL_CIPHER_get_name(SSL_SESSION_get0_cipher({session})) : NULL"
            yield f'same(&{connection}, "cipher", {cipher}, "{value}")', True
        elif keys[0] == "session":
            now = f"{session} ? (long){FIELDS[keys[1]]}({session}) : -1L"
            yield f'count(&{connection}, "{".".join(keys)}", {now}, {value}L)', True
        else:
            yield f'count(&{connection}, "{keys[1]}", (long){COUNTERS[keys[1]]}({server}), {value}L)', False
