"""Reads the code blocks of a page, types them into a shell and compares what the page shows with what was printed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shlex
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from markdown_it import MarkdownIt

from harness.model.errors import stretched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BASH = ("/bin/bash", "--noprofile", "--norc", "-c")
TYPED = {"console", "sh"}
"""Languages that a reader types: `console` has prompts and shows output, `sh` neither."""
SHOWN = {"text"}
"""A drawing or a pattern, which nobody types."""

FILE_NAME = re.compile(r"`([\w./-]+)`:$")
"""The paragraph before a block that is to be saved ends with the name of its file."""
MARKER = re.compile(r"<!-- test: (.*) -->")
"""`network`, `needs=PROGRAM`, `exit=N`, `background` and environment variables as NAME=value, for the block that
follows.

A command in the background goes on until Ctrl-C at the end of the page; what the block shows is compared then. Later
blocks find the port that it prints in the variable PORT, which stands for what a reader copies.
"""
PORT = re.compile(r"://localhost:(\d+)/")
LISTENED = re.compile(r"(?<=127\.0\.0\.1:)\d{4,5}\b")
"""A port that a page chose; pages that are tested at the same time each get another one in its place."""
EXIT = "exit="
NEEDS = "needs="

MASKS = (
    (r"\d{4}-\d\d-\d\dT\d\d[:-]\d\d[:-]\d\d(\.\d+)?Z", "DATE"),
    (r"(127\.0\.0\.1|localhost):\d+", "ADDRESS"),
    (r"(?<=/)resumption-\w{8}/", "FOLDER/"),
    (r"\b\d+\.\d+\.\d+[a-z]?\b", "VERSION"),
    (r"\bVERSION-VERSION\b", "VERSION"),  # builds that show the same, as those that are here do
    (r"\b[0-9a-f]{4}…[0-9a-f]{4}\b", "BYTES"),
    (r"\b[0-9a-f]{16,}…?", "BYTES"),
    (r"\b\d+(\.\d+)?(?= [→←])", "TIME"),
    (r"\b\d+(\.\d+)? ?(ms|s|seconds)\b", "TIME"),
    (r"\.c:\d+:", ".c:LINE:"),
    (r"[━─═]+", "─"),
    (r"(?m)[ \t]+", " "),
)
"""What differs from run to run and from machine to machine; masked before `…` is read as an elision."""

WARDENS = {"resumption-warden", "resumption-remover"}
"""The names of the processes that clean up (harness.runtime.warden)."""
SECONDS = 300.0
"""For one command; RESUMPTION_DEADLINE stretches it as it does the harness's own waits."""


@dataclass(frozen=True)
class Block:
    """One code block, with what its marker and the paragraph before it say."""

    line: int
    language: str
    text: str
    file: str = ""
    network: bool = False
    needs: tuple[str, ...] = ()
    exit_code: int = 0
    background: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def commands(self) -> Iterator[tuple[str, str]]:
        """Each command with the output that the page shows for it."""
        if self.language == "sh":
            yield self.text, ""
            return
        for part in re.split(r"(?m)^\$ ", self.text)[1:]:
            lines = part.splitlines()
            last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
            yield "\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :])


def blocks(markdown: str) -> list[Block]:
    """The blocks of a page in order; ValueError for one that a test can do nothing with."""
    found, marker, paragraph = [], "", ""
    for token in MarkdownIt().parse(markdown):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "html_block" and (match := MARKER.search(token.content)):
            marker = match[1]
        elif token.type == "inline":
            paragraph = token.content
        elif token.type in {"fence", "code_block"}:
            found.append(_block(line, token.info.strip() or "text", token.content, marker, paragraph))
            marker = paragraph = ""
    return found


def _block(line: int, language: str, text: str, marker: str, paragraph: str) -> Block:
    name = FILE_NAME.search(paragraph)
    if language not in TYPED | SHOWN | {"json"} and not name:
        raise ValueError(f"line {line}: no test can run {language!r}; end the paragraph before it with a file: `NAME`:")
    words = shlex.split(marker)
    settings = dict(word.split("=", 1) for word in words if "=" in word and not word.startswith((EXIT, NEEDS)))
    codes = [int(word.removeprefix(EXIT)) for word in words if word.startswith(EXIT)]
    file = name[1] if name and language not in TYPED | SHOWN else ""
    needs = tuple(word.removeprefix(NEEDS) for word in words if word.startswith(NEEDS))
    code, background = max(codes, default=0), "background" in words
    return Block(line, language, text, file, "network" in words, needs, code, background, settings)


