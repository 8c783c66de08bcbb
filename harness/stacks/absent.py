"""A stack that a scenario names and that this machine does not have: its cells are UNSUPPORTED, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from harness.model.build import Build, Library
from harness.model.capability import Abilities, Capability
from harness.model.errors import UnsupportedError
from harness.model.knobs import knobs_of

if TYPE_CHECKING:
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.model.tls import Role


@dataclass
class AbsentStack:
    """Lacks every knob and every Capability."""

    name: str
    why: str

    def __post_init__(self) -> None:
        self.build = Build("0", self.why, library=Library(self.name))

    @property
    def label(self) -> str:
        """``stack@build``."""
        return f"{self.name}@0"

    def abilities(self, role: Role) -> Abilities:
        """Nothing, for the one reason."""
        missing = {capability.value: self.why for capability in Capability}
        return Abilities(role, {}, frozenset(), missing, dict.fromkeys(knobs_of(role), self.why))

    def prepare(self, config: ClientConfig | ServerConfig) -> None:
        """There is nothing to start."""

    def client(self, config: ClientConfig) -> NoReturn:  # noqa: ARG002 - as in Stack
        """UnsupportedError."""
        raise UnsupportedError(self.label, "a client", self.why)

    def server(self, config: ServerConfig) -> NoReturn:  # noqa: ARG002 - as in Stack
        """UnsupportedError."""
        raise UnsupportedError(self.label, "a server", self.why)

    def close(self) -> None:
        """There is nothing to end."""
