"""Renders a story as ``reproduce.py``, for Python's ssl or pyOpenSSL, or says why neither can express it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.capability import CLOCK
from harness.model.tls import ORDERS, Close, TLSVersion
from harness.reproduce.clocks import ACTIONS as CLOCK_ACTIONS
from harness.reproduce.clocks import Clocks, has_clocks, one_clock
from harness.reproduce.python import pyopenssl_lines, ssl_lines
from harness.reproduce.rendering import rendered
from harness.reproduce.story import compared, gaps_of
from harness.reproduce.words import UNSCRIPTED, grouped, summary, title

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from harness.reproduce.story import Attempt, Context, Offer, Story

PACKAGES: tuple[ModuleType, ...] = (ssl_lines, pyopenssl_lines)


def lacks(story: Story) -> list[str]:
    """Return what the used package (by default ssl) cannot express; empty if either can express the whole story."""
    first, second = _in_order(story)
    return lacks_in(first, story) if lacks_in(second, story) else []


def _in_order(story: Story) -> tuple[ModuleType, ModuleType]:
    used = any(context.stack == "pyopenssl" for context in story.contexts)
    return (pyopenssl_lines, ssl_lines) if used else (ssl_lines, pyopenssl_lines)


def package(story: Story) -> str:
    """Return the package that the program needs; call this only if ``lacks`` is empty."""
    return str(_package(story).PACKAGE)


def _package(story: Story) -> ModuleType:
    return next(package for package in _in_order(story) if not lacks_in(package, story))


def lacks_in(package: ModuleType, story: Story) -> list[str]:
    """Return what a package cannot express, each with the reason."""
    found = []
    if len(versions := {context.version for context in story.contexts}) > 1:
        found.append(f"two OpenSSLs: one Python has one of them ({', '.join(sorted(versions))})")
    if has_clocks(story) and not one_clock(story):
        found.append("the clocks of both ends differ: both are in this process")
    for context in story.contexts:
        for name, value in context.given.items():
            why = None if name == CLOCK else package.lacks_knob(context, name, value)
            found += [f"{context.role} knob {name}: {why}"] if why else []
    found += grouped(
        (why, attempt.number)
        for attempt in story.attempts
        for why in (*_attempt(attempt, story), *package.lacks_attempt(attempt, story))
    )
    return [f"{package.PACKAGE}: {why}" for why in gaps_of(story, found)]


def _attempt(attempt: Attempt, story: Story) -> Iterator[str]:
    if attempt.tls is TLSVersion.QUICv1:
        yield f"{attempt.tls.label}: the script speaks TLS and DTLS alone"
    if attempt.lost:
        yield "a lost flight, and the script's sockets lose nothing"
    for action in attempt.before:
        if action.name not in CLOCK_ACTIONS:
            why = "it is not scripted" if action.name == "choose" else "no such function in Python"
            yield f"{action.name}: {why}"
    during = {action.name for action in attempt.during}
    if any(action.name == "keep_session" and action.values for action in attempt.during):
        yield "SSL_SESSION_dup, SSL_SESSION_set_time, SSL_SESSION_set_timeout, SSL_clear: no such function in Python"
    yield from (why for name, why in UNSCRIPTED.items() if name in during)
    if attempt.close in ORDERS or attempt.close is Close.UNREAD:
        yield f"close {attempt.close}: the order of SSL_shutdown and SSL_free is not scripted"
    if attempt.beside:
        yield "another connection is open beside it, and the script has one at a time"
    if attempt.result.early_data:
        yield "early data: no such function in Python"
    if attempt.offer is not None:
        yield from _offer(attempt, attempt.offer, story)


def _offer(attempt: Attempt, offer: Offer, story: Story) -> Iterator[str]:
    if offer.ticket is not None:
        yield "an earlier ticket is offered, and Python shows the last one alone"
    if offer.older or offer.timeout is not None or offer.edits:
        yield "a session with other fields is offered, and Python has no d2i_SSL_SESSION"
    if story.attempt(offer.connection).client.number != attempt.client.number:
        yield "another client context offers the session, and Python binds a session to its context"


def render(story: Story) -> str:
    """Return the program; call this only if ``lacks`` is empty."""
    package = _package(story)
    contexts = [
        {"name": _name(context), "role": context.role.value, "lines": package.lines(context, _name(context))}
        for context in story.contexts
    ]
    clocks = Clocks()
    times = [{stand.faketime for _, stand in clocks.at(attempt)} for attempt in story.attempts]
    return rendered(
        package.TEMPLATE,
        title=title(story),
        package=package.PACKAGE,
        notes=[f"It was seen on {context.stack}@{context.version} as {context.name}." for context in story.contexts],
        contexts=contexts,
        attempts=[
            {**_values(attempt), "time": next(iter(time), None)}
            for attempt, time in zip(story.attempts, times, strict=True)
        ],
        clocks=has_clocks(story),
        dtls=any(attempt.tls.datagrams for attempt in story.attempts),
        key_exchange=any(attempt.result.key_exchange for attempt in story.attempts),
    )


def _name(context: Context) -> str:
    return f"{context.role}_{context.number}"


def _values(attempt: Attempt) -> dict[str, object]:
    offer = attempt.offer
    return {
        "number": attempt.number,
        "summary": summary(attempt),
        "client": _name(attempt.client),
        "server": _name(attempt.server),
        "during": [action.name for action in attempt.during],
        "close": attempt.close.value,
        "offer": None if offer is None else (offer.connection, "taken" if offer.action is None else offer.action),
        "compared": compared(attempt.result),
    }
