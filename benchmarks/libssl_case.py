"""``python -m benchmarks.libssl_case``: a libssl case of the harness against the same handshakes in one process."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.in_memory import Handshakes
from benchmarks.measure import alternate, table
from benchmarks.parts import parts
from harness.model.tls import USUAL_VERSIONS, Outcome
from harness.pair.pair import Pair
from harness.results.uncollected import settled
from harness.runtime.runtime import Runtime
from harness.stacks.in_memory import InMemory
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model.tls import TLSVersion
    from harness.stacks.base import Stack

FLOOR = "handshakes in memory"
WITH_CONTEXTS = "with their contexts"
OVER_TCP = "case over TCP"
CASE = "case"


def case(stack: Stack, tls: TLSVersion, runtime: Runtime) -> None:
    """A pair, a full connection and one that resumes it, judged by three witnesses; RuntimeError if it does not."""
    pair = Pair((stack, stack), tls, runtime)
    first = pair.connect()
    second = pair.connect(first.session)
    pair.close()
    if second.outcome is not Outcome.RESUMED:
        raise RuntimeError(second.describe())


def compare(stacks: tuple[Stack, Stack], tls: TLSVersion, runtime: Runtime, rounds: int) -> list[str]:
    """The table of one TLS version, and where the time of a case goes; ends of the first stack meet in memory."""
    stack = stacks[1]
    floor = Handshakes(stack.build, tls, runtime.pki.issued("server"))
    work, over_tcp = (partial(case, one, tls, runtime) for one in stacks)
    ways: dict[str, Callable[[], object]] = {
        FLOOR: floor.handshakes,
        WITH_CONTEXTS: floor.whole_case,
        CASE: work,
        OVER_TCP: over_tcp,
    }
    timings = alternate(ways, rounds)
    lines = [f"{tls.label}, {stack.label}, {rounds} rounds", *table(timings, FLOOR)]
    return lines + parts(work, rounds, timings[WITH_CONTEXTS].least)


def main() -> None:
    """Print a table each TLS version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    with settled(), Runtime() as runtime:  # as the cells of a run
        machine, in_memory = Machine(runtime), InMemory(runtime)
        stack = machine.one("libssl")
        for tls in USUAL_VERSIONS:
            print("\n".join(compare((in_memory.of(stack), stack), tls, runtime, rounds)), end="\n\n")
        in_memory.close()
        machine.close()


if __name__ == "__main__":
    main()
