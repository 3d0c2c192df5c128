"""What is found out about a source before it runs, and how long that may take."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from harness.submissions.sources import Judgement, SourceParser

CAFE = "x = 'café'\n".encode()


@pytest.fixture(scope="module")
def parser() -> Iterator[SourceParser]:
    with SourceParser() as started:
        yield started


@pytest.mark.parametrize(
    "content",
    [
        *(
            f"# -*- coding: {name} -*-\n".encode() + CAFE
            for name in ("utf8", "UTF8", "U8", "UTF-8")
        ),
        b"#!/usr/bin/env python3\n# vim: set fileencoding=utf8 :\n" + CAFE,
        b"\n# coding=utf_8\n" + CAFE,
        b"# coding: utf-8-sig\n" + CAFE,
        b"# coding: us-ascii\nx = 1\n",
        b"# coding: ASCII\nx = 1\n",
        *(f"# coding: {name}\nx = 1\n".encode() for name in ("cp1252", "latin-1", "gbk", "koi8-r")),
        b"# coding: latin-1\n" + CAFE,
        b"\xef\xbb\xbf" + CAFE,
        b"\xef\xbb\xbf# coding: UTF-8\r\n" + CAFE.replace(b"\n", b"\r\n"),
        b"x = 1\r" + CAFE,
        b"x = 1\n\n# coding: utf-7 in the third line says nothing\n" + CAFE,
        b"'''\ncoding: utf-7\n'''\n",
    ],
    ids=lambda content: repr(content)[:40],
)
def test_encodings_that_are_fine(parser: SourceParser, content: bytes) -> None:
    assert parser.judge("a.py", content) == Judgement()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"# coding: cp1252\n" + CAFE, "declares the encoding cp1252"),
        (b"# coding: utf-7\nx = 1\n", "declares the encoding utf-7"),
        (b"# coding: utf-16\nx = 1\n", "declares the encoding utf-16"),
        (b"# coding: rot13\nx = 1\n", "declares the encoding rot13"),
        (b"# coding: us-ascii\n" + CAFE, "declares the encoding us-ascii"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "Python refuses the encoding latin-1"),
        (b"\xef\xbb\xbf# coding: utf8\n", "Python refuses the encoding utf8"),
        (b"# coding: cp1252\nx = 'caf\xe9'\n", "byte 0xe9 in line 2"),
        (b"x = 'caf\xe9'\n", "byte 0xe9 in line 1"),
        ("x = 1\n".encode("utf-16"), "is UTF-16"),
    ],
    ids=lambda content: repr(content)[:40],
)
def test_encodings_that_are_others(parser: SourceParser, content: bytes, words: str) -> None:
    found = parser.judge("a.py", content)
    assert found.cause == "not-text"
    assert words in found.message
    assert "save it as UTF-8 (in VS Code" in found.message


def test_an_encoding_that_does_not_exist(parser: SourceParser) -> None:
    found = parser.judge("a.py", b"# coding: utf-88\nx = 1\n")
    assert (found.cause, found.message) == ("syntax", "a.py: unknown encoding: utf-88")


def test_imports(parser: SourceParser) -> None:
    text = b"import a.b, c as d\nfrom e.f import *\nfrom . import g\nfrom .h import i\n"
    text += b"def f():\n    try:\n        import j\n    except ImportError:\n        pass\n"
    assert parser.judge("a.py", text).imports == set("acej")


# Python 3.11 takes half a minute for the first, and three seconds for the others.
SLOW = b'f"' + b"{a}" * 87_000 + b'"\n'
SLOW_TOO = [b'f"' + b"{a:b}" * 52_000 + b'"\n', b'f"' + b"{a!r}" * 52_000 + b'"\n']


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="3.12 parses f-strings in linear time")
def test_texts_that_take_the_parser_long(parser: SourceParser) -> None:
    parser.next_submission()
    began = time.process_time()
    found = [parser.judge("a.py", content) for content in (SLOW, *SLOW_TOO)]
    assert {each.cause for each in found} == {"syntax"}
    assert [each.message for each in found] == [
        f"a.py takes Python more than {seconds} s to parse; shorten it"
        for seconds in (2.0, 0.5, 0.5)
    ]
    assert time.process_time() - began < 0.5, "not in this process"
    assert parser.judge("b.py", b"x = 1\n" * 5000) == Judgement()


def test_a_text_that_ends_the_parser_costs_no_other(parser: SourceParser) -> None:
    parser.next_submission()
    deep = b"(" * 90 + b"lambda:" * 20_000 + b")" * 90
    assert parser.judge("a.py", deep).cause == "syntax"
    assert parser.judge("b.py", b"x = 1\n") == Judgement()


def test_a_large_honest_file_is_parsed_in_time(parser: SourceParser) -> None:
    line = b"x = [%s]\n" % b", ".join(b"%d" % number for number in range(30))
    assert parser.judge("a.py", line * (256 * 1024 // len(line))) == Judgement()
