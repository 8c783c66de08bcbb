"""Attributes the CPU time of the harness to the purpose of its modules."""

from __future__ import annotations

import cProfile
import pstats
import time
from collections import defaultdict
from typing import TYPE_CHECKING, cast

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Place = tuple[str, int, str]

AREAS = {
    "harness/stacks/agent/": "requests and replies",
    "harness/runtime/process.py": "requests and replies",
    "harness/runtime/stdin_writer.py": "requests and replies",
    "/json/": "requests and replies",
    "harness/runtime/tap.py": "the tap",
    "/socket.py": "the tap",
    "harness/wire/session/": "decoding of sessions",
    "asn1crypto": "decoding of sessions",
    "harness/wire/": "wire parsing",
    "cryptography": "wire parsing",
    "harness/runtime/loop.py": "the loop",
    "/selectors.py": "the loop",
}
"""The first entry that is a part of a file's path says what it is for."""
REST = "pair, reports, judging"


def area(place: Place) -> str | None:
    """What the code at a place of a profile is for; None if that depends on who calls it."""
    path = place[0]
    found = next((name for part, name in AREAS.items() if part in path), None)
    return found or (REST if "/harness/" in path or "/benchmarks/" in path else None)


def shares(work: Callable[[], object], rounds: int) -> Mapping[str, float]:
    """How much of this process's CPU time each area has, as fractions, from cProfile: good for proportions alone."""
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for _ in range(rounds):
        work()
    profile.disable()
    found: defaultdict[str, float] = defaultdict(float)
    stats = cast(
        "dict[Place, tuple[int, int, float, float, dict[Place, tuple[int, int, float, float]]]]", _stats(profile)
    )
    for place, (_, _, own, _, callers) in stats.items():
        if name := area(place):
            found[name] += own
        else:
            for caller, (_, _, part, _) in callers.items():
                found[area(caller) or REST] += part
    total = sum(found.values())
    return {name: found[name] / total for name in sorted(found, key=found.__getitem__, reverse=True)}


def _stats(profile: cProfile.Profile) -> object:
    return vars(pstats.Stats(profile))["stats"]


def cpu() -> tuple[float, float, float]:
    """Seconds so far: user time of this process, user time of its children, system time of all."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return times[0].user, sum(t.user for t in times[1:]), sum(t.system for t in times)


def parts(work: Callable[[], object], rounds: int, tls: float) -> list[str]:
    """Lines of milliseconds a round; ``tls`` is the seconds that TLS alone takes, which are spent in the agent."""
    before, start = cpu(), time.perf_counter()
    for _ in range(rounds):
        work()
    wall = (time.perf_counter() - start) / rounds
    own, agent, kernel = ((b - a) / rounds for a, b in zip(before, cpu(), strict=True))
    rows = {
        "agent: TLS itself, as in memory with contexts": tls,
        "agent: all else (requests, callbacks, sockets)": agent - tls,
        **{f"harness: {name}": share * own for name, share in shares(work, rounds).items()},
        "kernel, for both": kernel,
        "nobody runs (waiting), or both at once if negative": wall - own - agent - kernel,
    }
    return [
        f"a case of {wall * 1e3:.2f} ms, by CPU time:",
        *(f"  {s * 1e3:6.2f} ms  {name}" for name, s in rows.items()),
    ]
