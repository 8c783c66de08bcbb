"""Combines the catalogue and the cache: selects builds by version and returns the Build for each stack."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from harness.builds.cache import Cache
from harness.builds.catalogue import STACKS, catalogue
from harness.builds.inspection import measured
from harness.builds.providers.cryptography import Cryptography
from harness.builds.providers.debian import Debian
from harness.builds.providers.source import Source
from harness.builds.providers.wheel import Wheel
from harness.builds.record import Record
from harness.builds.versions import build_version, matching, means_all, nearest
from harness.model.errors import BuildError, UsageError, reason_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.builds.catalogue import CatalogueEntry
    from harness.builds.provider import Provider, Say
    from harness.model.build import Build

ALL = "all"
INDEXES = ".apt"
"""The folder of apt's indexes in the cache."""


class BuildStore:
    """The catalogue, the cache and the providers; for a version that several have, the first provider wins."""

    def __init__(self, cache: Cache | None = None, mirror: str | None = None) -> None:
        self.cache = cache or Cache()
        providers: Sequence[Provider] = (
            Debian(self.cache.folder / INDEXES, mirror),
            Source(),
            Wheel(),
            Cryptography(),
        )
        self.providers = {provider.name: provider for provider in providers}
        self.known = catalogue()

    def here(self) -> list[Record]:
        """Return the cached builds, newest first; the same versions in the order of the providers."""
        order = list(self.providers)
        records = [record for record in self.cache.records() if record.provider in self.providers]
        records.sort(key=lambda record: order.index(record.provider))
        return sorted(records, key=lambda record: build_version(record.version), reverse=True)

    def builds(self, record: Record) -> Mapping[str, Build]:
        """The Build of each stack that a fetched build serves; BuildError if it is too damaged to say."""
        try:
            return self.providers[record.provider].builds(self.cache.path(record.key), record.version)
        except (OSError, ValueError) as error:
            raise BuildError(f"{self.cache.path(record.key)} is damaged: {reason_of(error)}") from error

    def serving(self, stack: str) -> dict[str, Build]:
        """The fetched builds that serve a stack, by version, newest first; none that is too damaged to say.

        Their files are not verified yet: see ``verify``.
        """
        return {version: build for version, (_record, build) in self._serving(stack).items()}

    def _serving(self, stack: str) -> dict[str, tuple[Record, Build]]:
        found: dict[str, tuple[Record, Build]] = {}
        for record in self.here():
            if stack in {STACKS.get(part) for part in record.has} and record.version not in found:
                with suppress(BuildError):
                    build = self.builds(record).get(stack)
                    found |= {} if build is None else {record.version: (record, build)}
        return found

    def verified(self, stack: str, versions: Sequence[str]) -> dict[str, Build]:
        """The fetched builds of some versions that serve a stack, once their files are those that were fetched.

        BuildError if one is not, or if the catalogue now pins other artefacts than those that it was made of, or other
        libraries in them.
        """
        serving = {version: found for version, found in self._serving(stack).items() if version in versions}
        pins = {known.key: known for known in self.known}
        for record, _build in serving.values():
            known = pins.get(record.key)
            pinned = known is None or (
                known.artefacts == record.artefacts
                and all(record.files.get(library.file) == library.sha256 for library in known.libraries)
            )
            if not pinned:
                raise BuildError(
                    f"the build {record.key} was made of other files than the catalogue names; it is not used: "
                    f"`resumption builds fetch --again {record.version}` replaces it"
                )
            self.cache.verify(record.key)
        return {version: build for version, (_record, build) in serving.items()}

    def damaged(self) -> dict[str, str]:
        """What is wrong with each cached build that can be seen without a look into its files, by key."""
        found = self.cache.unreadable()
        for record in self.here():
            try:
                lacking = {STACKS[part] for part in record.has if part in STACKS} - self.builds(record).keys()
            except BuildError as error:
                found[record.key] = str(error)
                continue
            missing = self.cache.missing(record) or [f"nothing in it serves {stack}" for stack in sorted(lacking)]
            found |= {record.key: missing[0]} if missing else {}
        return found

    def fetchable(self, stack: str) -> list[str]:
        """Return the versions in the catalogue for a stack."""
        return [known.version for known in self.known if stack in known.stacks]

    def chosen(self, wanted: Sequence[str], provider: str | None = None) -> list[CatalogueEntry]:
        """Return the entries that versions select: every match of a glob, otherwise the newest match for each stack.

        ``all`` selects every entry that this machine can use. UsageError names the nearest versions if nothing matches.
        """
        if provider is not None and provider not in {known.provider for known in self.known}:
            names = ", ".join(dict.fromkeys(known.provider for known in self.known))
            raise UsageError(f"no provider {provider!r} fetches builds; those that do are: {names}")
        known = [k for k in self.known if provider in {None, k.provider}]
        found: dict[str, CatalogueEntry] = {}
        for text in wanted:
            if text == ALL:
                found |= {k.key: k for k in known if self.providers[k.provider].unserved() is None}
                continue
            versions = matching(text, [k.version for k in known])
            if not versions:
                near = ", ".join(nearest(text, [k.version for k in known]))
                raise UsageError(f"no build {text!r} is known; the nearest are {near} (`resumption builds` lists all)")
            found |= {k.key: k for k in (_every if means_all(text) else _newest)(known, versions)}
        return list(found.values())

    def fetch(self, known: CatalogueEntry, say: Say, *, again: bool = False) -> Record:
        """Fetch a build unless it is cached; BuildError if that fails, or it is not what the catalogue says."""
        return self._add(known, self.providers[known.provider], say, again=again)

    def moved_on(self, wanted: Sequence[str], record: Record) -> str:
        """Why a fetched build is none of the versions that selected it, and what to do; empty if it is one.

        A Debian suite has one version of OpenSSL at a time, which the catalogue cannot pin.
        """
        (known,) = (known for known in self.known if known.key == record.key)
        asked = [text for text in wanted if text != ALL and matching(text, [known.version])]
        missed = [text for text in asked if not matching(text, [record.version])]
        if not missed:
            return ""
        others = [other for other in self.known if other.version == known.version and other.key != known.key]
        ways = [f"`resumption builds fetch --provider {other.provider} {known.version}`" for other in others]
        ways.append(f"`resumption builds make openssl-{known.version}.tar.gz` with its source")
        return (
            f"{known.source} is OpenSSL {record.version} now, not {', '.join(missed)}; it is in the cache as "
            f"{record.version}. For {known.version}: {', or '.join(ways)}"
        )

    def make(self, known: CatalogueEntry, source: Source, say: Say, label: str, *, again: bool = False) -> Record:
        """Build from source into the cache; the label is added to the version, as in ``3.5.7+fips``."""
        return self._add(known, source, say, again=again, label=label)

    def _add(self, known: CatalogueEntry, provider: Provider, say: Say, *, again: bool, label: str = "") -> Record:
        def fill(folder: Path) -> None:
            why = provider.unserved()
            if why:
                raise BuildError(f"the provider {provider.name} does not serve this machine: {why}")
            provider.obtain(known, folder, say)

        def measure(folder: Path) -> str:
            version = measured(provider.builds(folder, known.version))
            if known.artefacts and version != known.version:
                raise BuildError(f"{known.source} should be OpenSSL {known.version} and reports {version}")
            return f"{version}+{label}" if label else version

        return self.cache.add(known, fill, measure, say, again=again)

    def damage(self, key: str) -> list[str]:
        """Return what is wrong with a cached build: its files, or the version that it reports."""
        wrong = self.cache.damage(key)
        if wrong:
            return wrong
        try:
            record = Record.read(self.cache.path(key))
            version = measured(self.builds(record))
        except BuildError as error:
            return [str(error)]
        return (
            [] if version == record.version.partition("+")[0] else [f"{key} is {record.version} and reports {version}"]
        )


def _every(known: Sequence[CatalogueEntry], versions: Sequence[str]) -> list[CatalogueEntry]:
    return [k for version in versions for k in known if k.version == version]


def _newest(known: Sequence[CatalogueEntry], versions: Sequence[str]) -> list[CatalogueEntry]:
    found = []
    for stack in STACKS.values():
        candidates = [k for k in _every(known, versions) if stack in k.stacks]
        found += candidates[:1]
    return found
