"""Rules about HelloRetryRequest (RFC 8446, 4.1.4), and the ServerHello that follows one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.finding import suite_name
from harness.explain.rules.second_hello import COOKIE
from harness.explain.rules.table import When, rule
from harness.model.tls import Role
from harness.wire.hellos import KEY_SHARE, SUPPORTED_VERSIONS
from harness.wire.names import GROUPS, list_of, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake


@rule(Role.SERVER, "RFC 8446, 4.1.4", When.TLS13)
def one_retry(handshake: Handshake) -> Iterator[str]:
    """A server sends one HelloRetryRequest at most."""
    if len(handshake.retries) > 1:
        yield f"wire: the server sends {len(handshake.retries)} HelloRetryRequests"


@rule(Role.SERVER, "RFC 8446, 4.1.4", When.TLS13)
def retry_changes_the_hello(handshake: Handshake) -> Iterator[str]:
    """A server's HelloRetryRequest makes the client change its ClientHello."""
    for retry in handshake.retries:
        if KEY_SHARE not in retry.extensions and COOKIE not in retry.extensions:
            yield "wire: the HelloRetryRequest has neither key_share nor cookie"


@rule(Role.SERVER, "RFC 8446, 4.2.8", When.TLS13)
def retry_group_is_new(handshake: Handshake) -> Iterator[str]:
    """A server's HelloRetryRequest asks for a group of supported_groups that has no key share yet."""
    hello = handshake.hellos[0] if handshake.hellos else None
    for retry in handshake.retries[:1]:
        if hello is None or retry.group is None:
            continue
        group = name_of(GROUPS, retry.group)
        if retry.group not in hello.supported_groups:
            groups = list_of(GROUPS, hello.supported_groups) or "none"
            yield f"wire: the HelloRetryRequest asks for {group}, and the groups of the ClientHello are {groups}"
        if retry.group in hello.key_share_groups:
            yield f"wire: the HelloRetryRequest asks for {group}, and the ClientHello has a key share of it"


@rule(Role.SERVER, "RFC 8446, 4.1.4", When.TLS13)
def same_suite_after_retry(handshake: Handshake) -> Iterator[str]:
    """A server keeps the cipher suite of its HelloRetryRequest."""
    for retry in handshake.retries:
        if handshake.answer and handshake.answer.cipher_suite != retry.cipher_suite:
            yield f"wire: the HelloRetryRequest chooses {suite_name(retry.cipher_suite)}"
            yield f"wire: the ServerHello chooses {suite_name(handshake.answer.cipher_suite)}"


@rule(Role.SERVER, "RFC 8446, 4.1.4", When.TLS13)
def same_version_after_retry(handshake: Handshake) -> Iterator[str]:
    """A server keeps the version of its HelloRetryRequest."""
    for retry in handshake.retries:
        answer = handshake.answer
        if answer and answer.extensions.get(SUPPORTED_VERSIONS) != retry.extensions.get(SUPPORTED_VERSIONS):
            yield "wire: supported_versions differs between HelloRetryRequest and ServerHello"


@rule(Role.SERVER, "RFC 8446, 4.2.8", When.TLS13)
def share_of_the_group_asked_for(handshake: Handshake) -> Iterator[str]:
    """A server that asked for a group sends its own key share of that group."""
    for retry in handshake.retries:
        answer = handshake.answer
        if answer and None not in {retry.group, answer.group} and retry.group != answer.group:
            asked, sent = (name_of(GROUPS, group or 0) for group in (retry.group, answer.group))
            yield f"wire: the HelloRetryRequest asks for {asked}, and the ServerHello's key share is of {sent}"
