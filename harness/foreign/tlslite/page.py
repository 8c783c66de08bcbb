"""The table of mutations as a page of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.foreign.tlslite import lies_of_clients, lies_of_servers
from harness.foreign.tlslite.mutation import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """# Peers that break the rules

`python docs/generate.py` writes this page from the functions in `harness/foreign/tlslite`.

The stack `tlslite` drives tlslite-ng, a TLS library in pure Python, in both roles. Its knob `mutation` names one of
these {count} ways to break a rule of resumption; without it, `tlslite` keeps the rules. The names follow the test
runner of BoringSSL and tlsfuzzer. Fetch it once:

<!-- test: network -->
```sh
resumption libraries fetch tlslite
```

From then on a case can name it, and `resumption run lying_clients.py lying_servers.py` tries every mutation on
`libssl`, and on other stacks that are named. A run without named stacks leaves `tlslite` out of all scenarios but those
that say `scenario(played_by={{"server": "tlslite"}})`.

<!-- test: network -->
```console
$ resumption connect --client tlslite --client-set mutation=InvalidPSKBinder --server libssl --tls 1.3 --quiet
Connection 2 was aborted…
```

The rules that an end breaks because of its `mutation` are shown, and fail no cell. A mutation changes what is sent,
after tlslite-ng has made it: what an end was given or configured with (the session that it offers, its versions, the
secrets of its key log) is not compared with the wire for that end. All else is.
"""
CHAPTERS = (
    (lies_of_clients, "1.3", "What a client of TLS 1.3 does"),
    (lies_of_clients, "1.2", "What a client of TLS 1.2 does"),
    (lies_of_servers, "1.3", "What a server of TLS 1.3 does"),
    (lies_of_servers, "1.2", "What a server of TLS 1.2 does"),
)


def mutations_page() -> str:
    """The page in Markdown, a table for each role and version."""
    return "\n".join([HEAD.format(count=len(TABLE)), *_chapters()])


def _chapters() -> Iterator[str]:
    for module, version, title in CHAPTERS:
        rows = [row for row in TABLE.values() if row.act.__module__ == module.__name__ and row.version == version]
        yield f"## {title}\n"
        yield "| mutation | what is changed | the rule |"
        yield "|---|---|---|"
        yield from (f"| `{row.name}` | {row.meaning} | {row.breaks} |" for row in rows)
        yield ""
