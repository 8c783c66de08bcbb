"""Probes servers for the tests, and finds an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.probe.probing import Wanted, probe
from harness.runtime.address import target

if TYPE_CHECKING:
    from harness.model.probe import Answer, Probe, Topic
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.stacks.machine import Machine


class Prober:
    """Probes any number of servers with the machine's libssl."""

    def __init__(self, runtime: Runtime, machine: Machine) -> None:
        self.runtime = runtime
        self._machine = machine

    @property
    def client(self) -> Stack:
        """The machine's libssl."""
        return self._machine.one("libssl")

    def __call__(self, address: str, **wanted: object) -> Probe:
        """Probe with few offers, or as wanted."""
        asked = {"offers": 14, "seed": 1, **wanted}
        return probe(self.runtime, self.client, target(address), Wanted(**asked))  # type: ignore[arg-type]


def answer(done: Probe, topic: Topic, label: str = "TLS 1.3") -> Answer:
    """The answer about a mechanism."""
    return next(one for one in done.answers if one.topic is topic and one.label == label)
