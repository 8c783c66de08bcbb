"""`resumption serve`: keeps one server open and reports each connection as it ends."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.cases.case_options import knobs, settings
from harness.cli.messages import example
from harness.cli.paths import NamedPath
from harness.model.knobs import ServerConfig
from harness.model.tls import Role
from harness.runtime.runtime import Runtime
from harness.serve.served import Served
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from types import FrameType

    from harness.model.connection import Connection, Counters

OWN = "Also use the OpenSSL installed in PREFIX; may be repeated."


@click.command(epilog=example("serve libssl --server-set num_tickets=1 --port 4433"))
@click.argument("stack")
@settings("--server-set", "Set a knob of the server; may be repeated.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=None, help="The port on 127.0.0.1. Default: the kernel chooses."
)
@click.option("--connections", type=click.IntRange(min=1), metavar="N", help="End after N connections.")
@click.option("--verbose", "-v", is_flag=True, help="Also show the evidence of each reason, and what would change it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line (docs/clients.md), nothing else.")
@click.option("--openssl", "prefixes", multiple=True, type=NamedPath(path_type=Path), metavar="PREFIX", help=OWN)
def serve(**given: Any) -> None:
    """Keep one server open for clients of your own, and report each connection as it ends, with its reason.

    STACK is a stack, or stack@build. Two witnesses judge a connection: the server and the wire. Ctrl-C ends it, with
    exit code 0.
    """
    config = ServerConfig(**knobs(Role.SERVER, "server-set", given["server_set"]))
    with Runtime() as runtime:
        machine = Machine(runtime, given["prefixes"])
        try:
            served = Served(machine.one(given["stack"]), runtime, config, port=given["port"] or 0)
            try:
                _report_until_interrupted(served, given)
            finally:
                served.close()
        finally:
            machine.close()


def _report_until_interrupted(served: Served, given: dict[str, Any]) -> None:
    """Serve until Ctrl-C, SIGTERM, or the number of connections that the user wants."""
    reported, stopping = 0, False

    def report(connection: Connection) -> None:
        nonlocal reported
        reported += 1
        (_print_json if given["as_json"] else _print)(served, connection, whole=given["verbose"])

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:  # the server does not answer
            raise KeyboardInterrupt
        stopping = True

    served.ended = report
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _print_address(served, as_json=given["as_json"])
        while not stopping and (given["connections"] is None or reported < given["connections"]):
            served.turn()
        _print_end(served.counters(), reported, as_json=given["as_json"])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_end(counters: Counters | None, reported: int, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"connections": reported, "counters": asdict(counters) if counters else None}))
        return
    if counters:
        from harness.cli.console import console, text_width  # noqa: PLC0415 - it loads while the server starts
        from harness.report.text.witnesses_text import counters_text  # noqa: PLC0415

        console().print(counters_text(counters, text_width(console())))
    click.echo(f"ended after {reported} connection{'' if reported == 1 else 's'}")


def _print_address(served: Served, *, as_json: bool) -> None:
    if as_json:
        line = {"server": served.stack.label, "url": served.url, "port": served.port, "ca": str(served.ca)}
        click.echo(json.dumps(line))
    else:
        click.echo(
            f"{served.stack.label} serves {served.url} on 127.0.0.1 alone; Ctrl-C ends it.\n"
            f"Its authority: {served.ca}\n"
            "Two witnesses: the server and the wire. The client is none, as the harness does not drive it."
        )
    sys.stdout.flush()


def _print(served: Served, connection: Connection, *, whole: bool) -> None:
    from harness.cli.console import console, encodable, text_width  # noqa: PLC0415 - it loads while the server starts
    from harness.report.account import latest_account  # noqa: PLC0415
    from harness.serve.visit_text import visit_text  # noqa: PLC0415

    out = console()
    text = visit_text(latest_account(served.connections, connection), text_width(out), whole=whole)
    out.print(encodable(text, out))
    sys.stdout.flush()


def _print_json(served: Served, connection: Connection, *, whole: bool) -> None:  # noqa: ARG001 - as _print
    from harness.report.json.encode import connection_json  # noqa: PLC0415 - it loads while the server starts

    click.echo(json.dumps(connection_json(connection, served.connections)))
    sys.stdout.flush()
