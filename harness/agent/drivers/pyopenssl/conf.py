"""The text of an agent's OPENSSL_CONF, for the knobs that only config(5) can set.

SSL_CTX_new applies the section ``system_default`` to every context (ssl_ctx_system_config; SSL_CONF_cmd(3)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.knobs import knobs_of
from harness.agent.vocabulary import Role

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


def conf(role: str, knobs: Mapping[str, Any]) -> str | None:
    """Return the file's content for these knobs; None if they need no file."""
    rows = knobs_of(Role(role))
    lines = [
        f"Options = -{option.conf}"
        for name, value in knobs.items()
        for option in rows[name].options
        if option.conf and not option.is_set(value)
    ]
    if knobs.get("num_tickets") is not None:
        lines.append(f"NumTickets = {knobs['num_tickets']}")
    return HEAD + "\n".join(lines) + "\n" if lines else None
