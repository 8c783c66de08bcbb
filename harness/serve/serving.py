"""A server for clients that the harness does not drive, in a thread of its own: the thread of a test is the client."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from harness.model.errors import DEADLINE, TimedOutError, stretched
from harness.model.knobs import ServerConfig
from harness.runtime.closing import Closing
from harness.runtime.runtime import Runtime
from harness.serve.served import Served
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.connection import Connection


class Serving(Closing):
    """An open server on 127.0.0.1, for a client of your own. The fixture `served` makes it and closes it.

    It answers an HTTP request and ends the connection, and sends other lines back. `reasons` and `titles` take it in
    place of a pair. UsageError if there is no such stack or knob.
    """

    def __init__(self, stack: str = "libssl", **knobs: object) -> None:
        self._config = ServerConfig().changed(**knobs)
        self._stack = stack
        self._ready = threading.Event()
        self._stop = threading.Event()
        self._quiet = threading.Condition()
        self._turns = 0
        """How many turns of the loop in a row found nothing to do."""
        self._served: Served | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="resumption-serving", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._served is None:
            self._thread.join()
            raise self._error or AssertionError("no server, and no error")
        self.host: str = self._served.host
        """A name of the server that its certificate has, ``localhost``."""
        self.port: int = self._served.port
        """The port, of the kernel's choice."""
        self.url: str = self._served.url
        """``https://localhost:PORT/``."""
        self.ca: Path = self._served.ca
        """The PEM file of the authority to trust."""

    def _serve(self) -> None:
        try:
            with Runtime() as runtime:
                machine = Machine(runtime)
                try:
                    served = Served(machine.one(self._stack), runtime, self._config)
                    self._served = served
                    _ = served.ca
                    self._ready.set()
                    try:
                        self._turn(served)
                    finally:
                        served.close()
                finally:
                    machine.close()
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread of the test
            self._error = error
        finally:
            self._ready.set()
            with self._quiet:
                self._quiet.notify_all()

    def _turn(self, served: Served) -> None:
        while not self._stop.is_set():
            busy = served.turn()
            with self._quiet:
                self._turns = 0 if busy or not served.idle else self._turns + 1
                self._quiet.notify_all()

    @property
    def connections(self) -> list[Connection]:
        """Every connection so far, in the order in which they began, once none is open.

        TimedOutError if one stays open.
        """
        seconds = stretched(DEADLINE)
        with self._quiet:
            self._turns = 0
            over = self._quiet.wait_for(lambda: self._turns > 0 or not self._thread.is_alive(), seconds)
        if self._error is not None:
            raise self._error
        if not over or self._served is None:
            raise TimedOutError("the end of every connection: close what the client has open", seconds)
        return sorted(self._served.connections, key=lambda connection: connection.number)

    def close(self) -> None:
        """End the server and its process; a second call does nothing."""
        self._stop.set()
        self._thread.join()
