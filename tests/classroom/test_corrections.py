"""What an instructor told wrongly, and says right later: whose files these are, and their times.

Nothing that was handed in can be parsed, so that no sandbox is needed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.classroom.test_course import TIMES, desk, table

__all__ = ["desk"]  # a fixture
LOADED = "The file could not be loaded"
PLACE = ("--assignment", "homework", "--jobs", 1, "--yes")


@pytest.fixture(autouse=True)
def broken(desk, tmp_path: Path) -> None:
    for file in (tmp_path / "class").glob("*/square.py"):
        file.write_text("x = (\n")


def page(tmp_path: Path, name: str) -> str:
    return (tmp_path / "results" / "submissions" / name / "feedback.md").read_text("utf-8")


def test_files_under_a_wrong_id_are_marked_for_whoever_handed_them_in(
    desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder of 001 is really that of 004; the mark moves with it, and stays there."""
    files = ("--roster", tmp_path / "roster.csv", "--times", tmp_path / "times.csv")
    desk("grade", tmp_path / "class", *PLACE, *files)
    assert LOADED in page(tmp_path, "001")
    assert LOADED not in page(tmp_path, "004")
    times = TIMES.replace("id,time", "id,time,submission").replace("001,", "004,") + "\n"
    times = times.replace("23:50 +02:00", "23:50 +02:00,001")
    (tmp_path / "times.csv").write_text(times.replace("12:00 +02:00", "12:00 +02:00,002"))
    capsys.readouterr()
    desk("grade", tmp_path / "class", *PLACE, *files)
    said = capsys.readouterr().err
    assert "001 was 001's, and is now 004's; the attempt of 2026-10-19 23:50 +02:00" in said
    for again in range(2):
        marks = table(tmp_path, "gradebook.csv")
        assert marks["'004"]["submitted"] == "2026-10-19T23:50:00+02:00", again
        assert LOADED in page(tmp_path, "004")
        assert marks["'001"]["submitted"] == "", again
        assert "nothing was submitted" in page(tmp_path, "001")
        desk("grade", tmp_path / "class", *PLACE)  # told nothing more


