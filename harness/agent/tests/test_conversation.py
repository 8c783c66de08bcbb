"""A connection that its library cannot begin ends its transport, so that the peer does not wait."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from typing import NoReturn

from harness.agent.conversation import Conversation
from harness.agent.library import TlsError
from harness.agent.replies import Outbox
from harness.agent.requests import check
from harness.agent.verbs import VERBS
from harness.agent.watcher import Watcher


def refuse(_sock: object) -> NoReturn:
    raise TlsError([{"lib": 20, "reason": 319, "text": "ssl3 ext invalid servername"}])


def test_a_connection_that_cannot_begin_ends_tcp() -> None:
    ours, peer = socket.socketpair()
    ours.setblocking(False)  # noqa: FBT003 - the socket's own signature
    replies, sink = os.pipe()
    watcher = Watcher()
    outbox = Outbox(sink, watcher)
    opening = check(1, {"id": 1, "verb": "accept", "listener": "l1", "as": "k1"}, VERBS)
    peer.settimeout(5)
    with closing(peer), open(replies, "rb", closefd=True) as reader:  # noqa: PTH123 - a descriptor
        Conversation(watcher, outbox, opening, refuse).opened(ours)
        outbox.flush()
        os.close(sink)

        assert peer.recv(1) == b""
        assert b'"reason":319' in reader.read()
