"""Reads the tests of OpenSSL's test/ssl-tests/*.cnf as stories; a word that no story can say is named."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.model.errors import UsageError
from harness.model.tls import ALERTS, Role, TLSVersion
from harness.story.step import Offer
from harness.story.steps import (
    ChooseContext,
    CloseOpen,
    Connect,
    Exchange,
    NewClient,
    NewServer,
    Open,
    Renegotiate,
    UseServer,
)
from harness.story.story import End, Story

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.story.step import Step

PROTOCOLS = {"TLS": ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"), "DTLS": ("DTLSv1", "DTLSv1.2")}
"""Those of each Method, in their order."""
SPOKEN = {version.label: version for version in TLSVersion}
SHARED = "imported"
"""The name of the ticket keys and of the cache: the servers of a test are contexts of one program, which share both."""
OPTIONS: Mapping[str, tuple[str, str]] = {
    "SessionTicket": ("tickets", "on"),
    "-SessionTicket": ("tickets", "off"),
    "NoResumptionOnRenegotiation": ("resumption_on_renegotiation", "off"),
    "NoRenegotiation": ("renegotiation", "off"),
    "ClientRenegotiation": ("client_renegotiation", "on"),
    "-ClientRenegotiation": ("client_renegotiation", "off"),
    "-ExtendedMasterSecret": ("extended_master_secret", "off"),
    "-MiddleboxCompat": ("middlebox_compat", "off"),
    "UnsafeLegacyServerConnect": ("legacy_server_connect", "on"),
}
"""The knob and its value for a word of Options (SSL_CONF_cmd(3))."""
FILES = {"Certificate", "PrivateKey", "VerifyCAFile"}
"""Named in the file; the harness has certificates of its own, and the server one with a key of RSA as there."""
ALWAYS: Mapping[Role, Mapping[str, str]] = {
    Role.CLIENT: {},
    Role.SERVER: {"ticket_keys": SHARED, "server_certificate": "rsa-server", "client_renegotiation": "on"},
}
"""What OpenSSL's test program sets for every test."""
OTHER = "server2"
"""The name for which that program's callback goes over to its second context."""
NUMBERS = {"".join(word.title() for word in name.split("_")): number for number, name in ALERTS.items()}
"""The numbers of alerts by their names in these files."""
NO_OVERLAP = "imported-without-overlap"
"""The ALPN protocol of a server with an empty list: no client offers it, so that its callback finds none either."""
BROKEN = {"ticket_ring": "imported", "ticket_encrypts": "none", "ticket_decrypts": "none"}
"""BrokenSessionTicket: a ticket key callback that returns 0."""
NO_RENEGOTIATION = "lib=20 reason=339 no renegotiation"
"""SSL_R_NO_RENEGOTIATION, which the end reports whose renegotiation fails, as OpenSSL's test program sees it."""
REFUSALS = {("renegotiation", "off"), ("client_renegotiation", "off")}
INCONSISTENT_EMS = "lib=20 reason=104 inconsistent extms"
"""SSL_R_INCONSISTENT_EXTMS, of a server whose client takes back the extended master secret."""
RENEGOTIATED = ("RenegotiateCiphers", "RenegotiateNoExtms")
"""What that program changes at the client before it renegotiates."""
FAILED_END = {"ClientFail": Role.CLIENT, "ServerFail": Role.SERVER}
WORDS = {"Curves": "groups", "Groups": "groups", "CipherString": "ciphers", "Ciphersuites": "ciphersuites"}
"""The knob for a word that has the same value."""
EXTRA = {"ALPNProtocols": "alpn", "ServerName": "server_name", "SessionTicketAppData": "ticket_data"}
"""The same for the extra section of an end."""
NOTHING = {(Role.SERVER, "ServerNameCallback", "IgnoreMismatch"), (Role.CLIENT, "ALPNProtocols", "")}
"""What needs no knob: the callback goes over to the context that the story chooses, and no protocol is offered."""
IDLE: Mapping[str, str | None] = {"FIPSversion": None, "UseSCTP": "No"}
"""Words that change nothing here, each with its one value, None if any: no provider is FIPS's, and none has SCTP."""
VERIFY = {"Peer": "required", "Request": "optional", "Require": "required", "Once": "once"}
RESULTS = {"Success": "!=", "ServerFail": "==", "ClientFail": "=="}
TICKETS = {"Yes": "true", "No": "false"}
OUTCOMES = {"Yes": "== resumed", "No": "!= resumed"}
YES = "Yes"
LONGEST = 60
"""Characters of a file that an error repeats."""


