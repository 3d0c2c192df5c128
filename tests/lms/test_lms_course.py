"""From a download to a table that is given back, on the command line.

Nothing that was handed in can be parsed, so that nothing is run; the marks are given by overrides.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from harness.cli import main
from tests.support.gradescope_format import validate
from tests.support.platforms import (
    CANVAS,
    CANVAS_API,
    GERMAN,
    GRADESCOPE_SCORES,
    MOODLE,
    MOODLE_GERMAN,
    canvas_download,
    gradescope_download,
    moodle_download,
    packed,
)

COURSE = Path(__file__).parents[1] / "course"
HOMEWORK = """
id: homework
title: Squares
tasks: [{id: square, points: 7}]
due: 2026-10-19 23:59 Europe/Berlin
late: {per_day: 10%}
"""
BROKEN = b"x = (\n"
REASON = ("--reason", "<b>appeal</b>", "--by", "Turing")


class Desk:
    """A course of one assignment, and verbs on it; the output of the last one is kept."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.out = self.err = ""
        shutil.copytree(COURSE, folder / "course", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "course" / "tasks" / "assignments" / "homework.yaml").write_text(HOMEWORK)

    def run(self, verb: str, *words: object) -> int:
        where = ["--tasks", self.folder / "course/tasks", "--reference"]
        where += [self.folder / "course/reference"]
        where += [] if verb == "import" else ["--results", self.folder / "results"]
        code = main([str(word) for word in (verb, *words, *where)])
        self.out, self.err = self._capsys.readouterr()
        return code

    def imported(self, *words: object) -> dict[str, dict[str, str]]:
        """The roster of an import, by id."""
        assert self.run("import", *words, "--to", self.folder / "in") == 0
        with (self.folder / "in" / "roster.csv").open(encoding="utf-8", newline="") as stream:
            return {row["id"]: row for row in csv.DictReader(stream)}

    def graded(self, path: Path, *points: tuple[str, float]) -> dict[str, dict[str, str]]:
        """The gradebook after a grading with what was imported, and after overrides."""
        files: list[str | Path] = ["--roster", self.folder / "in" / "roster.csv"]
        for name in ("times", "extensions"):
            if (self.folder / "in" / f"{name}.csv").exists():
                files += [f"--{name}", self.folder / "in" / f"{name}.csv"]
        self.run("grade", path, "--assignment", "homework", "--jobs", 1, *files)
        for name, given in points:
            assert self.run("override", name, "square", given, *REASON) == 0
        with (self.folder / "results" / "gradebook.csv").open(encoding="utf-8") as stream:
            return {row["id"]: row for row in csv.DictReader(stream)}

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_bytes(text.encode())
        return path


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_canvas_there_and_back(desk: Desk, tmp_path: Path) -> None:
    download = canvas_download(tmp_path / "download", BROKEN)
    table = desk.write("gradebook.csv", CANVAS)
    api = desk.write("submissions.json", CANVAS_API)
    roster = desk.imported(download, "--table", table, "--submissions", api)
    assert list(roster) == ["'00123", "'00124", "'00125", "'00126"]
    assert "Canvas: 4 students, 2 of them handed in" in desk.out
    assert "LATE" not in desk.err, "the times say more"
    assert f"next: grade {download} --assignment NAME --roster" in desk.out

    marks = desk.graded(download, ("00123", 7), ("00124", 6), ("00126", 2))
    assert marks["'00123"]["submitted"] == "2026-10-19T21:50:30+00:00"
    assert [marks[name]["late"] for name in ("'00123", "'00124", "'00125")] == ["0", "2", ""]
    assert marks["'00124"]["mark"] == "4.6"

    target = tmp_path / "filled.csv"
    assert desk.run("export", "canvas", table, "--to", target) == 1
    assert "00125: excused in Canvas" in desk.out
    assert "left as they were: Student, Test (line 8)" in desk.out
    assert "3 of 4 marks in the column Squares (4711), 1 of them in place of another" in desk.out
    assert target.read_text(encoding="utf-8") == (
        CANVAS.replace('y""",,8.50', 'y""",7,8.50')
        .replace('2",,3.00', '2",,4.6')
        .replace("anoe,Course 1,,,", "anoe,Course 1,,2,")
    )
    assert table.read_text(encoding="utf-8") == CANVAS, "what is read stays"

    pages = tmp_path / "feedback.zip"
    assert desk.run("export", "feedback-zip", download, "--to", pages) == 1
    assert "00125: has no file in the download" in desk.out
    with zipfile.ZipFile(pages) as archive:
        content = {name: archive.read(name).decode() for name in archive.namelist()}
    assert list(content) == [
        "doejane_12345_678905_feedback.md",
        "röesmithrïchard_LATE_54321_678920_feedback.md",
    ]
    own = (tmp_path / "results" / "submissions" / "00123" / "feedback.md").read_text("utf-8")
    assert content["doejane_12345_678905_feedback.md"] == own


