"""docs/walkthrough.md: its commands are run, and print what it shows."""

from __future__ import annotations

import csv
import tempfile
import zipfile
from pathlib import Path

import pytest

from tests.support import console, twelve

PAGE = Path(__file__).parents[2] / "docs" / "walkthrough.md"


def play(folder: Path) -> str:
    (folder / "tasks" / "assignments").mkdir(parents=True)
    (folder / "tasks" / "assignments" / "hw1.yaml").write_text(twelve.ASSIGNMENT)
    return console.played(PAGE, folder, twelve.lay_out)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the commands were run, and the page as it reads now."""
    folder = tmp_path_factory.mktemp("course")
    return folder, play(folder)


def test_every_command_prints_what_the_page_shows(walked: tuple[Path, str]) -> None:
    _, page = walked
    assert page == PAGE.read_text(encoding="utf-8")
    assert twelve.ASSIGNMENT in page


def test_the_gradebook_has_the_mark_of_everybody(walked: tuple[Path, str]) -> None:
    folder, _ = walked
    with (folder / "filled.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[2:]
    marks = {int(row[2]): float(row[5]) for row in rows}
    right = dict.fromkeys([1, 2, 3, 4, 7, 9], 10.0)
    assert marks == right | {5: 0.0, 6: 6.25, 8: 9.0, 10: 5.0, 11: 0.0, 12: 0.0}


def test_everybody_who_handed_in_gets_a_page_of_their_own(walked: tuple[Path, str]) -> None:
    folder, _ = walked
    with zipfile.ZipFile(folder / "feedback.zip") as archive:
        pages = {name.split("_")[0]: archive.read(name).decode() for name in archive.namelist()}
    assert len(pages) == 11
    for name, page in pages.items():
        others = [f"student{number:02}" for number in range(1, 13) if f"student{number:02}" != name]
        assert not any(other in page for other in others)
        assert "# Feedback for" in page


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        PAGE.write_text(play(Path(made)), encoding="utf-8")
