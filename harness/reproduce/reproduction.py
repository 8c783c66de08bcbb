"""Makes the files of a folder of reproducers: every form that can express the story, its inputs, and the README.

The caller passes the certificates and keys as bytes and writes the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.account import account
from harness.report.capture import NAME, capture
from harness.report.text.session_text import session_rows
from harness.report.text.why_text import why_text
from harness.reproduce import shell
from harness.reproduce.c import c_program
from harness.reproduce.python import python_program
from harness.reproduce.readme import About, readme
from harness.reproduce.rendering import rendered
from harness.reproduce.story_builder import story_of
from harness.wire.session import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.reproduce.asked import Asked
    from harness.reproduce.story import Story

FORMS: Mapping[str, ModuleType] = {"reproduce.sh": shell, "reproduce.c": c_program, "reproduce.py": python_program}
SCRIPTS = ("reproduce.sh", "reproduce.py", "bisect.sh")
"""The executable files."""


@dataclass(frozen=True)
class Reproduction:
    """The files by name, and why a form is missing."""

    story: Story
    files: Mapping[str, str | bytes]
    missing: Mapping[str, Sequence[str]]

    def summary(self) -> list[str]:
        """Return the lines that name the available forms, and the reasons of the missing ones."""
        there = [name for name in FORMS if name in self.files]
        lines = [f"reproducers: {', '.join(there)}"] if there else ["no form can express this case"]
        return lines + [f"no {name}: {why}" for name, whys in self.missing.items() for why in whys]


def reproduction(
    connections: Sequence[Connection],
    pem_files: Callable[[Sequence[str]], Mapping[str, bytes]],
    *,
    expected: Sequence[str] = (),
    wrong: str = "",
    left_out: Sequence[str] = (),
    asked: Sequence[Asked] = (),
) -> Reproduction:
    """Return all files for the connections of one pair, without marking these as asserted.

    ``pem_files`` returns the PEM files, by name, of the authority and of the certificates in the story.
    ``wrong`` says what failed, ``left_out`` which options were dropped because they did not affect the result.
    ``asked`` is what is named of a connection that the program in C compares, too (harness.reproduce.asked).
    """
    story = story_of(connections, expected=expected, wrong=wrong, asked=asked)
    missing = {name: whys for name, form in FORMS.items() if (whys := form.lacks(story))}
    files: dict[str, str | bytes] = {name: form.render(story) for name, form in FORMS.items() if name not in missing}
    program = next((name for name in ("reproduce.sh", "reproduce.c") if name in files), None)
    if program:
        files["bisect.sh"] = rendered("bisect.sh.j2", program=program, apart=c_program.is_apart(story))
    files |= pem_files(story.certificates)
    files |= _sessions(connections, story)
    files |= {NAME: data} if (data := capture(connections)) else {}
    package = None if "reproduce.py" in missing else python_program.package(story)
    about = About(_why(connections), package, left_out)
    return Reproduction(story, {"README.md": readme(story, list(files), missing, about), **files}, missing)


def _sessions(connections: Sequence[Connection], story: Story) -> dict[str, str | bytes]:
    """Return the files of the last connection's sessions: as taken before, as offered, and as taken after it."""
    if not connections:
        return {}
    by_number = {connection.number: connection for connection in connections}
    last = by_number[max(by_number)]
    offer = story.attempt(last.number).offer
    origin = by_number[offer.connection] if offer else None
    found: dict[str, Session | None] = {
        "session-before": origin.last_session if origin else None,
        "session-offered": last.offered,
        "session-after": last.last_session,
    }
    files: dict[str, str | bytes] = {}
    for name, session in found.items():
        if session is not None and session.der is not None:
            files[f"{name}.pem"] = codec.to_pem(session.der)
        if session is not None:
            files[f"{name}.txt"] = "".join(f"{field:<26}{value}\n" for field, value in session_rows(session))
    return files


def _why(connections: Sequence[Connection]) -> str:
    """Return the explanation of the account's subject; empty if there is nothing to explain."""
    if not connections:
        return ""
    explained = account(connections)
    explanation = explained.explanations.get(explained.subject.number)
    return why_text(explained.subject, explanation).plain if explanation else ""