def test_moodle_there_and_back(desk: Desk, tmp_path: Path) -> None:
    moodle_download(tmp_path / "download", BROKEN)
    download = packed(tmp_path / "download", tmp_path / "work.zip")
    table = desk.write("Grades.csv", MOODLE)
    desk.run("import", download, "--table", table, "--to", tmp_path / "untimed")
    assert "times of the worksheet are left out, since they have no zone" in desk.err
    assert not (tmp_path / "untimed" / "times.csv").exists()
    roster = desk.imported("moodle", download, "--table", table, "--zone", "Europe/Berlin")
    assert roster["'00123"]["submission"] == "Jane Doe_901"
    assert "Moodle's worksheet says minutes, not seconds" in desk.err
    marks = desk.graded(download, ("00123", 7), ("00124", 7))
    assert [marks[name]["late"] for name in ("'00123", "'00124")] == ["0", "2"]

    target = tmp_path / "filled.csv"
    assert desk.run("export", "moodle", table, "--to", target, "--comments", "--json") == 1
    said = json.loads(desk.out)
    assert said["grades"] == {"00123": "7", "00124": "5.6", "00126": "0"}
    assert said["not_written"] == {"00125": "Moodle says that the grade cannot be changed"}
    assert said["replaced"] == {"00124": "3.00"}
    rows = list(csv.reader(io.StringIO(target.read_bytes().decode("utf-8-sig"), newline="")))
    assert [row[5] for row in rows[1:]] == ["7", "5.6", "", "0"]
    assert rows[1][10] == "7 of 7 points, computed 0, 7 more by override"
    assert "appeal" not in target.read_text(encoding="utf-8")

    for source in (download, table):
        pages = tmp_path / f"{source.stem}-feedback.zip"
        desk.run("export", "feedback-zip", source, "--to", pages)
        with zipfile.ZipFile(pages) as archive:
            assert "Jane Doe_901_assignsubmission_file_/feedback.md" in archive.namelist()
            assert len(archive.namelist()) == (2 if source == download else 4)


def test_moodle_in_german(desk: Desk, tmp_path: Path) -> None:
    download = moodle_download(tmp_path / "download", BROKEN)
    table = desk.write("Grades.csv", MOODLE_GERMAN)
    headers = [word for name in GERMAN for word in ("--header", name)]
    desk.imported(download, "--table", table, "--zone", "Europe/Berlin", *headers)
    desk.graded(download, ("jane@example.org", 2.5))
    target = tmp_path / "filled.csv"
    desk.run("export", "moodle", table, "--to", target, *headers)
    assert target.read_text(encoding="utf-8") == MOODLE_GERMAN.replace(";;7,00", ";2,5;7,00")


