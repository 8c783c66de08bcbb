"""The agent: keeps its objects by name and carries out requests through a driver."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from harness.agent.conversation import Conversation
from harness.agent.fields import RequestError
from harness.agent.knobs import check_files
from harness.agent.library import OPENSSL, accepted, carry_out, defaults_reported, facts_after, knobs_reported, lacking
from harness.agent.requests import check, decoded, parse
from harness.agent.sockets import Connector, DatagramListener, Listener, connect_datagrams, leave
from harness.agent.threads import Starts
from harness.agent.verbs import CONNECTION, VERBS
from harness.agent.vocabulary import PROTOCOL, Capability, ChosenAt, Role

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from harness.agent.library import Context, Library, Tls
    from harness.agent.replies import Outbox
    from harness.agent.requests import Request
    from harness.agent.verbs import Verb
    from harness.agent.watcher import Watcher

PACK = "--pack"
"""The option with which the harness starts its own agents; see `Agent.packs`."""


class Agent:
    """Serves request lines; every request gets exactly one reply."""

    verbs: ClassVar[Mapping[str, Verb]] = VERBS
    """The verbs that it knows."""
    packs = False
    """Whether a line may also be an array of requests, an extension of the protocol for the harness's own agents."""

    def __init__(self, library: Library, watcher: Watcher, outbox: Outbox) -> None:
        self._library = library
        self._watcher = watcher
        self._outbox = outbox
        self._contexts: dict[str, Context] = {}
        self._datagrams: set[str] = set()
        """The names of the contexts that speak over UDP."""
        self._listeners: dict[str, tuple[str, Listener]] = {}
        self._conversations: dict[str, tuple[str, Conversation]] = {}
        self._starts: dict[str, Starts] = {}
        """Where the threads of a client context begin, by its name."""
        self._own: dict[str, Callable[[Request], dict[str, Any] | None]] = {
            "hello": self._hello,
            "context": self._context,
            "free_context": self._free_context,
            "choose_context": self._choose_context,
            "listen": self._listen,
            "unlisten": self._unlisten,
            "accept": self._accept,
            "connect": self._connect,
        }
        """The verbs that the agent carries out itself; drivers carry out the others."""

    def serve(self, line: bytes | None) -> None:
        """Carry out or queue the request of a line; reply with an error if that fails. None is one that is too long."""
        try:
            message = decoded(line)
        except RequestError as error:
            self._outbox.error(None, error)
            return
        if self.packs and isinstance(message, list):
            self._outbox.packs = True
            for each in message:
                self._serve(each)
        else:
            self._serve(message)

    def _serve(self, value: Any) -> None:
        """Carry out or queue one request."""
        number = None
        try:
            number, message = parse(value)
            request = check(number, message, self.verbs)
            other = self._on_connection if request.row.on == CONNECTION else self._on_context
            result = self._own.get(request.row.name, other)(request)
        except Exception as error:  # noqa: BLE001 - any exception of a driver becomes an error reply
            self._outbox.error(number, error)
        else:
            if result is not None:
                self._outbox.ok(request.id, result)

    def _hello(self, _request: Request) -> dict[str, Any]:
        return {
            "protocol": PROTOCOL,
            "library": self._library.name,
            "version": self._library.version,
            "description": self._library.description,
            "pid": os.getpid(),
            "lacks": lacking(self._library.driven),
            "family": OPENSSL,
            "roles": [role.value for role in Role],
            "knobs": {
                role.value: knobs_reported(self._library.name, role.value, self._library.version) for role in Role
            },
            "capabilities": {role.value: self._capabilities(role) for role in Role},
            "defaults": defaults_reported(self._library.version),
        }

    def _capabilities(self, role: Role) -> dict[str, str | None]:
        missing = self._library.missing(role.value)
        return {capability.value: missing.get(capability.value) for capability in Capability}

    def _context(self, request: Request) -> dict[str, Any]:
        role = request.fields["role"]
        name = unused(self._contexts, request.fields["as"], "context")
        knobs = accepted(self._library.name, self._library.version, role, request.fields["knobs"] or {})
        self._contexts[name] = self._library.context(role, knobs, check_files(request.fields["files"] or {}))
        if any(version.datagrams for version in knobs.get("versions", ())):
            self._datagrams.add(name)
        return {}

    def _free_context(self, request: Request) -> dict[str, Any]:
        name = request.fields["context"]
        context = known(self._contexts, name, "context")
        for listener in [key for key, (owner, _) in self._listeners.items() if owner == name]:
            self._listeners.pop(listener)[1].close()
        for connection in [key for key, (owner, _) in self._conversations.items() if owner == name]:
            self._conversations.pop(connection)[1].drop()
        del self._contexts[name]
        self._datagrams.discard(name)
        self._starts.pop(name, None)
        context.free()
        return {}

    def _choose_context(self, request: Request) -> dict[str, Any]:
        context = known(self._contexts, request.fields["context"], "context")
        name = request.fields["other"]
        arguments = {
            **request.arguments,
            "other": lambda: known(self._contexts, name, "context"),
            "at": ChosenAt(request.fields["at"]),
        }
        return request.row.reply(carry_out(context, request.row.name, arguments))

    def _on_context(self, request: Request) -> dict[str, Any]:
        context = known(self._contexts, request.fields["context"], "context")
        return request.row.reply(carry_out(context, request.row.name, request.arguments))

    def _listen(self, request: Request) -> dict[str, Any]:
        name = unused(self._listeners, request.fields["as"], "listener")
        known(self._contexts, request.fields["context"], "context")
        made = DatagramListener if request.fields["context"] in self._datagrams else Listener
        listener = made(self._watcher)
        self._listeners[name] = (request.fields["context"], listener)
        return {"port": listener.port}

    def _unlisten(self, request: Request) -> dict[str, Any]:
        known(self._listeners, request.fields["listener"], "listener")[1].close()
        del self._listeners[request.fields["listener"]]
        return {}

    def _accept(self, request: Request) -> None:
        owner, listener = known(self._listeners, request.fields["listener"], "listener")
        context = self._contexts[owner]
        conversation = self._conversation(request, owner, context.accept, lambda tls: facts_after(context, tls))
        if isinstance(listener, DatagramListener):
            conversation.leave = listener.leave
        listener.accept(conversation)

    def _connect(self, request: Request) -> None:
        owner = request.fields["context"]
        context = known(self._contexts, owner, "context")
        session = request.fields["session"]
        conversation = self._conversation(request, owner, lambda sock: context.connect(sock, session))
        conversation.start = self._starts.setdefault(owner, Starts()).of
        if owner in self._datagrams:
            conversation.leave = leave
            connect_datagrams(request.fields["port"], conversation)
        else:
            Connector(self._watcher, request.fields["port"], conversation)

    def _conversation(
        self,
        request: Request,
        owner: str,
        begin: Callable[[socket.socket], Tls],
        after: Callable[[Tls | None], dict[str, Any]] | None = None,
    ) -> Conversation:
        name = unused(self._conversations, request.fields["as"], "connection")
        conversation = Conversation(self._watcher, self._outbox, request, begin, after)
        conversation.released = lambda: self._conversations.pop(name, None)
        self._conversations[name] = (owner, conversation)
        return conversation

    def _on_connection(self, request: Request) -> None:
        name = request.fields["connection"]
        known(self._conversations, name, "connection")[1].ask(request)


def known(objects: dict[str, Any], name: str, what: str) -> Any:
    """Return the object with that name; RequestError lists the existing names."""
    if name not in objects:
        raise RequestError(f"no {what} {name!r}; there are: {', '.join(objects) or 'none'}")
    return objects[name]


def unused(objects: dict[str, Any], name: str, what: str) -> str:
    """Return the name if it is free, else RequestError."""
    if name in objects:
        raise RequestError(f"there is already a {what} {name!r}; choose another name")
    return name
