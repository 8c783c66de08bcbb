"""`resumption between`: reads what a client and a server of the user do, with the tap between them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.cases.case_options import UNTESTABLE
from harness.cli.messages import example, show_error
from harness.cli.paths import NamedPath
from harness.model.errors import UnreachableError, UsageError, stretched
from harness.runtime.address import target
from harness.runtime.runtime import Runtime
from harness.serve.between import Between
from harness.serve.command import Command, CommandError, printed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection

KEYLOG = "A file that either end writes its secrets to. Default: one that COMMAND may write, removed at the end."
NO_CA = "{ca} is the authority of the server, which is not known here: give it with --ca, or leave {ca} out"


@click.command(epilog=example("between 127.0.0.1:8443 -- curl -sk {url} {url}"))
@click.argument("address", metavar="HOST:PORT")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--keylog", type=NamedPath(path_type=Path, dir_okay=False), metavar="FILE", help=KEYLOG)
@click.option("--ca", type=NamedPath(exists=True, dir_okay=False, path_type=Path), help="What {ca} stands for.")
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    metavar="SECONDS",
    help="How long COMMAND may take. Default: 60.",
)
@click.option("--allow-public", is_flag=True, help="Also addresses that are neither loopback nor private.")
@click.option("--verbose", "-v", is_flag=True, help="Also show the evidence, and what COMMAND printed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md) and nothing else.")
def between(**given: Any) -> None:
    """Run COMMAND, whose connections pass through a tap to HOST:PORT, and say of each whether it resumed and why.

    {url}, {host}, {port}, {ca} and {keylog} are filled in. One witness judges: the wire, with the key log where there
    is one. Exit code 0: it was read. 2: bad usage, or an address that is not allowed. 125: the server cannot be reached
    or does no TLS, or COMMAND cannot be run, never connects, or does not end.
    """
    command = Command(given["command"], stretched(given["deadline"]))
    if command.asks_for("{ca}") and not given["ca"]:
        raise UsageError(NO_CA)
    if given["keylog"]:
        _readable(given["keylog"])
    try:
        _run(command, given)
    except (CommandError, UnreachableError) as error:
        show_error(error)
        click.get_current_context().exit(UNTESTABLE)


def _readable(keylog: Path) -> None:
    """Make the file, for its owner alone, unless it is there; UsageError if it cannot be made or read."""
    try:
        os.close(os.open(keylog, os.O_RDONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise UsageError(f"--keylog {keylog} cannot be used: {error.strerror}; give a file that can be read") from error


def _run(command: Command, given: dict[str, Any]) -> None:
    server = target(given["address"], allow_public=given["allow_public"])
    with Runtime() as runtime:
        keylog = given["keylog"].absolute() if given["keylog"] else runtime.path(".keys")
        between = Between(runtime, server, keylog)
        try:
            values = {
                "{url}": between.url,
                "{host}": between.host,
                "{port}": between.port,
                "{ca}": given["ca"],
                "{keylog}": keylog,
            }
            status, output = command.run(runtime, values, between.wait, lambda: between.idle, server.text)
            connections = between.connections()
        finally:
            between.close()
    if not connections:
        raise CommandError(f"{command.name} ended with {status} and never connected{printed(output)}")
    if given["as_json"]:
        from harness.serve.foreign_json import between_json  # noqa: PLC0415 - only `--json` needs it

        click.echo(json.dumps(between_json(between, command.argv, status, connections), indent=2))
    else:
        _print(between, connections, (command.name, status, output), whole=given["verbose"])


def _print(between: Between, connections: Sequence[Connection], ran: tuple[str, int, str], *, whole: bool) -> None:
    # Imported last: nothing has to be printed before the connections are over.
    from harness.cli.console import console, encodable, text_width  # noqa: PLC0415
    from harness.serve.between_text import between_text  # noqa: PLC0415

    out = console()
    out.print(encodable(between_text(between, connections, ran, text_width(out), whole=whole), out))
