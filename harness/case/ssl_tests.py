"""Reads the tests of OpenSSL's test/ssl-tests/*.cnf as stories; a word that no story can say is named."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.model.errors import UsageError
from harness.model.tls import Role, TLSVersion
from harness.story.step import Offer
from harness.story.steps import CloseOpen, Connect, Exchange, NewClient, NewServer, Open, Renegotiate
from harness.story.story import End, Story

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.story.step import Step

PROTOCOLS = ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
"""In their order."""
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
}
"""The knob and its value for a word of Options (SSL_CONF_cmd(3))."""
FILES = {"Certificate", "PrivateKey", "VerifyCAFile"}
"""Named in the file; the harness has certificates of its own."""
VERIFY = {"Peer": "required", "Request": "optional", "Require": "required"}
OUTCOMES = {"Yes": "== resumed", "No": "!= resumed"}
YES = "Yes"


@dataclass(frozen=True)
class SslTest:
    """One test: its story, or the words that no story can say."""

    name: str
    story: Story | None = None
    unsaid: tuple[str, ...] = ()


@dataclass
class _Reading:
    sections: Mapping[str, Mapping[str, str]]
    unsaid: list[str] = field(default_factory=list)

    def knobs(self, role: Role, name: str, extra: str) -> dict[str, str]:
        """The knobs of a section for SSL_CONF_cmd and of its extra one."""
        found: dict[str, str] = {}
        section = dict(self.sections.get(name, {}))
        found |= self._versions(section.pop("MinProtocol", "None"), section.pop("MaxProtocol", "None"))
        for word, value in section.items():
            if word in FILES or (word == "CipherString" and value.partition(":")[0] == "DEFAULT"):
                continue
            if word == "Options":
                for option in value.split(","):
                    self._put(found, OPTIONS.get(option), f"Options = {option}")
            elif word in {"Curves", "Groups"}:
                found["groups"] = value
            elif word == "VerifyMode" and value in VERIFY:
                found["verify"] = VERIFY[value]
            else:
                self.unsaid.append(f"{word} = {value}")
        for word, value in (self.sections.get(extra, {}) if extra else {}).items():
            if word == "ALPNProtocols":
                found["alpn"] = value
            else:
                self.unsaid.append(f"{word} = {value} of the {role}")
        if role is Role.SERVER:
            found |= {"ticket_keys": SHARED}
            found |= {"external_cache": SHARED} if found.get("tickets") == "off" else {}
        return found

    def _put(self, knobs: dict[str, str], made: tuple[str, str] | None, words: str) -> None:
        if made is None:
            self.unsaid.append(words)
        else:
            knobs[made[0]] = made[1]

    def _versions(self, least: str, most: str) -> dict[str, str]:
        places = [PROTOCOLS.index(word) if word in PROTOCOLS else None for word in (least, most)]
        first = places[0] or 0
        last = len(PROTOCOLS) - 1 if places[1] is None else places[1]
        enabled = [SPOKEN[name].value for name in PROTOCOLS[first : last + 1] if name in SPOKEN]
        if not enabled:
            self.unsaid.append(f"MaxProtocol = {most}: the harness speaks TLS 1.2 and 1.3")
        return {"versions": ",".join(enabled)} if enabled else {}


def read(text: str) -> list[SslTest]:
    """The tests of a file, in their order; UsageError if it is not such a file."""
    sections = _sections(text)
    names = [value for word, value in sections[""].items() if re.fullmatch(r"test-\d+", word)]
    if not names:
        raise UsageError("the file has no test-0, so it is not one of OpenSSL's test/ssl-tests/*.cnf")
    return [_test(sections, f"test-{number}", name) for number, name in enumerate(names)]


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
            if not equals:
                raise UsageError(f"line {number} is neither a [section] nor WORD = VALUE: {words!r}")
            found[name][key.strip()] = value.strip()
    return found


def _test(sections: Mapping[str, Mapping[str, str]], key: str, name: str) -> SslTest:
    ends = dict(sections.get(sections.get(name, {}).get("ssl_conf", ""), {}))
    wanted = dict(sections.get(key, {}))
    reading = _Reading(sections)
    extra = {word: wanted.pop(word, "") for word in ("server", "client", "server2", "resume-server", "resume-client")}
    first = {role: reading.knobs(role, ends.pop(str(role), ""), extra[str(role)]) for role in Role}
    again = {}
    for role in Role:
        named = ends.pop(f"resume-{role}", "")
        given = extra[f"resume-{role}"] or extra[str(role)]
        again[role] = reading.knobs(role, named, given) if named else first[role]
    reading.unsaid += [f"{word} = {value}" for word, value in ends.items()]
    mode, method = wanted.pop("HandshakeMode", "Simple"), wanted.pop("Method", "TLS")
    if method != "TLS":
        reading.unsaid.append(f"Method = {method}")
    steps = _steps(mode, first, again, reading)
    expect = _expect(wanted, mode, reading)
    if reading.unsaid or steps is None:
        return SslTest(name, unsaid=tuple(dict.fromkeys(reading.unsaid)))
    enabled = [set(first[role]["versions"].split(",")) for role in Role]
    if not enabled[0] & enabled[1]:
        return SslTest(name, unsaid=("the ends have no version of the harness in common",))
    client, server = (End(knobs=first[role]) for role in (Role.CLIENT, Role.SERVER))
    tls = TLSVersion(max(enabled[0] & enabled[1]))
    return SslTest(name, Story(tls=tls, about=name, client=client, server=server, steps=steps, expect=expect))


def _steps(
    mode: str, first: Mapping[Role, dict[str, str]], again: Mapping[Role, dict[str, str]], reading: _Reading
) -> tuple[Step, ...] | None:
    if mode == "Simple":
        return (Connect(),)
    if mode == "Resume":
        changes: list[Step] = []
        for role, make in ((Role.CLIENT, NewClient), (Role.SERVER, NewServer)):
            changed = {n: again[role].get(n, "unset") for n in {**first[role], **again[role]}}
            changed = {n: value for n, value in sorted(changed.items()) if first[role].get(n, "unset") != value}
            changes += [make(knobs=changed)] if changed else []
        return (Connect(), *changes, Connect(offer=Offer()))
    if mode in {"RenegotiateClient", "RenegotiateServer"}:  # its program's client calls SSL_renegotiate_abbreviated
        by = Role.CLIENT if mode == "RenegotiateClient" else Role.SERVER
        return (Open(), Exchange(), Renegotiate(by=by, abbreviated=by is Role.CLIENT), CloseOpen())
    reading.unsaid.append(f"HandshakeMode = {mode}")
    return None


def _expect(wanted: dict[str, str], mode: str, reading: _Reading) -> tuple[str, ...]:
    number = 2 if mode == "Resume" else 1
    found = []
    for word, value in wanted.items():
        if word == "ResumptionExpected" and value in OUTCOMES:
            renegotiated = {"Yes": "renegotiation_resumed == true", "No": "renegotiation_resumed == false"}
            made = f"outcome {OUTCOMES[value]}" if mode in {"Resume", "Simple"} else renegotiated[value]
            found.append(f"connection[{number}].{made}")
        elif word == "ExpectedProtocol" and value in SPOKEN:
            found.append(f"connection[{number}].endpoints.client.version == '{SPOKEN[value].value}'")
        elif word == "ExpectedALPNProtocol":
            found.append(f"connection[{number}].alpn == '{value}'")
        elif word == "ExpectedResult" and (value == "Success" or mode == "Simple"):
            found.append(f"connection[{number}].outcome {'!=' if value == 'Success' else '=='} aborted")
        else:
            reading.unsaid.append(f"{word} = {value}")
    return tuple(found)
