"""One end of a connection in an agent: each call is a request, and replies become the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from harness.agent.verbs import VERBS
from harness.model.tls import Ending
from harness.stacks.agent.agent_report import Trail, make_report
from harness.stacks.agent.reply_results import as_json, no_result, result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.tls import Role
    from harness.model.view import EndpointReport
    from harness.runtime.loop import Pending
    from harness.stacks.agent.agent_process import AgentProcess, RefusalError

T = TypeVar("T")


class AgentLink:
    """One end; ``opening`` is the connect or accept request and its fields."""

    def __init__(self, process: AgentProcess, role: Role, opening: str, fields: Mapping[str, Any]) -> None:
        self._process = process
        self._role = role
        self._name = process.unique("k")
        self._trail = Trail()
        self._printed = len(process.child.output)
        self.opened = process.ask(
            opening, {**fields, "as": self._name}, lambda _reply: True, lambda error: self._never_opened(opening, error)
        )
        """True once TCP is connected, False if that failed; the report has the cause."""

    @property
    def name(self) -> str:
        """``stack@build``."""
        return self._process.name

    def process(self) -> int | None:
        """The agent."""
        return self._process.child.pid if self._process.alive else None

    def printed_so_far(self) -> str:
        """Return what the agent printed outside its protocol since the connection was requested."""
        return self._process.child.output[self._printed :]

    def _never_opened(self, opening: str, error: RefusalError) -> bool:
        self._trail.queue += error.queue
        return self._refused(opening, error)

    def _refused(self, verb: str, error: RefusalError) -> bool:
        first = not self._trail.refusals
        if first or not self._trail.handshake_failed:
            self._trail.refusals.append(f"{verb}: {error}")
        if verb == "handshake":
            self._trail.handshake_failed = True
        if verb in {"write", "read_line"} and error.end is not None:
            self._trail.cut = self._trail.cut or Ending(error.end)
        return False

    def ask(self, verb: str, **fields: Any) -> Pending[Any]:
        """Carry out a verb on the connection."""
        row = VERBS[verb]

        def read(reply: Mapping[str, Any]) -> Any:
            return result(row, reply, self._process)

        def refused(error: RefusalError) -> Any:
            self._refused(verb, error)
            return no_result(row)

        return self._ask(verb, read, refused, **fields)

    def _ask(
        self, verb: str, read: Callable[[Mapping[str, Any]], T], refused: Callable[[RefusalError], T], **fields: Any
    ) -> Pending[T]:
        return self._process.ask(verb, {"connection": self._name, **as_json(fields)}, read, refused)

    def handshake(self) -> Pending[bool]:
        """Complete the handshake; False if it failed."""
        return self.ask("handshake")

    def write(self, data: bytes) -> Pending[bool]:
        """Send application data; False if the connection is dead."""
        return self.ask("write", data=data)

    def read_line(self) -> Pending[bytes]:
        """Read up to a newline; the result is shorter if the input ends before one."""

        def read(reply: Mapping[str, Any]) -> bytes:
            data = bytes.fromhex(reply["data"])
            self._trail.got_data = self._trail.got_data or bool(data)
            if reply["end"] is not None:
                self._trail.cut = Ending(reply["end"])
            return data

        def refused(error: RefusalError) -> bytes:
            self._refused("read_line", error)
            return b""

        return self._ask("read_line", read, refused)

    def shutdown(self) -> Pending[bool]:
        """Send close_notify."""
        return self.ask("shutdown")

    def await_end(self) -> Pending[Ending]:
        """Read until the input ends; a TLS error counts as ALERT, because the peer gets one."""

        def read(reply: Mapping[str, Any]) -> Ending:
            self._trail.ending = Ending(reply["ending"])
            return self._trail.ending

        def refused(error: RefusalError) -> Ending:
            self._refused("await_end", error)
            self._trail.ending = Ending(error.end) if error.end is not None else Ending.ALERT
            return self._trail.ending

        return self._ask("await_end", read, refused)

    def release(self) -> Pending[EndpointReport]:
        """Free the connection and report everything this end knows."""

        def read(reply: Mapping[str, Any]) -> EndpointReport:
            self._trail.output = self.printed_so_far()
            command = self._process.child.command
            return make_report(self._role, self._process.name, reply["facts"], self._trail, (command,))

        return self._process.ask("release", {"connection": self._name}, read)
