"""What an attack left: secrets in what is stored, damaged reports, a changed ledger."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from harness.redteam.bait import Bait
from harness.redteam.model import Effect
from harness.report import folder_name

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"-?[0-9.]+(e[-+]?[0-9]+)?")
_MARKUP = re.compile(r"<\s*[a-zA-Z/!]|(?<!\\)\]\(|https?://")
_SHARED = frozenset({"grades.json", "grades.csv", "leaderboard.csv", "junit.xml"})

#: Every stored observation, by the digest of its trial and the run: its digest and record.
Rows = Mapping[tuple[str, str], tuple[str, str]]


def rows(ledger: Path) -> Rows:
    """What a ledger holds."""
    with contextlib.closing(sqlite3.connect(ledger)) as db:
        found = db.execute("select trial, run, digest, record from observations").fetchall()
    return {(trial, run): (digest, record) for trial, run, digest, record in found}


def stored(bait: Bait, before: Rows) -> Iterator[Effect]:
    """Secrets in the ledger and in the reports; observations that were not ours to change."""
    results = bait.folder / "results"
    try:
        now = rows(results / "ledger.sqlite")
    except sqlite3.DatabaseError:
        yield "ledger-changed"
        now = {}
    if now and any(now.get(key) != row for key, row in before.items()):
        yield "ledger-changed"
    shown = [path.read_bytes() for path in sorted(results.glob("*/*")) if path.is_file()]
    written = [(results / name).read_bytes() for name in _SHARED if (results / name).is_file()]
    # by records: in the file, one may lie in pages that are not beside each other, and the
    # submissions, which may hold their own words, are there too
    said = [record.encode() for _, record in now.values()]
    for name, token in bait.tokens.items():
        texts = shown if name == "output-shown" else [*shown, *said, *written]
        if any(token.encode() in text for text in texts):
            yield name


def damaged(results: Path, document: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the reports of a run, in words; nothing where they are sound."""
    names = [row["name"] for row in document["submissions"]]
    folders = {folder_name(name) for name in names}
    for path in sorted(results.rglob("*")):
        name = path.relative_to(results)
        if path.is_symlink():
            yield f"{name} is a link"
        elif path.is_file() and not name.name.startswith("ledger.sqlite"):
            known = path.name in _SHARED if len(name.parts) == 1 else name.parts[0] in folders
            problem = _problem(path) if known else "is none of ours"
            if problem:
                yield f"{name} {problem}"
    stored = json.loads((results / "grades.json").read_text(encoding="utf-8"))
    if stored["submissions"] != document["submissions"]:
        yield "grades.json is not what the grader wrote"


def _problem(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8")
        if path.suffix == ".json":
            json.loads(text)
        elif path.suffix == ".xml":
            ElementTree.fromstring(text)
        elif path.suffix == ".csv":
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
            if any(_FORMULA.match(cell) and not _NUMBER.fullmatch(cell) for cell in cells):
                return "holds a formula"
        elif path.suffix == ".md" and _MARKUP.search(text):
            return "holds markup"
    except (ValueError, csv.Error, ElementTree.ParseError) as error:
        return f"does not parse: {error}"
    return "holds characters that a terminal obeys" if _OBEYED.search(text) else ""
