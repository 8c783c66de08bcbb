"""Builds the page as one document from its templates, style, script, rows and details."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from harness.report.run.page.blocks import blocks
from harness.report.run.page.rows import in_order, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.report.json.shapes import CellObject
    from harness.report.run.earlier import Comparison

STYLES = ("tokens.css", "page.css", "tables.css", "cell.css")
SCRIPTS = (
    "dom.js", "rows.js", "details.js", "filters.js", "matrix.js", "list.js", "timeline.js", "sessions.js", "cell.js",
    "form.js", "route.js", "start.js",
)  # fmt: skip
"""In their order in the page; they share one scope."""
BLOCK_END = "</script"


@cache
def environment() -> jinja2.Environment:
    """The templates of the page; every value is escaped."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report.run.page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["breakable"] = breakable
    return made


def breakable(name: str) -> Markup:
    """A name with a line break opportunity after each underscore and dot."""
    return Markup("<wbr>").join(re.split(r"(?<=[_.])", name))


def document(
    view: Mapping[str, Any],
    cells: Iterable[CellObject],
    details: tuple[Iterable[bytes], Iterable[bytes]],
    comparison: Comparison | None,
) -> str:
    """The whole page. ``view`` has the values of the templates.

    ``details`` are those of the cells in the order of ``rows.in_order``, and what they share.
    """
    style, script = static(*STYLES), f'"use strict";(() => {{\n{static(*SCRIPTS)}}})();\n'
    inflated, shared = ([Markup(block) for block in blocks(texts)] for texts in details)  # noqa: S704 - base64
    return (
        environment()
        .get_template("page.html")
        .render(
            **view,
            style=Markup(style),  # noqa: S704 - the package's own
            script=Markup(script),  # noqa: S704 - the package's own
            policy=policy(style, script),
            rows=htmlsafe_json_dumps(rows(in_order(list(cells)), comparison), separators=(",", ":")),
            blocks=inflated,
            shared=shared,
            detail_size=f"{sum(map(len, [*inflated, *shared])) / 2**20:.1f} MiB" if inflated else "",
        )
    )


def static(*names: str) -> str:
    """The package's static files, concatenated."""
    folder = files("harness.report.run.page") / "static"
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


def policy(style: str, script: str) -> str:
    """The content security policy: only this style and this script are allowed, and no requests."""
    return (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def digest(text: str) -> str:
    """A source expression of the policy (CSP Level 3, 2.3.1)."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
