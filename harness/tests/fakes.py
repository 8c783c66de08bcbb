"""Stacks and pairs that do no TLS, for tests of the plugin: what they see is what the test says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harness.builds.cache import Cache
from harness.builds.store import BuildStore
from harness.builds.system import Missing
from harness.model.build import OPENSSL, Build, Library
from harness.model.capability import FULLY, Abilities, Capability, Limit
from harness.model.connection import Connection
from harness.model.errors import FirstHandshakeError
from harness.model.knobs import config_type
from harness.model.session import Session
from harness.model.tls import Close, Outcome, Role, TLSVersion
from harness.model.transcript import ClientHello, Message, Tcp, Transcript
from harness.model.view import EndpointReport, Saw, View, Witness
from harness.stacks.machine import STACKS, Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.model.setup import Action
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack


@dataclass
class FakeStack:
    """Has every knob and Capability but for what it is made to lack."""

    name: str
    build: Build
    lacking: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """As people are shown it."""
        return f"{self.name}@{self.build.version}"

    def abilities(self, role: Role) -> Abilities:
        """All but what is lacking; the cache's size is fixed."""
        knobs = {name: FULLY for name in config_type(role).__dataclass_fields__ if name not in self.lacking}
        if "cache_size" in knobs:
            knobs["cache_size"] = Limit(lambda value: value == 128, "128", "it is fixed")
        return Abilities(
            role,
            knobs,
            frozenset(c for c in Capability if c.value not in self.lacking),
            dict.fromkeys(self.lacking, "it is a fake"),
        )

    def prepare(self, _config: object) -> None:
        """Start nothing."""

    def client(self, _config: object) -> Any:
        """No fake pair asks for one."""
        raise NotImplementedError

    def server(self, _config: object) -> Any:
        """No fake pair asks for one."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to end."""


def fake_stack(name: str, version: str, *lacking: str, family: str = OPENSSL) -> Stack:
    return cast("Stack", FakeStack(name, Build(version, "fake", library=Library(family)), frozenset(lacking)))


NOWHERE = Path("/nonexistent/resumption-builds")
"""The folder of a cache without builds."""


class FakeMachine(Machine):
    """Has the stacks that it is given."""

    def __init__(self, *stacks: Stack) -> None:
        self._fakes = stacks
        self._own = {name: tuple(stack for stack in stacks if stack.name == name) for name in STACKS}
        self._found = {name: Missing(name, "it is not among the fakes") for name in STACKS}
        self._on_fetched = ()
        self._played = {}
        self._others = {}
        self._given_store = BuildStore(Cache(NOWHERE))

    @property
    def own(self) -> tuple[Stack, ...]:
        """In the order in which they were given."""
        return self._fakes

    @property
    def missing(self) -> tuple[Missing, ...]:
        """None, as nothing is looked for."""
        return ()

    def fetched(self, name: str) -> dict[str, Build]:
        """None."""
        del name
        return {}

    def fetchable(self, name: str) -> list[str]:
        """None."""
        del name
        return []


EARLY_WITHOUT_PSK = ClientHello(0x0303, bytes(32), b"", (0x1301,), {42: b""})
"""A ClientHello that breaks the rule early_data_with_psk (RFC 8446, 4.2.10)."""
SESSION = Session({"version": TLSVersion.TLSv1_3}, der=b"")


def connection(
    number: int, saw: Sequence[Saw], *, offered: bool, stacks: Sequence[Stack], hello: ClientHello | None = None
) -> Connection:
    """What client, server and wire saw, in this order, and the ClientHello that the wire shows."""
    names = (stacks[0].label, stacks[1].label, "")
    client, server, wire = (
        View(witness, seen, (f"{witness} evidence",), name)
        for witness, seen, name in zip(Witness, saw, names, strict=True)
    )
    return Connection(
        number=number,
        tls=TLSVersion.TLSv1_3,
        client=EndpointReport(
            client, output="client output", keylog=("CLIENT_RANDOM 00 11",), commands=("true client",)
        ),
        server=EndpointReport(server, output="server output", commands=("true server",)),
        wire=wire,
        offered=SESSION if offered else None,
        was_offered=offered,
        transcript=Transcript((Message(Role.CLIENT, "ClientHello", 200, 0.0, content=hello),)),
        sessions=(SESSION,),
        last_session=SESSION,
        close=Close.BOTH,
        tcp=Tcp(0, 40001, 40002, 40003),
    )


class FakePair:
    """Resumes whatever is offered, unless ``sees`` says what the witnesses of each connection see."""

    sees: Sequence[Sequence[Saw]] = ()
    hello: ClientHello | None = None
    """What the client of the second connection sends."""

    def __init__(self, stacks: tuple[Stack, Stack], tls: TLSVersion, _runtime: Runtime, **knobs: Any) -> None:
        self.client_stack, self.server_stack = stacks
        self.left: dict[Role, Stack] = {}
        self.declared: list[Any] = []
        self.tls = tls
        self.client_config, self.server_config = knobs["client"], knobs["server"]
        self.connections: list[Connection] = []
        self.read_by_assert: Callable[[], bool] | None = None
        self.opened = 0
        self.actions_since: tuple[Action, ...] = ()

    def open(self) -> None:
        """Begin a connection that nobody closes."""
        self.opened += 1

    def connect(self, offer: Session | None = None) -> Connection:
        """See what is to be seen, as the real pair does."""
        number = len(self.connections) + 1
        saw = self.sees[number - 1] if len(self.sees) >= number else [Saw.RESUMED if offer else Saw.FULL] * 3
        stacks = (self.client_stack, self.server_stack)
        hello = self.hello if offer else None
        made = connection(number, saw, offered=offer is not None, stacks=stacks, hello=hello)
        self.opened += 1
        made.read_by_assert = self.read_by_assert
        self.connections.append(made)
        if offer is None and made.observed_outcome() is not Outcome.FULL:
            raise FirstHandshakeError("a handshake that was to be full was not")
        return made

    def last_counters(self) -> None:
        """None, as of a stack that reports none."""

    def close(self) -> None:
        """Nothing to close."""
