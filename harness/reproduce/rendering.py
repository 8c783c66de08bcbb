"""Renders the templates in ``templates/``; an undefined name is an error."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.reproduce import quoting


@cache
def environment() -> Environment:
    """Return the environment. Filters: ``sh``, ``c``, ``py`` for literals, ``line`` for comments, ``md`` and ``fence``.

    Nothing is escaped automatically. A line with only a block tag leaves no output.
    """
    made = Environment(
        loader=PackageLoader("harness.reproduce"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - it makes sh, C and Python, never HTML
    )
    made.filters.update(sh=quoting.sh, c=quoting.c, py=quoting.py, line=quoting.line)
    made.filters.update(md=quoting.md, fence=quoting.fence)
    return made


def rendered(template: str, **values: object) -> str:
    """Render a template; jinja2.UndefinedError if it uses a name that has no value."""
    return environment().get_template(template).render(values)
