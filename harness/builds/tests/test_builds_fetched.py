"""Builds that are really fetched, and what they do in a connection; skipped, with the reason, without network."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.builds.cache import Cache
from harness.builds.catalogue import CatalogueEntry, Part
from harness.builds.programs import command
from harness.builds.providers.prefix import measured_prefix
from harness.builds.providers.source import Recipe, Source
from harness.builds.store import BuildStore
from harness.case.case import run
from harness.case.desk import desk
from harness.model.errors import BuildError, UsageError
from harness.model.tls import Outcome, TLSVersion
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.builds.record import Record

TARBALL = os.environ.get("RESUMPTION_SOURCE")
SECONDS = 20.0
OFFLINE = ("cannot be fetched", "does not answer", "does not serve this machine")


def quiet(_text: str) -> None:
    """Say nothing."""


def fetched(store: BuildStore, version: str, provider: str) -> BuildStore:
    """The store with this build in its cache; skips the test where it cannot be had."""
    for known in store.chosen([version], provider):
        try:
            store.fetch(known, quiet)
        except BuildError as error:
            if any(sign in str(error) for sign in OFFLINE):
                pytest.skip(str(error))
            raise
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> BuildStore:
    return BuildStore(Cache(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def outcomes(machine: Machine, client: str, server: str, tls: TLSVersion, runtime: Runtime) -> list[Outcome]:
    try:
        result = run(desk(tls=tls), machine.one(client), machine.one(server), runtime)
    finally:
        machine.close()
    return [connection.observed_outcome() for connection in result.connections]


@pytest.mark.network
def test_a_libssl_of_2018_out_of_a_wheel_resumes(store: BuildStore, runtime: Runtime) -> None:
    machine = Machine(runtime, store=fetched(store, "1.0.2q", "wheel"))

    assert outcomes(machine, "libssl@1.0.2", "libssl", TLSVersion.TLSv1_2, runtime) == [Outcome.FULL, Outcome.RESUMED]


@pytest.mark.network
def test_what_a_libssl_of_2018_seals_can_be_read(store: BuildStore, runtime: Runtime) -> None:
    machine = Machine(runtime, store=fetched(store, "1.0.2q", "wheel"))
    old = machine.one("libssl@1.0.2")
    try:
        first, *_ = run(desk(tls=TLSVersion.TLSv1_2), old, old, runtime).connections
    finally:
        machine.close()

    assert [message.type for message in first.transcript.messages].count("Finished") == 2


@pytest.mark.network
@pytest.mark.parametrize(("client", "server"), [("pyopenssl@3.1", "libssl"), ("libssl", "pyopenssl@3.1")])
def test_a_cryptography_without_session_reused_is_judged_by_its_messages(
    store: BuildStore, runtime: Runtime, client: str, server: str
) -> None:
    machine = Machine(runtime, store=fetched(store, "3.1.4", "cryptography"))

    assert outcomes(machine, client, server, TLSVersion.TLSv1_3, runtime) == [Outcome.FULL, Outcome.RESUMED]


@pytest.mark.network
def test_a_fetched_build_is_good_until_a_byte_changes(store: BuildStore) -> None:
    [known] = fetched(store, "1.0.2q", "wheel").chosen(["1.0.2q"], "wheel")
    whole = store.damage(known.key)
    library = next(store.cache.path(known.key).rglob("libssl*"))
    before = library.read_bytes()
    library.write_bytes(before[:-1])
    broken = store.damage(known.key)
    library.write_bytes(before)

    assert whole == []
    assert broken == [f"{library} has changed"]


def test_a_build_that_is_not_here_says_how_to_fetch_it(tmp_path: Path, runtime: Runtime) -> None:
    machine = Machine(runtime, store=BuildStore(Cache(tmp_path)))

    with pytest.raises(UsageError, match=r"4\.0\.3 can be fetched: resumption builds fetch 4\.0"):
        machine.one("openssl@4.0")


def test_a_build_that_nobody_has_names_the_nearest(tmp_path: Path, runtime: Runtime) -> None:
    machine = Machine(runtime, store=BuildStore(Cache(tmp_path)))

    with pytest.raises(UsageError, match="none can be fetched; the nearest are"):
        machine.one("libssl@0.9.8")


def test_a_stack_without_a_build_is_on_the_machines_own(tmp_path: Path, runtime: Runtime) -> None:
    machine = Machine(runtime, store=BuildStore(Cache(tmp_path)))

    assert machine.select("lib*") == tuple(stack for stack in machine.own if stack.name == "libssl")


needs_tarball = pytest.mark.skipif(
    not TARBALL, reason="builds for minutes: RESUMPTION_SOURCE=TARBALL asks for it (apt-get source openssl)"
)


@pytest.fixture(scope="module")
def made(store: BuildStore) -> Record:
    """The build of the tarball, with an option that shows, and a label."""
    tarball = Path(str(TARBALL))
    recipe = Recipe(tarball, ("enable-ssl-trace",), hashlib.sha256(tarball.read_bytes()).hexdigest())
    known = CatalogueEntry(tarball.name, "source", frozenset({Part.PROGRAM, Part.LIBRARY, Part.HEADERS}))
    return store.make(known, Source(recipe), quiet, "plain")


@needs_tarball
def test_a_tarball_becomes_a_build_with_all_its_parts(store: BuildStore, made: Record) -> None:
    headers = list(store.cache.path(made.key).rglob("include/openssl/ssl.h"))

    assert made.version.endswith("+plain")
    assert list(store.builds(made)) == ["openssl", "libssl"]
    assert len(headers) == 1
    assert store.damage(made.key) == []


@needs_tarball
def test_a_build_has_the_options_that_configure_was_given(store: BuildStore, made: Record) -> None:
    build = store.builds(made)["openssl"]

    assert "-trace" in command([*(build.openssl or ()), "s_client", "-help"], SECONDS, build.environment)


@needs_tarball
@pytest.mark.parametrize("stack", ["openssl", "libssl"])
def test_a_build_of_a_tarball_resumes(store: BuildStore, made: Record, runtime: Runtime, stack: str) -> None:
    machine = Machine(runtime, store=store)

    assert outcomes(machine, f"{stack}@{made.version}", "libssl", TLSVersion.TLSv1_3, runtime) == [
        Outcome.FULL,
        Outcome.RESUMED,
    ]


@needs_tarball
def test_a_build_of_a_tarball_is_a_prefix_too(store: BuildStore, made: Record) -> None:
    prefix = next(path for path in store.cache.path(made.key).iterdir() if (path / "bin").is_dir())

    assert {f"{build.version}+plain" for build in measured_prefix(prefix).values()} == {made.version}
