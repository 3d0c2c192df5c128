"""Rosters as spreadsheets write them, and who is in them and has no submission."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import files
from harness.classroom.handing_in import Arrangements
from harness.classroom.roster import Roster, meant, read, stored
from harness.classroom.times import Attempt, Times
from harness.course import Course, find_submitted
from harness.errors import UsageError
from harness.ledger import Ledger
from harness.spec.catalogue import load_all
from harness.spec.schedule import read_moment

COURSE = Path(__file__).parents[1] / "course"
TASKS = load_all(COURSE / "tasks", COURSE / "reference", with_reference=False)
PLAIN = "id,pseudonym,group\n00123456,Falcon,g1\n00123457,Heron,g1\n"
NAMES = {"00123456": "Falcon", "00123457": "Heron"}


def written(path: Path, text: str) -> Path:
    (path / "roster.csv").write_bytes(text.encode())
    return path / "roster.csv"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "\ufeff" + PLAIN.replace(",", ";").replace("\n", "\r\n") + ";;\r\n",
        PLAIN.replace(",", "\t"),
        PLAIN.replace("id,pseudonym", "ID, Pseudonym ") + "\n,,\n",
        'pseudonym,note,id\nFalcon,"a, b",00123456\nHeron,,00123457',
        PLAIN.replace("Falcon", '"Falcon"'),
    ],
    ids=["plain", "semicolons", "tabs", "capitals", "other order", "quoted"],
)
def test_rosters_that_spreadsheets_write(tmp_path: Path, text: str) -> None:
    assert read(written(tmp_path, text)).pseudonyms == NAMES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a roster has one column id, found none; begin with the line id,pseudonym"),
        ("name,alias\na,b\n", "1: a roster has one column id, found name, alias"),
        ("id,pseudonym\na\n", r"2: a row needs id and pseudonym, found \['a'\]; fill in pseudonym"),
        ("id,pseudonym\na,\n", r"2: .* pseudonym \(`import --roster` draws one .*, or remove the"),
        ("id,pseudonym\n,x\n", "2: .*; fill in id, or remove the row"),
        ("id,pseudonym\na,x\na,y\n", "3: a stands twice in the roster, first in line 2; keep one"),
        ("id,pseudonym\na,x\nb,x\n", "3: the pseudonym x stands twice .* line 2; give one of them"),
        (
            'id,pseudonym\na,x\nb,"y\nc,z\n',
            "3: a roster cannot be read: a quote .*; close it, or d",
        ),
        (
            'id,pseudonym\na,"x"y\n',
            "2: a roster cannot be read: a quote .* inside a cell; close it",
        ),
        (
            f'id,pseudonym\na,x\nb,"y\n{140_000 * "z"}\n',
            "3: .*: a cell has more than 131,072 characters, mostly behind a quote .*: close it",
        ),
        ("id,pseudonym,email,email\na,x,y,z\n", "1: a roster has 2 columns email"),
        ("sep=;\nid;pseudonym\na;x\n", "1: the line sep=.* remove it"),
        ("id,pseudonym\n1.23E+08,x\n", "2: 1.23E.08 is what a spreadsheet makes of a long number"),
        ("id;pseudonym\n1,23E+08;x\n", "2: 1,23E.08 .*; export it again, with the column id"),
    ],
)
def test_rosters_that_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(written(tmp_path, text))


def test_a_roster_in_windows_1252_is_read_and_said(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_bytes("id,pseudonym\n1,Wolf\n2,Bär\n".encode("cp1252"))
    roster = read(tmp_path / "roster.csv")
    assert roster.pseudonyms == {"1": "Wolf", "2": "Bär"}
    (notice,) = roster.notices
    assert "was read as Windows-1252 (cp1252); see that this is right: '2,Bär'" in notice


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_roster_in_utf_16_is_refused(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "roster.csv").write_bytes(PLAIN.encode(encoding))
    with pytest.raises(UsageError, match=r"is UTF-16 or no text; save it as CSV UTF-8"):
        read(tmp_path / "roster.csv")


def test_without_a_roster_nothing_is_said() -> None:
    nothing = Roster()
    assert (nothing.shown(["doe"]), nothing.strangers(["doe"]), nothing.missing([])) == ({}, [], [])


def submitted(tmp_path: Path, text: str, at: str = "class"):
    for name in NAMES:
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "square.py").write_text("x = 1\n")
    return find_submitted([tmp_path / at], TASKS, Arrangements(read(written(tmp_path, text))))


def test_who_is_absent_gets_a_row(tmp_path: Path) -> None:
    found = submitted(tmp_path, PLAIN + "00123458,Owl,g2\n")
    assert [(each.program.name, each.display_name) for each in found.subjects] == [
        *NAMES.items(),
        ("00123458", "Owl"),
    ]
    assert found.subjects[2].problem(TASKS[0]) == ("missing-file", "nothing was submitted")
    (notice,) = found.notices
    assert notice.endswith("and without a submission: 00123458")


@pytest.mark.parametrize("at", ["class", "class/00123456"])
def test_times_of_somebody_who_handed_nothing_in_are_said_of_a_class(
    tmp_path: Path, at: str
) -> None:
    read_at = read_moment("2026-10-19 12:00 Z")
    given = Times((Attempt("123456", read_at, "123456"), Attempt("00123457", read_at, "00123457")))
    for name in NAMES:
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "square.py").write_text("x = 1\n")
    found = find_submitted([tmp_path / at], TASKS, Arrangements(times=given))
    said = [notice for notice in found.notices if "there are times of these" in notice]
    assert said == [
        "there are times of these, and nothing that they handed in: 123456 (1 id would match with "
        "leading zeros: a spreadsheet took 123456 for a number, is it 00123456? Format the column "
        "as text)"
    ] * (at == "class")


@pytest.mark.parametrize(
    ("names", "others", "hint"),
    [
        (["anm"], ["ann"], " (is anm ann? Names are compared to the letter)"),
        (["ann"], ["ANN"], " (is ann ANN? Names are compared to the letter)"),
        (
            ["Doe, Jane"],
            ["doe jane", "roe"],
            " (is Doe, Jane doe jane? Names are compared to the l",
        ),
        (["bob"], ["ann"], ""),
        (["00123456"], ["00123457"], ""),
        (["s007"], ["s008", "s7"], ""),
        (["s007x"], ["s008", "S007"], " (is s007x S007? Names are compared to the letter)"),
        (["ann"], [], ""),
    ],
)
def test_a_name_that_is_nearly_that_of_somebody_else_is_said(
    names: list[str], others: list[str], hint: str
) -> None:
    assert meant(names, others).startswith(hint) and bool(meant(names, others)) == bool(hint)


def test_whoever_a_roster_or_times_misspell_is_named(tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "square.py").write_text("x = 1\n")
    at = read_moment("2026-10-19 12:00 Z")
    given = Times((Attempt("anm", at, "anm"),))
    roster = read(written(tmp_path, "id,pseudonym\nANN,Wolf\n"))
    for known, words in (
        (Arrangements(roster), "shown without their names: ann, bob (is ann ANN? Names are"),
        (Arrangements(times=given), "nothing that they handed in: anm (is anm ann? Names are"),
    ):
        found = find_submitted([tmp_path / "class"], TASKS, known)
        assert words in " | ".join(found.notices)


def test_who_is_graded_alone_makes_nobody_absent(tmp_path: Path) -> None:
    found = submitted(tmp_path, PLAIN, at="class/00123456")
    assert [each.display_name for each in found.subjects] == ["Falcon"]
    assert found.notices == ()


def test_a_folder_of_somebody_is_no_class_of_one(tmp_path: Path) -> None:
    folder = tmp_path / "class" / "00123457" / "hw1"
    folder.mkdir(parents=True)
    (folder / "square.py").write_text("x = 1\n")
    known = Arrangements(read(written(tmp_path, PLAIN)))
    found = find_submitted([folder.parent], TASKS, known)
    assert [each.program.name for each in found.subjects] == ["hw1"]
    found = find_submitted([folder.parent], TASKS, known, "single")
    assert [each.display_name for each in found.subjects] == ["Heron"]


def test_zeros_that_a_spreadsheet_took_are_noticed(tmp_path: Path) -> None:
    found = submitted(tmp_path, PLAIN.replace("00123", "123"))
    strangers, absent = found.notices
    assert (
        "00123456, 00123457 (2 ids would match with leading zeros: a spreadsheet took 123456 for"
        in strangers
    )
    assert absent.endswith("without a submission: 123456, 123457")
    shown = [each.display_name for each in found.subjects]
    assert not any("00123" in name for name in shown), "no name on a board of pseudonyms"
    assert len(set(shown)) == 4


def test_who_is_absent_now_keeps_what_was_handed_in_before(tmp_path: Path) -> None:
    found = submitted(tmp_path, PLAIN + "00123458,Owl,g2\n00123459,Jay,g2\n")
    course = Course(tuple(TASKS), found.subjects, "", {}, found.absent)
    assert found.absent == {"00123458", "00123459"}
    kept = course.without_absent({"00123456", "00123458"})
    assert [each.display_name for each in kept.subjects] == ["Falcon", "Heron", "Jay"]


def test_a_roster_may_say_what_a_submission_is_called(tmp_path: Path) -> None:
    text = "id,pseudonym,submission\n'00123,Falcon,doejane_12345\n00124,Heron,\n"
    roster = read(written(tmp_path, text))
    assert [roster.unit(name) for name in ("doejane_12345", "00123", "00124", "other")] == [
        *("00123", "00123", "00124", "other"),
    ]
    with Ledger(tmp_path / "ledger.sqlite", "run") as ledger:
        ledger.put_documents(roster.documents())
        assert stored(ledger).unit("doejane_12345") == "00123"
    folder = tmp_path / "class" / "doejane_12345"
    folder.mkdir(parents=True)
    (folder / "square.py").write_text("x = 1\n")
    found = find_submitted([folder.parent], TASKS, Arrangements(roster))
    assert [each.program.name for each in found.subjects] == ["00123", "00124"]
    assert found.subjects[0].program.files


def test_groups_and_names_of_submissions_are_those_of_each_assignment(tmp_path: Path) -> None:
    """A roster of the next assignment says nothing of who handed the last one in together."""
    head = "id,pseudonym,group,submission\n"
    first = read(written(tmp_path, head + "1,Owl,g,s_1\n2,Jay,g,s_1\n"), by_group=True)
    second = read(
        written(tmp_path, head + "1,Kite,,s_7\n2,Jay,g,s_8\n3,Wren,g,s_8\n"), by_group=True
    )
    with Ledger(tmp_path / "ledger.sqlite", "run") as ledger:
        assert stored(ledger, "hw1") == Roster()
        for name, roster in (("hw1", first), ("hw2", second)):
            ledger.put_documents(roster.documents(name))
        of_first, of_second = (stored(ledger, name, by_group=True) for name in ("hw1", "hw2"))
    assert of_second.students == second.students
    assert {name: (each.group, each.submission) for name, each in of_first.students.items()} == {
        "1": ("g", "s_1"), "2": ("g", "s_1"), "3": ("", "")
    }  # fmt: skip
    assert of_first.pseudonyms == {"1": "Kite", "2": "Jay", "3": "Wren"}, "as people are called now"
    assert {name: len(each) for name, each in of_first.units.items()} == {"g": 2, "3": 1}
    assert {name: len(each) for name, each in of_second.units.items()} == {"1": 1, "g": 2}


def test_a_submission_of_a_group_is_that_of_all(tmp_path: Path) -> None:
    text = "id,pseudonym,group,submission\n1,Falcon,g,s_1\n2,Heron,g,s_1\n"
    assert read(written(tmp_path, text), by_group=True).unit("s_1") == "g"
    with pytest.raises(UsageError, match=r"s_1 is said to be the submission of 2.*of 1 too"):
        read(written(tmp_path, text))


def test_a_submission_that_is_somebody_elses_id(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"2 is said to be the submission of 1, and it is that"):
        read(written(tmp_path, "id,pseudonym,submission\n1,Falcon,2\n2,Heron,\n"))


def test_what_has_no_end_is_not_read_to_it() -> None:
    with pytest.raises(UsageError, match="a roster is larger than 64 MiB"):
        read(Path("/dev/zero"))
    with pytest.raises(UsageError, match="/dev/zero is larger than 2 MiB"):
        files.read_given(Path("/dev/zero"), 2 << 20)
