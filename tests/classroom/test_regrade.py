"""Whose marks change, by which check and why; what was there before is kept."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from harness.classroom import regrade
from harness.classroom.regrade import Change
from harness.ledger import Ledger
from harness.marking.gradebook import (
    Gradebook,
    Lateness,
    Override,
    RunRecord,
    SubmissionGrade,
    TaskGrade,
)
from harness.records import Verdict
from harness.verbs import regrading


def verdict(check: str, status: str, points: float | None, worth: float = 2.0) -> Verdict:
    cause = "" if status == "PASS" else "wrong"
    text = "It is off." if status == "FAIL" else ""
    return Verdict("x", "square", check, status, cause, points, worth, "visible", message=text)


def row(name: str, *verdicts: Verdict, sha256: str = "ab", penalty: float = 0.0) -> SubmissionGrade:
    task = TaskGrade("square", "Squares", "exact", 4.0, verdicts)
    late = Lateness("", "", penalty=penalty) if penalty else None
    return SubmissionGrade(name, name, sha256, "roster", "L3", (task,), late=late)


def book(*rows: SubmissionGrade) -> Gradebook:
    return Gradebook(RunRecord("hw1", "final", "c" * 64, "0", "d" * 64, ""), rows)


FAILED, PASSED = verdict("value", "FAIL", 0.0), verdict("value", "PASS", 2.0)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (
            row("ada", FAILED),
            row("ada", PASSED),
            "+2 ada: square/value: FAIL (wrong) 0 -> PASS 2 (the same files; decided PASS now)",
        ),
        (
            row("ada", PASSED),
            row("ada", FAILED, sha256="cd"),
            "-2 ada: square/value: PASS 2 -> FAIL (wrong) 0 (other files were handed in; "
            "now: It is off.)",
        ),
        (
            row("ada", PASSED),
            row("ada", verdict("value", "PASS", 3.0, 3.0)),
            "+1 ada: square/value: PASS 2 -> PASS 3 (the same files; worth 3 instead of 2)",
        ),
        (
            row("ada"),
            row("ada", PASSED),
            "+2 ada: square/value: none -> PASS 2 (the same files; the check is new)",
        ),
        (
            row("ada", PASSED),
            row("ada"),
            "-2 ada: square/value: PASS 2 -> none (the same files; the check is gone)",
        ),
        (
            row("ada", verdict("value", "UNGRADABLE", None)),
            row("ada", PASSED),
            "+2 ada: square/value: UNGRADABLE (wrong) no points yet -> PASS 2 (the same files; "
            "decided PASS now)",
        ),
        (
            row("ada", PASSED, penalty=0.5),
            row("ada", PASSED, penalty=1.0),
            "-0.5 ada: late: 0.5 off -> 1 off (another time, date, rule or number of points)",
        ),
    ],
    ids=["gains", "loses", "worth", "new", "gone", "undecided", "late"],
)
def test_a_change_says_by_which_check_and_why(
    before: SubmissionGrade, after: SubmissionGrade, line: str
) -> None:
    assert [str(change) for change in regrade.changes(book(before), book(after))] == [line]


def test_points_that_only_move_between_checks_are_no_loss(capsys) -> None:
    """Shares of a check's points are rounded to four places, and their sums are no exact floats."""
    former, later = (4.0, 2.0, 1.0), (4.6666, 1.5556, 0.7778)
    before, after = (
        book(row("ada", *(verdict(f"c{n}", "PASS", each, each) for n, each in enumerate(worth))))
        for worth in (former, later)
    )
    regrading.show(regrade.changes(before, after))
    assert "marks that change: 0 gain, 0 lose, by 3 checks" in capsys.readouterr().err


@pytest.mark.parametrize("check", ["", "value"])
def test_an_override_that_counts_instead_stays(capsys, check: str) -> None:
    given = Override("square", check, 1.0, 0.0, "unclear", "Turing", "2026-11-30")
    before, after = (
        book(replace(row("ada", each), overrides=(given,))) for each in (FAILED, PASSED)
    )
    (change,) = changes = regrade.changes(before, after)
    assert change.why.endswith("; the override stays") and not change.moves_mark
    regrading.show(changes)
    assert "marks that change: 0 gain, 0 lose, by 1 checks" in capsys.readouterr().err


def test_nothing_is_said_of_what_stays_and_of_who_is_new() -> None:
    assert regrade.changes(book(row("ada", PASSED)), book(row("ada", PASSED))) == []
    assert regrade.changes(book(), book(row("ada", PASSED))) == []


def test_former_marks_are_kept_whole_one_regrade_after_the_other(tmp_path: Path) -> None:
    change = Change("ada", "square", "value", "FAIL 0", "PASS 2", 2.0, "the same files")
    with Ledger(tmp_path / "ledger.sqlite", "run") as ledger:
        for number in (1, 2):
            ledger.put_document("class/x/ada", {"marks": number})
            regrade.keep(ledger, "class/x/", [change], ["ada", "bob"], "2026-11-29T12:00")
        former = [each["former"] for each in regrade.kept(ledger, "class/x/")]
        assert former == [{"ada": {"marks": 1}}, {"ada": {"marks": 2}}]
        assert regrade.kept(ledger, "class/y/") == []


def test_another_late_rule_is_noticed(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite", "run") as ledger:
        now = book(row("ada", PASSED, penalty=1.0), row("bob", PASSED))
        assert regrade.with_former_penalties(ledger, "class/x/", now) == now
        regrade.keep_penalties(ledger, "class/x/", book(row("ada", PASSED, penalty=0.5)))
        before = regrade.with_former_penalties(ledger, "class/x/", now)
        assert [change.gained for change in regrade.changes(before, now)] == [-0.5]


def asked(**more: bool) -> argparse.Namespace:
    return argparse.Namespace(**{"dry_run": False, "yes": False, **more})


def test_a_dry_run_writes_nothing_and_a_script_is_not_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    changes = regrade.changes(book(row("ada", FAILED)), book(row("ada", PASSED)))
    assert regrading.confirmed(asked(dry_run=True), changes) is False
    assert regrading.confirmed(asked(), changes) is True
    assert regrading.confirmed(asked(), []) is True
    err = capsys.readouterr().err
    assert err.count("marks that change: 1 gain, 0 lose, by 1 checks") == 2
    assert "dry run: no mark and no report was written" in err


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("\n", False), ("no\n", False)])
def test_on_a_terminal_the_answer_counts(
    monkeypatch: pytest.MonkeyPatch, answer: str, written: bool
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return answer

        def write(self, text: str) -> int:
            return len(text)

        def flush(self) -> None:
            pass

    changes = regrade.changes(book(row("ada", FAILED)), book(row("ada", PASSED)))
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("sys.stderr", Terminal())
    assert regrading.confirmed(asked(), changes) is written
    assert regrading.confirmed(asked(yes=True), changes) is True
