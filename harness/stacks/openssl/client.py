"""s_client as a client endpoint: one process per connection."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from harness.agent.vocabulary import release
from harness.runtime.clock import Clock
from harness.stacks.clocked import Clocked
from harness.stacks.openssl.argv import NON_BLOCKING, client_argv
from harness.stacks.openssl.client_link import OpensslClientLink
from harness.stacks.openssl.commands import refused
from harness.stacks.openssl.files import psk_session
from harness.stacks.openssl.unsent import FORGETS

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.model.knobs import ClientConfig
    from harness.model.session import Session
    from harness.runtime.loop import Pending
    from harness.runtime.runtime import Runtime


class OpensslClient(Clocked):
    """One ClientConfig; each connection runs an s_client."""

    def __init__(self, build: Build, runtime: Runtime, name: str, config: ClientConfig, abilities: Abilities) -> None:
        self.name = name
        self._role = config.role
        self._abilities = abilities
        self._runtime = runtime
        self._config = config
        self._clock = None if config.clock is None else Clock(runtime.path(".clock"), config.clock)
        self._environment = os.environ | dict(build.environment) | (self._clock.environment if self._clock else {})
        self._major = release(build.version)[0]
        pki = runtime.pki
        certificate = None if config.certificate is None else pki.issued(config.certificate)
        self._argv = client_argv(build.openssl or (), build.version, config, certificate, pki.authority())
        self._argv += psk_session(runtime, config)
        self._forgets = NON_BLOCKING in self._argv and release(build.version) >= FORGETS
        self._links: list[OpensslClientLink] = []

    def connect(self, port: int, offer: Session | None = None) -> OpensslClientLink:
        """Prepare an s_client; UnsupportedError if the offered session has no DER."""
        link = OpensslClientLink(self._runtime, self.name, list(self._argv), self._environment, self._major)
        link.forgets = self._forgets
        link.datagrams = any(version.datagrams for version in self._config.versions or ())
        link.abilities = self._abilities
        link.aim(port, offer, self._config.max_early_data or 0)
        self._links.append(link)
        return link

    def control(self, verb: str, **fields: Any) -> Pending[Any]:
        """Refuse every verb: each connection has its own context, which ends with it."""
        return refused(self.name, verb, fields, self._abilities)

    def close(self) -> None:
        """End every running process."""
        for link in self._links:
            link.close()
        self._links.clear()
