"""Archives of feedback: the names that Canvas and Moodle find students by."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

from harness.lms import feedback
from harness.lms.feedback import Pages
from harness.lms.layout import Person
from harness.submissions import downloads
from tests.support.platforms import canvas_download

PAGES = Pages(b"# page\n", {"picture-1.svg": b"<svg/>"})


def canvas_reads(name: str) -> tuple[str, str]:
    """Student and file as Canvas finds them in a name: the first two numbers, LATE left out."""
    parts = [part for part in name.split("_") if part != "LATE"]
    if parts[0] == "anon":
        return parts[1], parts[2]
    numbers = [part for part in parts if re.fullmatch(r"\d+", part)]
    return numbers[0], numbers[1]


def moodle_reads(path: str) -> tuple[str, str, str]:
    """Participant, plugin and file as Moodle finds them in a path."""
    folder, _, name = path.partition("/")
    _, number, kind, plugin, rest = folder.split("_", 4)
    assert rest == ""
    return number, f"{kind}_{plugin}", name


def test_canvas_finds_student_and_file_again(tmp_path: Path) -> None:
    download = downloads.read(canvas_download(tmp_path))
    pages = {"doejane_12345": PAGES, "röesmithrïchard_54321": PAGES, "other_1": PAGES}
    files = feedback.canvas(download, pages)
    assert [canvas_reads(name) for name in files] == [("12345", "678905"), ("54321", "678920")]
    assert set(files.values()) == {b"# page\n"}, "Canvas shows one file a student"


def test_canvas_finds_anonymous_students_again(tmp_path: Path) -> None:
    for name in ("anon_aB3dE_678_a.py", "LATE_anon_x9Yz2_679_a.py"):
        (tmp_path / name).write_text("")
    download = downloads.read(tmp_path)
    assert list(download.students) == ["anon_x9Yz2", "anon_aB3dE"]
    files = feedback.canvas(download, dict.fromkeys(download.students, PAGES))
    assert {canvas_reads(name) for name in files} == {("aB3dE", "678"), ("x9Yz2", "679")}


def test_moodle_finds_the_participant_and_all_files() -> None:
    person = Person(1, 2, "Jane_Ann O'Doe/Roe", "901")
    name = feedback.moodle_name(person)
    assert name == "Jane Ann O'Doe Roe_901"
    files = feedback.moodle({name: PAGES})
    assert [moodle_reads(path) for path in files] == [
        ("901", "assignsubmission_file", "feedback.md"),
        ("901", "assignsubmission_file", "picture-1.svg"),
    ]
    assert feedback.moodle_name(Person(1, 2, "", "7")) == "Participant_7"


def test_equal_pages_give_equal_archives() -> None:
    files = feedback.moodle({"Jane Doe_901": PAGES})
    content = feedback.archive(files)
    assert content == feedback.archive(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
