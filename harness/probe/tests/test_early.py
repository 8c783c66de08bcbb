"""A GET is sent as early data and sent again: right on servers that accept it twice, once, and not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.probe import Topic
from harness.model.tls import TLSVersion
from harness.probe import visitor
from harness.probe.tests.probers import answer
from harness.tests.real_servers import SITE, nginx, s_server

if TYPE_CHECKING:
    from pathlib import Path

    from harness.probe.tests.probers import Prober

V13 = (TLSVersion.TLSv1_3,)
TOO_EARLY = (
    "server {{ listen {listen} ssl; if ($ssl_early_data) {{ return 425; }} location / {{ return 200 'x\\n'; }} }}"
)


@pytest.mark.parametrize(("site", "status"), [(SITE, "HTTP 200"), (TOO_EARLY, "HTTP 425")], ids=["200", "425"])
def test_nginx_accepts_an_early_get_twice(prober: Prober, tmp_path: Path, site: str, status: str) -> None:
    """To nginx, a GET is early only until the handshake is complete: the client's Finished is held back."""
    issued = prober.runtime.pki.issued("server")
    with nginx(tmp_path / "nginx", issued, "ssl_early_data on;", (site,)) as address:
        done = prober(address, offers=1, versions=V13)

    early = answer(done, Topic.EARLY_DATA_SENT)
    assert early.text.startswith(f"accepted: the GET gets {status}")
    assert early.evidence[1].startswith("the answer began while the client's Finished was held back")
    replay = answer(done, Topic.REPLAY)
    assert (replay.flag, replay.holds) == ("EARLY DATA CAN BE REPLAYED", {"no-replay": False})
    assert replay.change.startswith("ssl_early_data off;")
    assert replay.evidence[0] == "the same flight was sent once more, byte for byte"


@pytest.mark.parametrize(
    ("options", "replayed", "text"),
    [
        ((), True, "no: the same flight, sent again, is not accepted: the server does not take the session"),
        (("-no_anti_replay",), False, "yes: the same flight, sent again, is accepted again"),
    ],
    ids=["anti-replay", "none"],
)
def test_a_server_takes_an_early_flight_once_only_with_anti_replay(
    prober: Prober, options: tuple[str, ...], text: str, monkeypatch: pytest.MonkeyPatch, *, replayed: bool
) -> None:
    monkeypatch.setattr(visitor, "PATIENCE", 0.25)  # s_server never answers a GET
    with s_server(prober.runtime.pki.issued("server"), "-early_data", *options) as address:
        done = prober(address, offers=1, versions=V13)

    assert answer(done, Topic.EARLY_DATA_SENT).text == "accepted: the GET gets no answer"
    assert (answer(done, Topic.REPLAY).text, answer(done, Topic.REPLAY).holds) == (text, {"no-replay": replayed})


def test_a_server_whose_tickets_allow_none_gets_none(prober: Prober, tmp_path: Path) -> None:
    with nginx(tmp_path / "nginx", prober.runtime.pki.issued("server")) as address:
        done = prober(address, offers=1, versions=V13)

    assert not {Topic.EARLY_DATA_SENT, Topic.REPLAY} & {one.topic for one in done.answers}