def test_gradescope_with_groups_and_into_canvas(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "course" / "tasks" / "assignments" / "homework.yaml"
    path.write_text(HOMEWORK + "groups: true\n")
    download = gradescope_download(tmp_path / "download", BROKEN)
    roster = desk.imported(download)
    assert roster["'00125"]["group"] == "00124 & 00125"
    assert "need" not in desk.err
    marks = desk.graded(download, ("00124", 7))
    assert {name: row["late"] for name, row in marks.items()} == {
        "'00123": "0",
        "'00124": "2",
        "'00125": "2",
    }
    table = desk.write("gradebook.csv", CANVAS)
    target = tmp_path / "filled.csv"
    desk.run("export", "canvas", table, "--to", target)
    assert "Roe" not in desk.err
    assert "rroe" in target.read_text(encoding="utf-8")
    assert 'Course 2",,5.6' in target.read_text(encoding="utf-8")


def test_extensions_of_gradescope_come_from_its_scores(desk: Desk, tmp_path: Path) -> None:
    """A group handed in 36 h late; by the date that Gradescope has for 00124 it is 10 h."""
    path = tmp_path / "course" / "tasks" / "assignments" / "homework.yaml"
    path.write_text(HOMEWORK + "groups: true\n")
    download = gradescope_download(tmp_path / "download", BROKEN)
    table = desk.write("scores.csv", GRADESCOPE_SCORES)
    roster = desk.imported(download, "--table", table, "--assignment", "homework")
    assert roster["'00126"]["name"] == "Ann Noe" and roster["'00126"]["submission"] == ""
    assert "is due: 00124; see that each has an extension there" in desk.err
    assert "--extensions" in desk.out
    written = (tmp_path / "in" / "extensions.csv").read_text()
    assert written.splitlines()[1:] == [
        "00124,homework,2026-10-21T00:01:00+00:00,,extension on Gradescope"
    ]
    marks = desk.graded(download, ("00124", 7))
    assert {name: row["late"] for name, row in marks.items()} == {
        "'00123": "0",
        "'00124": "1",
        "'00125": "1",
        "'00126": "",
    }


@pytest.mark.parametrize("as_archive", [False, True])
def test_gradescopes_times_are_found_by_themselves(
    desk: Desk, tmp_path: Path, as_archive: bool
) -> None:
    download = gradescope_download(tmp_path / "download", BROKEN)
    if as_archive:
        download = packed(tmp_path / "download", tmp_path / "export.zip")
    desk.run("grade", download, "--assignment", "homework", "--jobs", 1)
    with (tmp_path / "results" / "gradebook.csv").open(encoding="utf-8") as stream:
        late = {row["id"]: row["late"] for row in csv.DictReader(stream)}
    assert late == {"submission_12345": "0", "submission_54321": "2"}


def given_on_gradescope(archive: Path, folder: Path, number: int) -> tuple[int, dict[str, object]]:
    """What an autograder that holds marks writes about a submission, run as Gradescope does."""
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(archive) as packed_files:
        packed_files.extractall(folder / "source")
    shutil.copy(folder / "source" / "run_autograder", folder)
    (folder / "submission_metadata.json").write_text(json.dumps({"id": number, "users": []}))
    ended = subprocess.run(["bash", folder / "run_autograder"], capture_output=True, check=False)
    written = folder / "results" / "results.json"
    return ended.returncode, json.loads(written.read_text()) if written.exists() else {}


def test_marks_go_back_to_gradescope(desk: Desk, tmp_path: Path) -> None:
    """Each submission gets the mark of the course, override and lateness included."""
    path = tmp_path / "course" / "tasks" / "assignments" / "homework.yaml"
    path.write_text(HOMEWORK + "groups: true\n")
    download = gradescope_download(tmp_path / "download", BROKEN)
    table = desk.write("scores.csv", GRADESCOPE_SCORES)
    desk.imported(download, "--table", table)
    desk.graded(download, ("00124", 7), ("00125", 7), ("00123", 3))
    target = tmp_path / "marks.zip"
    assert desk.run("export", "gradescope", "--to", target) == 1
    assert "00126: has no submission on Gradescope" in desk.out
    assert "marks of 2 submissions" in desk.out
    for number, mark in ((12345, 3.0), (54321, 5.6)):
        code, document = given_on_gradescope(target, tmp_path / "autograder", number)
        assert (code, document["score"]) == (0, mark)
        assert validate(document) == []
    assert given_on_gradescope(target, tmp_path / "autograder", 99) == (1, {})
    assert desk.run("override", "00125", "square", 6, *REASON) == 0
    assert desk.run("export", "gradescope", "--to", target) == 1
    assert "00124: the members of submission_54321 have different marks" in desk.out
    assert given_on_gradescope(target, tmp_path / "autograder", 54321) == (1, {})


def test_who_is_not_in_the_table_is_listed_and_nobody_guessed(desk: Desk, tmp_path: Path) -> None:
    download = canvas_download(tmp_path / "download", BROKEN)
    desk.imported(download)
    assert "Canvas marked these LATE" in desk.err
    desk.graded(download)
    table = desk.write("gradebook.csv", CANVAS.replace("Doe, Jane", "Doe, June"))
    target = tmp_path / "filled.csv"
    assert desk.run("export", "canvas", table, "--to", target) == 1
    assert "doejane_12345: number 12345 is Doe, June (line 4), a different name" in desk.out
    assert "1 of 2 marks" in desk.out


@pytest.fixture
def small(desk: Desk, tmp_path: Path) -> Desk:
    """A class that was graded, without times."""
    download = canvas_download(tmp_path / "download", BROKEN)
    desk.imported(download)
    desk.graded(download)
    return desk


def test_exports_that_are_refused(small: Desk, tmp_path: Path) -> None:
    table = small.write("gradebook.csv", CANVAS)
    worksheet = small.write("Grades.csv", MOODLE)
    target = tmp_path / "filled.csv"
    for words, said in (
        (("canvas", table, "--to", table), "is what is read; write to another file"),
        (("canvas", "--to", target), "export canvas needs a FILE of the platform"),
        (("gradescope", table, "--to", target), "export gradescope reads no file"),
        (("gradescope", "--to", target, "--comments"), "--comments is about tables"),
        (("gradescope", "--to", target), "no mark is that of a submission of Gradescope"),
        (("canvas", worksheet, "--to", target), "a gradebook of Canvas has no column ID"),
        (("moodle", table, "--to", target), "a grading worksheet of Moodle has no column Identif"),
        (("moodle", worksheet, "--to", target, "--column", "x"), "--column is for Canvas"),
        (("canvas", table, "--to", target, "--comments"), "are for Moodle's worksheet"),
        (("canvas", table, "--to", target, "--column", "Cubes"), "called Cubes; name one"),
        (("canvas", table, "--to", target, "--match", "Mail"), "--match Mail: there are"),
        (("feedback-zip", worksheet, "--to", target, "--points", "scaled"), "--points is about"),
        (("feedback-zip", tmp_path / "download", "--to", target, "--match", "x"), "--match and"),
        (("feedback-zip", tmp_path / "course", "--to", target), "is no download of Canvas"),
    ):
        assert small.run("export", *words) == 2, words
        assert said in small.err
    assert not target.exists()
    assert table.read_text(encoding="utf-8") == CANVAS


def test_only_what_the_tables_show_is_exported(small: Desk, tmp_path: Path) -> None:
    table = small.write("gradebook.csv", CANVAS)
    assert small.run("override", "doejane_12345", "square", 7, *REASON) == 0
    path = tmp_path / "course" / "tasks" / "assignments" / "homework.yaml"
    path.write_text(HOMEWORK.replace("points: 7", "points: 14"))
    words = ("export", "canvas", table, "--to", tmp_path / "filled.csv", "--points", "scaled")
    assert small.run(*words) == 2
    assert "another record is shown, or marks have changed since; `report --phase" in small.err
    assert not (tmp_path / "filled.csv").exists()
    small.run("report", "--assignment", "homework")
    assert small.run(*words) == 0
    assert 'y""",3.5,' in (tmp_path / "filled.csv").read_text(encoding="utf-8")


def test_only_pages_of_these_marks_are_packed(small: Desk, tmp_path: Path) -> None:
    page = tmp_path / "results" / "submissions" / "doejane_12345" / "feedback.md"
    page.write_text("of another run")
    words = ("export", "feedback-zip", tmp_path / "download", "--to", tmp_path / "f.zip")
    assert small.run(*words) == 2
    assert "is not the page of the marks that are stored; `report` writes it again" in small.err
    small.run("report")
    assert small.run(*words) == 0


def test_imports_that_are_refused(desk: Desk, tmp_path: Path) -> None:
    canvas = canvas_download(tmp_path / "canvas")
    moodle = moodle_download(tmp_path / "moodle")
    gradescope = gradescope_download(tmp_path / "gradescope")
    table = desk.write("gradebook.csv", CANVAS)
    for words, said in (
        (("moodle", canvas), "is a download of canvas, not of moodle"),
        ((canvas, moodle), "give one PATH"),
        (("canvas", "moodle", canvas), "give one PATH"),
        ((gradescope, "--table", table), "a table of Gradescope's scores has no column SID"),
        ((gradescope, "--assignment", "homework"), "--assignment is for the extensions"),
        ((canvas, "--assignment", "homework"), "--assignment is not for a download of canvas"),
        ((moodle, "--submissions", table), "--submissions is not for a download of moodle"),
        ((canvas, "--table", table, "--zone", "Europe/Berlin"), "--zone is not for"),
        ((moodle, "--zone", "Europe/Berlin"), "--zone is that of the times in --table"),
        ((canvas, "--id", "ID"), "--id names a column of --table"),
        ((canvas, "--roster", table), "csv:2: a row needs id, found"),
    ):
        assert desk.run("import", *words, "--to", tmp_path / "in") == 2, words
        assert said in desk.err
    assert not (tmp_path / "in").exists()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "times.csv").write_text("mine")
    assert desk.run("import", canvas, "--to", tmp_path / "in") == 2
    assert "times.csv is there already" in desk.err
    assert (tmp_path / "in" / "times.csv").read_text() == "mine"


def test_import_as_json(desk: Desk, tmp_path: Path) -> None:
    download = gradescope_download(tmp_path / "download")
    assert desk.run("import", "gradescope", download, "--to", tmp_path / "in", "--json") == 0
    said = json.loads(desk.out)
    assert (said["platform"], said["students"], said["submissions"]) == ("gradescope", 3, 3)
    assert [Path(each).name for each in said["written"]] == ["roster.csv", "times.csv"]


def test_tables_of_platforms_are_no_tables_of_times(desk: Desk, tmp_path: Path) -> None:
    download = canvas_download(tmp_path / "download", BROKEN)
    for name, text in (("Grades.csv", MOODLE), ("submissions.json", CANVAS_API)):
        path = desk.write(name, text)
        assert desk.run("grade", download, "--assignment", "homework", "--times", path) == 2
        assert "`import" in desk.err
