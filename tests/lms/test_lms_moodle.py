"""Moodle's grading worksheet: people, grades, times, other languages, and what is not one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.lms import moodle, sheet
from tests.support.platforms import GERMAN, MOODLE, MOODLE_GERMAN

ZONE = "Europe/Berlin"


def worksheet(folder: Path, text: str = MOODLE, words: tuple[str, ...] = ()) -> moodle.Worksheet:
    path = folder / "Grades.csv"
    path.write_bytes(text.encode())
    return moodle.read(sheet.read(path, moodle.WHAT), moodle.read_headers(words))


def test_people_and_what_can_be_graded(tmp_path: Path) -> None:
    found = worksheet(tmp_path)
    assert [(each.number, each.name) for each in found.people] == [
        ("901", "Jane Doe"),
        ("902", "Richard Roe"),
        ("903", "Ann Poe"),
        ("904", "Ann Noe"),
    ]
    assert found.people[0].ids == {"ID number": "00123"}
    assert found.people[0].email == "Jane@example.org"
    layout = found.layout()
    assert (layout.grade, layout.comment, layout.decimal) == (5, 10, ".")
    assert set(layout.worth.values()) == {7.0}
    assert list(layout.locked) == [3]


def test_times_of_the_worksheet_have_the_zone_that_is_told(tmp_path: Path) -> None:
    times, notices = worksheet(tmp_path).submitted(ZONE)
    assert {index: at.isoformat() for index, at in times.items()} == {
        1: "2026-10-19T23:50:00+02:00",
        2: "2026-10-21T12:00:00+02:00",
        4: "2026-10-18T00:05:00+02:00",
    }
    assert notices == ["drafts in Moodle, which were not handed in: Ann Noe (line 6)"]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Wednesday, October 28, 2026, 9:05 PM", "2026-10-28T21:05:00+01:00"),
        ("Friday, 30 October 2026, 00:05", "2026-10-30T00:05:00+01:00"),
        ("Freitag, 2. März 2026, 14:05", "2026-03-02T14:05:00+01:00"),
        ("2 May 2026, 12:00\u202fAM", "2026-05-02T00:00:00+02:00"),
    ],
)
def test_times_as_moodle_writes_them(tmp_path: Path, text: str, at: str) -> None:
    found = worksheet(tmp_path, MOODLE.replace("Monday, 19 October 2026, 11:50 PM", text))
    assert found.submitted(ZONE)[0][1].isoformat() == at


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        (
            "lundi 19 octobre 2026, 23:50",
            ZONE,
            "csv:2: 'lundi 19 .* as Moodle writes it in English",
        ),
        ("19/10/26, 23:50", ZONE, "csv:2: '19/10/26, 23:50' is no time"),
        ("19 Oktember 2026, 23:50", ZONE, "is no time"),
        ("31 June 2026, 23:50", ZONE, "csv:2: .*day"),
        ("25 October 2026, 2:30 AM", ZONE, "csv:2: the clocks of Europe/Berlin show .* twice"),
        ("19 October 2026, 23:50", "Berlin", "csv:2: "),
        ("19 October 2026, 23:50", "Mars/Base", "no time zone called 'Mars/Base' is known"),
    ],
)
def test_times_that_cannot_be_read(tmp_path: Path, text: str, zone: str, words: str) -> None:
    found = worksheet(tmp_path, MOODLE.replace("Monday, 19 October 2026, 11:50 PM", text))
    with pytest.raises(UsageError, match=words):
        found.submitted(zone)


def test_a_worksheet_in_another_language(tmp_path: Path) -> None:
    found = worksheet(tmp_path, MOODLE_GERMAN, GERMAN)
    layout = found.layout()
    assert (layout.grade, layout.comment, layout.decimal) == (4, 8, ",")
    assert layout.worth == {1: 7.0}
    assert found.submitted(ZONE)[0][1].isoformat() == "2026-10-19T23:50:00+02:00"


def test_a_blind_worksheet_calls_people_as_their_folders(tmp_path: Path) -> None:
    text = "Identifier,Grade,Last modified (grade)\nParticipant 9,,-\n"
    (person,) = worksheet(tmp_path, text).people
    assert person.is_called("Participant")
    assert not person.is_called("team")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Name,Mark\nx,1\n", "csv:1: a grading .* has no column Identifier; found Name, Mark. If"),
        (MOODLE_GERMAN, "has no column Identifier; found ID, Vollständiger Name, .* tell them"),
        (MOODLE.replace("Maximum grade", "Grade"), "has 2 columns Grade"),
        (MOODLE.replace("Participant 901", "Jane"), "csv:2: 'Jane' is no identifier of Moodle"),
        (MOODLE.replace("Participant 902", "Participant 901"), "csv:3: .* stands in line 2 too"),
        (MOODLE.split("\r\n")[0], "has a row for every student; there is none"),
    ],
)
def test_what_is_no_worksheet(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        worksheet(tmp_path, text)


def test_a_worksheet_that_moodle_would_not_take_back(tmp_path: Path) -> None:
    found = worksheet(tmp_path, MOODLE.replace("Last modified (grade)", "Graded"))
    with pytest.raises(UsageError, match=r"has no column Last modified \(grade\)"):
        found.layout()
    found = worksheet(tmp_path, MOODLE.replace("Maximum grade", "Scale"))
    with pytest.raises(UsageError, match="is graded by a scale in Moodle, not by points"):
        found.layout()


def test_a_worksheet_without_times(tmp_path: Path) -> None:
    found = worksheet(tmp_path, MOODLE.replace("Last modified (submission)", "When"))
    with pytest.raises(UsageError, match=r"has no column Last modified \(submission\)"):
        found.submitted(ZONE)


@pytest.mark.parametrize("word", ["Grade", "Grade=", "Mark=Note"])
def test_headers_that_say_nothing(word: str) -> None:
    with pytest.raises(UsageError, match=f"--header {word}: write the English name"):
        moodle.read_headers([word])


def test_a_header_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no column Kommentar"):
        worksheet(tmp_path, MOODLE, ("Feedback comments=Kommentar",))
