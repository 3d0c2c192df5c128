"""Gradescope's table of scores: who handed nothing in, and whose date is later there."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.lms import gradescope_scores
from harness.lms.gradescope_scores import Score
from harness.lms.importing import Entry, Imported
from harness.spec.models import Assignment
from harness.spec.strict_yaml import load_text
from tests.support.platforms import GRADESCOPE_SCORES

HOMEWORK = "id: homework\ntitle: T\ntasks: [{id: square, points: 7}]\n"
DUE = "due: 2026-10-19 23:59 Z\nlate: {per_day: 10%}\n"


def written(folder: Path, text: str = GRADESCOPE_SCORES) -> Path:
    path = folder / "scores.csv"
    path.write_text(text, encoding="utf-8")
    return path


def declared(more: str = DUE) -> Assignment:
    return load_text(HOMEWORK + more, "hw.yaml", Assignment)


def test_names_ids_and_lateness(tmp_path: Path) -> None:
    scores = gradescope_scores.read(written(tmp_path))
    assert scores[0] == Score("Jane Doe", "00123", "jane@example.org", timedelta(0))
    assert scores[2].late == timedelta(hours=36, minutes=1)
    assert scores[3].late is None
    older = GRADESCOPE_SCORES.replace("First Name,Last Name", "Name").replace(",Doe,", " Doe,")
    rows = older.replace(",Roe,", " Roe,").replace(",Poe,", " Poe,").replace(",Noe,", " Noe,")
    assert gradescope_scores.read(written(tmp_path, rows)) == scores


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Lateness (H:M:S)", "Late", r"has no column Lateness \(H:M:S\)"),
        ("Last Name", "Surname", "has no column Last Name"),
        ("09:59:00", "soon", "3: 'soon' is no lateness such as 26:00:00"),
        ("00125", "00124", "4: the SID 00124 stands in line 3 too"),
        ("poe@example.org", "Roe@example.org", "4: the Email roe@example.org stands in line 3"),
    ],
)
def test_what_is_no_table_of_scores(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        gradescope_scores.read(written(tmp_path, GRADESCOPE_SCORES.replace(old, new, 1)))


def test_who_has_no_id_is_said(tmp_path: Path) -> None:
    scores = gradescope_scores.read(written(tmp_path, GRADESCOPE_SCORES.replace("00126", "")))
    found = gradescope_scores.with_absent(Imported((Entry("00123"),), column="sid"), scores)
    assert [each.id for each in found.entries] == ["00123", "00124", "00125"]
    assert found.notices == ("left out, since they have no sid: Ann Noe",)


@pytest.mark.parametrize(
    ("at", "late", "due"),
    [
        ("2026-10-19T23:59:00+00:00", "00:00:00", None),
        ("2026-10-20T12:00:30+00:00", "12:01:30", None),
        ("2026-10-20T12:00:30+00:00", "14:00:00", None),
        ("2026-10-22T01:59:00.700000+00:00", "02:00:01", "2026-10-21T23:59:00+00:00"),
        ("2026-10-20T12:00:30+00:00", "00:00:00", "2026-10-20T12:00:30+00:00"),
        ("2026-10-20T12:00:30+00:00", "", None),
    ],
    ids=["in time", "late for all", "due earlier there", "late and longer", "not late", "unknown"],
)
def test_dates_of_a_students_own(tmp_path: Path, at: str, late: str, due: str | None) -> None:
    imported = Imported((Entry("1", at=datetime.fromisoformat(at)),), column="sid")
    table = f"Name,SID,Email,Lateness (H:M:S)\nA,1,,{late}\n"
    scores = gradescope_scores.read(written(tmp_path, table))
    rows, notices = gradescope_scores.extended(imported, scores, declared())
    assert [row[2] for row in rows] == ([due] if due else [])
    assert bool(notices) == bool(rows)


def test_what_is_never_due_has_no_extensions() -> None:
    with pytest.raises(UsageError, match="homework has no due date"):
        gradescope_scores.extended(Imported(()), [], declared(""))
