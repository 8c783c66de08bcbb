"""Starts a server program in the private folder, on loopback, and reloads and ends it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psutil

from harness.agent.sockets import LOOPBACK
from harness.model.errors import DEADLINE, EndpointError, TimedOutError, UnsupportedError, stretched
from harness.runtime.process import Child, how_it_ended
from harness.stacks.programs import apart
from harness.stacks.programs.products import Place, Takes

if TYPE_CHECKING:
    from collections.abc import Callable
    from signal import Signals

    from harness.runtime.runtime import Runtime
    from harness.stacks.programs.products import Product, Wanted

APART = Path(apart.__file__)
ADMINISTRATORS = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where servers lie that are not on everybody's PATH."""
BACKLOG = 128
"""Connections that wait at a socket that a server inherits."""
TURN = 0.02
"""Seconds after which a server that is starting is looked at."""


class Installed(Protocol):
    """A row of a table of programs."""

    @property
    def name(self) -> str:
        """What users call it."""

    @property
    def programs(self) -> tuple[str, ...]:
        """Names of its file."""

    @property
    def package(self) -> str:
        """Its package."""

    @property
    def version(self) -> tuple[str, str]:
        """The option that prints its version, and the word before it."""


def found(product: Installed) -> str:
    """The path of its program; UnsupportedError names the package to install."""
    path = f"{os.environ.get('PATH', os.defpath)}:{ADMINISTRATORS}"
    paths = (shutil.which(name, path=path) for name in product.programs)
    program = next(filter(None, paths), None)
    if program is None:
        raise UnsupportedError(product.name, "a program here", f"install it: apt install {product.package}")
    return program


def catches(pid: int, signal: Signals) -> bool:
    """Whether the process has a handler for the signal and does not block it; true where proc(5) is not there.

    haproxy ignores SIGUSR2 until its master has executed itself again, after it says "Loading success".
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
    masks = {name: int(mask, 16) for name, mask in re.findall(r"^(SigCgt|SigBlk):\s*(\w+)", status, re.MULTILINE)}
    return bool((masks["SigCgt"] & ~masks["SigBlk"]) >> (signal - 1) & 1)


def version_of(product: Installed, program: str, group: int) -> str:
    """Its version as it prints it; empty if it prints none."""
    option, word = product.version
    if not option:
        return ""
    done = subprocess.run(
        [program, option],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=stretched(DEADLINE),
        check=False,
        process_group=group,
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    shown = re.search(rf"{re.escape(word)}(\d[\w.]*)", said)
    return shown[1] if shown else ""


def label_of(product: Installed, runtime: Runtime) -> str:
    """``nginx@1.22.1``; its name alone if it prints no version. UnsupportedError if it is not installed."""
    version = version_of(product, found(product), runtime.warden.group)
    return f"{product.name}@{version}" if version else product.name


def reserved() -> socket.socket:
    """Return a socket that is bound to a port of loopback, on which it does not listen.

    While it is open Linux gives that port to nobody who lets it choose, but a program that asks for it with
    SO_REUSEADDR can listen there (socket(7)). A port that is merely free may soon be somebody else's. It is chosen
    before that option is set: see `harness.agent.sockets.chosen_port`.
    """
    bound = socket.socket()
    bound.bind((LOOPBACK, 0))
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return bound


class Program:
    """A running server, at a port of the kernel's choice.

    UnsupportedError if it is not installed, or cannot be configured as wanted.
    """

    def __init__(self, product: Product, wanted: Wanted, runtime: Runtime) -> None:
        program = found(product)
        if why := product.missing(wanted):
            raise UnsupportedError(product.name, "this configuration", why)
        self.product = product
        self.label = label_of(product, runtime)
        self._loop = runtime.loop
        self._folder = runtime.path(f".{product.name}")
        self._folder.mkdir()
        listens = product.takes is Takes.LISTENS
        with reserved() as bound:
            self.port: int = bound.getsockname()[1]
            descriptor = bound.fileno()
            if not listens:
                bound.listen(BACKLOG)
            start = product.start(wanted, Place(self._folder, self.port, descriptor, runtime.pki.authority()))
            for name, content in start.files.items():
                (self._folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
            for command in start.before:
                self._prepare(command, runtime)
            argv = [program, *start.arguments]
            self._child = Child(
                runtime.loop,
                runtime.warden,
                self.label,
                [*([sys.executable, "-I", str(APART), str(descriptor), str(self.port)] if self._apart else []), *argv],
                environment={**os.environ, **start.environment},
                inherits=() if listens else (descriptor,),
            )
            self._child.end_input()
            try:
                self._await(self._answers, f"{self.label} to listen")
            except BaseException:
                self.close()
                raise

    @property
    def _apart(self) -> bool:
        return self.product.takes is Takes.APART

    def _prepare(self, command: tuple[str, ...], runtime: Runtime) -> None:
        """Run a command that comes before the server."""
        done = subprocess.run(
            command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=stretched(DEADLINE),
            check=False,
            process_group=runtime.warden.group,
        )
        if done.returncode:
            raise EndpointError(self.label, f"{command[0]} fails before it", done.stdout.decode(errors="replace"))

    def _await(self, until: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + stretched(DEADLINE)
        while not until():
            if self._child.ended.done:
                if self._apart and self._child.ended.result() == apart.LACKS:
                    raise UnsupportedError(self.label, "a port on loopback alone", self._child.output.strip())
                raise self.failure("does not start")
            if time.monotonic() >= end:
                raise TimedOutError(f"{what}; it printed: {self._child.output}", stretched(DEADLINE))
            self._loop.turn(TURN)

    def _answers(self) -> bool:
        """Whether it listens; a socket that it inherits does from the first."""
        if self._apart:
            return apart.READY in self._child.output
        if self.product.takes is Takes.INHERITS:
            return True
        try:
            socket.create_connection((LOOPBACK, self.port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def failure(self, what: str) -> EndpointError:
        """What to raise because of this, with what it has printed and how its process ended, if it has."""
        how = how_it_ended(self._child.ended.result()) if self._child.ended.done else "still runs"
        return EndpointError(self.label, f"{what}; it {how}", self._child.output)

    def reload(self) -> None:
        """Let it read its configuration again, with new processes or in its one; UnsupportedError if it cannot."""
        if why := self.product.lacks.get("reload"):
            raise UnsupportedError(self.label, "a reload", why)
        way, master = self.product.reload, psutil.Process(self._child.pid)
        self._await(lambda: catches(master.pid, way.signal), f"{self.label} to take {way.signal.name}")
        if way.printed:
            times = self._child.output.count(way.printed)
            master.send_signal(way.signal)
            self._await(lambda: self._child.output.count(way.printed) > times, f"the reload of {self.label}")
            return
        self._await(lambda: bool(master.children()), f"the processes of {self.label}")
        old = {child.pid for child in master.children()}
        master.send_signal(way.signal)

        def renewed() -> bool:
            now = {child.pid for child in master.children()}
            return bool(now) and not now & old

        self._await(renewed, f"the new processes of {self.label}")

    def close(self) -> None:
        """End it, and remove its folder."""
        self._child.close()
        shutil.rmtree(self._folder, ignore_errors=True)
