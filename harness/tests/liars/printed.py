"""What s_client and s_server printed of a real connection, with one line changed, read once more."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from harness.agent.vocabulary import release
from harness.model.connection import Counters
from harness.model.tls import Role
from harness.model.view import EndpointReport, Saw
from harness.pair.audit import audit
from harness.pair.audit.counters import Tally
from harness.pair.audit.remembered import remembered
from harness.stacks.openssl.client_output import ClientOutput
from harness.stacks.openssl.server_output import ServerOutput
from harness.stacks.openssl.views import client_report, server_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection
    from harness.model.view import View

FATAL = "0:error:0A000438:SSL routines::tlsv1 alert internal error:ssl/record/rec_layer_s3.c:1:SSL alert number 80"
EOF = "0:error:0A000126:SSL routines::unexpected eof while reading:ssl/record/rec_layer_s3.c:1:"
OWN = "0:error:0A000115:SSL routines::session id context uninitialized:ssl/ssl_sess.c:1:"
RESET = "write:errno=104"
FULL = "New, TLSv1.3, Cipher is TLS_AES_128_CCM_SHA256"
RESUMED = "Reused, TLSv1.3, Cipher is TLS_AES_128_CCM_SHA256"
NAMES = {
    Role.CLIENT: (
        *(FULL, RESUMED, "New, TLSv1.2, Cipher is AES128-SHA", "Reused, TLSv1.2, Cipher is AES128-SHA"),
        *("New, (NONE), Cipher is (NONE)", "    Protocol  : TLSv1.1", "    Protocol  : DTLSv1", "Protocol: QUICv1"),
        *("Server certificate", "no peer certificate available", "ALPN protocol: spdy/1", "No ALPN negotiated"),
        *("Server Temp Key: X25519, 253 bits", "Peer Temp Key: ECDH, secp521r1, 521 bits"),
        *("Server Temp Key: DH, 1024 bits", "Negotiated TLS1.3 group: secp521r1"),
        *("Early data was accepted", "Early data was rejected", "Early data was not sent"),
        *("---", "DONE", "closed", "Post-Handshake New Session Ticket arrived:", "RENEGOTIATING"),
        *(FATAL, EOF, OWN, RESET, "read:errno=0"),
    ),
    Role.SERVER: (
        *("CIPHER is TLS_AES_128_CCM_SHA256", "CIPHER is AES128-SHA", "Client certificate", "Reused session-id"),
        *("ALPN protocols selected: spdy/1", "Secure Renegotiation IS supported", "Early data received:"),
        *("No early data received", "Early data was rejected", "End of early data", "other early data"),
        *("-----BEGIN SSL SESSION PARAMETERS-----", "-----END SSL SESSION PARAMETERS-----"),
        *("ERROR", "DONE", "CONNECTION CLOSED", "SSL_do_handshake -> 1", "Failed to initiate request"),
        *(f"  99 {counter}" for counter in ("session cache hits", "server accepts (SSL_accept())")),
        *(FATAL, EOF, OWN, RESET, "read:errno=0"),
    ),
}
"""Lines of each program that say something of a connection which is false in most of them."""


@dataclass(frozen=True)
class Text:
    """What one program printed of a connection."""

    role: Role
    lines: tuple[bytes, ...]
    real: EndpointReport
    datagrams: bool

    @classmethod
    def of(cls, connection: Connection, role: Role) -> Text:
        """The whole lines."""
        report = connection.client if role is Role.CLIENT else connection.server
        lines = tuple(report.output.encode(errors="replace").split(b"\n")[:-1])
        return cls(role, lines, report, connection.tls.datagrams)

    def read(self, lines: Sequence[bytes]) -> EndpointReport:
        """The report that the program's stack makes of these lines."""
        name = self.real.view.name
        major = release(name.partition("@")[2])[0]
        if self.role is Role.SERVER:
            out = ServerOutput(major, datagrams=self.datagrams)
            for line in lines:
                out.feed(line)
                if out.closed:
                    break
            return server_report(out, name)
        printed = ClientOutput(major)
        for line in lines:
            printed.feed(line)
        skips = any("-allow_no_dhe_kex" in command for command in self.real.commands)
        return client_report(printed, name, early_bytes=self.real.early_bytes, skips=skips)

    def variations(self) -> Iterator[tuple[str, tuple[bytes, ...]]]:
        """The lines with one of them left out or twice, and false ones in its place, before or behind it.

        Only lines that the report is made of are replaced; the others say nothing of it.
        """
        honest, lines = self.read(self.lines), self.lines
        for place, line in enumerate(lines):
            left_out = lines[:place] + lines[place + 1 :]
            yield f"without {line!r}", left_out
            yield f"twice {line!r}", (*lines[: place + 1], *lines[place:])
            if self.read(left_out) == honest and place:
                continue
            for name in NAMES[self.role]:
                false = name.encode()
                if false != line:
                    yield f"{name!r} instead of {line!r}", (*lines[:place], false, *lines[place + 1 :])
                yield f"{name!r} before {line!r}", (*lines[:place], false, *lines[place:])


def changes(honest: EndpointReport, false: EndpointReport, real: EndpointReport) -> dict[str, Any]:
    """The fields that are false; what is not printed is not a lie, and some fields the stack hides."""
    of = {field.name: getattr(false, field.name) for field in fields(EndpointReport)}
    changed = {
        name: value
        for name, value in of.items()
        if value is not None and value != getattr(honest, name) and getattr(real, name) == getattr(honest, name)
    }
    counted, real_count = (end.extra.get("counters") for end in (false, honest))
    if isinstance(counted, Counters) and isinstance(real_count, Counters):
        known = {name: value for name, value in asdict(counted).items() if value is not None}
        changed["extra"] = {"counters": replace(real_count, **known)}
    if not changed.get("extra") or changed["extra"] == honest.extra:
        changed.pop("extra", None)
    if (view := changed.get("view")) and _says_less(view, honest.view):
        del changed["view"]
    return changed


def believed(connection: Connection, role: Role, earlier: Sequence[Connection]) -> Iterator[tuple[str, dict[str, str]]]:
    """The lies in the text of one end that no disagreement follows from: what is printed, and what is then reported."""
    text = Text.of(connection, role)
    honest, seen = text.read(text.lines), list[dict[str, Any]]()
    for how, lines in text.variations():
        changed = changes(honest, text.read(lines), text.real)
        if not changed or changed in seen:
            continue
        seen.append(changed)
        if not _caught(connection, role, replace(text.real, **changed), earlier):
            claimed = {f"{role} {name}": str(value) for name, value in changed.items() if name != "view"}
            view = changed.get("view")
            yield how, claimed | ({f"{role} saw": f"{view.saw} {view.alert} {view.tickets}"} if view else {})


def _says_less(view: View, honest: View) -> bool:
    """Whether a view differs in its words alone, or by what it does not say."""
    same = view.saw is honest.saw or (view.saw is Saw.UNKNOWN and honest.saw is Saw.ABORTED)
    return same and view.alert in {None, honest.alert} and view.tickets in {None, honest.tickets}


def _caught(connection: Connection, role: Role, false: EndpointReport, earlier: Sequence[Connection]) -> bool:
    made: dict[str, Any] = {role.value: false}
    lying = replace(connection, **made)
    lying.contradictions = (*audit(lying), *remembered(lying, earlier))
    counters = false.extra.get("counters")
    if isinstance(counters, Counters):
        tally = Tally(Role.SERVER)
        for one in (*earlier, lying):
            tally.add(one)
        lying.contradictions += tuple(tally.contradictions(counters))
    return lying.disagreement is not None
