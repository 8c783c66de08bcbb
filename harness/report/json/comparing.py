"""How each value of a cell is compared between two builds; the shapes name one of these rules for each key.

Random values and values of one moment or one machine are masked: session ids, tickets, certificates and signatures are
compared by length or presence; times, ports, paths and prose are not compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import eq
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.report.ticket_length import TicketLength, der_size
from harness.wire.reading import AGAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

STATEFUL = 32
"""Bytes of a ticket that is the id of a session (RFC 8446, 4.6.1: "a database lookup key")."""
SESSION_TICKET, PADDING, PRE_SHARED_KEY = 35, 21, 41
RANDOM_LENGTH = {"Certificate", "CertificateVerify", "ServerKeyExchange", "CompressedCertificate"}
"""Messages with signatures of ECDSA in DER, 70 to 72 bytes; certificates are made again for every run."""
IN_HELLOS = {"ClientHello", "ServerHello", "HelloRetryRequest"}
FATAL_COMMON, LAST_FATAL_COMMON = 3, 261
"""The flags of a reason in 3.0, and the last number that such a reason had before, ERR_R_INIT_FAIL."""
DATA = frozenset({"ApplicationData"})
"""Whether it comes before or during a renegotiation depends on timing."""
UINT32 = re.compile(r"[0-9]{1,10}")
NONE_CALLED = "none called"
COUNTED_NONCE = 16
"""Hexadecimal digits of the nonce of a ticket of OpenSSL (TICKET_NONCE_SIZE is 8 bytes)."""
PRESENT, UNIT = "present", " bytes"
"""What a brief object has in place of a random value, or after its length."""
OF_THE_SYSTEM = {"0", "2"}
"""The libraries of errors of the system: none, and ERR_LIB_SYS (openssl/err.h)."""
UNREAD = {"EncryptedRecord", "EncryptedHandshake", "EncryptedAlert"}


def _unchanged(value: Any, _holder: Mapping[str, Any]) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Rule:
    """``mask`` takes a value, its object and the case, and returns what is compared and shown as text.

    ``brief`` takes a value and its object, and returns what is kept of it where nobody reads it: what is random is left
    out, and ``mask`` makes the same of it.
    """

    mask: Callable[[Any, Mapping[str, Any], Mapping[str, Any]], Any]
    alike: Callable[[Any, Any], bool] = eq
    brief: Callable[[Any, Mapping[str, Any]], Any] = _unchanged


@dataclass(frozen=True, slots=True)
class Each:
    """A list of objects, matched by name, whose order is compared."""

    name: Callable[[Mapping[str, Any]], str]
    """May begin with a sender and a dot: then the order is compared per sender, as their interleaving is random.

    What has no name is not compared.
    """
    anywhere: frozenset[str] = frozenset()
    """Names, without the sender, whose place in the order is not compared."""
    certain: Callable[[Sequence[Mapping[str, Any]]], Iterable[Mapping[str, Any]]] = iter
    """The items that are not there by chance; the others are not compared."""


@dataclass(frozen=True, slots=True)
class Inside:
    """An object whose keys have their own rules; ``named`` if its name is part of theirs."""

    named: bool = True


class Connections:
    """The connections, matched by number; the number is not part of an observable's name."""


@dataclass(frozen=True, slots=True)
class Named:
    """Texts by name, each compared by its own rule, or exactly if it has none."""

    rules: Mapping[str, Rule]


Comparing: TypeAlias = Rule | Each | Named | Inside | Connections

INSIDE = Inside()
CONNECTIONS = Connections()


def _nothing(value: Any, holder: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _nothing(part, holder) for name, part in value.items()}
    return type(value)() if isinstance(value, str | list) else None


def _presence(value: Any, _holder: object) -> Any:
    return PRESENT if value else value


def _bytes(value: str | None, _holder: object) -> str | None:
    """``32 bytes`` of hex, or of what is that already."""
    return value if value is None or value.endswith(UNIT) else f"{len(value) // 2}{UNIT}"


def _size(value: int | str | None, _holder: object) -> int | str | None:
    """How many bytes a number of a ticket takes, since the ticket's length depends on it."""
    known = int(value) if isinstance(value, str) and UINT32.fullmatch(value) else value
    return f"{der_size(known)}{UNIT}" if isinstance(known, int) and known else value


