"""Starts a server program in the private folder, on loopback, and reloads and ends it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import psutil

from harness.model.deadline import DEADLINE, stretched
from harness.model.errors import EndpointError, TimedOutError, UnsupportedError
from harness.runtime.process import Child
from harness.runtime.tap import LOOPBACK
from harness.stacks.programs.products import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.runtime.runtime import Runtime
    from harness.stacks.programs.products import Product, Wanted

ADMINISTRATORS = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where servers lie that are not on everybody's PATH."""
TURN = 0.02
"""Seconds after which a server that is starting is looked at."""


def found(product: Product) -> str:
    """The path of its program; UnsupportedError names the package to install."""
    path = f"{os.environ.get('PATH', os.defpath)}:{ADMINISTRATORS}"
    paths = (shutil.which(name, path=path) for name in product.programs)
    program = next(filter(None, paths), None)
    if program is None:
        raise UnsupportedError(product.name, "a program here", f"install it: apt install {product.package}")
    return program


def version_of(product: Product, program: str, group: int) -> str:
    """Its version as it prints it; empty if it prints none."""
    option, word = product.version
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


class Program:
    """A running server. UnsupportedError if it is not installed, or cannot be configured as wanted."""

    def __init__(self, product: Product, wanted: Wanted, runtime: Runtime) -> None:
        program = found(product)
        if why := product.missing(wanted):
            raise UnsupportedError(product.name, "this configuration", why)
        self.product = product
        self.label = f"{product.name}@{version_of(product, program, runtime.warden.group)}"
        self._loop = runtime.loop
        folder = runtime.path(f".{product.name}")
        folder.mkdir()
        listening = socket.create_server((LOOPBACK, 0), backlog=128)
        with listening:
            self.port: int = listening.getsockname()[1]
            descriptor = listening.fileno()
            start = product.start(wanted, Place(folder, self.port, descriptor, runtime.pki.authority()))
            for name, content in start.files.items():
                (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
            if not product.inherits:
                listening.close()
            self._child = Child(
                runtime.loop,
                runtime.warden,
                self.label,
                [program, *start.arguments],
                environment={**os.environ, **start.environment},
                inherits=(descriptor,) if product.inherits else (),
            )
        self._child.end_input()
        try:
            self._await(self._answers, f"{self.label} to listen")
        except BaseException:
            self.close()
            raise

    def _await(self, until: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + stretched(DEADLINE)
        while not until():
            if self._child.ended.done:
                raise EndpointError(self.label, "ended at its start", self._child.output)
            if time.monotonic() >= end:
                raise TimedOutError(f"{what}; it printed: {self._child.output}", stretched(DEADLINE))
            self._loop.turn(TURN)

    def _answers(self) -> bool:
        """Whether it listens; a socket that it inherits does from the first."""
        if self.product.inherits:
            return True
        try:
            socket.create_connection((LOOPBACK, self.port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def reload(self) -> None:
        """Let it read its configuration again, with new processes; UnsupportedError if it cannot."""
        if why := self.product.lacks.get("reload"):
            raise UnsupportedError(self.label, "a reload", why)
        master = psutil.Process(self._child.pid)
        self._await(lambda: bool(master.children()), f"the processes of {self.label}")
        old = {child.pid for child in master.children()}
        master.send_signal(signal.SIGHUP)

        def renewed() -> bool:
            now = {child.pid for child in master.children()}
            return bool(now) and not now & old

        self._await(renewed, f"the new processes of {self.label}")

    def close(self) -> None:
        """End it."""
        self._child.close()
