"""The agent's program: loads the driver of a TLS library and serves requests until stdin ends."""

from __future__ import annotations

import argparse
import gc
import os
import stat
import sys
from importlib import import_module
from typing import TYPE_CHECKING, cast

from harness.agent.agent import PACK, Agent
from harness.agent.joined.joining import JOIN, JoiningAgent
from harness.agent.library import LackError
from harness.agent.replies import Outbox
from harness.agent.requests import Lines
from harness.agent.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.agent.library import Library

DRIVERS = {"libssl": "libssl", "pyopenssl": "pyopenssl", "ssl": "ssl_"}
"""The module of each driver in harness.agent.drivers; its ``load(**options)`` gives the Library."""
STDIN = 0
BUSY = 100
"""Maximum turns before replies are sent; they are also sent before the agent waits."""


def load(argv: Sequence[str]) -> Library:
    """Load the library that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m harness.agent", description=__doc__)
    parser.add_argument("stack", choices=DRIVERS)
    parser.add_argument("--libssl", help="path of libssl (libssl only)")
    parser.add_argument("--libcrypto", help="path of libcrypto (libssl only)")
    parser.add_argument(JOIN, action="store_true", help="also serve the verbs that join two ends in memory")
    parser.add_argument(PACK, action="store_true", help="also take an array of requests in one line")
    given = vars(parser.parse_args(argv))
    del given["join"], given["pack"]
    stack = given.pop("stack")
    options = {name: value for name, value in given.items() if value is not None}
    driver = import_module(f"harness.agent.drivers.{DRIVERS[stack]}")
    return cast("Library", driver.load(**options))


def private_stdout() -> int:
    """Return a descriptor of stdout for replies only, and redirect all other output to stderr."""
    replies = os.dup(1)
    os.dup2(2, 1)
    return replies


def main() -> None:
    """Serve requests for the library that the command line names, until stdin ends."""
    serve(load, JoiningAgent if JOIN in sys.argv else Agent)


def serve(load: Callable[[Sequence[str]], Library], make: type[Agent]) -> None:
    """Serve requests for a library until stdin ends."""
    replies = private_stdout()
    watcher = Watcher()
    outbox = Outbox(replies, watcher)
    try:
        library = load(sys.argv[1:])
    except (ImportError, LackError, OSError, TypeError) as error:
        sys.exit(f"harness.agent cannot load {' '.join(sys.argv[1:])}: {error}")
    if stat.S_ISREG(os.fstat(STDIN).st_mode):  # epoll takes none (epoll_ctl(2), EPERM)
        sys.exit("harness.agent reads requests from a pipe, not from a file: cat FILE | python -m harness.agent ...")
    agent = make(library, watcher, outbox)
    agent.packs = PACK in sys.argv
    gc.freeze()  # imported modules stay: exclude them from garbage collection
    requests = Lines()
    ended = False

    def read_requests() -> None:
        nonlocal ended
        data = os.read(STDIN, 1 << 16)
        ended = not data
        for line in requests.feed(data):
            agent.serve(line)
        if not ended:
            watcher.want(STDIN, read_requests)

    watcher.want(STDIN, read_requests)
    turns = 0
    while not ended:
        turns += 1
        if turns >= BUSY or outbox.empty or not watcher.turn(wait=False):
            turns = 0
            outbox.flush()
            watcher.turn(wait=True)
    outbox.flush()
    os._exit(0)  # at once: skip the TLS library's destructors; nothing has to be saved
