"""`resumption session`: shows the decoded fields of a PEM or DER session."""

from __future__ import annotations

import json
from typing import IO

import click

from harness.cli.console import console
from harness.cli.help import example
from harness.report.json.encode import session_json
from harness.report.text.session_text import session_table
from harness.wire.session.codec import load


@click.command(epilog=example("session session.pem"))
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md) and nothing else.")
def session(file: IO[bytes], *, as_json: bool) -> None:
    """Show every field of a session FILE in PEM or DER, such as `s_client -sess_out` writes; - reads stdin.

    Secrets are never shown; of the master key, only its length. Exit code 2: the file is not a session.
    """
    found = load(file.read())
    if as_json:
        click.echo(json.dumps(session_json(found), indent=2))
    else:
        console().print(session_table(found))