@dataclass(frozen=True)
class SslTest:
    """One test: its story, or the words that no story can say."""

    name: str
    story: Story | None = None
    unsaid: tuple[str, ...] = ()


@dataclass
class _Reading:
    sections: Mapping[str, Mapping[str, str]]
    protocols: tuple[str, ...]
    """Those of the test's Method."""
    unsaid: list[str] = field(default_factory=list)
    renegotiated: dict[str, str] = field(default_factory=dict)
    """The words of RENEGOTIATED with their values."""

    def knobs(self, role: Role, name: str, extra: str) -> dict[str, str]:
        """The knobs of a section for SSL_CONF_cmd and of its extra one."""
        section = _named(self.sections, name, f"the {role}") if name else {}
        found = dict(ALWAYS[role])
        found |= self._versions(section.pop("MinProtocol", "None"), section.pop("MaxProtocol", "None"))
        if role is Role.CLIENT and "Certificate" in section:
            found["client_certificate"] = "client"
        for word, value in section.items():
            if word in FILES or (word == "CipherString" and value.partition(":")[0] == "DEFAULT"):
                continue
            if word == "Options":
                for option in value.split(","):
                    self._put(found, OPTIONS.get(option), f"Options = {option}")
            elif word in WORDS:
                found[WORDS[word]] = value
            elif word == "VerifyMode" and value in VERIFY:
                found["verify"] = VERIFY[value]
            else:
                self.unsaid.append(f"{word} = {value}")
        found |= self._extra(role, _named(self.sections, extra, f"the {role}") if extra else {})
        if role is Role.SERVER and found.get("tickets") == "off":
            found["external_cache"] = SHARED
        return found

    def _extra(self, role: Role, section: Mapping[str, str]) -> dict[str, str]:
        """The knobs of what OpenSSL's test program sets by calls of its own."""
        found = {}
        for word, value in section.items():
            if word in EXTRA and value:
                found[EXTRA[word]] = value
            elif (role, word, value) == (Role.SERVER, "ALPNProtocols", ""):
                found["alpn"] = NO_OVERLAP
            elif (word, value) == ("BrokenSessionTicket", YES):
                found |= BROKEN
            elif role is Role.CLIENT and word in RENEGOTIATED:
                self.renegotiated[word] = value
            elif (role, word, value) not in NOTHING:
                self.unsaid.append(f"{word} = {value} of the {role}")
        return found

    def _put(self, knobs: dict[str, str], made: tuple[str, str] | None, words: str) -> None:
        if made is None:
            self.unsaid.append(words)
        else:
            knobs[made[0]] = made[1]

    def _versions(self, least: str, most: str) -> dict[str, str]:
        known = self.protocols
        places = [known.index(word) if word in known else None for word in (least, most)]
        first = places[0] or 0
        last = len(known) - 1 if places[1] is None else places[1]
        enabled = [SPOKEN[name].value for name in known[first : last + 1] if name in SPOKEN]
        if not enabled:
            self.unsaid.append(f"MaxProtocol = {most}: the harness speaks {', '.join(SPOKEN)}")
        return {"versions": ",".join(enabled)} if enabled else {}


def read(text: str) -> list[SslTest]:
    """The tests of a file, in their order; UsageError if it is not such a file."""
    sections = _sections(text)
    names = {word: value for word, value in sections[""].items() if re.fullmatch(r"test-\d+", word)}
    if not names:
        raise UsageError("the file has no test-0, so it is not one of OpenSSL's test/ssl-tests/*.cnf")
    said = sections[""].get("num_tests", str(len(names)))
    if said != str(len(names)):
        raise UsageError(f"num_tests is {said[:LONGEST]!r}, and the file has {len(names)}: take the whole file")
    return [_test(sections, key, name) for key, name in names.items()]


