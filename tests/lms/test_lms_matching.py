"""Who is found in a platform's table: by equal ids alone, and by one row alone."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.lms.layout import Person
from harness.lms.matching import Mine, match


def person(index: int, name: str, number: int, sis: str = "", login: str = "") -> Person:
    return Person(index, index + 1, name, str(number), {"SIS": sis}, {"Login": login})


JANE = person(1, "Doe, Jane", 12345, "00123", "jdoe")
RICH = person(2, "Roe, Richard", 54321, "00124", "roe@example.org")
PEOPLE = (JANE, RICH)


@pytest.mark.parametrize(
    "mine",
    [
        Mine("doejane_12345"),
        Mine("00123"),
        Mine("JDOE"),
        Mine("s1", submission="doejane_12345"),
        Mine("00123", submission="doejane_12345"),
    ],
)
def test_somebody_is_found(mine: Mine) -> None:
    found = match([mine], PEOPLE)
    assert found.found == {mine.id: JANE}
    assert (found.missing, found.others) == ({}, (RICH,))


def test_an_address_finds_whatever_its_capitals() -> None:
    assert match([Mine("s1", "Roe@Example.org")], PEOPLE).found == {"s1": RICH}


@pytest.mark.parametrize(
    ("mine", "reason"),
    [
        (Mine("nobody"), "is not there"),
        (Mine("doejane"), "is not there"),
        (Mine("12345"), "is not there"),  # the platform's number alone is nobody's id
        (Mine("team_12345"), "number 12345 is Doe, Jane (line 2), a different name"),
        (Mine("doejane_1234"), "is not there"),
        (Mine("123"), "is not there; a spreadsheet may have taken zeros from 123 or 00123"),
        (Mine("00123", "roe@example.org"), "could be Doe, Jane (line 2) and Roe, Richard (line 3)"),
        (Mine("00123", submission="roerichard_54321"), "could be Roe, Richard (line 3) and Doe"),
    ],
)
def test_nobody_is_guessed(mine: Mine, reason: str) -> None:
    found = match([mine], PEOPLE)
    assert found.found == {}
    assert found.missing[mine.id].startswith(reason)
    assert found.others == PEOPLE


def test_two_who_lead_to_one_row_are_not_found() -> None:
    found = match([Mine("00123"), Mine("jdoe"), Mine("00124")], PEOPLE)
    assert list(found.found) == ["00124"]
    assert set(found.missing) == {"00123", "jdoe"}
    assert found.missing["jdoe"] == "shares the row of Doe, Jane (line 2) with another"


def test_an_id_that_two_rows_have() -> None:
    twin = person(3, "Poe, Ann", 777, "00123")
    assert match([Mine("00123")], (*PEOPLE, twin)).missing["00123"].startswith("could be")


def test_empty_cells_find_nobody() -> None:
    blank = person(3, "Student, Test", 999)
    found = match([Mine("x", email="", submission="")], (*PEOPLE, blank))
    assert found.found == {}


def test_one_column_alone() -> None:
    assert match([Mine("12345")], PEOPLE, "number").found == {"12345": JANE}
    assert match([Mine("jdoe")], PEOPLE, "Login").found == {"jdoe": JANE}
    assert match([Mine("jdoe")], PEOPLE, "SIS").found == {}
    with pytest.raises(UsageError, match="--match Email: there are SIS, Login, number"):
        match([Mine("jdoe")], PEOPLE, "Email")
