"""The README of a folder of reproducers: what was observed and why, how to run each, and what none can express."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.reproduce.c import c_program
from harness.reproduce.rendering import rendered
from harness.reproduce.words import action, knobs, offer, outcome, tickets, title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.reproduce.story import Attempt, Story

RUNS = {
    "reproduce.sh": (
        "`reproduce.sh` needs a POSIX shell and the `openssl` program:",
        [
            "./reproduce.sh",
            "OPENSSL=/opt/openssl/bin/openssl ./reproduce.sh",
            "CLIENT_OPENSSL=/opt/one/bin/openssl SERVER_OPENSSL=/opt/other/bin/openssl ./reproduce.sh",
            "OPENSSL='env LD_LIBRARY_PATH=/opt/openssl/lib /opt/openssl/bin/openssl' ./reproduce.sh",
        ],
    ),
    "reproduce.c": (
        "`reproduce.c` needs a C compiler and the headers of OpenSSL 1.1.1 or later:",
        [
            "cc -std=c99 -o reproduce reproduce.c -lssl -lcrypto && ./reproduce",
            "cc -std=c99 -I/opt/openssl/include -o reproduce reproduce.c -L/opt/openssl/lib -lssl -lcrypto &&",
            "    LD_LIBRARY_PATH=/opt/openssl/lib ./reproduce",
        ],
    ),
    "reproduce.py": (
        "`reproduce.py` needs only {package}, with the OpenSSL to test:",
        ["python3 reproduce.py"],
    ),
}
"""How to run each form."""
APART = (
    "`reproduce.c` is compiled twice, with the client's OpenSSL (here /opt/one) and the server's (here /opt/other):",
    [
        "cc -std=c99 -I/opt/one/include -o client reproduce.c -L/opt/one/lib -Wl,-rpath,/opt/one/lib -lssl -lcrypto",
        "cc -std=c99 -I/opt/other/include -o server reproduce.c -L/opt/other/lib -Wl,-rpath,/opt/other/lib \\",
        "    -lssl -lcrypto",
        "./client . ./server",
    ],
)
"""How to run a reproduce.c with two processes."""

FILES = {
    "reproduce.sh": "with `openssl s_server` and `s_client`",
    "reproduce.c": "with the C API of libssl, both ends in one source",
    "reproduce.py": "with {package}, both ends in one process",
    "bisect.sh": "for `git bisect run` in a clone of OpenSSL",
    "authority.pem": "the certificate authority that verifying ends trust",
    "session-before.pem": "the session as the client got it",
    "session-before.txt": "its fields",
    "session-offered.pem": "the session as the last connection offered it",
    "session-offered.txt": "its fields",
    "session-after.pem": "the session that the last connection gave",
    "session-after.txt": "its fields",
    "capture.pcapng": "the traffic of both ends, with the secrets for Wireshark",
}
"""The description of each file."""


@dataclass(frozen=True, slots=True)
class About:
    """What the README says beyond the story."""

    why: str
    """The explanation of the last connection; empty if there is nothing to explain."""
    package: str | None
    """What reproduce.py needs; None without a reproduce.py."""
    left_out: Sequence[str] = ()
    """The dropped options, which did not affect the result."""


def readme(story: Story, names: Sequence[str], missing: Mapping[str, Sequence[str]], about: About) -> str:
    """Return the text in Markdown. ``names`` are the files of the folder, ``missing`` why a form is absent."""
    say = {"package": about.package or ""}
    how = {**RUNS, "reproduce.c": APART} if c_program.is_apart(story) else RUNS
    runs = [{"about": text.format(**say), "lines": lines} for name, (text, lines) in how.items() if name in names]
    return rendered(
        "README.md.j2",
        title=title(story),
        expected="; ".join(story.expected),
        attempts=[_row(attempt) for attempt in story.attempts],
        why=about.why,
        left_out=list(about.left_out),
        wrong=story.wrong,
        contexts=[
            {"name": c.name, "stack": c.stack, "version": c.version, "knobs": ", ".join(knobs(c)) or "none"}
            for c in story.contexts
        ],
        actions=[f"Before connection {a.number}: {action(done)}." for a in story.attempts for done in a.before],
        runs=runs,
        missing=missing,
        bisect="bisect.sh" in names,
        folder="/path/to/this/folder",
        files={name: _about(name).format(**say) for name in names if name != "README.md"},
    )


def _about(name: str) -> str:
    return FILES.get(name) or ("a private key" if name.endswith(".key") else "the certificate chain of that key")


def _row(attempt: Attempt) -> dict[str, str]:
    offered = f"offers {offer(attempt.offer)}" if attempt.offer else "offers nothing"
    done = f"{attempt.client.name} to {attempt.server.name}, {attempt.tls.label}, {offered}; close {attempt.close}"
    result = attempt.result
    return {
        "number": str(attempt.number),
        "done": done,
        "client": str(result.client),
        "server": str(result.server),
        "outcome": "; ".join(filter(None, [outcome(result), tickets(result)])),
    }
