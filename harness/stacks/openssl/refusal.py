"""A flag's value that s_server or s_client refused before it did any TLS, out of what the program printed; pure."""

from __future__ import annotations

import re

from harness.model.errors import RefusedError
from harness.stacks.openssl.output import ERROR, ErrorLine

REFUSED = re.compile(r'Call to SSL_CONF_cmd\((-\S+), (.*)\) failed|Error with command: "(-\S+) (.*)"')
"""What config_ctx of apps/lib/s_cb.c prints, since 3.0 and before."""


def refusal(program: str, output: str, major: int) -> RefusedError | None:
    """The refusal with the flag and OpenSSL's error queue, None if the output shows none."""
    found = REFUSED.search(output)
    if found is None:
        return None
    flag, value = found[1] or found[3], found[2] or found[4] or ""
    lines = [match for line in output.encode().splitlines() if (match := ERROR.fullmatch(line.strip()))]
    errors = [ErrorLine(int(match[1], 16), match[2].decode(errors="replace"), major) for match in lines]
    queue = [{"lib": error.library, "reason": error.reason, "text": error.text} for error in errors]
    return RefusedError(program, f"{flag} {value}".rstrip(), queue)
