"""`resumption session`: shows the decoded fields of every session in a PEM or DER file."""

from __future__ import annotations

import json
from typing import IO

import click

from harness.cli.console import console
from harness.cli.messages import example
from harness.model.errors import SessionFormatError, UsageError
from harness.model.session import Session
from harness.report.json.encode import session_json
from harness.report.text.session_text import session_table
from harness.wire.session.codec import load_all

LONGEST = 1 << 24
"""Bytes of a file, at most."""


@click.command(epilog=example("session session.pem"))
@click.argument("file", type=click.File("rb"))
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object for each session (docs/json.md) and nothing else."
)
def session(file: IO[bytes], *, as_json: bool) -> None:
    """Show every field of every session in FILE; - reads stdin.

    FILE is PEM or DER, such as `s_client -sess_out` writes, or text that contains PEM, such as a mail or a log. Secrets
    are never shown; of the master key, only its length. Exit code 2: FILE has no session, or one that cannot be read;
    the others are shown first.
    """
    try:
        data = file.read(LONGEST + 1)
    except OSError as failed:
        raise UsageError(f"{file.name} cannot be read: {failed.strerror}; give a file with a session") from failed
    if len(data) > LONGEST:
        raise UsageError(
            f"{file.name} has more than {LONGEST >> 20} MiB; cut out the sessions, of a few kilobytes each"
        )
    found = load_all(data)
    for number, one in enumerate(found, 1):
        if isinstance(one, Session):
            _show(one, f"session {number} of {len(found)}" if len(found) > 1 else "", as_json=as_json)
    broken = [(number, one) for number, one in enumerate(found, 1) if isinstance(one, SessionFormatError)]
    if broken:
        number, error = broken[0]
        more = f"; {len(broken) - 1} more cannot be read" if len(broken) > 1 else ""
        raise UsageError(f"session {number} of {len(found)}: {error}{more}") if len(found) > 1 else error


def _show(one: Session, title: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(session_json(one), indent=2))
        return
    if title:
        console().print(title, highlight=False)
    console().print(session_table(one))
