"""``python -m benchmarks.libssl_case``: a libssl case of the harness against the same handshakes in one process."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.in_memory import InMemory
from benchmarks.measure import alternate, table
from benchmarks.parts import parts
from harness.model.tls import USUAL_VERSIONS, Outcome
from harness.pair.pair import Pair
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from harness.model.tls import TLSVersion
    from harness.stacks.base import Stack

FLOOR = "handshakes in memory"
WITH_CONTEXTS = "with their contexts"
CASE = "case"


def case(stack: Stack, tls: TLSVersion, runtime: Runtime) -> None:
    """A pair, a full connection and one that resumes it, judged by three witnesses; RuntimeError if it does not."""
    pair = Pair((stack, stack), tls, runtime)
    first = pair.connect()
    second = pair.connect(first.session)
    pair.close()
    if second.outcome is not Outcome.RESUMED:
        raise RuntimeError(second.describe())


def compare(stack: Stack, tls: TLSVersion, runtime: Runtime, rounds: int) -> list[str]:
    """The table of one TLS version, and where the time of a case goes."""
    floor = InMemory(stack.build, tls, runtime.pki.issued("server"))
    work = partial(case, stack, tls, runtime)
    timings = alternate({FLOOR: floor.handshakes, WITH_CONTEXTS: floor.whole_case, CASE: work}, rounds)
    lines = [f"{tls.label}, {stack.label}, {rounds} rounds", *table(timings, FLOOR)]
    return lines + parts(work, rounds, timings[WITH_CONTEXTS].least)


def main() -> None:
    """Print a table each TLS version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    with Runtime() as runtime:
        machine = Machine(runtime)
        for tls in USUAL_VERSIONS:
            print("\n".join(compare(machine.one("libssl"), tls, runtime, rounds)), end="\n\n")
        machine.close()


if __name__ == "__main__":
    main()
