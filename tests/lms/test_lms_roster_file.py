"""A roster that an import writes again is the course's own, with what was found put in."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.classroom import roster as rosters
from harness.errors import UsageError
from harness.lms import import_tables, roster_file
from harness.lms.importing import Entry, Imported

JANE = Entry("00123", "Jane Doe", "", "jane@example.org", "doejane_12345")
NEW = Entry("00200", "Richard Roe", "", "roe@example.org", "roe_9")


def again(folder: Path, content: bytes, *entries: Entry) -> tuple[bytes, list[str]]:
    """What an import makes of a roster, and what it says."""
    path = folder / "roster.csv"
    path.write_bytes(content)
    known = rosters.read(path, complete=False)
    rows, notices = import_tables.with_roster(Imported(entries), known)
    made = roster_file.rewritten(path, known, rows)
    assert path.read_bytes() == content
    (folder / "again.csv").write_bytes(made)
    found = rosters.read(folder / "again.csv", by_group="group" in made.decode("cp1252"))
    assert {**known.students, **found.students}.keys() == found.students.keys(), "nobody is lost"
    for name, student in known.students.items():
        assert found.students[name].pseudonym == student.pseudonym or not student.pseudonym
    for each in entries:
        assert found.students[each.id].submission == each.submission
    return made, notices


PLAIN = "id,pseudonym,submission\n00123,Falcon,doejane_12345\n00124,Owl,\n"
WHOLE = [
    PLAIN,
    PLAIN.removesuffix("\n"),
    "\ufeff" + PLAIN.replace(",", ";").replace("\n", "\r\n"),
    PLAIN.replace(",", "\t") + "\n\n",
    "Note,ID,Pseudonym,Note,Submission,note\n"
    'a,"00123",Falcon,"b, ""c""\nd",doejane_12345,e\nf,00124,Owl,,\n',
    "id;pseudonym;submission;;\n00123; Falcon ;doejane_12345;;x\n;;;;\n00124;Owl\n",
    'id,pseudonym,height,submission\n00123,Falcon,6"1,doejane_12345\n00124,Owl,5" or "6",\n',
]


@pytest.mark.parametrize("text", WHOLE)
def test_where_nothing_is_new_the_file_stays_to_the_byte(tmp_path: Path, text: str) -> None:
    made, notices = again(tmp_path, text.encode(), Entry("00123", submission="doejane_12345"))
    assert made == text.encode()
    assert notices == [f"kept from {tmp_path}/roster.csv, and not in what was imported: 00124"]


def test_semicolons_a_byte_order_mark_and_columns_of_the_course_stay(tmp_path: Path) -> None:
    text = (
        "\ufeffSection;id;E-mail 2;pseudonym;name;Section\r\n"
        "A;00123;;Falcon;;x\r\n"
        "B;00124;;Owl;Poe, Ann;y\r\n"
    )
    made, _ = again(tmp_path, text.encode(), JANE, NEW)
    lines = made.decode().split("\r\n")
    assert lines[0] == "\ufeffSection;id;E-mail 2;pseudonym;name;Section;email;submission"
    assert lines[1] == "A;00123;;Falcon;Jane Doe;x;jane@example.org;doejane_12345"
    assert lines[2] == "B;00124;;Owl;Poe, Ann;y"
    new = lines[3].split(";")
    assert [*new[:3], *new[4:]] == ["", "00200", "", "Richard Roe", "", "roe@example.org", "roe_9"]
    assert new[3].startswith("P-")
    assert lines[4:] == [""]


def test_quotes_around_everything_stay(tmp_path: Path) -> None:
    text = '"id","pseudonym","group"\n"00123","Falcon","g1"\n'
    made, _ = again(tmp_path, text.encode(), JANE)
    assert made.decode() == (
        '"id","pseudonym","group","name","email","submission"\n'
        '"00123","Falcon","g1","Jane Doe","jane@example.org","doejane_12345"\n'
    )


@pytest.mark.parametrize("head", ["id,ort", "id,ort,pseudonym"])
def test_pseudonyms_are_drawn_where_the_roster_has_none(tmp_path: Path, head: str) -> None:
    content = f"{head}\n00123,Köln\n00124,Bonn\n".encode()
    made, _ = again(tmp_path, content, Entry("00123"))
    lines = made.decode().splitlines()
    assert lines[0] == "id,ort,pseudonym"
    assert [line[: line.rindex(",")] for line in lines[1:]] == ["00123,Köln", "00124,Bonn"]
    drawn = {line.rpartition(",")[2] for line in lines[1:]}
    assert len(drawn) == 2 and all(name.startswith("P-") for name in drawn)
    with pytest.raises(UsageError, match="pseudonym"):
        rosters.read(tmp_path / "roster.csv")


def test_a_last_line_without_an_end_gets_one_before_a_new_row(tmp_path: Path) -> None:
    made, _ = again(tmp_path, b"id,pseudonym,name,email,submission\n00123,Falcon", JANE, NEW)
    assert made.decode().splitlines()[1] == ("00123,Falcon,Jane Doe,jane@example.org,doejane_12345")
    assert len(made.decode().splitlines()) == 3


def test_new_columns_lie_beyond_whatever_stands_in_a_row(tmp_path: Path) -> None:
    made, _ = again(tmp_path, b"id,pseudonym\n00123,Falcon,remark,more\n", JANE)
    assert made.decode() == (
        "id,pseudonym,,,name,email,submission\n"
        "00123,Falcon,remark,more,Jane Doe,jane@example.org,doejane_12345\n"
    )


@pytest.mark.parametrize(
    ("known", "new"), [("00123", "00200"), ("'00123", "'00200"), ("jane", "'00200")]
)
def test_new_ids_are_written_as_the_others_are(tmp_path: Path, known: str, new: str) -> None:
    content = f"id,pseudonym,email,name,submission\n{known},Falcon,,,\n".encode()
    made, _ = again(tmp_path, content, NEW)
    assert made.decode().splitlines()[2].startswith(new + ",P-")


def test_names_of_the_roster_stay_and_groups_follow_the_download(tmp_path: Path) -> None:
    content = b"id,pseudonym,name,group,email\n00123,Falcon,J. Doe,g1,own@example.org\n"
    moved = Entry("00123", "Jane Doe", "g2", "jane@example.org")
    made, notices = again(tmp_path, content, moved)
    assert made == content.replace(b"g1", b"g2")
    assert notices == [
        f"called as {tmp_path}/roster.csv has it, and otherwise there: 00123 (J. Doe, there Jane "
        "Doe)",
        f"in another group than in {tmp_path}/roster.csv: 00123 (g1, there g2)",
    ]


def test_who_left_a_group_is_in_none(tmp_path: Path) -> None:
    """Or would have the mark of work without a part in it; who is not spoken of stays in it."""
    text = "id,pseudonym,group\n1,Owl,g\n2,Heron,g\n3,Jay,g\n"
    entries = (Entry("1", group="g"), Entry("2", alone=True), Entry("3"))
    made, notices = again(tmp_path, text.encode(), *entries)
    assert made.decode() == text.replace("Heron,g", "Heron,")
    assert notices == [f"in another group than in {tmp_path}/roster.csv: 2 (g, there in none)"]


def test_who_handed_in_together_once_may_hand_in_alone(tmp_path: Path) -> None:
    """Gradescope asks anew each time; else their two submissions would be attempts of one."""
    text = "id,pseudonym,group,submission\n1,Owl,1 & 2,s_1\n2,Heron,1 & 2,s_1\n3,Jay,g,s_2\n"
    entries = [Entry(name, submission=f"s_{name}9") for name in "123"]
    made, notices = again(tmp_path, text.encode(), *entries)
    wanted = "id,pseudonym,group,submission\n1,Owl,,s_19\n2,Heron,,s_29\n3,Jay,g,s_39\n"
    assert made.decode() == wanted
    (notice,) = notices
    assert notice.endswith("roster.csv: 1 (1 & 2, there in none), 2 (1 & 2, there in none)")


def test_another_order_of_a_name_is_no_other_name(tmp_path: Path) -> None:
    content = "id,pseudonym,name\n00123,Falcon,Zoë O'Brien\n".encode()
    _, notices = again(tmp_path, content, Entry("00123", "O'BRIEN, Zoë", "", ""))
    assert notices == []


def test_a_group_that_handed_in_together_before_may_do_so_again(tmp_path: Path) -> None:
    text = "id,pseudonym,group,submission\n1,Owl,g,sub_1\n2,Heron,g,sub_1\n3,Jay,,sub_2\n"
    entries = [Entry(name, group="g", submission="sub_7") for name in "12"]
    made, notices = again(tmp_path, text.encode(), *entries)
    assert made == text.replace("sub_1", "sub_7").replace("sub_2", "").encode()
    assert notices == [f"kept from {tmp_path}/roster.csv, and not in what was imported: 3"]


def test_what_a_former_download_was_called_goes(tmp_path: Path) -> None:
    content = b"id,pseudonym,submission\n00123,Falcon,doejane_1\n00124,Owl,owl_1\n"
    made, _ = again(tmp_path, content, Entry("00123", submission="doejane_2"))
    assert made == b"id,pseudonym,submission\n00123,Falcon,doejane_2\n00124,Owl,\n"


def test_windows_1252_stays_and_what_it_lacks_is_said(tmp_path: Path) -> None:
    content = "id,pseudonym,name,ort\n1,Bär,,Köln\n".encode("cp1252")
    made, _ = again(tmp_path, content, Entry("1", "Jürgen"))
    assert made == "id,pseudonym,name,ort\n1,Bär,Jürgen,Köln\n".encode("cp1252")
    with pytest.raises(UsageError, match=r"roster.csv is cp1252, which has no 'ł'; save it as CSV"):
        again(tmp_path, content, Entry("1", "Paweł"))


def test_a_name_that_is_a_formula_is_written_as_text(tmp_path: Path) -> None:
    made, _ = again(tmp_path, b"id,pseudonym,name\n1,Owl,\n", Entry("1", '=cmd|"x"'))
    assert made.decode().splitlines()[1] == '1,Owl,"\'=cmd|""x"""'


@pytest.mark.parametrize("column", ["group", "email", "submission"])
def test_a_column_that_is_read_stands_once(tmp_path: Path, column: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(f"id,pseudonym,{column},{column.upper()}\n1,Owl,a,b\n")
    with pytest.raises(UsageError, match=f"a roster has 2 columns {column}, and nothing says"):
        rosters.read(path)
