"""``python -m benchmarks.cli_case``: a case of s_server and s_client against a script that runs the same processes."""

from __future__ import annotations

import argparse
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.libssl_case import case
from benchmarks.measure import alternate, table
from harness.model.tls import USUAL_VERSIONS, TLSVersion
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from harness.stacks.base import Stack

SCRIPT = Path(__file__).parent / "lean.sh"
OPTIONS = {TLSVersion.TLSv1_2: "-tls1_2", TLSVersion.TLSv1_3: "-tls1_3"}
SECONDS = 30
"""How long the script may take."""


def lean(stack: Stack, tls: TLSVersion, runtime: Runtime) -> None:
    """Run the script; CalledProcessError if a connection is not what it is to be."""
    issued = runtime.pki.issued("server")
    openssl = stack.build.openssl[0] if stack.build.openssl else "openssl"
    subprocess.run(
        [SCRIPT, openssl, issued.certificate, issued.key, OPTIONS[tls], runtime.folder],
        check=True,
        timeout=SECONDS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def main() -> None:
    """Print a table each TLS version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    with Runtime() as runtime:
        machine = Machine(runtime)
        stack = machine.one("openssl")
        for tls in USUAL_VERSIONS:
            ways = {"lean.sh": partial(lean, stack, tls, runtime), "case": partial(case, stack, tls, runtime)}
            lines = [f"{tls.label}, {stack.label}, {rounds} rounds", *table(alternate(ways, rounds), "lean.sh")]
            print("\n".join(lines), end="\n\n")
        machine.close()


if __name__ == "__main__":
    main()
