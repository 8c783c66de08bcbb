"""`resumption watch`: shows what a client of the user does with the sessions of ten kinds of server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.cases.case_options import UNTESTABLE
from harness.cli.messages import example, show_error
from harness.cli.paths import NamedPath
from harness.model.errors import stretched
from harness.runtime.runtime import Runtime
from harness.serve.behaviour import CLAIMS
from harness.serve.command import CommandError
from harness.serve.ftps import SCHEMES
from harness.serve.kinds import KINDS
from harness.serve.watching import Watched, broken, expectations, kinds_named
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.serve.behaviour import Behaviour

NOT_AS_EXPECTED = 1
OWN = "Also use the OpenSSL installed in PREFIX; may be repeated."
KIND = f"A kind of server; may be repeated. Default: all. {', '.join(kind.name for kind in KINDS)}."
FTPS = "The server speaks FTP: TLS begins with AUTH TLS (explicit) or at once (implicit); {url} is of ftp: or ftps:."
EXPECT = f"Exit 1 unless this holds; may be repeated: {', '.join(CLAIMS)}; KIND:CLAIM asks it of one kind of server."


@click.command(epilog=example("watch -- curl -s --cacert {ca} {url} {url} {url}"))
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--server", "stack", default="libssl", metavar="STACK", help="The server. Default: libssl.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help=KIND)
@click.option("--ftps", type=click.Choice(sorted(SCHEMES)), help=FTPS)
@click.option(
    "--times", type=click.IntRange(1, 100), default=1, metavar="N", help="Run the command N times in a row. Default: 1."
)
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    metavar="SECONDS",
    help="How long one run of the command may take. Default: 60.",
)
@click.option("--expect", multiple=True, metavar="CLAIM", help=EXPECT)
@click.option("--verbose", "-v", is_flag=True, help="Also show each connection with its evidence.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md) and nothing else.")
@click.option("--openssl", "prefixes", multiple=True, type=NamedPath(path_type=Path), metavar="PREFIX", help=OWN)
def watch(**given: Any) -> None:
    """Run COMMAND against ten kinds of server in turn, and show what it does with their sessions.

    {url}, {host}, {port}, {ca} (a file with the authority to trust) and {keylog} (a file that COMMAND may write) are
    filled in. Exit code 0: as expected. 1: not as expected. 2: bad usage. 125: COMMAND cannot be run, never
    connects, or does not end.
    """
    ftps = given["ftps"] or ""
    kinds = kinds_named(given["kinds"], steady=bool(ftps))
    expected = expectations(given["expect"], kinds, ftps=bool(ftps))
    watched = Watched(given["command"], given["times"], stretched(given["deadline"]), ftps)
    try:
        behaviours, label = _watch(watched, kinds, given)
    except CommandError as error:
        show_error(error)
        click.get_current_context().exit(UNTESTABLE)
    wrong = broken(expected, behaviours)
    if given["as_json"]:
        from harness.serve.foreign_json import watch_json  # noqa: PLC0415 - only `--json` needs it

        click.echo(json.dumps(watch_json(watched.argv, label, behaviours, wrong), indent=2))
    else:
        _print(behaviours, whole=given["verbose"])
    if wrong:
        click.echo("\n".join(wrong), err=True)
        click.get_current_context().exit(NOT_AS_EXPECTED)


def _watch(watched: Watched, kinds: Sequence[Any], given: dict[str, Any]) -> tuple[list[Behaviour], str]:
    with Runtime() as runtime:
        machine = Machine(runtime, given["prefixes"])
        try:
            stack = machine.one(given["stack"])
            return [watched.against(kind, stack, runtime) for kind in kinds], stack.label
        finally:
            machine.close()


def _print(behaviours: Sequence[Behaviour], *, whole: bool) -> None:
    from harness.cli.console import console, encodable, text_width  # noqa: PLC0415 - it loads when all is over
    from harness.serve.watch_text import watch_text  # noqa: PLC0415

    out = console()
    out.print(encodable(watch_text(behaviours, text_width(out), whole=whole), out))