def _named(sections: Mapping[str, Mapping[str, str]], name: str, by: str) -> dict[str, str]:
    """The words of a section that another one names; UsageError without it."""
    if name not in sections or not name:
        raise UsageError(
            f"{by} names the section [{name[:LONGEST]}], which the file does not have: take the whole file"
        )
    return dict(sections[name])


def _sections(text: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"": {}}
    name = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].strip()
        if words.startswith("[") and words.endswith("]"):
            name = words[1:-1].strip()
            found.setdefault(name, {})
        elif words:
            key, equals, value = words.partition("=")
            if words.startswith(".include"):
                raise UsageError(f"line {number} includes another file, which the importer does not read: copy it in")
            if not equals:
                raise UsageError(f"line {number} is neither a [section] nor WORD = VALUE: {words[:LONGEST]!r}")
            found[name][key.strip()] = value.strip()
    return found


def _test(sections: Mapping[str, Mapping[str, str]], key: str, name: str) -> SslTest:
    conf = _named(sections, name, key).get("ssl_conf", "")
    ends = _named(sections, conf, f"ssl_conf of [{name}]")
    wanted = dict(sections.get(key, {}))
    for word in [word for word, value in wanted.items() if word in IDLE and IDLE[word] in {None, value}]:
        del wanted[word]
    method = wanted.pop("Method", "TLS")
    reading = _Reading(sections, PROTOCOLS.get(method, PROTOCOLS["TLS"]))
    extra = {word: wanted.pop(word, "") for word in ("server", "client", "server2", "resume-server", "resume-client")}
    first = {role: reading.knobs(role, ends.pop(str(role), ""), extra[str(role)]) for role in Role}
    again = {}
    for role in Role:
        named = ends.pop(f"resume-{role}", "")
        given = extra[f"resume-{role}"] or extra[str(role)]
        again[role] = reading.knobs(role, named, given) if named else first[role]
    other = reading.knobs(Role.SERVER, ends.pop(OTHER), extra[OTHER]) if OTHER in ends else None
    reading.unsaid += [f"{word} = {value}" for word, value in ends.items()]
    mode = wanted.pop("HandshakeMode", "Simple")
    if method not in PROTOCOLS:
        reading.unsaid.append(f"Method = {method}")
    steps = _steps(mode, first, again, reading)
    if other is not None and steps is not None:
        steps = (*_second_context(first[Role.SERVER], other), *steps)
    chosen = OTHER if first[Role.CLIENT].get("server_name") == OTHER else "server1"
    if other is not None and wanted.get("ExpectedServerName") == chosen:
        del wanted["ExpectedServerName"]
    refused = any(REFUSALS & set(knobs.items()) for knobs in first.values())
    expect = _expect(wanted, mode, reading, refused=refused)
    if reading.unsaid or steps is None:
        return SslTest(name, unsaid=tuple(dict.fromkeys(reading.unsaid)))
    enabled = [set(first[role]["versions"].split(",")) for role in Role]
    if not enabled[0] & enabled[1]:
        return SslTest(name, unsaid=("the ends have no version of the harness in common",))
    client, server = (End(knobs=first[role]) for role in (Role.CLIENT, Role.SERVER))
    tls = TLSVersion(max(enabled[0] & enabled[1]))
    return SslTest(name, Story(tls=tls, about=name, client=client, server=server, steps=steps, expect=expect))


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """The knobs that are not as before, `unset` for those that are not set any more."""
    names = sorted({*before, *after})
    return {n: after.get(n, "unset") for n in names if before.get(n, "unset") != after.get(n, "unset")}


