"""What Python's ssl can express of a story, and the lines that set a knob on an SSLContext."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.knobs import ECDH_CURVES, why_not
from harness.model.knobs import Verify, knobs_of
from harness.model.tls import Close, TLSVersion
from harness.reproduce.python.requirement import requirement
from harness.reproduce.quoting import py
from harness.reproduce.story import no_common_alpn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.reproduce.story import Attempt, Context, Story

PACKAGE = "Python's ssl"
TEMPLATE = "reproduce_ssl.py.j2"

VERIFY = {Verify.NONE: "CERT_NONE", Verify.OPTIONAL: "CERT_OPTIONAL", Verify.REQUIRED: "CERT_REQUIRED"}


def option(bit: str, *, on: bool) -> str:
    """Return the statement that sets or clears an option; ``{}`` is the context."""
    return f"{{}}.options |= {bit}" if on else f"{{}}.options &= ~{bit}"


def _versions(value: object) -> list[str]:
    versions = [version for version in TLSVersion if isinstance(value, tuple) and version in value]
    names = [version.name for version in versions]
    return [f"{{}}.minimum_version = ssl.TLSVersion.{names[0]}", f"{{}}.maximum_version = ssl.TLSVersion.{names[-1]}"]


def _alpn(value: object) -> list[str]:
    return [f"{{}}.set_alpn_protocols({py(list(value) if isinstance(value, tuple) else [])})"]


LINES: Mapping[str, Callable[[object], list[str]]] = {
    "versions": _versions,
    "security_level": lambda value: [f"{{}}.set_ciphers({py(f'DEFAULT:@SECLEVEL={value}')})"],
    "num_tickets": lambda value: [f"{{}}.num_tickets = {py(value)}"],
    "ciphers": lambda value: [f"{{}}.set_ciphers({py(value)})"],
    "groups": lambda value: [f"{{}}.set_ecdh_curve({py(ECDH_CURVES.get(str(value), value))})"],
    "alpn": _alpn,
    "verify": lambda value: [f"{{}}.verify_mode = ssl.{VERIFY[Verify(str(value))]}"],
    "server_name": lambda value: [f"NAMES[{{}}] = {py(value)}"],
    "session_id_context": lambda _value: [],
    "clock": lambda _value: [],  # of each connection
    "client_certificate": lambda _value: [],
    "server_certificate": lambda _value: [],
}
"""Statements by knob, without options; braces in values are doubled, ``{}`` is the context."""


def lacks_knob(context: Context, name: str, value: object) -> str | None:
    """Return why ssl cannot set the knob to this value, or None."""
    if (why := why_not("ssl", context.role, context.version, name, value)) is not None:
        return why
    if name == "server_name" and _is_no_name(str(value)):
        return "Python's ssl sends no server name for an IP address"
    if name == "alpn" and not str(value).isascii():
        return "SSLContext.set_alpn_protocols takes ASCII"
    row = knobs_of(context.role)[name]
    if name in LINES or row.options:
        return None
    return "the script does not set it" if row.ssl else "Python's ssl has no way to set it"


def _is_no_name(text: str) -> bool:
    try:
        text.encode("idna")
    except UnicodeError:
        return True
    return ":" in text or text.replace(".", "").isdigit() or text.startswith(".") or not text


def lacks_attempt(attempt: Attempt, story: Story) -> Iterator[str]:
    """Yield why ssl cannot repeat the attempt."""
    del story
    if attempt.offer is not None and attempt.offer.kept and attempt.client.stack != "ssl":
        yield "the object in memory is offered, and SSLSocket.session is a copy"
    if no_common_alpn(attempt) and attempt.server.stack != "ssl":
        yield "no ALPN protocol in common: a server on Python's ssl goes on without any"
    if attempt.close is Close.RST and attempt.server.stack == "ssl":
        yield "close rst: the harness reported the end of TCP to ssl, but cannot report a reset"


def lines(context: Context, name: str) -> list[str]:
    """Return the statements that set up the context, whose variable is ``name``."""
    # OpenSSL's default, which Python changes since 3.10
    own = context.stack == "ssl" or "ignore_unexpected_eof" in context.knobs
    found = [] if own else [option('getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)', on=False)]
    for knob, value in context.given.items():
        row = knobs_of(context.role)[knob]
        for o in row.options:
            found += requirement(o, row, value)
            found.append(f"{option(f'(1 << {o.bit})', on=o.is_set(value))}  # {o.name}")
        found += [] if row.options else LINES[knob](value)
    if context.certificate:
        found.append(f"{{}}.load_cert_chain(beside({py(context.certificate + '.crt')}), beside({_key(context)}))")
    if context.knobs.get("verify") not in {None, Verify.NONE}:
        found.append('{}.load_verify_locations(beside("authority.pem"))')
    return [line.replace("{}", name, 1) for line in found]


def _key(context: Context) -> str:
    return py(f"{context.certificate}.key")
