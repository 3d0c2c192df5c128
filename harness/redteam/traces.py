"""Traces of an attack in the results: stored secrets, damaged reports, a changed ledger."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from harness.redteam.bait import Bait
from harness.redteam.model import Effect
from harness.results import Results

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"-?[0-9.]+(e[-+]?[0-9]+)?")
_MARKUP = re.compile(r"<\s*[a-zA-Z/!]|(?<!\\)\]\(|https?://")
_PICTURE = re.compile(r"(?m)^!\[(?:[^]\\]|\\.)*\]\(picture-[a-z0-9.-]+\.svg\)$")

#: Every stored observation, by the digest of its trial and its run: digest, record and arrays.
Rows = Mapping[tuple[str, str], tuple[str, str, bytes]]


def rows(ledger: Path) -> Rows:
    """All observations of a ledger."""
    with contextlib.closing(sqlite3.connect(ledger)) as db:
        columns = "trial, run, digest, record, arrays"
        stored = db.execute(f"select {columns} from observations").fetchall()
    return {(trial, run): (digest, record, arrays) for trial, run, digest, record, arrays in stored}


def stored(bait: Bait, before: Rows) -> Iterator[Effect]:
    """Secrets in the ledger and in the reports, and earlier observations that were changed."""
    results = bait.results
    try:
        now = rows(results.ledger)
    except sqlite3.DatabaseError:
        yield "ledger-changed"
        now = {}
    if now and any(now.get(key) != row for key, row in before.items()):
        yield "ledger-changed"
    marks = [path.read_bytes() for path in results.marks if path.is_file()]
    for_students = [
        path.read_bytes() for path in sorted(results.root.glob("*/*/*")) if path.is_file()
    ]
    # The records, not the file: SQLite may spread one record over pages that are far apart, and the
    # submissions, which may hold the tokens as their own text, are stored in it too.
    records = [part for _, record, arrays in now.values() for part in (record.encode(), arrays)]
    for name, token in bait.tokens.items():
        texts = for_students if name == "output-shown" else [*for_students, *records, *marks]
        if any(token.encode() in text for text in texts):
            yield name


def damaged(results: Results, document: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the reports of a run, in words; nothing where they are sound."""
    submissions = results.submissions(row["name"] for row in document["submissions"])
    reports = {
        file
        for each in submissions.values()
        for file in (each.feedback, each.gradescope, *each.examples, *each.pictures)
    }
    for path in sorted(results.root.rglob("*")):
        name = path.relative_to(results.root)
        if path.is_symlink():
            yield f"{name} is a link"
        elif path.is_file() and not path.name.startswith(results.ledger.name):
            known = path in reports or path in results.marks
            problem = _problem(path) if known else "is none of ours"
            if problem:
                yield f"{name} {problem}"
    stored = json.loads(results.grades_json.read_text(encoding="utf-8"))
    if stored["submissions"] != document["submissions"]:
        yield "grades.json is not what the grader wrote"


def _problem(path: Path) -> str:
    if path.suffix == ".npz":
        return "" if _holds_numbers(path) else "holds more than numbers"
    try:
        text = path.read_bytes().decode("utf-8")
        if path.suffix == ".json":
            json.loads(text)
        elif path.suffix in (".xml", ".svg"):
            ElementTree.fromstring(text)
        elif path.suffix == ".csv":
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
            if any(_FORMULA.match(cell) and not _NUMBER.fullmatch(cell) for cell in cells):
                return "holds a formula"
        elif path.suffix == ".md" and _MARKUP.search(_PICTURE.sub("", text)):
            return "holds markup"
    except (ValueError, csv.Error, ElementTree.ParseError) as error:
        return f"does not parse: {error}"
    return "holds characters that a terminal obeys" if _OBEYED.search(text) else ""


def _holds_numbers(path: Path) -> bool:
    """Whether a file of an example can be loaded by a student without running anything."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return all(arrays[name].dtype.kind in "biuf" for name in arrays.files)
    except (ValueError, OSError, zipfile.BadZipFile):
        return False
