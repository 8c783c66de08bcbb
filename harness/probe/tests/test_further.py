"""Sessions that are offered where they do not belong: each answer on a server that is set up for it, and against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.probe import Topic
from harness.model.tls import TLSVersion
from harness.probe.tests.probers import answer
from harness.tests.real_servers import nginx, s_server

if TYPE_CHECKING:
    from pathlib import Path

    from harness.probe.tests.probers import Prober

TWO_SITES = (
    "server {{ listen {listen} ssl; server_name first.test; location / {{ return 200 'first\\n'; }} }}",
    "server {{ listen {listen} ssl; server_name second.test; ssl_certificate %s; ssl_certificate_key %s; %s }}",
)
BOTH_NAMES = ("first.test", "second.test")


def test_a_session_under_a_name_with_another_certificate_is_a_flag(prober: Prober) -> None:
    pki = prober.runtime.pki
    second = pki.issued("other-server")
    options = ("-servername", "second.test", "-cert2", str(second.certificate), "-key2", str(second.key))
    with s_server(pki.issued("server"), "-www", *options) as address:
        done = prober(address, offers=1, versions=(TLSVersion.TLSv1_3,), sni=BOTH_NAMES)

    found = answer(done, Topic.OTHER_NAME, "second.test")
    assert found.text == ("resumes: a session of first.test gets HTTP 200; a full handshake there gets HTTP 200")
    assert found.holds == {"bound-name": False}


def test_a_session_that_is_declined_under_another_name_is_no_flag(prober: Prober, tmp_path: Path) -> None:
    pki = prober.runtime.pki
    second = pki.issued("other-server")
    sites = (TWO_SITES[0], TWO_SITES[1] % (second.certificate, second.key, "location / {{ return 404; }}"))
    off = "ssl_session_tickets off; ssl_session_cache off;"
    with nginx(tmp_path / "nginx", pki.issued("server"), off, sites) as address:
        done = prober(address, offers=1, versions=(TLSVersion.TLSv1_3,), sni=BOTH_NAMES)

    found = answer(done, Topic.OTHER_NAME, "second.test")
    assert found.text == "no: a session of first.test is declined; a full handshake there gets HTTP 404"
    assert found.evidence == ("both names have different certificates",)
    assert found.holds == {"bound-name": True}


def test_a_name_with_the_same_certificate_is_no_flag(prober: Prober) -> None:
    with s_server(prober.runtime.pki.issued("server"), "-www") as address:
        done = prober(address, offers=1, versions=(TLSVersion.TLSv1_3,), sni=BOTH_NAMES)

    assert answer(done, Topic.OTHER_NAME, "second.test").holds == {"bound-name": True}
    assert not answer(done, Topic.OTHER_NAME, "second.test").flag


@pytest.mark.parametrize(("verify", "holds"), [("-verify", {"bound-certificate": False}), ("", {})])
def test_a_session_made_with_a_certificate_is_offered_without(
    prober: Prober, verify: str, holds: dict[str, bool]
) -> None:
    pki = prober.runtime.pki
    asks = (verify, "1", "-CAfile", str(pki.authority())) if verify else ()
    with s_server(pki.issued("server"), "-www", *asks) as address:
        done = prober(address, offers=1, versions=(TLSVersion.TLSv1_3,), certificate="client")

    assert answer(done, Topic.CLIENT_CERTIFICATE, "none").holds == holds


def test_a_tls12_session_is_declined_where_tls13_is_spoken(prober: Prober) -> None:
    with s_server(prober.runtime.pki.issued("server"), "-www") as address:
        done = prober(address, offers=1)

    assert answer(done, Topic.OLDER_SESSION, "TLS 1.2").text == "is declined by a full handshake of TLSv1.3"


@pytest.mark.parametrize(
    ("options", "text"), [(("-early_data",), "allowed: 16384 bytes with a ticket"), ((), "not allowed by any ticket")]
)
def test_early_data_is_allowed_where_a_ticket_says_so(prober: Prober, options: tuple[str, ...], text: str) -> None:
    with s_server(prober.runtime.pki.issued("server"), *options) as address:
        done = prober(address, offers=1, say="none", versions=(TLSVersion.TLSv1_3,))

    found = answer(done, Topic.EARLY_DATA)
    assert (found.text, found.holds) == (text, {"no-early-data": not options})
    sent = [one.text for one in done.answers if one.topic is Topic.EARLY_DATA_SENT]
    assert sent == (["not sent: only a GET is sent early, and --say is not http"] if options else [])
