"""``python -m benchmarks.stories``: what a story in memory costs beside its handshakes, and where its time goes."""

from __future__ import annotations

import argparse

import psutil

from benchmarks.in_memory import Handshakes
from harness.builds.system import build_for
from harness.explore.oracles import suspicions
from harness.explore.play import play
from harness.model.build import Build
from harness.model.tls import TLSVersion
from harness.runtime.runtime import Runtime
from harness.stacks.libssl import LibsslStack
from harness.story.step import Offer
from harness.story.steps import Connect, StopClocks
from harness.story.story import Story

ROUNDS = 200
WARM_UP = 20


def processor() -> tuple[float, float]:
    """Return the processor seconds of this process, and of its children that still run."""
    me = psutil.Process()
    agents = sum(sum(child.cpu_times()[:2]) for child in me.children(recursive=True))
    return sum(me.cpu_times()[:2]), agents


def main() -> None:
    """Print the CPU milliseconds of a story of a full and a resumed connection, of its parts, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    build = build_for("libssl")
    if not isinstance(build, Build):
        raise SystemExit(build.reason)
    with Runtime() as runtime:
        stack = LibsslStack(build, runtime, joins=True)
        for tls in (TLSVersion.TLSv1_2, TLSVersion.TLSv1_3):
            bare = Handshakes(build, tls, runtime.pki.issued("server"))
            story = Story(tls=tls, steps=(StopClocks(), Connect(), Connect(offer=Offer())))
            spent = {"bare": 0.0, "harness": 0.0, "agent": 0.0}
            for number in range(-WARM_UP, rounds):
                begun = processor()
                bare.whole_case()
                between = processor()
                suspicions([play(story, stack, runtime)])
                over = processor()
                if number >= 0:
                    spent["bare"] += between[0] - begun[0]
                    spent["harness"] += over[0] - between[0]
                    spent["agent"] += over[1] - between[1]
            each = {name: 1000 * seconds / rounds for name, seconds in spent.items()}
            ratio = (each["harness"] + each["agent"]) / each["bare"]
            print(f"TLS {tls}: {', '.join(f'{name} {ms:.1f} ms' for name, ms in each.items())}; ratio {ratio:.1f}")
        stack.close()


if __name__ == "__main__":
    main()
