r"""Text from anywhere as text in Markdown (GitHub Flavored Markdown): nothing in it becomes markup, a link or a cell.

Character references are used where Markdown would see a mark, for a backslash has no meaning in some places; what names
cells and tests is code where that is possible, for then it can be read in the source as well.
"""

from __future__ import annotations

import re
from html import escape

MARKS = re.compile(r"[\\`*\[\]<>#|~&$]|(?<![^\W_])_|_(?![^\W_])")
"""Characters that are markup within a line; an underscore within a word is not."""
LINKED = re.compile("@|://|^www[.]", re.IGNORECASE)
"""What makes a link of a word without any mark (GitHub Flavored Markdown, 6.9), also where it is escaped."""
NOTHING = "\N{ZERO WIDTH SPACE}"
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""Control characters, characters that change the direction of text, and lone surrogates."""
NOT_IN_CODE = re.compile(r"[`|\\\n\r]|^\s|\s$|^$")


class Markup(str):
    """Text that is already Markdown."""

    __slots__ = ()


def plain(text: object) -> str:
    """Text on one line; integers and Markup are left as they are."""
    if isinstance(text, Markup | int):
        return str(text)
    return " ".join(_word(word) for word in one_line(str(text)).split(" "))


def _word(word: str) -> str:
    if not LINKED.search(word):
        return _escaped(word)
    if not NOT_IN_CODE.search(word):
        return f"`{word}`"
    return _escaped(LINKED.sub(lambda found: NOTHING.join(found[0]) + NOTHING, word))


def _escaped(text: str) -> str:
    return MARKS.sub(lambda mark: f"&#{ord(mark[0])};", text)


def cell(text: object) -> Markup:
    """Text as code, on one line, in a table too."""
    line = one_line(str(text))
    return Markup(
        f"<code>{_escaped(LINKED.sub(lambda found: NOTHING.join(found[0]) + NOTHING, line))}</code>"
        if NOT_IN_CODE.search(line)
        else f"`{line}`"
    )


def html(text: object) -> Markup:
    """Text on one line of a block of HTML, where Markdown has no meaning."""
    return Markup(escape(one_line(str(text))))


def block(text: object) -> Markup:
    """Text as a fenced code block; the fence is longer than any in the text."""
    shown = "\n".join(seen(line) for line in re.split(r"\r\n|\r|\n", str(text)))
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}text\n{shown}\n{fence}")


def one_line(text: str) -> str:
    """The text with lines joined by a space, and invisible characters escaped."""
    return seen(re.sub(r"\s*[\r\n\t\x0b\x0c\x85\u2028\u2029]+\s*", " ", text))


def seen(text: str) -> str:
    r"""The text with control characters as ``\x1b``."""
    return UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text.replace("\t", "    "))
