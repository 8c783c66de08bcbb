"""One session of GnuTLS on a connected socket."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, ClassVar

from harness.agent.library import EXPORTER_LABEL, EXPORTER_LENGTH, EndError, Facts, TlsError
from harness.foreign.gnutls.lacks import VERBS
from harness.foreign.gnutls.native import (
    FATAL_RECEIVED,
    FAULTS,
    WARNING_RECEIVED,
    end_of,
    entry,
    ffi,
    lib,
    text,
    wants,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSIONS = {4: "1.2", 5: "1.3"}
TICKET_RECEIVED = 1 << 7
SHUT_WR = 1
CIPHER = re.compile(
    r"TLS_(?P<exchange>\w+?)(?:_WITH)?_(?P<bulk>(?:AES|CAMELLIA)_\d+)_(?P<mode>GCM|CBC|CCM_8|CCM)_?(?P<mac>\w*)"
)


def openssl_name(suite: str) -> str | None:
    """OpenSSL's name of a cipher suite; those of TLS 1.3 are the same. None for one that is not in the pattern."""
    if re.match(r"TLS_(AES|CHACHA20)", suite):
        return suite
    if suite.endswith("CHACHA20_POLY1305"):
        return suite.removeprefix("TLS_").replace("_", "-")
    found = CIPHER.fullmatch(suite)
    if found is None:
        return None
    exchange = "" if found["exchange"] == "RSA" else found["exchange"].replace("_", "-") + "-"
    mode = {"CBC": "", "GCM": "-GCM", "CCM": "-CCM", "CCM_8": "-CCM8"}[found["mode"]]
    mac = {"SHA1": "-SHA", "": ""}.get(found["mac"], f"-{found['mac']}")
    return f"{exchange}{found['bulk'].replace('_', '')}{mode}{mac}"