def _second_context(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[Step, ...]:
    return (NewServer(knobs=_changed(first, second)), UseServer(server=1), ChooseContext(server_name=OTHER, other=2))


def _steps(
    mode: str, first: Mapping[Role, dict[str, str]], again: Mapping[Role, dict[str, str]], reading: _Reading
) -> tuple[Step, ...] | None:
    if mode == "Simple":
        return (Connect(),)
    if mode == "Resume":
        changes: list[Step] = []
        for role, make in ((Role.CLIENT, NewClient), (Role.SERVER, NewServer)):
            changed = _changed(first[role], again[role])
            changes += [make(knobs=changed)] if changed else []
        return (Connect(), *changes, Connect(offer=Offer()))
    if mode in {"RenegotiateClient", "RenegotiateServer"}:  # its program's client calls SSL_renegotiate_abbreviated
        by = Role.CLIENT if mode == "RenegotiateClient" else Role.SERVER
        made = Renegotiate(
            by=by,
            abbreviated=by is Role.CLIENT,
            ciphers=reading.renegotiated.get("RenegotiateCiphers"),
            no_extended_master_secret=reading.renegotiated.get("RenegotiateNoExtms") == YES,
        )
        return (Open(), Exchange(), made, CloseOpen())
    reading.unsaid.append(f"HandshakeMode = {mode}")
    return None


def _expect(wanted: dict[str, str], mode: str, reading: _Reading, *, refused: bool) -> tuple[str, ...]:
    connection = f"connection[{2 if mode == 'Resume' else 1}]"
    shaken = mode in {"Resume", "Simple"}  # a renegotiation that fails may leave the connection as it is
    found = []
    for word, value in wanted.items():
        for made in (
            _of_handshake(word, value) if shaken else _of_renegotiation(word, value, reading, refused=refused),
            _of_session(word, value),
        ):
            if made is not None:
                found += [made.format(connection)] if made else []
                break
        else:
            reading.unsaid.append(f"{word} = {value}")
    return tuple(found)


def _of_handshake(word: str, value: str) -> str | None:
    """What a first handshake or a resumption is to be, with a place for the connection; None if it says nothing."""
    if word == "ResumptionExpected" and value in OUTCOMES:
        return f"{{}}.outcome {OUTCOMES[value]}"
    if word == "ExpectedResult" and value in RESULTS:
        return f"{{}}.outcome {RESULTS[value]} aborted"
    if word in {"ExpectedServerAlert", "ExpectedClientAlert"} and value in NUMBERS:
        return f"{{}}.alert == {NUMBERS[value]}"
    return None


def _of_renegotiation(word: str, value: str, reading: _Reading, *, refused: bool) -> str | None:
    """The same of a renegotiation; ``refused`` if an end does not take part."""
    if word == "ResumptionExpected" and value in OUTCOMES:
        return f"{{}}.renegotiation_resumed == {TICKETS[value]}"
    if (word, value) == ("ExpectedResult", "Success"):
        return "{}.outcome != aborted"
    if word == "ExpectedResult" and value in FAILED_END and refused:
        return f"'{NO_RENEGOTIATION}' in {{}}.endpoints.{FAILED_END[value]}.errors"
    if (word, value) == ("ExpectedResult", "ServerFail") and "RenegotiateNoExtms" in reading.renegotiated:
        return f"'{INCONSISTENT_EMS}' in {{}}.endpoints.server.errors"
    if (word, value) == ("ExpectedServerAlert", "NoRenegotiation"):
        return "'server.no_renegotiation' in {}.alert_names"
    return None


def _of_session(word: str, value: str) -> str | None:
    """The same of what was negotiated, and of the session; empty if there is nothing to compare."""
    if word == "ExpectedProtocol" and value in SPOKEN:
        return f"{{}}.endpoints.client.version == '{SPOKEN[value].value}'"
    if word == "ExpectedALPNProtocol":
        return f"{{}}.alpn == '{value}'"
    if word == "SessionTicketExpected" and value in TICKETS:
        return f"{{}}.session.has_ticket == {TICKETS[value]}"
    if word == "SessionIdExpected" and value in OUTCOMES:
        return f"{{}}.session.session_id {'!=' if value == YES else '=='} ''"
    if word == "ExpectedSessionTicketAppData":
        return f"'take {value.encode().hex()} ok' in {{}}.callback_names" if value else ""
    return None
