"""The options that give a case at a desk, which `connect` and `bisect` have in common, and the Case that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.case.case import Case
from harness.model.errors import UsageError
from harness.model.knobs import ClientConfig, ServerConfig, parse_knob
from harness.model.tls import Close, Outcome, Role, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

F = TypeVar("F", bound="Callable[..., Any]")

TLS = click.Choice([v.value for v in TLSVersion])
OUTCOMES = click.Choice([o.value for o in Outcome])


def case_options(*, required: bool) -> Callable[[F], F]:
    """The options; ``required`` if there is no other way to give a case."""
    client = "A stack, or stack@build, as client."
    server = "A stack, or stack@build, as server."
    options = (
        click.option("--client", "client_name", required=required, metavar="STACK", help=client),
        click.option("--server", "server_name", required=required, metavar="STACK", help=server),
        click.option("--tls", type=TLS, required=required, help="The protocol version."),
        _settings("--client-set", "A knob of the client; may be repeated."),
        _settings("--server-set", "A knob of the server; may be repeated."),
        _settings("--then-client-set", "Resume with another client context."),
        _settings("--then-server-set", "Resume with a second server."),
        click.option("--close", "close_", type=click.Choice([c.value for c in Close]), default=Close.BOTH.value),
        click.option("--age", type=int, default=0, metavar="SECONDS", help="Make the offered session so much older."),
        click.option("--times", type=click.IntRange(min=0), default=1, help="Connections after the first. Default: 1."),
        click.option("--expect", type=OUTCOMES, help="What the last connection must be."),
    )

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _settings(name: str, text: str) -> Callable[[F], F]:
    return click.option(name, multiple=True, metavar="KNOB=VALUE", help=text)


def case_of(given: Mapping[str, Any]) -> Case:
    """The Case that the options give; UsageError for a knob that is no ``KNOB=VALUE``, unknown or out of range."""
    return Case(
        tls=TLSVersion(given["tls"]),
        client=ClientConfig(**knobs(Role.CLIENT, "client-set", given["client_set"])),
        server=ServerConfig(**knobs(Role.SERVER, "server-set", given["server_set"])),
        then_client=knobs(Role.CLIENT, "then-client-set", given["then_client_set"]),
        then_server=knobs(Role.SERVER, "then-server-set", given["then_server_set"]),
        close=Close(given["close_"]),
        age=given["age"],
        times=given["times"],
    )


def knobs(role: Role, option: str, settings: tuple[str, ...]) -> dict[str, Any]:
    """The knobs of ``KNOB=VALUE`` settings; UsageError for one that is no such pair, unknown or out of range."""
    found: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--{option} {setting!r} is no KNOB=VALUE; `resumption stacks` lists the knobs")
        found[name] = parse_knob(role, name, text)
    return found
