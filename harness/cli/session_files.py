"""The options `--session-in` and `--session-out`: sessions come from other programs, and go to them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.cli.paths import NamedPath
from harness.model.errors import HarnessError, SessionFormatError, UsageError, given_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.model.connection import Connection
    from harness.model.session import Session

F = TypeVar("F", bound="Callable[..., Any]")

OUT = "Write the session that the client got to FILE (PEM), for its owner alone."


def session_options(offers: str) -> Callable[[F], F]:
    """Add the options; ``offers`` says who offers the session that comes in."""
    file = NamedPath(path_type=Path, dir_okay=False)
    options = (
        click.option("--session-in", type=file, metavar="FILE", help=f"{offers} the session in FILE (PEM or DER)."),
        click.option("--session-out", type=file, metavar="FILE", help=OUT),
        click.option("--overwrite", is_flag=True, help="Let --session-out replace FILE."),
    )

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def checked(given: Mapping[str, Any]) -> Session | None:
    """The session that comes in, if one does.

    UsageError if its file cannot be read, holds none, or one that has expired or is of no protocol of the harness, or
    if the file that is to be written is there, or cannot be.
    """
    if given["overwrite"] and not given["session_out"]:
        raise UsageError("--overwrite needs --session-out FILE, which it lets replace")
    if given["session_out"]:
        _free(given["session_out"], overwrite=given["overwrite"])
    return _read(given["session_in"]) if given["session_in"] else None


def _free(file: Path, *, overwrite: bool) -> None:
    from harness.results.writer import writable  # noqa: PLC0415 - only this option needs it

    if file.exists() and not overwrite:
        raise UsageError(f"--session-out {file} exists; add --overwrite, or give another file")
    if not file.parent.is_dir():
        raise UsageError(f"--session-out {file}: there is no folder {file.parent}; give a file in one that exists")
    writable(file.parent)


def _read(file: Path) -> Session:
    from harness.wire.session.codec import load  # noqa: PLC0415 - only this option needs it

    data = given_bytes(file, f"--session-in {file}", "give a file with one session")
    try:
        session = load(data)
    except SessionFormatError as error:
        raise UsageError(f"--session-in {file} holds no session that can be read: {error}") from error
    if session.get("version") is None:
        raise UsageError(f"--session-in {file} holds a session of {session.protocol}; give one of TLS 1.0 to 1.3")
    if over := expired_for(session, int(time.time())):
        raise UsageError(
            f"--session-in {file} holds a session that expired {over} s ago, {lifetime(session)} s after it was made; "
            "give a fresh one"
        )
    return session


def lifetime(session: Session) -> int:
    """How many seconds a client may offer it: as the server says of its ticket, or else as its owner says."""
    return session.lifetime_hint or session.timeout


def expired_for(session: Session, now: int) -> int:
    """Since how many seconds it has expired, 0 if it has not; ``now`` is seconds since the epoch."""
    return max(0, now - session.time - lifetime(session))


def write(file: Path, connections: Iterable[Connection], *, overwrite: bool) -> None:
    """Write the last session that these connections yielded; HarnessError if they yielded none that can be written."""
    from harness.runtime.files import write_new, write_whole  # noqa: PLC0415 - only this option needs them
    from harness.wire.session.codec import to_pem  # noqa: PLC0415 - only this option needs it

    found = [one.last_session for one in connections if one.last_session is not None]
    ders = [session.der for session in found if session.der and _resumable(session)]
    if not ders:
        why = "their client cannot export it" if found and found[-1].der is None else "there was none to resume"
        raise HarnessError(f"no session is written to {file}: {why}")
    try:
        (write_whole if overwrite else write_new)(file, to_pem(ders[-1]))
    except FileExistsError as error:
        raise UsageError(f"--session-out {file} exists by now; add --overwrite, or give another file") from error


def _resumable(session: Session) -> bool:
    return bool(session.get("has_ticket") or session.get("session_id"))