class Shell:
    """A reader at a terminal: the folder and the environment last from one command to the next."""

    def __init__(self, folder: Path, state: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._state = state
        self._environment = dict(environment)
        self._output = state / "output"
        self._background: list[tuple[Block, subprocess.Popen[bytes], Path]] = []
        self._ports: dict[str, str] = {}
        (state / "cwd").write_text(f"{folder}\n")
        (state / "exports").write_text("")

    def run(self, command: str, settings: Mapping[str, str]) -> tuple[int, str]:
        """The exit code and all that was printed; AssertionError if it does not end."""
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
        forget = f"unset {' '.join(settings)}; " if settings else ""
        state = shlex.quote(str(self._state))
        last = f"trap '{forget}pwd > {state}/cwd; declare -px > {state}/exports' EXIT\n"
        process = self._started(f"{last}{exports}{self._with_ports(command)}\n", self._output)
        return self._ended(process, command, self._output), self._output.read_text()

    def _started(self, script: str, printed: Path) -> subprocess.Popen[bytes]:
        state = shlex.quote(str(self._state))
        with printed.open("wb") as output:
            return subprocess.Popen(
                [
                    "/bin/bash",
                    "--noprofile",
                    "--norc",
                    "-c",
                    f'. {state}/exports\ncd -- "$(cat {state}/cwd)"\n{script}',
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )

    @staticmethod
    def _ended(process: subprocess.Popen[bytes], command: str, printed: Path) -> int:
        try:
            return process.wait(stretched(SECONDS))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"did not end:\n$ {command}\n{printed.read_text()}") from None

    def start(self, block: Block) -> None:
        """Start the block's command and wait for the port that it prints; AssertionError if it ends before."""
        (command, _shown), *_ = block.commands
        printed = self._state / f"background-{block.line}"
        process = self._started(f"exec {command}\n", printed)
        self._background.append((block, process, printed))
        end = time.monotonic() + stretched(SECONDS)
        while not (port := PORT.search(printed.read_text())):
            assert time.monotonic() < end, f"line {block.line}: no port was printed\n{printed.read_text()}"
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(0.1)
                raise AssertionError(f"line {block.line}: it ended with {code}\n{printed.read_text()}")
        self._environment["PORT"] = port[1]

    def interrupt(self) -> None:
        """Press Ctrl-C where a command is in the background, and compare what it has printed."""
        while self._background:
            block, process, printed = self._background.pop()
            process.send_signal(signal.SIGINT)
            (command, shown), *_ = block.commands
            code = self._ended(process, command, printed)
            assert code == block.exit_code, f"line {block.line}: exit code {code}\n{printed.read_text()}"
            if problem := mismatch(shown, printed.read_text()):
                raise AssertionError(f"line {block.line}: {problem}\n$ {command}\n{printed.read_text()}")

    def save(self, name: str, text: str) -> None:
        """Save a file where the reader is."""
        path = Path((self._state / "cwd").read_text().strip()) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._with_ports(text))

    def _with_ports(self, text: str) -> str:
        return LISTENED.sub(lambda port: self._ports.setdefault(port[0], str(_free_port(len(port[0])))), text)

    def end(self) -> list[str]:
        """End what still runs in the reader's folder, such as a server; returns the command lines.

        The wardens of a command that was interrupted remove its files, and end by themselves.
        """
        here = [one for one in psutil.process_iter(["cwd", "cmdline"]) if one.info["cwd"] == str(self._folder)]
        left = [one for one in here if not WARDENS & set(one.info["cmdline"])]
        for one in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(here, stretched(SECONDS))
        return [" ".join(one.info["cmdline"]) for one in left]


def _free_port(digits: int) -> int:
    """A port that nobody listens on, from below those that a kernel chooses for others."""
    while True:
        port = secrets.choice({4: range(5000, 10000), 5: range(20000, 32000)}[digits])
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def do(block: Block, shell: Shell) -> None:
    """Save a block, or type it and compare; AssertionError with both texts where they differ."""
    if block.language in SHOWN:
        return
    if block.file:
        shell.save(block.file, block.text)
        return
    if block.language == "json":
        json.loads(block.text)
        return
    commands = list(block.commands)
    assert commands, f"line {block.line}: a console block without a command"
    if block.background:
        shell.start(block)
        return
    for number, (command, shown) in enumerate(commands, 1):
        code, printed = shell.run(command, block.settings)
        expected = block.exit_code if number == len(commands) else 0
        assert code == expected, f"line {block.line}: exit code {code}, not {expected}\n$ {command}\n{printed}"
        if problem := mismatch(shown, printed):
            raise AssertionError(f"line {block.line}: {problem}\n$ {command}\n{printed}")


def masked(text: str) -> list[str]:
    """The lines without what differs between runs, and without empty ones."""
    for pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def mismatch(shown: str, printed: str) -> str:
    """Which shown lines were not printed, empty if all were; nothing shown allows any output.

    A line `…` stands for any number of lines, `…` within a line for any text.
    """
    if not shown.strip():
        return ""
    lines = masked(printed)
    place = 0
    parts: list[list[str]] = [[]]
    for line in masked(shown):
        if line == "…":
            parts.append([])
        else:
            parts[-1].append(line)
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        earliest = len(lines) - len(part) if last and part else place
        latest = place if number == 0 else len(lines) - len(part)
        starts = range(max(earliest, place), latest + 1)
        start = next((at for at in starts if _same(part, lines[at : at + len(part)])), None)
        if start is None or (last and part and start + len(part) != len(lines)):
            return "the page shows these lines, and they were not printed in this place:\n" + "\n".join(part)
        place = start + len(part)
    if len(parts) == 1 and place != len(lines):
        return "more was printed than the page shows"
    return ""


def _same(shown: list[str], printed: list[str]) -> bool:
    return len(shown) == len(printed) and all(
        re.fullmatch(".*".join(map(re.escape, line.split("…"))), other)
        for line, other in zip(shown, printed, strict=True)
    )
