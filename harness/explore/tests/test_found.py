"""What an exploration objected to, and no library was at fault for: the oracles say nothing about it any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.explore.generate import standing
from harness.explore.oracles import suspicions
from harness.explore.play import play
from harness.model.tls import Close, TLSVersion
from harness.story.step import Offer
from harness.story.steps import Connect, NewServer
from harness.story.story import End, Story

if TYPE_CHECKING:
    from harness.runtime.runtime import Runtime
    from harness.stacks.libssl import LibsslStack

TLS12, TLS13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
AGAIN = Connect(offer=Offer())
SAME_ID = {"session_id": "a", "tickets": "off"}
QUIET = End(knobs={"quiet_shutdown": "on"})


def edited(field: str, text: str) -> Connect:
    return Connect(offer=Offer(connection=1, edit={field: text}))


FOUND = {
    "a byte of a fragment length is kept": Story(
        tls=TLS13, steps=(Connect(), edited("max_fragment_length_mode", "604801"))
    ),
    "TLS 1.3 keeps a flag of TLS 1.2": Story(tls=TLS13, steps=(Connect(), edited("extended_master_secret", "on"))),
    "an abort yields the session as it was changed": Story(
        tls=TLS13, steps=(Connect(), edited("cipher", "0x1301"), AGAIN)
    ),
    "a quiet server reads no close_notify": Story(
        tls=TLS13, server=QUIET, steps=(Connect(close=Close.EOF_SHUTDOWN_READ), AGAIN)
    ),
    "a quiet client reads no close_notify": Story(
        tls=TLS12, client=QUIET, steps=(Connect(close=Close.EOF_SHUTDOWN_READ), AGAIN)
    ),
    "another session has the id of one that failed": Story(
        tls=TLS12,
        steps=(NewServer(knobs=SAME_ID), Connect(close=Close.EOF), Connect(), Connect(offer=Offer(connection=2))),
    ),
}


@pytest.mark.parametrize("story", FOUND.values(), ids=FOUND)
def test_a_behaviour_that_is_allowed_is_no_suspicion(runtime: Runtime, honest: LibsslStack, story: Story) -> None:
    played = play(standing(story), honest, runtime)

    assert len(played.connections) == sum(isinstance(step, Connect) for step in story.steps)
    assert suspicions([played]) == []
