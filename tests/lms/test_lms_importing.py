"""Rosters and times of downloads: who, under which id, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.classroom import roster as rosters
from harness.classroom import times
from harness.classroom.roster import Roster
from harness.errors import UsageError
from harness.lms import attempt_times, canvas, import_tables, importing, moodle, sheet
from harness.lms.importing import Entry, Imported
from harness.lms.layout import Person
from harness.submissions import downloads
from harness.submissions.downloads import Download
from tests.support.platforms import (
    CANVAS,
    CANVAS_API,
    GRADESCOPE,
    MOODLE,
    canvas_download,
    gradescope_download,
    moodle_download,
)


def people_of_canvas(folder: Path, text: str = CANVAS):
    path = folder / "grades.csv"
    path.write_text(text, encoding="utf-8")
    return canvas.read(sheet.read(path, canvas.WHAT)).people


def people_of_moodle(folder: Path, text: str = MOODLE):
    path = folder / "Grades.csv"
    path.write_bytes(text.encode())
    return moodle.read(sheet.read(path, moodle.WHAT)).people


def by_id(imported: Imported) -> dict[str, str]:
    return {each.id: each.submission for each in imported.entries}


def test_names_alone(tmp_path: Path) -> None:
    download = downloads.read(canvas_download(tmp_path))
    imported = importing.of_download(download)
    assert [(each.id, each.name) for each in imported.entries] == [
        ("doejane_12345", "doejane"),
        ("röesmithrïchard_54321", "röesmithrïchard"),
    ]
    (notice,) = importing.marked_late(download)
    assert notice.startswith("Canvas marked these LATE, which its names say without a time: röe")


def test_the_gradebook_of_canvas_has_everybody_under_an_id_that_lasts(tmp_path: Path) -> None:
    download = downloads.read(canvas_download(tmp_path / "d"))
    imported = importing.of_table(download, people_of_canvas(tmp_path))
    assert by_id(imported) == {
        "00123": "doejane_12345",
        "00124": "röesmithrïchard_54321",
        "00125": "",
        "00126": "",
    }
    assert "the ids are those of the column SIS User ID" in imported.notices
    assert "left out, since the column SIS User ID is empty: Student, Test (line 8)" in (
        imported.notices
    )


def test_another_column_of_ids(tmp_path: Path) -> None:
    download = downloads.read(canvas_download(tmp_path / "d"))
    people = people_of_canvas(tmp_path)
    assert list(by_id(importing.of_table(download, people, "number")))[:2] == ["12345", "54321"]
    with pytest.raises(UsageError, match="--id Name: there are SIS Login ID, SIS User ID, number"):
        importing.of_table(download, people, "Name")
    twice = people_of_canvas(tmp_path, CANVAS.replace("00124", "00123"))
    with pytest.raises(UsageError, match="SIS User ID has 00123 in several rows"):
        importing.of_table(download, twice)


def test_a_number_with_another_name_is_nobodys(tmp_path: Path) -> None:
    download = downloads.read(canvas_download(tmp_path / "d"))
    people = people_of_canvas(tmp_path, CANVAS.replace("Doe, Jane", "Doe, John"))
    imported = importing.of_table(download, people)
    assert by_id(imported)["00123"] == ""
    assert any("number and name: doejane_12345" in notice for notice in imported.notices)


def test_the_worksheet_of_moodle(tmp_path: Path) -> None:
    download = downloads.read(moodle_download(tmp_path / "d"))
    imported = importing.of_table(download, people_of_moodle(tmp_path))
    assert by_id(imported) == {
        "00123": "Jane Doe_901",
        "00124": "Richard Roe_902",
        "00125": "",
        "00126": "",
    }
    by_address = importing.of_table(
        download, people_of_moodle(tmp_path, MOODLE.replace("ID number", "Matrikel"))
    )
    assert by_id(by_address)["Jane@example.org"] == "Jane Doe_901"


def test_a_table_without_ids(tmp_path: Path) -> None:
    download = downloads.read(canvas_download(tmp_path / "d"))
    text = 'Student,ID,Section,Squares (1)\n    Points Possible,,,7\n"Doe, Jane",12345,C,\n'
    people = people_of_canvas(tmp_path, text)
    with pytest.raises(UsageError, match="no column with ids that last a term"):
        importing.of_table(download, people)
    assert by_id(importing.of_table(download, people, "number")) == {"12345": "doejane_12345"}


def test_times_of_canvas_come_from_its_api(tmp_path: Path) -> None:
    path = tmp_path / "submissions.json"
    path.write_text(CANVAS_API)
    download = downloads.read(canvas_download(tmp_path / "d"))
    imported = importing.of_table(download, people_of_canvas(tmp_path))
    timed = attempt_times.with_times(imported, attempt_times.read_submissions([path]))
    found = {each.id: (each.at, each.earlier) for each in timed.entries}
    assert found["00123"][0].isoformat() == "2026-10-19T21:50:30+00:00"
    assert [at.isoformat() for at in found["00123"][1]] == ["2026-10-18T12:00:00+00:00"]
    assert found["00125"] == (None, ())
    nothing = attempt_times.with_times(imported, attempt_times.TimesByNumber({}, {}))
    assert nothing.notices[-1] == "nothing says when these were handed in: 00123, 00124"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("{}", None),
        ("[1]", "is not what Canvas's API lists of submissions: TypeError"),
        ('[{"id": 1}]', "lists of submissions: KeyError at 'user_id'"),
        ('[{"user_id": "x", "submitted_at": null}]', "ValueError"),
        ('[{"user_id": 1, "submitted_at": "2026-10-19 23:50"}]', "has no time zone"),
        (
            CANVAS_API.replace("54321", "12345"),
            "user 12345 stands twice; give the pages of one list",
        ),
    ],
)
def test_what_is_no_list_of_canvas(tmp_path: Path, text: str, words: str | None) -> None:
    path = tmp_path / "submissions.json"
    path.write_text(text)
    if words is None:
        assert attempt_times.read_submissions([path]).newest == {}
        return
    with pytest.raises(UsageError, match=words):
        attempt_times.read_submissions([path])


def test_pages_of_a_list_are_put_together(tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    first.write_text(CANVAS_API)
    second.write_text('[{"user_id": 778, "submitted_at": "2026-10-19T21:00:00Z"}]')
    found = attempt_times.read_submissions([first, second])
    assert set(found.newest) == {"12345", "54321", "778"}
    with pytest.raises(UsageError, match=r"1.json: user 12345 stands twice"):
        attempt_times.read_submissions([first, first])


def test_gradescopes_people_times_and_groups(tmp_path: Path) -> None:
    imported = importing.of_gradescope(downloads.read(gradescope_download(tmp_path)))
    assert [(each.id, each.group, each.submission) for each in imported.entries] == [
        ("00123", "", "submission_12345"),
        ("00124", "00124 & 00125", "submission_54321"),
        ("00125", "00124 & 00125", "submission_54321"),
    ]
    assert imported.notices[0] == "the ids are those of the field sid"
    assert "1 submissions have several submitters" in imported.notices[1]
    assert import_tables.times_csv(imported.entries) == (
        "id,time,submission\n"
        "'00123,2026-10-18 12:00 +00:00,\n"
        "'00123,2026-10-19 23:50:00.250000 +02:00,submission_12345\n"
        "'00124,2026-10-21 10:00 +00:00,submission_54321\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "id_column", "words"),
    [
        ("'00124'", "'00123'", None, "00123 handed in submission_12345 and submission_54321"),
        (":email: poe@example.org", ":email:", "email", None),
        ("'00124'", "", None, None),
        ("", "", "name", "--id name: there are sid, email"),
        (":created_at: 2026-10-19", ":made: 2026-10-19", None, "KeyError at ':created_at'"),
    ],
)
def test_metadata_that_leaves_something_open(
    tmp_path: Path, old: str, new: str, id_column: str | None, words: str | None
) -> None:
    folder = gradescope_download(tmp_path)
    path = folder / "submission_metadata.yml"
    path.write_text(GRADESCOPE.replace(old, new, 1) if old else GRADESCOPE)
    download = downloads.read(folder)
    if words is not None:
        with pytest.raises(UsageError, match=words):
            importing.of_gradescope(download, id_column)
    elif id_column:
        imported = importing.of_gradescope(download, id_column)
        assert [each.id for each in imported.entries] == ["jane@example.org"]
        assert "submission_54321 has a submitter without email and is left out" in imported.notices
    else:
        imported = importing.of_gradescope(download, id_column)
        assert imported.notices[:2] == (
            "the ids are those of the field email",
            "without a sid, which others have: Richard Roe; --id sid leaves them out",
        )


def test_an_export_without_metadata() -> None:
    with pytest.raises(UsageError, match=r"has no submission_metadata.yml, which says who"):
        importing.of_gradescope(Download(Path("d"), "gradescope", folders=("submission_1",)))


def test_a_folder_that_the_metadata_does_not_know(tmp_path: Path) -> None:
    folder = gradescope_download(tmp_path)
    (folder / "submission_9").mkdir()
    imported = importing.of_gradescope(downloads.read(folder))
    assert "the metadata says nothing of submission_9" in imported.notices


def test_a_roster_that_is_read_back_is_the_same(tmp_path: Path) -> None:
    entries = (
        Entry("00123", '=cmd|"x"', "", "a@example.org", "Jane Doe_901"),
        Entry("MAR1", "Ann", "", "", "-x_902"),
        Entry("doe_1", "doe", submission="doe_1"),
    )
    rows, _ = import_tables.with_roster(Imported(entries), Roster())
    path = tmp_path / "roster.csv"
    path.write_text(import_tables.roster_csv(rows), encoding="utf-8")
    assert not any(line.startswith(("00123", "=", "MAR1")) for line in path.read_text().split(","))
    found = rosters.read(path).students
    assert [(each.id, each.submission) for each in found.values()] == [
        ("00123", "Jane Doe_901"),
        ("MAR1", "-x_902"),
        ("doe_1", ""),
    ]
    assert found["00123"].name == '\'=cmd|"x"', "a name is for people, and is no formula"


def test_pseudonyms_and_groups_of_a_former_roster_stay(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("id,pseudonym,group\n00123,Falcon,g1\n00999,Owl,g2\n")
    imported = Imported((Entry("00123", "Jane Doe"), Entry("00124", "Richard Roe")))
    rows, notices = import_tables.with_roster(imported, rosters.read(path))
    assert [(row["id"], row["group"]) for row in rows] == [
        ("00123", "g1"),
        ("00124", ""),
        ("00999", "g2"),
    ]
    assert (rows[0]["pseudonym"], rows[2]["pseudonym"]) == ("Falcon", "Owl")
    assert len({row["pseudonym"] for row in rows}) == 3
    assert notices == [
        f"not in {path}, and added: 00124",
        f"kept from {path}, and not in what was imported: 00999",
    ]


def test_a_roster_without_its_leading_zeros_is_refused(tmp_path: Path) -> None:
    """Everybody would stand in it twice, and get no points once."""
    path = tmp_path / "old.csv"
    path.write_text("id,pseudonym\n123,Falcon\n124,Owl\n999,Heron\n")
    imported = Imported((Entry("00123", "Jane Doe"), Entry("0124", "Richard Roe")))
    with pytest.raises(UsageError) as caught:
        import_tables.with_roster(imported, rosters.read(path))
    assert str(caught.value) == (
        f"{path}: 2 ids lack leading zeros, such as 123, which is 00123 in what is imported: a "
        "spreadsheet took them for numbers. Write them as they were, in a column that is formatted "
        "as text, or take other ids with --id"
    )
    both = rosters.read(path)
    twice = Imported((Entry("123", "Jane Doe"), Entry("00123", "Ann Poe")))
    assert len(import_tables.with_roster(twice, both)[0]) == 4, "both are people of the platform"


def test_who_is_added_is_listed_and_a_namesake_with_them(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("id,pseudonym,name\n00123,Falcon,Jane Doe\n")
    entries = (Entry("00123", "Jane Doe"), Entry("00993", "Jane Doe"), Entry("00994", "Ann Poe"))
    _, notices = import_tables.with_roster(Imported(entries), rosters.read(path))
    assert notices == [
        f"not in {path}, and added: 00993, 00994 (00993 is called Jane Doe, as 00123 is: is that "
        "one person?)"
    ]
    assert import_tables.with_roster(Imported(entries), Roster())[1] == []


def test_a_submission_with_a_known_number_says_whose_the_number_is(tmp_path: Path) -> None:
    for name in ("roejane_101_1_square.py", "stranger_7_2_square.py"):
        (tmp_path / name).write_text("x = 1\n")
    people = [Person(1, 2, "Doe, Jane", "101", ids={"SIS User ID": "00123"})]
    (_, found) = importing.of_table(downloads.read(tmp_path), people).notices[:2]
    assert found == (
        "in the download, and nobody in the table has their number and name: roejane_101 (the "
        "number is that of Doe, Jane (line 2)), stranger_7. Where one is somebody's, write its "
        "name into the column submission of their row in the roster, and when it came in into the "
        "table of times"
    )


def test_new_pseudonyms_tell_nothing() -> None:
    entries = Imported(tuple(Entry(str(number)) for number in range(50)))
    first, second = (import_tables.with_roster(entries, Roster())[0] for _ in range(2))
    assert len({row["pseudonym"] for row in first}) == 50
    assert [row["pseudonym"] for row in first] != [row["pseudonym"] for row in second]


def test_times_are_read_back_to_the_microsecond(tmp_path: Path) -> None:
    imported = importing.of_gradescope(downloads.read(gradescope_download(tmp_path)))
    path = tmp_path / "times.csv"
    path.write_text(import_tables.times_csv(imported.entries))
    found = times.read(path).attempts
    known = {each.submission: each.at for each in imported.entries}
    assert {each.submission: each.at for each in found if each.submission} == known
    assert {each.student for each in found} == {"00123", "00124"}
