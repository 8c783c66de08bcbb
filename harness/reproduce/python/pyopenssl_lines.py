"""What pyOpenSSL's public API can express of a story, and the lines that set a knob on a Context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.knobs import why_not
from harness.agent.vocabulary import TRY_LATER
from harness.model.knobs import CacheMode, Unset, Verify, knobs_of
from harness.model.tls import Close, Role, TLSVersion
from harness.reproduce.python.requirement import requirement
from harness.reproduce.quoting import py

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.agent.knob import Knob
    from harness.reproduce.story import Attempt, Context, Story

PACKAGE = "pyOpenSSL"
TEMPLATE = "reproduce_pyopenssl.py.j2"

VERIFY = {
    Verify.NONE: "SSL.VERIFY_NONE",
    Verify.OPTIONAL: "SSL.VERIFY_PEER",
    Verify.ONCE: "SSL.VERIFY_PEER | SSL.VERIFY_CLIENT_ONCE",
    Verify.REQUIRED: "SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT",
}
UNCLEAN = {Close.EOF, Close.RST, Close.SERVER_ONLY}
"""Closes without a close_notify of the client, after which SSL_free makes its session non-resumable."""
NO_CLEARING = "nothing clears an option of a Context"


def _versions(value: object) -> list[str]:
    versions = [version for version in TLSVersion if isinstance(value, tuple) and version in value]
    if versions[0].datagrams:
        return [
            f"{{}}.set_min_proto_version({versions[0].wire:#x})  # {versions[0].label}",
            f"{{}}.set_max_proto_version({versions[-1].wire:#x})  # {versions[-1].label}",
        ]
    names = [version.name.replace("TLSv", "TLS").replace(".", "_") for version in versions]
    constants = [f"SSL.{name}_VERSION" for name in names]
    return [f"{{}}.set_min_proto_version({constants[0]})", f"{{}}.set_max_proto_version({constants[-1]})"]


def _cache_mode(value: object) -> list[str]:
    words = [word for word in CacheMode if isinstance(value, frozenset) and word in value]
    constants = [f"SSL.{word.constant.removeprefix('SSL_')}" for word in words]
    return [f"{{}}.set_session_cache_mode({' | '.join(constants)})"]


def _context(value: object) -> list[str]:
    return [] if isinstance(value, Unset) else [f"{{}}.set_session_id({py(value)})"]


LINES: Mapping[str, Callable[[object], list[str]]] = {
    "versions": _versions,
    "security_level": lambda value: [f"{{}}.set_cipher_list({py(f'DEFAULT:@SECLEVEL={value}'.encode())})"],
    "cache_mode": _cache_mode,
    "timeout": lambda value: [f"{{}}.set_timeout({py(value)})"],
    "session_id_context": _context,
    "ciphers": lambda value: [f"{{}}.set_cipher_list({py(str(value).encode())})"],
    "verify": lambda value: [f"{{}}.set_verify({VERIFY[Verify(str(value))]}, lambda *given: given[-1] == 1)"],
    "server_name": lambda value: [f"NAMES[{{}}] = {py(value)}"],
    "clock": lambda _value: [],  # of each connection
    "client_certificate": lambda _value: [],
    "server_certificate": lambda _value: [],
}
"""Statements by knob, without options, and without alpn and ocsp, which depend on the role; ``{}`` is the context."""
OCSP = {
    Role.CLIENT: ["ASKS.append({})", "{}.set_ocsp_client_callback(lambda *_given: True)"],
    Role.SERVER: [f"{{}}.set_ocsp_server_callback(lambda *_given: {py(TRY_LATER)})"],
}


def lacks_knob(context: Context, name: str, value: object) -> str | None:
    """Return why pyOpenSSL cannot set the knob to this value, or None."""
    row = knobs_of(context.role)[name]
    if (why := why_not("pyopenssl", context.role, context.version, name, value)) is not None:
        return why
    if any(option.default and not option.is_set(value) for option in row.options):
        return NO_CLEARING
    if row.options or name in {*LINES, "alpn", "ocsp"}:
        return None
    return "the script does not set it" if row.pyopenssl else "pyOpenSSL has no way to set it"


def _options(row: Knob, value: object) -> list[str]:
    chosen = [option for option in row.options if option.is_set(value) and not option.default]
    return [
        line
        for option in chosen
        for line in (*requirement(option, row, value), f"{{}}.set_options(1 << {option.bit})  # {option.name}")
    ]


def lacks_attempt(attempt: Attempt, story: Story) -> Iterator[str]:
    """Yield why pyOpenSSL cannot repeat the attempt."""
    offers = story.offers_of(attempt)
    if any(not offer.kept for offer in offers) and attempt.close in UNCLEAN:
        yield (
            f"close {attempt.close}: its session is offered later, and without close_notify it is not resumable any "
            "more; pyOpenSSL cannot copy it"
        )
    if any(offer.kept for offer in offers) and attempt.close is Close.RST:
        yield "close rst: its session object is offered later, and a script's client that resets reads no reset"
    if len(offers) > 1 and not all(offer.kept for offer in offers):
        yield "its session is offered twice, and pyOpenSSL cannot copy it"


def lines(context: Context, name: str) -> list[str]:
    """Return the statements that set up the context, whose variable is ``name``."""
    found: list[str] = []
    for knob, value in context.knobs.items():
        if knob in LINES:
            found += LINES[knob](value)
        elif (row := knobs_of(context.role)[knob]).options:
            found += _options(row, value)
        elif knob == "alpn" and isinstance(value, tuple):
            found.append(_alpn(context, value))
        elif knob == "ocsp" and value:
            found += OCSP[context.role]
    if context.certificate:
        found.append(f"{{}}.use_certificate_chain_file(beside({py(context.certificate + '.crt')}))")
        found.append(f"{{}}.use_privatekey_file(beside({py(context.certificate + '.key')}))")
    if context.knobs.get("verify") not in {None, Verify.NONE}:
        found.append('{}.load_verify_locations(beside("authority.pem"))')
    return [line.replace("{}", name, 1) for line in found]


def _alpn(context: Context, names: tuple[str, ...]) -> str:
    wanted = py([name.encode() for name in names])
    if context.role is Role.CLIENT:
        return f"{{}}.set_alpn_protos({wanted})"
    choice = f"next((name for name in {wanted} if name in offered), SSL.NO_OVERLAPPING_PROTOCOLS)"
    return f"{{}}.set_alpn_select_callback(lambda _connection, offered: {choice})"
