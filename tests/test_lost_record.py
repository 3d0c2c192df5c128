"""A results folder that has lost its ledger, its key or its disk: said, and nothing is replaced."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import ledger as ledgers
from harness.cli import main
from harness.errors import InfrastructureError
from harness.ledger import Ledger
from tests.support.made_up import PLACES, Handed, results

READS = (
    ["summary", "--results"],
    ["explain", "ada", "square", "--results"],
    ["replay"],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A graded class with its reports, and what one student handed in."""
    where = results(tmp_path / "r", {"ada": Handed(), "bob": Handed()})
    assert main(["score", *PLACES, "--results", str(where)]) in (0, 1)
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "square.py").write_text("x = (\n")
    return where


@pytest.fixture
def grade(tmp_path: Path, folder: Path) -> Callable[..., int]:
    """Grades one student into the folder; nothing can be parsed, so nothing is run."""

    def run(*words: str) -> int:
        one = ("grade", str(tmp_path / "ada"), "--task", "square", "--single", "--jobs", "1")
        return main([*one, *PLACES, "--results", str(folder), *words])

    return run


def tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


@pytest.mark.parametrize("emptied", [True, False], ids=["empty", "gone"])
def test_a_class_whose_ledger_is_lost_is_not_replaced_by_one_student(
    folder: Path, grade: Callable[..., int], capsys: pytest.CaptureFixture[str], emptied: bool
) -> None:
    path = folder / "ledger.sqlite"
    path.unlink()
    if emptied:
        path.touch()
    before = {name: text for name, text in tables(folder).items() if name.endswith(".csv")}
    assert "bob" in before["leaderboard.csv"].decode()
    for verb in (grade, lambda: main(["score", *PLACES, "--results", str(folder)])):
        capsys.readouterr()
        assert verb() == 2
        said = capsys.readouterr().err
        assert f"leaderboard.csv shows marks of a class, and {path}" in said
        assert "bring back a copy. `grade --prune` begins anew" in said
    after = {name: text for name, text in tables(folder).items() if name.endswith(".csv")}
    assert after == before
    assert grade("--prune") in (0, 1)
    assert "bob" not in tables(folder)["leaderboard.csv"].decode()


def test_an_interrupted_first_run_goes_on(folder: Path, grade: Callable[..., int]) -> None:
    """Reports stand there, and the ledger has observations and no record yet."""
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        database.execute("delete from documents")
    assert grade() in (0, 1)


def test_a_class_whose_key_is_lost_gets_no_new_one(
    folder: Path, grade: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    key = folder / "keys" / "feedback.key"
    kept = key.read_bytes()
    key.unlink()
    before = tables(folder)["leaderboard.csv"]
    assert grade() == 2
    said = capsys.readouterr().err
    assert f"{key}: the key of the marks that are stored here is gone; bring it back" in said
    assert not key.exists()
    assert tables(folder)["leaderboard.csv"] == before
    key.write_bytes(kept)
    assert grade() in (0, 1)
    assert "bob" in tables(folder)["leaderboard.csv"].decode()
    key.unlink()
    assert grade("--prune") in (0, 1)
    assert key.exists()


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("SQLITE_READONLY", "see that you may write the file and its folder"),
        ("SQLITE_CANTOPEN", "see that it is there, and that you may read it"),
        ("SQLITE_NOTADB", "bring back a copy, or move it away"),
        ("SQLITE_MISMATCH", "bring back a copy, or move it away"),
    ],
)
def test_a_ledger_that_cannot_be_opened_has_the_remedy_of_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, remedy: str
) -> None:
    error = sqlite3.OperationalError("no")
    error.sqlite_errorname = name

    def connect(*args: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(ledgers.sqlite3, "connect", connect)
    with pytest.raises(InfrastructureError, match="cannot be used as a ledger") as refused:
        Ledger(tmp_path / "ledger.sqlite", "run")
    assert remedy in str(refused.value)


@pytest.fixture
def disk(folder: Path, tmp_path: Path) -> Path:
    """The folder on a disk that cannot be written, where this machine may mount one."""
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    bound = ("mount", "--bind", str(folder), str(mounted))
    may = not os.geteuid() and shutil.which("mount")
    if not may or subprocess.run(bound, check=False, capture_output=True).returncode:
        pytest.skip("needs root and a kernel that lets it mount")
    subprocess.run(["mount", "-o", "remount,ro,bind", str(mounted)], check=True)
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


def test_what_only_reads_reads_a_disk_that_cannot_be_written(
    folder: Path, disk: Path, grade: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    for words in READS:
        answers = []
        for where in (folder, disk):
            capsys.readouterr()
            assert main([*words, str(where), *PLACES]) == 0
            answers.append(capsys.readouterr().out.replace(str(where), "R"))
        assert answers[0] == answers[1]
    assert main(["score", *PLACES, "--results", str(disk)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_ledger_that_is_read_alone_is_as_it_was(folder: Path) -> None:
    path = folder / "ledger.sqlite"
    before = path.read_bytes()
    path.chmod(0o400)
    with Ledger(path, "run") as ledger:
        document = ledger.document("class")
    with Ledger(path, "run", read_only=True) as ledger:
        assert ledger.document("class") == document
        assert not ledger.is_empty
    assert path.read_bytes() == before
    path.with_name("ledger.sqlite-wal").write_bytes(b"unmerged")
    with pytest.raises(InfrastructureError, match="copy the folder to another disk"):
        Ledger(path, "run", read_only=True)
