"""The statement with which a program refuses an OpenSSL that is too old for an option."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.vocabulary import release

if TYPE_CHECKING:
    from harness.agent.knob import Knob, Option

OLDEST = "1.1.1"
"""The oldest OpenSSL of a Python that the programs support."""


def requirement(option: Option, row: Knob, value: object) -> list[str]:
    """``requires(NAME, NUMBER)`` if a set option is newer than OLDEST; none if older releases act as if it was set.

    NUMBER is as in OpenSSL_version_num(3). Without it any OpenSSL takes any bit (SSL_CTX_set_options(3)).
    """
    since = option.since or row.since
    if not since or not option.is_set(value) or value == row.older or release(since) <= release(OLDEST):
        return []
    major, minor, *_ = release(since)
    return [f'requires("{option.name}", 0x{major:x}{minor:02x}00000)']