class GnutlsConnection:
    """One connection of a GnutlsContext, whose session it has made."""

    unsupported: ClassVar[Mapping[str, str]] = VERBS

    def __init__(self, session: Any, role: str, kept: list[Any]) -> None:
        self._session = session
        self._role = role
        self._kept = kept
        self._done = False
        self._lines: list[str] = []
        self._alerts: list[dict[str, Any]] = []
        self._errors: list[dict[str, Any]] = []
        self._sessions: list[dict[str, Any]] = []
        signature = "int(session_t, const char *, const gnutls_datum_t *)"
        self._keylog = FAULTS.callback(ffi, signature, self._on_secret, 0)
        lib.gnutls_session_set_keylog_function(session, self._keylog)

    def _on_secret(self, _session: Any, label: Any, secret: Any) -> int:
        ours, theirs = ffi.new("gnutls_datum_t *"), ffi.new("gnutls_datum_t *")
        lib.gnutls_session_get_random(self._session, ours, theirs)
        words = (text(label), ffi.buffer(ours.data, ours.size)[:].hex(), ffi.buffer(secret.data, secret.size)[:].hex())
        self._lines.append(" ".join(words))
        return 0

    def handshake(self) -> None:
        """gnutls_handshake; a failure of this end also sends its alert, which GnuTLS leaves to the program."""
        while (code := lib.gnutls_handshake(self._session)) < 0:
            self._raise(code)
        FAULTS.check()
        self._done = True
        self._look()

    def write(self, data: bytes) -> int:
        """gnutls_record_send."""
        while (code := lib.gnutls_record_send(self._session, data, len(data))) < 0:
            self._raise(code)
        return int(code)

    def read(self, size: int) -> bytes:
        """gnutls_record_recv; 0 is a close_notify."""
        buffer = ffi.new("char[]", size)
        while (code := lib.gnutls_record_recv(self._session, buffer, size)) < 0:
            self._look()
            self._raise(code)
        self._look()
        if code == 0:
            self._alerts.append({"level": 1, "number": 0, "sent": False})
            raise EndError("close_notify")
        return bytes(ffi.buffer(buffer, code))

    def shutdown(self) -> None:
        """gnutls_bye, which does not wait for the peer's."""
        while (code := lib.gnutls_bye(self._session, SHUT_WR)) < 0:
            self._raise(code)
        self._alerts.append({"level": 1, "number": 0, "sent": True})

    def _raise(self, code: int) -> None:
        """Raise what a callback raised, or what a failed call says; nothing if it is to be called again."""
        FAULTS.check()
        wants(self._session, code)
        if code == WARNING_RECEIVED:
            self._alerts.append({"level": 1, "number": lib.gnutls_alert_get(self._session), "sent": False})
            return
        queue = [entry(code)]
        self._errors += queue
        if code == FATAL_RECEIVED:
            number = lib.gnutls_alert_get(self._session)
            queue[0]["text"] += f": {number}"
            self._alerts.append({"level": 2, "number": number, "sent": False})
            raise EndError("alert", queue) if self._done else TlsError(queue)
        ended = end_of(code)
        if ended is not None:
            raise ended
        if not lib.gnutls_error_is_fatal(code) and self._done:
            raise TlsError(queue)
        level = ffi.new("int *")
        number = lib.gnutls_error_to_alert(code, level)
        if lib.gnutls_alert_send_appropriate(self._session, code) == 0:
            self._alerts.append({"level": level[0], "number": number, "sent": True})
        raise TlsError(queue)

    def _look(self) -> None:
        """Keep the session, if a client has another one now; in TLS 1.3 a ticket has to have come."""
        if self._role != "client" or not self._done:
            return
        tls13 = lib.gnutls_protocol_get_version(self._session) == 5  # noqa: PLR2004 - GNUTLS_TLS1_3
        if tls13 and not lib.gnutls_session_get_flags(self._session) & TICKET_RECEIVED:
            return
        datum = ffi.new("gnutls_datum_t *")
        if lib.gnutls_session_get_data2(self._session, datum) < 0:
            return
        opaque = ffi.buffer(datum.data, datum.size)[:].hex()
        if not self._sessions or self._sessions[-1]["opaque"] != opaque:
            fields = {"version": VERSIONS.get(lib.gnutls_protocol_get_version(self._session))}
            made = {"der": None, "handle": None, "resumable": None, "opaque": opaque, "fields": fields}
            self._sessions.append(made)

    def session(self) -> dict[str, Any] | None:
        """The last session that a client has, in GnuTLS's own format."""
        return self._sessions[-1] if self._sessions else None

    def sessions(self) -> list[Mapping[str, Any]]:
        """The last one: GnuTLS keeps no other."""
        return self._sessions[-1:]  # type: ignore[return-value]  # a dict is a Mapping

    def facts(self) -> Facts:
        """What GnuTLS reports of the connection."""
        facts = Facts(alerts=self._alerts, keylog=self._lines, errors=self._errors)
        if not self._done:
            return facts
        session = self._session
        facts.finished = True
        facts.reused = facts.reused_at_end = bool(lib.gnutls_session_is_resumed(session))
        facts.evidence = f"gnutls_session_is_resumed() == {int(facts.reused)}"
        facts.version = VERSIONS.get(lib.gnutls_protocol_get_version(session))
        facts.cipher = openssl_name(text(lib.gnutls_ciphersuite_get(session)))
        datum = ffi.new("gnutls_datum_t *")
        if lib.gnutls_alpn_get_selected_protocol(session, datum) == 0:
            facts.alpn = ffi.buffer(datum.data, datum.size)[:].decode()
        facts.early_data = "not_sent" if self._role == "client" else None
        if self._role == "server":
            facts.server_name = self._name()
        count = ffi.new("unsigned int *")
        peers = lib.gnutls_certificate_get_peers(session, count)
        chain = [bytes(ffi.buffer(peers[i].data, peers[i].size)) for i in range(count[0])] if peers else []
        facts.peer_certificate = bool(chain)
        facts.peer_chain = [hashlib.sha256(der).hexdigest() for der in chain]
        out = ffi.new("char[]", EXPORTER_LENGTH)
        label = EXPORTER_LABEL.encode()
        if lib.gnutls_prf_rfc5705(session, len(label), label, 0, ffi.NULL, EXPORTER_LENGTH, out) == 0:
            facts.exporter = hashlib.sha256(bytes(ffi.buffer(out, EXPORTER_LENGTH))).hexdigest()
        return facts

    def _name(self) -> str | None:
        buffer, size, kind = ffi.new("char[]", 256), ffi.new("size_t *", 256), ffi.new("unsigned *")
        if lib.gnutls_server_name_get(self._session, buffer, size, kind, 0) != 0:
            return None
        return bytes(ffi.buffer(buffer, size[0])).rstrip(b"\0").decode(errors="replace")

    def free(self) -> None:
        """gnutls_deinit, which sends nothing."""
        lib.gnutls_deinit(self._session)
        self._kept.clear()
