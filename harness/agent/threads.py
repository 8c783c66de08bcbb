"""A handshake in a thread of its own, so that several threads offer one session object at once."""

from __future__ import annotations

import select
import socket
import threading
from typing import TYPE_CHECKING

from harness.agent.fields import RequestError
from harness.agent.library import WantReadError, WantWriteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.agent.library import Tls


class Starts:
    """The barriers at which the threads of a context begin, by their number."""

    def __init__(self) -> None:
        self._barriers: dict[int, threading.Barrier] = {}

    def of(self, count: int) -> threading.Barrier:
        """Return the barrier for so many threads; a new one if a connection that was to begin with them is gone."""
        found = self._barriers.get(count)
        if found is None or found.broken:
            found = self._barriers[count] = threading.Barrier(count)
        return found


class HandshakeThread:
    """Runs the handshake of a connection; its descriptor is readable once it is done."""

    def __init__(self, tls: Tls, sock: socket.socket, start: threading.Barrier) -> None:
        self._tls = tls
        self._sock = sock
        self._start = start
        self._ours, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)  # noqa: FBT003 - the socket's own signature
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._ours.fileno()

    def _run(self) -> None:
        try:
            self._start.wait()
            self._offer()
            self._start.wait()
            while not self._step():
                pass
        except threading.BrokenBarrierError:
            self._failure = RequestError("a connection whose handshake was to begin at the same time was released")
        except Exception as error:  # noqa: BLE001 - the conversation raises it
            self._failure = error
        finally:
            self._theirs.close()

    def _offer(self) -> None:
        """Offer the session; no thread reads an answer, which may end what the session is good for, before all have."""
        offer: Callable[[], None] | None = getattr(self._tls, "offer_in_thread", None)
        send_hello: Callable[[int], None] | None = getattr(self._tls, "send_hello", None)
        try:
            if offer is not None:
                offer()
            if send_hello is not None:
                send_hello(self._theirs.fileno())
        except Exception:
            self._start.abort()
            raise

    def _step(self) -> bool:
        """Go on with the handshake; False after a wait for the socket."""
        try:
            self._tls.handshake()
        except WantReadError:
            self._wait([self._sock], [])
        except WantWriteError:
            self._wait([], [self._sock])
        else:
            return True
        return False

    def _wait(self, readable: list[socket.socket], writable: list[socket.socket]) -> None:
        time_left: Callable[[], float | None] | None = getattr(self._tls, "time_left", None)
        ready = select.select([*readable, self._theirs], writable, [], time_left() if time_left else None)
        if self._theirs in ready[0]:
            raise RequestError("the connection was released during its handshake")

    def result(self) -> None:
        """Wait for the end of the thread; raise what the handshake raised."""
        self._thread.join()
        self._ours.close()
        if self._failure is not None:
            raise self._failure

    def cancel(self) -> None:
        """End the thread, whatever it waits for."""
        self._start.abort()
        self._ours.close()
        self._thread.join()