def test_times_of_an_assignment_are_told_anew(
    desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also those of attempts that nobody has the files of: 2 were accepted, and 3 were told."""
    files = ("--roster", tmp_path / "roster.csv", "--times", tmp_path / "times.csv")
    wrong = "001,2026-10-18 12:00 Z\n001,2026-10-17 12:00 Z\n"
    (tmp_path / "times.csv").write_text(TIMES + wrong)
    assert desk("grade", tmp_path / "class", *PLACE, *files) == 2
    assert "handed in 3 times, of which the first 2 are accepted" in capsys.readouterr().err
    (tmp_path / "times.csv").write_text(TIMES)
    desk("grade", tmp_path / "class", *PLACE, *files, "--replace-times")
    assert "handed in 3 times" not in capsys.readouterr().err
    assert LOADED in page(tmp_path, "001")
    one = tmp_path / "one.csv"
    one.write_text("id,time\n001,2026-10-18 09:00 Z\n")
    alone = ("grade", tmp_path / "class" / "001", *PLACE, "--single", "--times", one)
    desk(*alone, "--replace-times")
    assert "forgot" not in capsys.readouterr().err, "of one student alone"
    marks = table(tmp_path, "gradebook.csv")
    assert marks["'001"]["submitted"] == "2026-10-18T09:00:00+00:00"
    assert marks["'002"]["submitted"] == "2026-10-21T12:00:00+02:00"
    desk("grade", tmp_path / "class", *PLACE)
    assert table(tmp_path, "gradebook.csv") == marks, "the others' times are kept"
    desk("grade", tmp_path / "class", *PLACE, "--times", one, "--replace-times")
    said = capsys.readouterr().err
    assert "--replace-times forgot the times of g2, stranger: the table has none" in said
    assert "nothing says when these were handed in: g2, stranger" in said
    assert desk("grade", tmp_path / "class", *PLACE, "--replace-times") == 2
    assert "--replace-times needs --times" in capsys.readouterr().err


def test_what_is_refused_says_nothing_of_tables_that_changed(
    desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repaired file of one student, marked under the time that is known of theirs."""
    files = ("--roster", tmp_path / "roster.csv", "--times", tmp_path / "times.csv")
    desk("grade", tmp_path / "class", *PLACE, *files)
    key = tmp_path / "final.key"
    key.write_text("5eed" * 16 + "\n")
    final = (*PLACE, "--phase", "final", "--key-file", key, "--allow-insecure")
    mended = tmp_path / "mended" / "001"
    mended.mkdir(parents=True)
    (mended / "square.py").write_text("y = (\n")
    capsys.readouterr()
    assert desk("grade", mended, *final, "--single") == 2
    said = capsys.readouterr().err
    assert "they now show" not in said
    row = "001,2026-10-19 23:50 +02:00"
    assert f"the row is {row})" in said
    (tmp_path / "one.csv").write_text(f"id,time\n{row}\n")
    assert desk("grade", mended, *final, "--single", "--times", tmp_path / "one.csv") in (0, 1)
    assert "they now show assignment homework, phase final" in capsys.readouterr().err


def test_who_is_meant_by_another_name_is_said(
    desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of verbs that take an id; and what a student with too many attempts reads."""
    times = TIMES + "001,2026-10-18 12:00 Z\n001,2026-10-19 21:58 Z,late\n"
    times = times.replace(
        "id,time\n001,2026-10-19 23:50 +02:00\n", "id,time,submission\n001,2026-10-17 12:00 Z,\n"
    )
    (tmp_path / "times.csv").write_text(
        times.replace("001,2026-10-18 12:00 Z", "001,2026-10-18 12:00 Z,001")
    )
    files = ("--roster", tmp_path / "roster.csv", "--times", tmp_path / "times.csv")
    desk("grade", tmp_path / "class", *PLACE, *files)
    line = (
        "Handed in 3 times, of which the first 2 are accepted; that of 2026-10-18 14:00 +02:00 "
        "counts."
    )
    assert f"> {line}\n" in page(tmp_path, "001")
    capsys.readouterr()
    assert desk("explain", "001", "square") == 0
    assert f"  {line}\n" in capsys.readouterr().out
    given = ("--reason", "r", "--by", "b")
    for points in ("1,5", "ten", "nan", ""):
        assert desk("override", "004", "square", points, *given) == 2
        said = f"POINTS is {points!r}, which is no number of points; write one such as 2.5"
        assert said in capsys.readouterr().err
    assert desk("override", "", "square", 1, *given) == 2
    assert "nobody in this record has the id ''; there are:" in capsys.readouterr().err
    assert desk("override", "Owl", "square", 1, *given) == 2
    assert capsys.readouterr().err == (
        "fairmark: 'Owl' is no id; in the roster it belongs to 004: give 004\n"
    )
    assert desk("override", "g2", "square", 1, *given) == 2
    assert (
        "'g2' is no id; in the roster it belongs to 002, 003: give one of"
        in capsys.readouterr().err
    )
    assert desk("replay", tmp_path / "results", "--submission", "Cleo") == 2
    assert "in the roster it belongs to g2: give g2" in capsys.readouterr().err
    assert desk("explain", "004", "square", "--for-student") == 0
    said = capsys.readouterr().out
    assert "there is no file that counts; none of its 3 checks was run (7 points): ERROR" in said
    assert said.count("nothing was submitted") == 2, "once for all checks, once of the whole"
    assert desk("override", "002", "square", 1, *given) == 0
    assert "0.3 = 0 computed + 1 by override - 0.7 late, of 7" in capsys.readouterr().out


def test_pages_of_another_assignment_do_not_stay_beside_those_that_are_shown(
    desk, tmp_path: Path
) -> None:
    """Of somebody who has a row in the other one alone; back there, the page is written again."""
    files = ("--roster", tmp_path / "roster.csv", "--times", tmp_path / "times.csv")
    desk("grade", tmp_path / "class", *PLACE, *files)
    pages = tmp_path / "results" / "submissions"
    assert (pages / "stranger" / "feedback.md").is_file()
    (tmp_path / "class" / "stranger" / "square.py").unlink()
    (tmp_path / "class" / "stranger").rmdir()
    desk("grade", tmp_path / "class", "--task", "square", "--jobs", 1)
    assert sorted(path.name for path in pages.iterdir()) == ["001", "002", "003", "004"]
    desk("report", "--assignment", "homework")
    assert "Assignment: homework" in (pages / "stranger" / "feedback.md").read_text("utf-8")


def test_ids_that_were_wrong_in_a_roster_leave_no_rows(desk, tmp_path: Path) -> None:
    """Who handed something in stays, whatever the roster says."""
    wrong = (tmp_path / "roster.csv").read_text().replace("001;", "1;").replace("004;", "4;")
    (tmp_path / "wrong.csv").write_text(wrong)
    place = ("grade", tmp_path / "class", *PLACE, "--times", tmp_path / "times.csv")
    desk(*place, "--roster", tmp_path / "wrong.csv")
    before = table(tmp_path, "gradebook.csv")
    assert set(before) == {"'001", "1", "'002", "'003", "4", "stranger"}
    desk(*place, "--roster", tmp_path / "roster.csv")
    after = table(tmp_path, "gradebook.csv")
    assert set(after) == {"'001", "'002", "'003", "'004", "stranger"}
    assert LOADED in page(tmp_path, "001")
    pages = tmp_path / "results" / "submissions"
    assert sorted(path.name for path in pages.iterdir()) == ["001", "002", "003", "004", "stranger"]


def test_who_leaves_a_group_keeps_the_mark_of_the_time_in_it(
    desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And an earlier assignment is graded, reported and exported by the roster that it had."""
    tasks = tmp_path / "course" / "tasks"
    for name in ("hw1", "hw2"):
        text = f"id: {name}\ntitle: {name}\ntasks: [{{id: square, points: 7}}]\ngroups: true\n"
        (tasks / "assignments" / f"{name}.yaml").write_text(text)
    (tasks / "term.yaml").write_text("total: {assignments: [hw1, hw2]}\n")
    head = "id,pseudonym,group,submission\n"
    rosters = {
        "hw1": "001,Owl,,submission_1\n002,Jay,red,submission_2\n003,Kite,red,submission_2\n",
        "hw2": "001,Owl,,submission_7\n002,Jay,red,submission_8\n003,Kite,,\n",
    }
    for name, (one, other) in {"hw1": (1, 2), "hw2": (7, 8)}.items():
        (tmp_path / f"{name}.csv").write_text(head + rosters[name])
        for number in (one, other):
            folder = tmp_path / f"download-{name}" / f"submission_{number}"
            folder.mkdir(parents=True)
            (folder / "square.py").write_text("x = (\n")
        place = (tmp_path / f"download-{name}", "--assignment", name, "--jobs", 1)
        desk("grade", *place, "--roster", tmp_path / f"{name}.csv")
        reason = ("--reason", "r", "--by", "b", "--assignment", name)
        desk("override", "002", "square", 5 if name == "hw1" else 3, *reason)
    desk("override", "003", "square", 4, "--reason", "r", "--by", "b", "--assignment", "hw1")
    capsys.readouterr()
    assert desk("term") == 0
    rows = table(tmp_path, "term.csv")
    marks = {name: (row["assignment:hw1"], row["assignment:hw2"]) for name, row in rows.items()}
    assert marks == {"'001": ("0.0", "0.0"), "'002": ("5.0", "3.0"), "'003": ("4.0", "0.0")}
    desk("report", "--assignment", "hw1")
    board = table(tmp_path, "leaderboard.csv")
    assert set(board) == {"Owl", "Jay", "Kite"}
    capsys.readouterr()
    desk("export", "gradescope", "--to", tmp_path / "marks.zip", "--assignment", "hw1")
    said = capsys.readouterr().out
    assert "submission_2 have different marks" in said and "marks of 1 submissions" in said
    desk("grade", tmp_path / "download-hw1", "--assignment", "hw1", "--jobs", 1)
    said = capsys.readouterr().err
    assert "not in" not in said and "marks that change" not in said, "no roster is given again"


def test_a_task_is_taken_out_of_the_assignment(
    desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it was worth there leaves the marks, and `score` says that it is kept."""
    path = tmp_path / "course" / "tasks" / "assignments" / "homework.yaml"
    both = path.read_text()
    one = "{id: square, points: 7}"
    assert one in both
    files = ("--roster", tmp_path / "roster.csv", "--times", tmp_path / "times.csv")
    desk("grade", tmp_path / "class", *PLACE, *files)
    assert table(tmp_path, "gradebook.csv")["'001"]["max_points"] == "7.0"
    path.write_text(both.replace(one, "{id: noise, points: 2}"))
    capsys.readouterr()
    desk("score", "--yes")
    assert "homework has no task square now: marks of" in capsys.readouterr().err
    assert table(tmp_path, "gradebook.csv")["'001"]["max_points"] == "0.0"
    desk("grade", tmp_path / "class", *PLACE)
    assert table(tmp_path, "gradebook.csv")["'001"]["max_points"] == "2.0"
    assert "square" not in (tmp_path / "results" / "leaderboard.csv").read_text().splitlines()[0]
    path.write_text(both.replace(one, f"{one}, {{id: noise, points: 2}}"))
    desk("score", "--yes")
    assert table(tmp_path, "gradebook.csv")["'001"]["max_points"] == "9.0"


def test_an_assignment_that_has_lost_its_file_is_said(
    desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ("--roster", tmp_path / "roster.csv", "--times", tmp_path / "times.csv")
    desk("grade", tmp_path / "class", *PLACE, *files)
    path = tmp_path / "course" / "tasks" / "assignments" / "homework.yaml"
    path.rename(path.with_name("renamed.yaml"))
    for verb in ("score", "report", "summary"):
        capsys.readouterr()
        assert desk(verb) == 2
        said = capsys.readouterr().err
        assert f"{path}: the assignment of the marks that are stored here is gone" in said
        assert "bring the file back" in said
    path.with_name("renamed.yaml").rename(path)
    assert desk("summary") == 0