EXACTLY = Rule(lambda value, _holder, _case: value)
NOT_AT_ALL = Rule(lambda _value, _holder, _case: "", brief=_nothing)
BY_PRESENCE = Rule(
    lambda value, _holder, _case: None if value is None else PRESENT if value else "empty", brief=_presence
)
BY_LENGTH = Rule(lambda value, _holder, _case: _bytes(value, None), brief=_bytes)
BY_STACK = Rule(lambda value, _holder, _case: value.partition("@")[0])
LIST_LENGTH = Rule(
    lambda value, _holder, _case: None if value is None else f"{len(value)} items",
    brief=lambda value, _holder: value and [PRESENT] * len(value),
)
IS_ZERO = Rule(
    lambda value, _holder, _case: None if value is None else "0" if str(value) == "0" else "not 0", brief=_size
)
COUNTED = Rule(
    lambda value, _holder, _case: value if value == "none" else str(value.count(",") + 1),
    brief=lambda value, _holder: value if value == "none" else ", ".join([PRESENT] * (value.count(",") + 1)),
)
IF_EMPTY = Rule(lambda value, _holder, _case: "empty" if value in {0, "empty"} else "not empty")


def _alert(value: Mapping[str, Any] | None, _holder: object, _case: object) -> str | None:
    if value is None:
        return None
    level = "" if value["level"] == 2 else f", level {value['level']}"  # noqa: PLR2004 - fatal
    return f"{value['name']} ({value['number']}){level}" + (f" by {value['sender']}" if value["sender"] else "")


def _reasons(value: Mapping[str, Any] | None, _holder: object, _case: object) -> str | None:
    return None if value is None else ", ".join(finding["reason"] for finding in value["findings"])


def _calls(value: list[Mapping[str, Any]] | None, _holder: object, _case: object) -> str | None:
    """What was called, in order, and with which result; the ids and names are random."""
    return None if value is None else ", ".join(f"{call['call']} {call['result']}" for call in value) or NONE_CALLED


def _nonce(value: str, _holder: object, _case: object) -> str:
    """OpenSSL counts its nonces in eight bytes; a longer one is random."""
    return value if value == "empty" or len(value) <= COUNTED_NONCE else f"{len(value) // 2}{UNIT}"


def _breaches(value: list[Mapping[str, Any]], _holder: object, _case: object) -> str:
    return ", ".join(breach["rule"] for breach in value) or "none"


def _as_before_3_0(reason: int) -> int:
    """The number of a reason of every library, such as ERR_R_INTERNAL_ERROR, before 3.0; of another one its own.

    In 3.0 openssl/err.h gave them flags (ERR_RFLAG_FATAL, ERR_RFLAG_COMMON) and numbers from 256 on, in the same order.
    """
    number = reason & 0xFFFF
    return number - 256 + 65 if reason >> 18 == FATAL_COMMON and number <= LAST_FATAL_COMMON else reason


def _codes(value: list[str], _holder: object, _case: object) -> str:
    """Library and reason of each error; the words changed in 3.0 and again in 4.0.

    What is not of a library comes last, once: errors of the system, such as EPIPE, depend on how fast the other end is.
    """
    found = [re.search(r"lib=(\d+) reason=(\d+)", line) for line in value]
    codes = [f"{code[1]}:{_as_before_3_0(int(code[2]))}" for code in found if code and code[1] not in OF_THE_SYSTEM]
    return ", ".join([*codes, *(["other"] if len(codes) < len(value) else [])]) or "none"


def _with_certificate(case: Mapping[str, Any]) -> bool:
    """Whether the server's tickets may have the client's certificate, whose length differs in each run."""
    knobs = case.get("knobs") or {}
    return any("client_certificate" in (knobs.get(role) or {}) for role in ("client", "then_client"))


def _without_evidence(value: Mapping[str, Any] | None, _holder: object) -> Mapping[str, Any] | None:
    return value and {**value, "findings": [{**finding, "evidence": []} for finding in value["findings"]]}


def _ticket(
    length: int | None, age_add: int | str | None, case: Mapping[str, Any], *, tls13: bool
) -> TicketLength | str | None:
    if not length or length == STATEFUL:
        return None if length is None else TicketLength(length)
    if _with_certificate(case):
        return "some"
    if not tls13:
        return TicketLength(length)
    size = _size(age_add, None)
    known = int(size.removesuffix(UNIT)) if isinstance(size, str) and size.endswith(UNIT) else None
    return TicketLength.with_size(length, der_size(0) if size in {0, "0"} else known)


def _session_ticket(value: int | None, holder: Mapping[str, Any], case: Mapping[str, Any]) -> Any:
    return _ticket(value, holder["age_add"], case, tls13=holder["version"] == "1.3")


