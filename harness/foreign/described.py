"""The conversation of harness.agent for a library that is not OpenSSL, which says itself what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from harness.agent.agent import Agent
from harness.agent.library import LackError, Library
from harness.agent.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from harness.agent.requests import Request


class Described(Library, Protocol):
    """A library with what its ``hello`` says; the protocol's page explains each."""

    defaults: Mapping[str, Any]

    def knobs(self, role: str) -> Mapping[str, Any]:
        """By knob None for every value, a list of the only values, or the reason why it cannot be set."""
        ...


class DescribedAgent(Agent):
    """The agent of a Described library; its family has the library's name."""

    def _hello(self, request: Request) -> dict[str, Any]:
        library = cast("Described", self._library)
        return super()._hello(request) | {
            "family": library.name,
            "knobs": {role.value: library.knobs(role.value) for role in Role},
            "defaults": library.defaults,
        }


def check(library: str, limits: Mapping[str, Any], knobs: Mapping[str, Any]) -> None:
    """LackError if a knob has a value that its library, as people call it, cannot set."""
    for name, value in knobs.items():
        limit = limits[name]
        if isinstance(limit, str):
            raise LackError(f"{name}: {limit}")
        shown = [one.value for one in value] if name == "versions" else getattr(value, "value", value)
        if isinstance(limit, list) and shown not in limit:
            raise LackError(f"{name}: {library} has only {limit}")


class Faults:
    """What the callbacks of a library in C raised: an exception cannot pass through C."""

    def __init__(self) -> None:
        self._raised: list[BaseException] = []

    def callback(self, ffi: Any, signature: str, function: Callable[..., Any], failed: int) -> Any:
        """Make a C callback, which the caller keeps alive; it returns ``failed`` if the function raises."""

        def note(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
            error.add_note(f"raised in the callback {function.__qualname__}")
            self._raised.append(error)

        return ffi.callback(signature, function, error=failed, onerror=note)

    def check(self) -> None:
        """Raise the first exception that a callback raised since the last check."""
        if raised := self._raised:
            first, *_ = raised
            raised.clear()
            raise first
