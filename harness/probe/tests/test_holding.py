"""How long sessions hold, and what a change of the ticket key does: each on an nginx that is set so, and on another."""

from __future__ import annotations

import os
import signal
import stat
import time
from typing import TYPE_CHECKING

import pytest

from harness.model.probe import Topic
from harness.model.tls import Mechanism, Outcome, TLSVersion
from harness.probe.holding import hold
from harness.probe.keeping import Keeper, folder
from harness.probe.probing import Wanted
from harness.probe.state import State, opened
from harness.probe.tests.probers import answer
from harness.runtime.address import target
from harness.tests.real_servers import nginx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.model.probe import Probe, Round
    from harness.probe.tests.probers import Prober

V13 = Wanted(versions=(TLSVersion.TLSv1_3,))
EVERY = 2.0


def held(prober: Prober, state: State, said: Callable[[Round], None] = lambda _round: None) -> Probe:
    """The rounds that are left, each ``every`` seconds after the end of the last: a slow machine skips none."""

    def anchored(seen: Round) -> None:
        said(seen)
        state.begun = time.time() - (seen.number - 1) * state.every

    return hold(prober.runtime, prober.client, target(state.address), V13, state, said=anchored)


def new(address: str, rounds: int, every: float = EVERY, **files: object) -> State:
    """A state before its first round, which is due now."""
    return State(address, "libssl", every, every * (rounds - 1), time.time(), **files)  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "ends"), [(3, True), (3600, False)])
def test_a_session_holds_as_long_as_the_server_lets_it(
    prober: Prober, tmp_path: Path, seconds: int, *, ends: bool
) -> None:
    with nginx(tmp_path / "n", prober.runtime.pki.issued("server"), f"ssl_session_timeout {seconds}s;") as address:
        done = held(prober, new(address, 3, 4.0 if ends else EVERY))

    found = answer(done, Topic.HOLDS)
    assert ("the longest that was tried" in found.text) is not ends
    assert answer(done, Topic.ROTATION).holds == {"rotates-daily": None, "keeps-old-key": None}


@pytest.mark.parametrize("kept", [True, False])
def test_a_reload_with_a_new_key_keeps_the_old_one_or_not(prober: Prober, tmp_path: Path, *, kept: bool) -> None:
    files = [tmp_path / "new.key", tmp_path / "old.key"]
    old, fresh = os.urandom(80), os.urandom(80)
    for file in files:
        file.write_bytes(old)
    settings = "".join(f"ssl_session_ticket_key {file};" for file in files)

    with nginx(tmp_path / "n", prober.runtime.pki.issued("server"), settings) as address:

        def reload(seen: Round) -> None:
            if seen.number == 1:
                files[0].write_bytes(fresh)
                files[1].write_bytes(old if kept else fresh)
                os.kill(int((tmp_path / "n" / "nginx.pid").read_text()), signal.SIGHUP)

        done = held(prober, new(address, 4, 3.0), reload)

    found = answer(done, Topic.ROTATION)
    assert found.text.startswith("the key changed between ")
    assert found.holds == {"rotates-daily": None, "keeps-old-key": kept}
    assert found.flag == ("" if kept else "THE OLD KEY IS NOT ACCEPTED AFTER A CHANGE")


def test_a_probe_that_was_killed_goes_on_with_its_sessions(prober: Prober, tmp_path: Path) -> None:
    root = folder(tmp_path / "kept")
    keeper = Keeper(root, "a", "b")

    class KilledError(Exception):
        pass

    def kill(seen: Round) -> None:
        if seen.number == 1:
            raise KilledError

    with nginx(tmp_path / "n", prober.runtime.pki.issued("server")) as address:
        state = new(address, 2, file=keeper.folder / "state.json", keeper=keeper)
        with pytest.raises(KilledError):
            held(prober, state, kill)
        again = opened(new(address, 2, file=keeper.folder / "state.json", keeper=keeper))
        done = held(prober, again)

    assert not again.lost
    assert [one.number for one in done.rounds] == [1, 2]
    assert [one.outcome for one in done.rounds[1].looks[Mechanism.PSK].offers] == [Outcome.RESUMED]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in keeper.folder.iterdir()}
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (root, keeper.folder)} == {0o700}


def test_without_kept_sessions_the_state_holds_no_secret(prober: Prober, tmp_path: Path) -> None:
    with nginx(tmp_path / "n", prober.runtime.pki.issued("server")) as address:
        state = new(address, 1, file=tmp_path / "state.json")
        held(prober, state)
        written = (tmp_path / "state.json").read_text()
        secrets = [one.session.der.hex() for one in state.holding.waiting if one.session.der]

    assert secrets
    assert not any(der[60:120] in written for der in secrets)
    assert opened(new(address, 1, file=tmp_path / "state.json")).lost
