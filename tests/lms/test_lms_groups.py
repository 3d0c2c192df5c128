"""Work of groups in downloads of Canvas and Moodle: one submission, and every member is marked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.classroom.handing_in import Arrangements, sorted_out
from harness.classroom.roster import Roster, Student
from harness.classroom.times import Attempt, Times
from harness.errors import UsageError
from harness.lms import canvas, importing, moodle, sheet
from harness.spec.models import Assignment
from harness.spec.schedule import read_moment
from harness.spec.strict_yaml import load_text
from harness.submissions import downloads, find_all
from tests.lms.test_lms_course import BROKEN, HOMEWORK, Desk, desk  # noqa: F401 (a fixture)
from tests.support.platforms import CANVAS, MOODLE

#: What Canvas's *Download Course Roster CSV* of a group set gives.
GROUP_SET = """name,canvas_user_id,user_id,login_id,sections,group_name,canvas_group_id,group_id
"Doe, Jane",12345,00123,jdoe,Course 1,Red Team!,71,
"Röe-Smith, Rïchard",54321,00124,rroe,"Course 1, Course 2",Red Team!,71,
"Poe, Ann",777,00125,apoe,Course 1,Blue,72,
"Noe, Ann",778,00126,anoe,Course 1,,,
"""
#: Moodle's worksheet of an assignment that teams hand in has a column of their groups.
TEAMS = "\ufeff" + "\r\n".join(
    [
        "Identifier,Full name,ID number,Email address,Status,Group,Grade,Maximum grade,"
        "Grade can be changed,Last modified (submission),Last modified (grade),Feedback comments",
        *(
            f"Participant {number},{name},{own},{own}@example.org,Submitted for grading - ,{group},"
            f',7.00,Yes,"{time}",-,'
            for number, name, own, group, time in (
                (901, "Jane Doe", "00123", "Red_Team", "Monday, 19 October 2026, 11:50 PM"),
                (902, "Richard Roe", "00124", "Red_Team", "Monday, 19 October 2026, 11:50 PM"),
                (903, "Ann Poe", "00125", "Default group", "Monday, 19 October 2026, 9:00 PM"),
                (904, "Ann Noe", "00126", "Not a member of any group, so unable to make "
                 "submissions.".replace(",", ";"), "-"),
            )
        ),
        "",
    ]
)  # fmt: skip


def laid(folder: Path, *names: str, content: bytes = BROKEN) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def people_of_canvas(folder: Path, groups: str = GROUP_SET):
    (folder / "gradebook.csv").write_text(CANVAS, encoding="utf-8")
    (folder / "groups.csv").write_text(groups, encoding="utf-8")
    people = canvas.read(sheet.read(folder / "gradebook.csv", canvas.WHAT)).people
    return canvas.with_groups(people, sheet.read(folder / "groups.csv", canvas.WHAT_GROUPS))


def test_a_group_of_canvas_is_found_by_its_name_and_a_members_number(tmp_path: Path) -> None:
    """Canvas writes the group's name in place of a student's, and the number of one of them."""
    download = downloads.read(
        laid(tmp_path / "d", "redteam_54321_678_square.py", "blue_LATE_777_679_square.py")
    )
    imported = importing.of_table(download, people_of_canvas(tmp_path))
    assert {each.id: (each.group, each.submission) for each in imported.entries} == {
        "00123": ("Red Team!", "redteam_54321"),
        "00124": ("Red Team!", "redteam_54321"),
        "00125": ("Blue", "blue_777"),
        "00126": ("", ""),
    }
    assert {each.id for each in imported.entries if each.alone} == {"00126"}
    assert any("2 submissions are those of groups" in notice for notice in imported.notices)


def test_the_name_of_a_group_with_a_strangers_number_is_nobodys(tmp_path: Path) -> None:
    download = downloads.read(laid(tmp_path / "d", "redteam_777_678_square.py"))
    imported = importing.of_table(download, people_of_canvas(tmp_path))
    assert not any(each.submission for each in imported.entries)
    assert any("number and name: redteam_777" in notice for notice in imported.notices)


def test_rosters_of_group_sets_that_are_refused(tmp_path: Path) -> None:
    twice = GROUP_SET + '"Doe, Jane",12345,00123,jdoe,Course 1,Green,73,\n'
    with pytest.raises(UsageError, match=r"groups.csv:6: user 12345 is in Red Team! too"):
        people_of_canvas(tmp_path, twice)
    with pytest.raises(UsageError, match="has no column group_name"):
        people_of_canvas(tmp_path, GROUP_SET.replace("group_name", "team"))


def test_without_the_group_set_it_is_said_what_to_give(tmp_path: Path) -> None:
    download = downloads.read(laid(tmp_path / "d", "redteam_54321_678_square.py"))
    (tmp_path / "gradebook.csv").write_text(CANVAS, encoding="utf-8")
    people = canvas.read(sheet.read(tmp_path / "gradebook.csv", canvas.WHAT)).people
    notices = importing.of_table(download, people).notices
    assert any("--groups: in Canvas, People, the group set" in notice for notice in notices)


@pytest.mark.parametrize(
    "names",
    [
        (
            "Red Team_45_assignsubmission_file_/square.py",
            "Default group_assignsubmission_file_/square.py",
        ),
        (
            "Red Team_45_assignsubmission_file_square.py",
            "Default group_assignsubmission_file_square.py",
        ),
    ],
    ids=["folders", "flat"],
)
def test_teams_of_moodle_are_found_by_their_names(tmp_path: Path, names: tuple[str, str]) -> None:
    """Moodle 4.1 and newer write a group's name and number; who has none is the default one."""
    folder = laid(tmp_path / "d", *names)
    (tmp_path / "w.csv").write_text(TEAMS, encoding="utf-8")
    people = moodle.read(sheet.read(tmp_path / "w.csv", moodle.WHAT)).people
    imported = importing.of_table(downloads.read(folder), people)
    assert {each.id: (each.group, each.submission) for each in imported.entries} == {
        "00123": ("Red_Team", "Red Team_45"),
        "00124": ("Red_Team", "Red Team_45"),
        "00125": ("Default group", "Default group"),
        "00126": ("", ""),
    }
    found = find_all([folder], frozenset({"square.py"})).submissions
    assert [each.name for each in found] == ["Default group", "Red Team_45"]
    assert all("square.py" in each.contents or each.problems for each in found)


