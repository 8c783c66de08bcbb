"""Stacks that a user registers: a file with an agent's command, whose hello says what it can do."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.vocabulary import Verify
from harness.builds.libraries import foreign_libraries
from harness.model.build import Library
from harness.model.capability import Capability
from harness.model.errors import DisagreementError, HarnessError, NoBuildError, UnsupportedError, UsageError
from harness.model.knobs import ServerConfig
from harness.model.session import Session
from harness.model.tls import Outcome, Role, TLSVersion
from harness.pair.pair import Pair
from harness.runtime.runtime import Runtime
from harness.stacks import ssl_
from harness.stacks.agent.hello import read_hello
from harness.stacks.agent.session_objects import offer_object, read_session
from harness.stacks.foreign import GROUP, Registration, commands
from harness.stacks.machine import STACKS, Machine
from harness.tests.liars.lying import LIAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OWN_AGENT = (sys.executable, "-P", "-m", "harness.agent", "ssl")
OF_GNUTLS = {"hello": {"family": "gnutls", "version": "3.7.9", "defaults": {"tickets": 2, "key_name": 16}}}


def without_log() -> dict[str, dict[str, str | None]]:
    """What a hello says of an agent that has every Capability but a key log."""
    able: dict[str, str | None] = dict.fromkeys((capability.value for capability in Capability), None)
    return {role.value: able | {Capability.KEY_LOG.value: "none here"} for role in Role}


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of stacks in a user's configuration of this test alone, which has fetched nothing either."""
    monkeypatch.setenv("RESUMPTION_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "resumption-harness" / "stacks"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as opened:
        yield opened


def lying(lie: dict[str, Any]) -> str:
    """The command of the own agent, with this lie."""
    return shlex.join([sys.executable, LIAR, json.dumps(lie), *OWN_AGENT[1:]])


def test_a_file_and_the_users_folder_are_stacks(tmp_path: Path, configuration: Path) -> None:
    (configuration / "one").write_text("one-agent --fast  # the first\n")
    (configuration / "two.stack").write_text("old")
    (tmp_path / "two").write_text("sub/two-agent 'a b'\n")

    found = commands([tmp_path / "two"], STACKS)

    assert found == {
        "one": Registration("one", ("one-agent", "--fast")),
        "two": Registration("two", (str(tmp_path / "sub/two-agent"), "a b")),
    }


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a distribution, for this test alone, whose entry points are these lines and whose module has commands."""

    def install(lines: str) -> None:
        info = tmp_path / "site/thing-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}\n")
        module = tmp_path / f"site/thing_{tmp_path.name}.py"
        module.write_text(f"TEXT = {shlex.join(OWN_AGENT)!r}\nWORDS = {list(OWN_AGENT)!r}\nNOTHING = []\nNUMBER = 7\n")
        monkeypatch.syspath_prepend(str(tmp_path / "site"))

    return install


@pytest.mark.parametrize("attribute", ["TEXT", "WORDS"])
def test_an_entry_point_of_an_installed_package_is_a_stack(
    tmp_path: Path, runtime: Runtime, distribution: Callable[[str], None], attribute: str
) -> None:
    distribution(f"mine = thing_{tmp_path.name}:{attribute}")
    with closing(Machine(runtime)) as machine:
        assert machine.one("mine").build.library.is_openssl


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("mine = no_such_module:X", "cannot be loaded: ModuleNotFoundError"),
        ("mine = thing_{}:NO_SUCH", "cannot be loaded: AttributeError"),
        ("mine = thing_{}:NUMBER", "cannot be loaded: TypeError"),
        ("mine = thing_{}:NOTHING", "holds no command: a string, or a list of words"),
        ("Mine = thing_{}:TEXT", "use small letters, digits and _"),
        ("libssl = thing_{}:TEXT", "'libssl' is a stack of the harness"),
    ],
)
def test_an_entry_point_that_is_no_stack_is_missing_with_the_reason(
    tmp_path: Path, runtime: Runtime, distribution: Callable[[str], None], line: str, why: str
) -> None:
    distribution(line.format(tmp_path.name))
    with closing(Machine(runtime)) as machine:
        assert [missing.reason for missing in machine.missing if why in missing.reason]
        assert machine.one("libssl").build.libssl is not None


@pytest.mark.parametrize("name", foreign_libraries())
def test_a_library_that_is_not_fetched_says_what_to_do(
    name: str, runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with closing(Machine(runtime)) as machine, pytest.raises(NoBuildError, match=f"{name} is not used: .*(fetch|apt)"):
        machine.select(name)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("libssl", "x", "'libssl' is a stack of the harness"),
        ("Go-Agent", "x", "use small letters, digits and _"),
        ("go", "# nothing\n", "holds no command"),
        ("go", "an 'open quote", "cannot be read as the command of an agent"),
    ],
)
def test_a_file_that_is_no_stack_is_a_usage_error(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(UsageError, match=message):
        commands([tmp_path / name], STACKS)


def test_a_file_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="go cannot be read: No such file or directory; write the command line"):
        commands([tmp_path / "go"], STACKS)


def test_without_registered_stacks_the_machine_has_its_own_four(runtime: Runtime) -> None:
    with closing(Machine(runtime)) as machine:
        assert {stack.name for stack in machine.own} | {missing.stack for missing in machine.missing} == set(STACKS)


@pytest.mark.parametrize("role", list(Role))
def test_an_agent_that_is_registered_resumes_with_libssl(runtime: Runtime, configuration: Path, role: Role) -> None:
    (configuration / "mine").write_text(shlex.join(OWN_AGENT))
    with closing(Machine(runtime)) as machine:
        mine, libssl = machine.one("mine"), machine.one("libssl")
        pair = Pair((mine, libssl) if role is Role.CLIENT else (libssl, mine), TLSVersion.TLSv1_3, runtime)
        first = pair.connect()
        second = pair.connect(offer=first.session)
        pair.close()

        assert second.observed_outcome() is Outcome.RESUMED
        assert mine in machine.own
        assert mine.build.library.is_openssl


def test_what_a_library_chooses_is_asked_of_its_stack(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text(lying({"hello": {"defaults": {"tickets": 4}}}))
    with closing(Machine(runtime, files=[tmp_path / "mine"])) as machine:
        mine, libssl = machine.one("mine"), machine.one("libssl")
        with closing(Pair((libssl, mine), TLSVersion.TLSv1_3, runtime)) as pair:
            assert pair.server_default("tickets") == 4
            with pytest.raises(UnsupportedError, match="its hello does not say"):
                pair.server_default("tickets_after_resumption")
        with closing(Pair((mine, libssl), TLSVersion.TLSv1_3, runtime)) as pair:
            assert pair.server_default("tickets") == 2


def test_a_ticket_that_a_library_drops_for_its_hint_is_unsupported(runtime: Runtime) -> None:
    with closing(Machine(runtime)) as machine:
        libssl = machine.one("libssl")
        with closing(Pair((libssl, libssl), TLSVersion.TLSv1_2, runtime)) as pair:
            real = pair.connect()
    assert real.setup is not None
    (ticket,) = real.messages.tickets or ()

    def held(session: Session | None, least_hint: int) -> Session:
        setup = (
            None if real.setup is None else replace(real.setup, client_library=Library("java", least_hint=least_hint))
        )
        return replace(real, last_session=session, setup=setup).session

    assert held(real.session, ticket.lifetime + 1) is real.session
    with pytest.raises(UnsupportedError, match=f"lifetime hint of {ticket.lifetime} s: its client drops"):
        held(None, ticket.lifetime + 1)
    with pytest.raises(UnsupportedError, match="lifetime hint"):
        held(Session({"ticket": b"an older one"}), ticket.lifetime + 1)
    with pytest.raises(HarnessError, match="yielded no session"):
        held(None, ticket.lifetime)


NO_SECRETS: dict[str, Any] = {"facts": {"keylog": [], "tickets": None, "alerts": None, "errors": []}}


@pytest.mark.parametrize("version", [TLSVersion.TLSv1_2, TLSVersion.TLSv1_3])
def test_what_no_end_can_decrypt_is_unsupported(runtime: Runtime, tmp_path: Path, version: TLSVersion) -> None:
    (tmp_path / "mine").write_text(lying(NO_SECRETS | {"hello": OF_GNUTLS["hello"] | {"capabilities": without_log()}}))
    with closing(Machine(runtime, files=[tmp_path / "mine"])) as machine:
        mine, libssl = machine.one("mine"), machine.one("libssl")
        with closing(Pair((mine, mine), version, runtime)) as pair:
            sealed = pair.connect()
        with closing(Pair((libssl, mine), version, runtime)) as pair:
            opened = pair.connect()

    assert sealed.messages.client_hello.cipher_suites
    assert len(opened.messages.tickets or ()) == opened.tickets > 0
    if version is TLSVersion.TLSv1_2:
        assert len(sealed.messages.tickets or ()) == sealed.tickets == 1
        return
    for asked in ("tickets", "messages", "alerts", "encrypted_extensions", "certificates", "early_data"):
        with pytest.raises(UnsupportedError, match=r"mine@3\.7\.9 lacks key log: none here; mine@3\.7\.9 has none"):
            getattr(sealed.messages, asked)
    with pytest.raises(UnsupportedError, match="lacks key log"):
        sealed.messages.types()
    with pytest.raises(UnsupportedError, match="lacks key log"):
        _ = sealed.tickets


def test_an_alert_that_no_end_reports_or_decrypts_is_unsupported(runtime: Runtime, tmp_path: Path) -> None:
    lie = NO_SECRETS | {"hello": OF_GNUTLS["hello"] | {"capabilities": without_log()}}
    (tmp_path / "mine").write_text(lying(lie))
    with closing(Machine(runtime, files=[tmp_path / "mine"])) as machine:
        mine = machine.one("mine")
        verifying = ServerConfig(verify=Verify.REQUIRED)
        with closing(Pair((mine, mine), TLSVersion.TLSv1_3, runtime, server=verifying)) as pair:
            aborted = pair.connect(presume_full=False)

    assert aborted.observed_alert() is None
    with pytest.raises(UnsupportedError, match="lacks key log"):
        _ = aborted.alert


def test_an_end_that_claims_a_key_log_and_gives_none_is_an_error(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text(lying(NO_SECRETS))
    with closing(Machine(runtime, files=[tmp_path / "mine"])) as machine:
        mine = machine.one("mine")
        with closing(Pair((mine, mine), TLSVersion.TLSv1_3, runtime)) as pair:
            first = pair.connect()

    assert first.messages.tickets is None
    with pytest.raises(DisagreementError, match="the client counted None, the wire shows None"):
        _ = first.tickets


@pytest.mark.parametrize("role", list(Role))
def test_the_abilities_of_a_registered_stack_come_from_its_hello(runtime: Runtime, tmp_path: Path, role: Role) -> None:
    (tmp_path / "mine").write_text(shlex.join(OWN_AGENT))
    with closing(Machine(runtime, files=[tmp_path / "mine"])) as machine:
        mine = machine.one("mine")
        own = ssl_.abilities_of(role, mine.build.version)

        assert mine.abilities(role).capabilities == own.capabilities
        assert mine.abilities(role).missing == own.missing
        assert mine.abilities(role).knobs.keys() == own.knobs.keys()


def test_an_openssl_glob_does_not_select_another_family(runtime: Runtime, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text(lying(OF_GNUTLS))
    with closing(Machine(runtime, files=[tmp_path / "mine"])) as machine:
        assert "mine" not in {stack.name for stack in machine.select("*@3.*")}
        assert [stack.label for stack in machine.select("mine@3.7")] == ["mine@3.7.9"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/nonexistent/agent", "did not start"),
        ("true", "ended with exit code 0"),
        ("echo hello", "broke the protocol"),
        (lying({"hello": {"protocol": 1}}), "protocol 1 is not spoken here, but 2"),
        (lying({"hello": {"version": "new"}}), "it must begin with numbers"),
    ],
)
def test_an_agent_that_cannot_be_used_is_missing_with_the_reason(
    runtime: Runtime, tmp_path: Path, text: str, why: str
) -> None:
    (tmp_path / "mine").write_text(text)
    with closing(Machine(runtime, files=[tmp_path / "mine"])) as machine:
        assert [missing.stack for missing in machine.missing] == ["mine"]
        with pytest.raises(NoBuildError, match=why):
            machine.one("mine")


HELLO: dict[str, Any] = {
    "protocol": 2,
    "library": "tiny",
    "version": "1.2",
    "description": "Tiny 1.2",
    "family": "tiny",
    "roles": ["client"],
    "knobs": {"client": {"versions": None, "psk_modes": ["psk_ke"], "tickets": "Tiny has no switch"}},
    "capabilities": {"client": {"session fields": None, "early data": "Tiny has none"}},
    "defaults": {"tickets": 4, "key_name": 0},
}


def test_what_hello_does_not_name_is_lacking_with_a_reason() -> None:
    hello = read_hello(HELLO)
    client, server = (hello.abilities(role, {}) for role in (Role.CLIENT, Role.SERVER))

    assert hello.library.tickets == 4
    assert hello.library.key_name == 0
    assert client.capabilities == {Capability.SESSION_FIELDS}
    assert client.lacks(Capability.EARLY_DATA) == "Tiny has none"
    assert client.lacks(Capability.OPENSSL_CHOICES) == "its family is tiny"
    assert client.lacks(Capability.COUNTERS) == "its hello does not name it"
    assert client.lacks_knob("tickets", value=False) == "Tiny has no switch"
    assert client.lacks_knob("timeout", 3) == "its hello does not name it"
    assert client.lacks_knob("psk_modes", "psk_ke") is None
    assert client.lacks_knob("psk_modes", "both") == "its library has no other (possible: psk_ke)"
    assert server.lacks_knob("versions", "1.3") == "it does not play the server"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol": 1}, "protocol 1"),
        ({"family": None}, "family of hello is None"),
        ({"roles": []}, "must be client, server or both"),
        ({"roles": ["peer"]}, "must be client, server or both"),
        ({"knobs": {}}, "knobs of hello must be an object with an object for each of its roles"),
        ({"knobs": {"client": {"speed": None}}}, "knobs of the client of hello name 'speed'"),
        ({"capabilities": {"client": {"flight": None}}}, "name 'flight'"),
        ({"capabilities": {"client": {"flush": 1}}}, "say 1 of flush"),
        ({"defaults": {"tickets": "two"}}, "say 'two' of tickets"),
        ({"lacks": []}, "lacks of hello"),
    ],
)
def test_a_hello_that_is_malformed_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_hello(HELLO | change)


def test_an_opaque_session_is_offered_to_agents_of_its_stack_alone() -> None:
    taker, other, stranger = (SimpleNamespace(name=name) for name in ("go@1.27.3", "go@1.28.0", "gnutls@3.7.9"))
    stated = {"der": None, "opaque": "ABCD", "fields": {"version": "1.3"}}
    session = read_session(stated, taker)  # type: ignore[arg-type]  # only the name is asked for

    assert offer_object(session, other, can_import=True)["opaque"] == "abcd"  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match="cannot export it"):
        offer_object(session, stranger, can_import=True)  # type: ignore[arg-type]
