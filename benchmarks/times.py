"""``python -m benchmarks.times``: `resumption connect --times 1600` against 400, a quarter of the work."""

from __future__ import annotations

import argparse
from functools import partial

from benchmarks.command import python
from benchmarks.measure import alternate, table

FEW, MANY = 400, 1600
"""Resumptions."""


def main() -> None:
    """Print a table each TLS version."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    rounds = parser.parse_args().rounds
    for tls in ("1.2", "1.3"):
        case = ("-m", "harness.cli", "connect", "--client", "libssl", "--server", "libssl", "--tls", tls, "--times")
        ways = {f"{times}": partial(python, *case, f"{times}") for times in (FEW, MANY)}
        lines = [f"TLS {tls}, {rounds} rounds", *table(alternate(ways, rounds), f"{FEW}", cpu=True)]
        print("\n".join(lines), end="\n\n")


if __name__ == "__main__":
    main()
