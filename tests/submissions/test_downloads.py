"""What downloads of platforms say of their submissions, whatever folder they are wrapped in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.classroom import times
from harness.errors import UsageError
from harness.submissions import find_all
from harness.submissions.downloads import read
from harness.submissions.platforms import Named, named
from tests.support.platforms import (
    GRADESCOPE,
    canvas_download,
    gradescope_download,
    moodle_download,
    packed,
)

STUDENTS = {
    canvas_download: ["doejane_12345", "röesmithrïchard_54321"],
    moodle_download: ["Jane Doe_901", "Richard Roe_902"],
    gradescope_download: [],
}


@pytest.mark.parametrize("form", ["folder", "wrapped", "archive"])
@pytest.mark.parametrize("download", STUDENTS)
def test_downloads(tmp_path: Path, download: Callable[[Path], Path], form: str) -> None:
    folder = download(tmp_path / "download" / ("in" if form == "wrapped" else ""))
    (tmp_path / "download" / "__MACOSX").mkdir()
    path = packed(folder, tmp_path / "a.zip") if form == "archive" else tmp_path / "download"
    found = read(path)
    assert download.__name__ == f"{found.platform}_download"
    assert list(found.students) == STUDENTS[download]
    assert found.others == ()
    if found.platform == "gradescope":
        assert found.folders == ("submission_12345", "submission_54321")
        assert found.metadata == GRADESCOPE.encode()


def test_what_names_tell() -> None:
    assert named("doe_LATE_12_34_a_b-2.tar.gz", is_file=True) == Named(
        "canvas", "doe", "12", "a_b.tar.gz", "34", True
    )
    assert named("LATE_anon_aB3dE_34_a.py", is_file=True) == Named(
        "canvas", "anon", "aB3dE", "a.py", "34", True
    )
    assert named("anon_12345_34_a.py", is_file=True).who == "anon"
    assert named("Jane Doe_9_assignsubmission_file", is_file=False) == Named(
        "moodle", "Jane Doe", "9", "files"
    )
    assert named("doe_12_34_a.py", is_file=False) is None
    assert named("notes.txt", is_file=True) is None


def test_what_is_no_download(tmp_path: Path) -> None:
    (tmp_path / "doe").mkdir()
    (tmp_path / "doe" / "a.py").write_text("")
    with pytest.raises(UsageError, match="is no download of Canvas, Moodle or Gradescope"):
        read(tmp_path)
    with pytest.raises(UsageError, match="does not exist; give the download"):
        read(tmp_path / "none")
    with pytest.raises(UsageError, match="is no folder and no archive"):
        read(tmp_path / "doe" / "a.py")
    (tmp_path / "broken.zip").write_bytes(b"PK")
    with pytest.raises(UsageError, match=r"broken.zip cannot be read: the archive is damaged"):
        read(tmp_path / "broken.zip")


def test_two_downloads_in_one_folder(tmp_path: Path) -> None:
    moodle_download(canvas_download(tmp_path))
    with pytest.raises(UsageError, match="has names of Canvas and of Moodle; give one download"):
        read(tmp_path)


def test_what_else_lies_there_is_listed(tmp_path: Path) -> None:
    canvas_download(tmp_path)
    (tmp_path / "grades.csv").write_text("")
    assert read(tmp_path).others == ("grades.csv",)


@pytest.mark.parametrize("download", STUDENTS)
def test_a_folder_around_a_download_does_not_count(
    tmp_path: Path, download: Callable[[Path], Path]
) -> None:
    """`grade` takes what `import` takes, times of the metadata included."""
    folder = download(tmp_path / "saved" / "in")
    alone, wrapped = (
        find_all([path], frozenset({"square.py"})) for path in (folder, tmp_path / "saved")
    )
    assert wrapped.classes == (tmp_path / "saved",)
    names = [each.name for each in wrapped.submissions]
    assert names == [each.name for each in alone.submissions]
    assert len(names) == 2
    told, direct = (
        [(each.student, each.at, each.submission) for each in times.beside([path]).attempts]
        for path in (tmp_path / "saved", folder)
    )
    assert told == direct
    assert len(told) == (3 if download is gradescope_download else 0)


def test_a_folder_of_one_student_with_one_folder_is_a_class_of_one(tmp_path: Path) -> None:
    (tmp_path / "class" / "doe" / "hw1").mkdir(parents=True)
    (tmp_path / "class" / "doe" / "hw1" / "square.py").write_text("x = 1\n")
    found = find_all([tmp_path / "class"], frozenset({"square.py"}))
    assert [each.name for each in found.submissions] == ["doe"]
