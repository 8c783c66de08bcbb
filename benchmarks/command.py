"""``python -m benchmarks.command``: `resumption connect` from start to end against a bare Python and a bare pair."""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.cli_case import OPTIONS, lean
from benchmarks.measure import alternate, table
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from harness.model.tls import TLSVersion
    from harness.stacks.base import Stack

BARE = ("-c", "import cffi, cryptography.x509")
"""What any program needs that drives a TLS library and makes certificates in Python."""


def python(*arguments: str) -> None:
    """Run a Python of its own; CalledProcessError if it fails."""
    subprocess.run([sys.executable, *arguments], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def bare(stack: Stack, tls: TLSVersion, runtime: Runtime) -> None:
    """A Python that only imports, then the three processes of the case."""
    python(*BARE)
    lean(stack, tls, runtime)


def main() -> None:
    """Print a table each TLS version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    with Runtime() as runtime:
        machine = Machine(runtime)
        stack = machine.one("openssl")
        for tls in OPTIONS:
            case = ("-m", "harness.cli", "connect", "--client", "openssl", "--server", "openssl", "--tls", tls.value)
            ways = {"bare": partial(bare, stack, tls, runtime), "connect": partial(python, *case)}
            lines = [f"{tls.label}, {stack.label}, {rounds} rounds", *table(alternate(ways, rounds), "bare", cpu=True)]
            print("\n".join(lines), end="\n\n")
        machine.close()


if __name__ == "__main__":
    main()
