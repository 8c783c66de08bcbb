"""Hellos, tickets and alerts as strings to print: the fields that matter for resumption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from harness.model.transcript import EARLY_DATA, EXTENDED_MASTER_SECRET
from harness.wire.hellos import ALPN, KEY_SHARE, PSK_KEY_EXCHANGE_MODES, SUPPORTED_VERSIONS, numbers_of
from harness.wire.names import EXTENSIONS, GROUPS, LEVELS, PSK_MODES, VERSIONS, list_of, name_of
from harness.wire.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.model.tls import Alert
    from harness.model.transcript import ClientHello, NewSessionTicket, ServerHello

T = TypeVar("T")


class Lazy(Mapping[str, str]):
    """Fields that are made when something first reads them: most connections are judged and never printed."""

    __slots__ = ("_made", "_make", "_of")

    def __init__(self, make: Callable[[T], dict[str, str]], of: T) -> None:
        """``make`` makes them ``of`` what was read."""
        self._make: Callable[[Any], dict[str, str]] = make
        self._of = of
        self._made: dict[str, str] | None = None

    @property
    def _fields(self) -> dict[str, str]:
        if self._made is None:
            self._made = self._make(self._of)
        return self._made

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return repr(self._fields)


def _shared(hello: ClientHello | ServerHello) -> dict[str, str]:
    """What both hellos show."""
    shown = {"session_id": hello.session_id.hex() or "empty"}
    ticket = hello.session_ticket
    if ticket is not None:
        shown["session_ticket"] = f"{len(ticket)} bytes" if ticket else "empty"
    for number in (EXTENDED_MASTER_SECRET, EARLY_DATA):
        if number in hello.extensions:
            shown[EXTENSIONS[number]] = "present"
    return shown


def client_hello_fields(hello: ClientHello) -> dict[str, str]:
    """Ages are milliseconds as they were sent, obfuscated (RFC 8446, 4.2.11.1)."""
    shown = {"legacy_version": name_of(VERSIONS, hello.legacy_version), **_shared(hello)}
    if SUPPORTED_VERSIONS in hello.extensions:
        shown["supported_versions"] = list_of(VERSIONS, hello.supported_versions)
    for index, identity in enumerate(hello.psk_identities):
        binder = f"binder {len(hello.psk_binders[index])} bytes" if index < len(hello.psk_binders) else "no binder"
        shown[f"pre_shared_key identity {index}"] = (
            f"{len(identity)} bytes, obfuscated_ticket_age {hello.psk_ages[index]}, {binder}"
        )
    if PSK_KEY_EXCHANGE_MODES in hello.extensions:
        shown["psk_key_exchange_modes"] = list_of(PSK_MODES, hello.psk_modes)
    if KEY_SHARE in hello.extensions:
        shown["key_share"] = list_of(GROUPS, hello.key_share_groups)
    if hello.server_name is not None:
        shown["server_name"] = hello.server_name
    if ALPN in hello.extensions:
        shown["alpn"] = ", ".join(hello.alpn)
    shown["extensions"] = list_of(EXTENSIONS, tuple(hello.extensions)) or "none"
    return shown


def server_hello_fields(hello: ServerHello) -> dict[str, str]:
    """The selected identity counts from 0 in the client's order (RFC 8446, 4.2.11)."""
    suite = SUITES.get(hello.cipher_suite)
    shown = {
        "version": hello.version.label if hello.version else name_of(VERSIONS, hello.legacy_version),
        "cipher_suite": f"{suite.name} (0x{hello.cipher_suite:04x})" if suite else f"0x{hello.cipher_suite:04x}",
        **_shared(hello),
    }
    if hello.selected_psk is not None:
        shown["pre_shared_key"] = f"selected identity {hello.selected_psk}"
    if KEY_SHARE in hello.extensions:
        shown["key_share"] = list_of(GROUPS, numbers_of(hello.extensions[KEY_SHARE][:2]))
    shown["extensions"] = list_of(EXTENSIONS, tuple(hello.extensions)) or "none"
    return shown


def ticket_fields(ticket: NewSessionTicket, *, tls13: bool) -> dict[str, str]:
    """The lifetime is in seconds, max_early_data in bytes."""
    shown = {"lifetime": f"{ticket.lifetime} s", "ticket": f"{len(ticket.ticket)} bytes"}
    if tls13:
        shown["age_add"] = str(ticket.age_add)
        shown["nonce"] = ticket.nonce.hex() or "empty"
        shown["max_early_data"] = f"{ticket.max_early_data} bytes"
    return shown


def alert_fields(alert: Alert) -> dict[str, str]:
    """The level and the name with its number."""
    return {"level": name_of(LEVELS, alert.level), "alert": f"{alert.name} ({alert.number})"}
