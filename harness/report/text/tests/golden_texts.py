"""The texts that harness/tests/golden/ holds; run as a program it rewrites them.

    python -m harness.report.text.tests.golden_texts

Look at what it changed (git diff) before you commit: the files are what a person sees.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import TLSVersion
from harness.pair.pair import Pair
from harness.report.account import account
from harness.report.failed_cell import files, sections
from harness.report.text.account_text import account_text, beside
from harness.runtime.runtime import Runtime
from harness.stacks.libssl import LibsslStack
from harness.tests.made import accounts as made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.model.connection import Connection
    from harness.report.account import Account

FOLDER = Path(__file__).parent / "golden"


def _in_sections(shown: Account) -> str:
    return "\n".join(f"---- {title} ----\n{text}" for title, text in sections(shown)) + "\n"


def _shown(shown: Account, width: int = 100) -> str:
    return f"{account_text(shown, width).plain}\n"


@contextmanager
def real_connections(tls: TLSVersion) -> Iterator[Sequence[Connection]]:
    """A full connection of this machine's libssl with itself, and one that offers its session to another server."""
    build = build_for("libssl")
    if not isinstance(build, Build):
        raise TypeError(build)
    groups = "X25519" if tls is TLSVersion.TLSv1_3 else None
    with Runtime() as runtime:
        stack = LibsslStack(build, runtime)
        configs = ClientConfig(groups=groups), ServerConfig(groups=groups)
        pair = Pair((stack, stack), tls, runtime, client=configs[0], server=configs[1])
        try:
            first = pair.connect()
            pair.new_server()
            pair.connect(offer=first.session)
            yield pair.connections
        finally:
            pair.close()
            stack.close()


def masked(text: str) -> str:
    """A timeline with what differs between two runs, and between two builds, replaced, column by column.

    - milliseconds by ``0.0``;
    - the beginning and the end of a ticket or an id by letters, the same for the same value: ``aaaa…aaaa``;
    - the age of a ticket, which is shown in seconds or in milliseconds, by ``0``;
    - lines of application data by nothing: whether a client's come before the server's tickets is a matter of time;
    - lengths by as many ``n`` as they have digits.
    """
    text = "\n".join(line for line in text.splitlines() if "ApplicationData" not in line)
    text = re.sub(r"(^|│ )[ \d.]{5} (?=[→←])", r"\1  0.0 ", text, flags=re.MULTILINE)
    text = re.sub(r"\bage -?[\d.]+ s", "age 0 s", text)
    letters: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        letter = letters.setdefault(found[1] + found[2], chr(ord("a") + len(letters)))
        return f"{letter * 4}…{letter * 4}"

    text = re.sub(r"\b([0-9a-f]{4})…([0-9a-f]{4})\b", named, text)
    return re.sub(r"(?<!close_notify )\((\d+)\)", lambda found: f"({'n' * len(found[1])})", text)


def _live(tls: TLSVersion) -> str:
    with real_connections(tls) as connections:
        return f"{masked(beside(account(connections)).plain)}\n"


TEXTS: dict[str, Callable[[], str]] = {
    "declined_tls13.txt": lambda: _shown(made.declined13()),
    "declined_tls13_80_columns.txt": lambda: _shown(made.declined13(), 80),
    "declined_tls13_60_columns.txt": lambda: _shown(made.declined13(), 60),
    "declined_tls13_evidence.txt": lambda: files(made.declined13(), "pytest's own account")["evidence.txt"],
    "declined_tls13_commands.txt": lambda: files(made.declined13())["commands.sh"],
    "declined_tls13_sections.txt": lambda: _in_sections(made.declined13()),
    "declined_tls12.txt": lambda: _shown(made.declined12()),
    "resumed_tls12.txt": lambda: _shown(made.resumed12()),
    "resumed_tls13.txt": lambda: _shown(made.resumed13()),
    "resumed_tls13_expiry.txt": lambda: _shown(made.lasting()),
    "resumed_but_tls13.txt": lambda: _shown(made.resumed_but()),
    "aborted_tls12.txt": lambda: _shown(made.aborted12()),
    "not_offered_tls13.txt": lambda: _shown(made.not_offered()),
    "edited_tls13.txt": lambda: _shown(made.edited()),
    "disagreement_tls13.txt": lambda: _shown(made.disagreement()),
    "several.txt": lambda: _shown(made.several()),
    "alone.txt": lambda: _shown(made.alone()),
    "hostile.txt": lambda: _shown(made.hostile()),
    "nothing.txt": lambda: _shown(made.nothing()),
    "live_tls12.txt": lambda: _live(TLSVersion.TLSv1_2),
    "live_tls13.txt": lambda: _live(TLSVersion.TLSv1_3),
}
"""What makes each file, by its name; those that begin with live are of real connections, masked."""

if __name__ == "__main__":
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    for name, text in TEXTS.items():
        (FOLDER / name).write_text(text(), encoding="utf-8")
