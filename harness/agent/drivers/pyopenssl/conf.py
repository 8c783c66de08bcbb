"""The OPENSSL_CONF of an agent process for the knobs that only config(5) can set; pure text.

SSL_CTX_new applies the section ``system_default`` to every context (ssl_ctx_system_config; SSL_CONF_cmd(3)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD = """\
openssl_conf = init
[init]
ssl_conf = modules
[modules]
system_default = tls
[tls]
"""


def conf(knobs: Mapping[str, Any]) -> str | None:
    """What the file must hold for these knobs; None if they need none."""
    lines = ["Options = -MiddleboxCompat"] if knobs.get("middlebox_compat") is False else []
    if knobs.get("num_tickets") is not None:
        lines.append(f"NumTickets = {knobs['num_tickets']}")
    return HEAD + "\n".join(lines) + "\n" if lines else None