def _message_length(value: int, holder: Mapping[str, Any], case: Mapping[str, Any]) -> Any:
    kind, fields = holder["type"], holder["fields"]
    if kind in RANDOM_LENGTH | IN_HELLOS | UNREAD:
        return ""
    if kind != "NewSessionTicket":
        return value
    inside = re.match(r"(\d+) bytes", fields.get("ticket", ""))
    length = int(inside[1]) if inside else 0
    return _ticket(length, fields.get("age_add"), case, tls13="age_add" in fields)


def _message_brief(value: int | None, holder: Mapping[str, Any]) -> int | None:
    return None if holder["type"] in RANDOM_LENGTH | UNREAD else value


def _ticket_brief(value: str, _holder: object) -> str:
    inside = re.match(r"\d+ bytes", value)
    return inside[0] if inside else ""


def _hello_length(value: int, holder: Mapping[str, Any], _case: object) -> int:
    """The length without what is compared separately: session id, suites, compression methods, extensions."""
    extensions: int = sum(4 + extension["length"] for extension in holder["extensions"])
    methods: int = holder.get("compression_methods", 1)
    parts: int = holder["session_id_length"] + extensions + 2 * len(holder["cipher_suites"]) + methods
    return value - parts


def _methods(value: int | None, _holder: object, _case: object) -> int:
    """Of results without the number it is 1."""
    return value or 1


def _extension_length(value: int, holder: Mapping[str, Any], _case: object) -> int | str:
    if holder["number"] in {SESSION_TICKET, PADDING, PRE_SHARED_KEY}:
        return "not empty" if value else "empty"
    return value


def _extensions_named(value: str, holder: Mapping[str, Any], _case: object) -> str:
    return "" if holder["type"] in IN_HELLOS else value


def _without_data_in_vain(messages: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield all but the data of an end whose peer refuses its last flight by an alert, and has sent no data.

    The end of TLS 1.3 has finished by then (RFC 8446, 2), and whether it still sends them is a matter of time.
    """
    refusals = {one["sender"] for one in messages if one["fields"].get("level") == "fatal"}
    answered = {one["sender"] for one in messages if one["type"] in DATA}
    finished: set[str] = set()
    for one in messages:
        in_vain = one["sender"] in finished and refusals - answered - {one["sender"]}
        if one["type"] not in DATA or not in_vain:
            yield one
        if one["type"] == "Finished":
            finished.add(one["sender"])


def _alike_tickets(before: Any, after: Any) -> bool:
    if isinstance(before, TicketLength) and isinstance(after, TicketLength):
        return before.alike(after)
    return bool(before == after)


ALERT, CODES = Rule(_alert), Rule(_codes)
REASONS, BREACHES = Rule(_reasons, brief=_without_evidence), Rule(_breaches)
SUITES = Rule(lambda value, _holder, _case: " ".join(f"{suite:04x}" for suite in value))
MESSAGE_LENGTH = Rule(_message_length, _alike_tickets, _message_brief)
HELLO_LENGTH, EXTENSION_LENGTH = Rule(_hello_length), Rule(_extension_length)
COMPRESSION_METHODS = Rule(_methods)
TICKET_LENGTH = Rule(_session_ticket, _alike_tickets)
CALLS = Rule(_calls)
KNOBS = Named({})
CASE = Inside(named=False)
MESSAGES = Each(
    lambda message: "" if message["type"].startswith(AGAIN) else f"{message['sender']}.{message['type']}",
    DATA,
    _without_data_in_vain,
)
"""What DTLS sends again depends on how fast the other end is; that it is the same message, the wire reader has seen."""
HELLOS = Each(lambda hello: f"{hello['sender']}.{hello['type']}")
EXTENSIONS = Each(lambda extension: str(extension["name"]))
FIELDS = Named(
    {
        "session_id": NOT_AT_ALL,  # its length is the hello's
        "session_ticket": IF_EMPTY,
        "ticket": Rule(NOT_AT_ALL.mask, brief=_ticket_brief),  # its length is the message's
        "age_add": IS_ZERO,
        "nonce": Rule(_nonce),
        "uncompressed": BY_PRESENCE,  # certificates are made again for every run
        "certificates": COUNTED,
        "malformed": BY_PRESENCE,
        "extensions": Rule(_extensions_named),
        **{f"pre_shared_key identity {index}": BY_PRESENCE for index in range(8)},
    }
)
"""The fields of messages that are not compared exactly; harness.wire.summary and .messages make them."""
