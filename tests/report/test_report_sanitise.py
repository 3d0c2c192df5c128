"""What the sanitiser removes, what it keeps, and that nothing gets past it."""

from __future__ import annotations

import html
import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.report.sanitise import cell, clean, markdown

LOUD = st.text(
    st.sampled_from("\x1b[]\\;=+-@\t\r\n\x07\x9b\x9d\x9c\u202e\ud800a0m 'é\u200b\"\uff1d")
    | st.characters()
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, é 漢 😀", "plain text, é 漢 😀"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]52;c;cm0gLXJm\x07x", "x"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9d0;title\x9cx", "x"),
        ("\x1bPq#0\x1b\\x", "x"),
        ("\x1b]0;never ended", "0;never ended"),
        ("\x1b(Bx\x1bcy", "xy"),
        ("\x1b\x1b[0m[31mx", "[31mx"),
        ("a\x00\x08\x7f\x85b", "a b"),
        ("a\u202eb\u2066c\u200fd\u061ce", "abcde"),
        ("a\ud800b\udfff", "ab"),
        ("a\ufeff\u200b\u00ad\ufffe\U000e0041b", "ab"),
        ("a\r\nb\rc\nd\u2028e\tf", "a b c d e f"),
        ("", ""),
    ],
)
def test_clean(text: str, expected: str) -> None:
    assert clean(text, 100) == expected


def test_clean_keeps_what_it_is_told_to() -> None:
    assert clean("a\r\nb\tc\x0bd", 100, keep="\n") == "a\nb c\nd"
    assert clean("a\nb\tc", 100, keep="\t") == "a b\tc"
    assert clean("a\nb\tc", 100, keep="\n\t") == "a\nb\tc"


def test_joiners_of_scripts_and_emoji_stay() -> None:
    text = "👩\u200d💻 \u0645\u06cc\u200c\u062e\u0648"
    assert clean(text, 100) == text


def test_what_is_removed_is_never_printable() -> None:
    # Texts that are printable throughout are returned as they are.
    odd = [chr(code) for code in range(0x110000) if not clean(f"\x00{chr(code)}", 9)]
    assert len(odd) > 2048
    assert not any(character.isprintable() for character in odd)


def test_clean_caps_and_says_so() -> None:
    assert clean("abcdef", 6) == "abcdef"
    assert clean("abcdef", 4) == "abcd…[2 more characters]"
    assert clean("\x1b[0mabcdef", 4) == "abcd…[2 more characters]"


def test_the_rest_of_a_very_long_text_is_counted_and_not_looked_at() -> None:
    assert clean("x" * 1_000_000, 5) == "xxxxx…[999995 more characters]"
    assert clean("\x1b[" * 500_000 + "x", 5).endswith("more characters]")
    assert clean("x" * 300_000, 200_000).endswith("…[100000 more characters]")


@pytest.mark.parametrize("unit", ["x", "\x1b]", "\x9d", "\x1b[", "\x1b[0", "\x9b ", "\r\n", "\x1b"])
def test_a_megabyte_is_cleaned_in_linear_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    started = time.perf_counter()
    assert len(clean(text, 500)) < 550
    assert len(clean("\x1b]" + "0;" * 500_000, 500)) < 550
    assert len(clean("\x1b[" + "0;" * 500_000, 500)) < 550
    assert time.perf_counter() - started < 10


@given(LOUD, st.integers(0, 40), st.sampled_from(["", "\n", "\t", "\n\t"]))
def test_clean_leaves_nothing_to_obey(text: str, limit: int, keep: str) -> None:
    cleaned = clean(text, limit, keep=keep)
    for character in cleaned:
        assert character in keep or unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(character) not in (
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"),
        )
    cleaned.encode("utf-8")
    body, cut, rest = cleaned.partition("…[")
    assert len(cleaned) <= limit or (len(body + cut + rest) <= limit + 40 and cut)
    assert clean(cleaned, len(cleaned), keep=keep) == cleaned


@pytest.mark.parametrize("start", [*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", " =", "\u3000@"])
def test_a_cell_never_starts_a_formula(start: str) -> None:
    assert cell(f"{start}1") == f"'{start}1"


def test_cells_that_are_fine_stay() -> None:
    for text in ("", "ada", "a=b", "15", "a, -1", "'=1", '"=1"', "a;b"):
        assert cell(text) == text


@pytest.mark.parametrize("text", ["1.5", "1-2", "3/4/26", "MAR1", "5 oct", "12:30", "0.1.0"])
def test_a_text_that_a_spreadsheet_takes_for_a_date_stays_a_text(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_a_cell_survives_a_semicolon_as_separator() -> None:
    assert cell("a;=1") == "a;'=1"
    assert cell('a; "=1') == "a; \"'=1"


@given(LOUD)
def test_cell_is_safe_and_settles(text: str) -> None:
    once = cell(text)
    assert once[:1] not in tuple("=+-@\t\r\n")
    assert not re.search(r';[\s"]*[=+\-@]', once)
    assert cell(once) == once
    assert once.replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain 2.5, -0.5 (a) x+y", "plain 2.5, -0.5 (a) x+y"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("*a* _b_ `c` ~d~ |e| $f$", r"\*a\* \_b\_ \`c\` \~d\~ \|e\| \$f\$"),
        ("[x](y) ![z](w)", r"\[x\](y) !\[z\](w)"),
        ("back\\slash", r"back\\slash"),
        ("# head", r"\# head"),
        ("- item\n+ item\n1. one\n2) two", "\\- item\n\\+ item\n1\\. one\n2\\) two"),
        ("-0.5\n+2\n3.5\n2024.", "-0.5\n+2\n3.5\n2024\\."),
        ("title\n===\n---", "title\n\\===\n\\---"),
        ("http://a WWW.b me@c", r"http:\//a WWW\.b me\@c"),
        ("\tcode\n     code\n x", "   code\n   code\n x"),
        ("{{ 7 }} {% x %}", r"\{\{ 7 \}\} \{% x %\}"),
    ],
)
def test_markdown(text: str, expected: str) -> None:
    assert markdown(text) == expected


@given(LOUD | st.text("#*_`[]()<>&!|~-+=:.1)\\ \n\tahtpw/@{}\"'"))
def test_markdown_renders_as_itself(text: str) -> None:
    text = clean(text, 400, keep="\n\t")
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown(text))
    assert {token.type for token in page} <= {"paragraph_open", "inline", "paragraph_close"}
    inline = [token for block in page for token in block.children or ()]
    assert {token.type for token in inline} <= {"text", "softbreak", "hardbreak"}
    shown = "".join(token.content for token in inline)
    assert "".join(shown.split()) == "".join(text.split())


@given(LOUD)
def test_markdown_leaves_no_html_and_no_bare_mark(text: str) -> None:
    escaped = markdown(text)
    assert "<" not in escaped
    assert ">" not in escaped
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_{}\[\]|~$^@]", escaped)
    shown = html.unescape(re.sub(r"\\(.)", r"\1", escaped))
    assert "".join(shown.split()) == "".join(text.split())
