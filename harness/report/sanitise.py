"""Text made safe for where it is written: terminals, text files, spreadsheets and Markdown.

Names, messages, hints and examples can hold what a student typed or a program printed. Every
writer of this package passes them through :func:`clean` before anything else; :func:`cell` and
:func:`markdown` then protect what the format itself would interpret.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: Longest text kept, in characters, of a name, of a sentence and of one part of an example.
NAME_LIMIT = 80
SENTENCE_LIMIT = 600
EXAMPLE_LIMIT = 6000

# Characters of a text that are read before it is cut, so that a huge one costs no more time.
_READ = 16_384

# Sequences that are removed as a whole: CSI, the five kinds of terminated control string (such as
# OSC), then any other escape. A payload ends at the next control character, so every input takes
# linear time and an unterminated control string removes no text after it.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x00-\x1f\x7f-\x9f]*+(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*+[0-~]"
)
_BREAKS = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = "\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_NOT_CHARACTERS = "\ud800-\udfff\ufdd0-\ufdef" + "".join(
    chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)
)
_REMOVED = re.compile(f"[{_CONTROLS}{_BIDI}{_INVISIBLE}{_NOT_CHARACTERS}]")

# Spreadsheets take the full-width forms for the start of a formula too.
_FORMULA = "=+\\-@＝＋－＠"
_FORMULA_START = re.compile(rf"\s*[{_FORMULA}]|[\t\r\n]")
# Spreadsheets whose list separator is a semicolon split a comma-separated file at semicolons.
_FORMULA_INSIDE = re.compile(rf'(;[\s"]*)(?=[{_FORMULA}])')

# What Excel turns into a date or a time of its own: 1-2, 3/4/26, MAR1, 5 oct, 12:30.
_MONTH = "(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-z]*"
_DATE = re.compile(
    rf"\s*(?:\d{{1,4}}[-/.]\d{{1,4}}(?:[-/.]\d{{1,4}})?|{_MONTH}[-/. ]?\d{{1,4}}"
    rf"|\d{{1,4}}[-/. ]?{_MONTH}(?:[-/. ]?\d{{2,4}})?|\d{{1,3}}:\d\d(?::\d\d)?)\s*",
    re.IGNORECASE,
)
# What it takes for a number and writes otherwise: leading zeros, exponents, more than 11 digits.
_NUMBER = re.compile(r"\s*(?:0\d+|\d{12,}|\d+(?:\.\d*)?e[+-]?\d+)\s*", re.IGNORECASE)

_MARKDOWN_ANYWHERE = re.compile(r"([\\`*_{}\[\]|~$^@]|(?<=:)/(?=/)|(?<=\bwww)\.)", re.IGNORECASE)
_MARKDOWN_LINE_START = re.compile(
    r"(?m)^([ \t]*)([#=:]|[+\-](?![\d.])|\d{1,9}(?=[.)](?:\s|$)))?",
)


def clean(text: str, limit: int, *, keep: str = "") -> str:
    """The text without anything that a reader obeys instead of showing, at most ``limit`` long.

    Removed are escape sequences, C0 and C1 controls, bidirectional controls, invisible and
    non-characters and lone surrogates. Line breaks and tabs become a space unless ``keep`` holds
    ``"\\n"`` or ``"\\t"``; every kind of line break becomes ``"\\n"``. What exceeds the limit is
    cut and followed by ``…[n more characters]``; of a very long text only the start is read, and n
    counts all of the rest.
    """
    if len(text) <= limit and text.isprintable():
        return text  # the usual case: nothing that is removed below counts as printable
    read = max(_READ, 2 * limit)
    unread = max(0, len(text) - read)
    text = text[:read]
    text = _SEQUENCES.sub("", text)
    text = _BREAKS.sub("\n" if "\n" in keep else " ", text)
    if "\t" not in keep:
        text = text.replace("\t", " ")
    text = _REMOVED.sub("", text)
    more = max(0, len(text) - limit) + unread
    return f"{text[:limit]}…[{more} more characters]" if more else text


@lru_cache(maxsize=2048)  # the same ids and statuses stand in the lines of every submission
def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula or a date: an apostrophe stands before it.

    Meant for texts only; numbers of our own are written as numbers, a minus sign included.
    """
    if ";" in text:
        text = _FORMULA_INSIDE.sub(r"\1'", text)
    return f"'{text}" if _FORMULA_START.match(text) or _DATE.fullmatch(text) else text


def as_text(text: str) -> str:
    """A :func:`cell` that no spreadsheet takes for a number either: ids keep their zeros."""
    guarded = cell(text)
    return f"'{text}" if guarded == text and _NUMBER.fullmatch(text) else guarded


@lru_cache(maxsize=2048)
def markdown(text: str) -> str:
    """The text as Markdown that renders as itself: no markup, no HTML, no link, no template tag."""
    if text.isalnum() or not text:
        return text  # the usual case: nothing that Markdown would interpret
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _MARKDOWN_ANYWHERE.sub(r"\\\1", text)
    return _MARKDOWN_LINE_START.sub(_escape_line_start, text)


def fenced(text: str, language: str = "") -> str:
    """The text as a block of code in Markdown: shown as it is, whatever it holds.

    The fence is longer than any run of backticks in the text.
    """
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _escape_line_start(match: re.Match[str]) -> str:
    # Four spaces or a tab would turn the line into a code block.
    space, mark = match[1].expandtabs()[:3], match[2] or ""
    # A number is escaped at the full stop or bracket that would turn it into a list item.
    if not mark:
        return space
    return f"{space}{mark}\\" if mark.isdecimal() else f"{space}\\{mark}"