def test_two_groups_of_one_name_are_told_apart_by_nobody(tmp_path: Path) -> None:
    folder = laid(tmp_path / "d", "Red Team_45_assignsubmission_file_/square.py")
    text = TEAMS.replace("00124@example.org,Submitted for grading - ,Red_Team", "x,y - ,Red-Team")
    (tmp_path / "w.csv").write_text(text, encoding="utf-8")
    people = moodle.read(sheet.read(tmp_path / "w.csv", moodle.WHAT)).people
    with pytest.raises(UsageError, match="could be of the groups Red-Team and Red_Team"):
        importing.of_table(downloads.read(folder), people)


PAIR = Roster(
    Path("roster.csv"),
    {
        "00123": Student("00123", "A", group="g", submission="g-Jane Doe_901"),
        "00124": Student("00124", "B", group="g", submission="g-Richard Roe_902"),
    },
    by_group=True,
)


def test_copies_that_older_versions_of_moodle_make_for_each_member_are_one_submission() -> None:
    names = ("g-Jane Doe_901", "g-Richard Roe_902")
    copies = dict.fromkeys(names, "same")
    assert sorted_out(copies, Arrangements(PAIR)).counted == {"g": names[0]}
    at = read_moment("2026-10-19 12:00 Z")
    times = Times((Attempt("00123", at, names[0], "t:2"), Attempt("00124", at, names[1], "t:3")))
    declared = load_text(HOMEWORK, "hw.yaml", Assignment)
    found = sorted_out(copies, Arrangements(PAIR, declared, times))
    assert (found.counted, found.at) == ({"g": names[0]}, {"g": at})
    with pytest.raises(UsageError, match="two attempts at"):
        sorted_out(dict(zip(names, "ab", strict=True)), Arrangements(PAIR, declared, times))
    with pytest.raises(UsageError, match="g handed in 2 times"):
        sorted_out(dict(zip(names, "ab", strict=True)), Arrangements(PAIR))


def test_a_group_of_canvas_from_its_download_to_a_mark_of_each(desk: Desk, tmp_path: Path) -> None:  # noqa: F811
    path = desk.folder / "course" / "tasks" / "assignments" / "homework.yaml"
    path.write_text(HOMEWORK + "groups: true\n")
    folder = laid(tmp_path / "d", "redteam_54321_678_square.py")
    (tmp_path / "gradebook.csv").write_text(CANVAS, encoding="utf-8")
    (tmp_path / "groups.csv").write_text(GROUP_SET, encoding="utf-8")
    listed = [{"user_id": user, "submitted_at": "2026-10-19T21:50:30Z"} for user in (12345, 54321)]
    (tmp_path / "list.json").write_text(json.dumps(listed))
    roster = desk.imported(
        *("canvas", folder, "--table", tmp_path / "gradebook.csv"),
        *("--groups", tmp_path / "groups.csv", "--submissions", tmp_path / "list.json"),
    )
    assert roster["'00123"]["group"] == "Red Team!"
    assert "nothing says when" not in desk.err
    marks = desk.graded(folder, ("00124", 5))
    assert {name: row["submitted"][:10] for name, row in marks.items()} == {
        "'00123": "2026-10-19",
        "'00124": "2026-10-19",
        "'00125": "",
        "'00126": "",
    }
    assert (marks["'00123"]["mark"], marks["'00124"]["mark"]) == ("0.0", "5.0")


def test_groups_are_for_canvas_and_its_table(desk: Desk, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "groups.csv").write_text(GROUP_SET, encoding="utf-8")
    words = ("--groups", tmp_path / "groups.csv", "--to", tmp_path / "in")
    canvas_ = laid(tmp_path / "c", "doejane_12345_678_square.py")
    assert desk.run("import", canvas_, *words) == 2
    assert "--groups says who of --table is in which group" in desk.err
    moodle_ = laid(tmp_path / "m", "Jane Doe_901_assignsubmission_file_/square.py")
    (tmp_path / "w.csv").write_text(MOODLE, encoding="utf-8")
    assert desk.run("import", moodle_, "--table", tmp_path / "w.csv", *words) == 2
    assert "--groups is not for a download of moodle" in desk.err
