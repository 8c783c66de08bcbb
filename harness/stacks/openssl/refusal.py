"""Recognises a flag that s_server or s_client refused before any TLS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.model.errors import RefusedError, UnsupportedError
from harness.model.knobs import knobs_of
from harness.stacks.openssl.output import ERROR, ErrorLine

if TYPE_CHECKING:
    from harness.model.tls import Role

REFUSED = re.compile(r'Call to SSL_CONF_cmd\((-\S+), (.*)\) failed|Error with command: "(-\S+) (.*)"')
"""What config_ctx in apps/lib/s_cb.c prints: the first since 3.0, the second before."""

UNKNOWN = re.compile(r"^s_\w+: Unknown option: (-\S+)", re.MULTILINE)
"""What opt_next in apps/lib/opt.c prints."""


def refusal(name: str, role: Role, output: str, major: int) -> RefusedError | UnsupportedError | None:
    """Return the refusal with the flag and OpenSSL's error queue, or None if the output has none.

    UnsupportedError for a name that this build does not have, such as that of a group.
    """
    found = REFUSED.search(output)
    if found is None:
        return _unknown(name, role, output)
    flag, value = found[1] or found[3], found[2] or found[4] or ""
    lines = [match for line in output.encode().splitlines() if (match := ERROR.fullmatch(line.strip()))]
    errors = [ErrorLine(int(match[1], 16), match[2].decode(errors="replace"), major) for match in lines]
    queue = [{"lib": error.library, "reason": error.reason, "text": error.text} for error in errors]
    error = RefusedError(f"{name} (s_{role})", f"{flag} {value}".rstrip(), queue)
    flags = [row.flags(role) for row in knobs_of(role).values() if row.kind.of_library]
    if any(known is not None and known.shown == flag for known in flags):
        return UnsupportedError(name, f"{role} knob", str(error))
    return error


def _unknown(name: str, role: Role, output: str) -> UnsupportedError | None:
    """The flag of a knob that this build of the program does not have, such as -cert_comp without zlib."""
    found = UNKNOWN.search(output)
    rows = [
        row for row in knobs_of(role).values() if found and found[1] in (row.how("openssl", role) or "").split(", ")
    ]
    if found is None or not rows:
        return None
    return UnsupportedError(name, f"{role} knob", f"this build's s_{role} has no {found[1]}: {rows[0].meaning}")
