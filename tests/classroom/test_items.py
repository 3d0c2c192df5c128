"""Item analysis against its definitions, and the cases in which a correlation says nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.causes import Cause
from harness.classroom.items import analysis, handed_in, item
from harness.marking.gradebook import SubmissionGrade, TaskGrade
from harness.records import Status, Verdict


def verdict(task: str, check: str, share: float | None, **fields) -> Verdict:
    status: Status = "UNGRADABLE" if share is None else "PASS" if share == 1 else "FAIL"
    fields = {"status": status, "cause": "", "points": share and 2 * share} | fields
    fields["points"] = None if share is None else 2 * share
    return Verdict("x", task, check, max_points=2.0, visibility="visible", **fields)


def row(name: str, shares: dict[str, dict[str, float | None]]) -> SubmissionGrade:
    tasks = tuple(
        TaskGrade(task, task, "exact", 2.0 * len(checks), tuple(
            verdict(task, check, share) for check, share in checks.items()
        ))
        for task, checks in shares.items()
    )  # fmt: skip
    return SubmissionGrade(name, name, "ab", "roster", "L3", tasks)


def absent(name: str, task: str, checks: int) -> TaskGrade:
    gone = verdict(task, "c0", 0, status="ERROR", cause=Cause.MISSING_FILE, before_running=True)
    skipped = [
        verdict(task, f"c{place}", 0, status="SKIPPED", cause=Cause.PREREQUISITE)
        for place in range(1, checks)
    ]
    return TaskGrade(task, task, "exact", 2.0 * checks, (gone, *skipped))


def test_of_a_check_that_gives_all_or_nothing_it_is_the_point_biserial_correlation() -> None:
    rng = np.random.default_rng(1)
    ability = rng.normal(size=60)
    passed = (ability[:, None] + rng.normal(size=(60, 6)) > 0).astype(float)
    rows = [
        row(f"s{place}", {"a": {f"c{check}": float(share) for check, share in enumerate(shares)}})
        for place, shares in enumerate(passed)
    ]
    found = analysis(rows)
    for check in range(6):
        rest = np.delete(passed, check, axis=1).sum(1)
        expected = stats.pointbiserialr(passed[:, check], rest).statistic
        one = found["a", f"c{check}"]
        assert one.n == 60
        assert one.difficulty == pytest.approx(passed[:, check].mean())
        assert one.discrimination == pytest.approx(expected)
        assert one.undefined == ""


def test_a_check_does_not_correlate_with_itself() -> None:
    """Of two independent checks the item-total correlation would be .7."""
    rows = [
        row(f"s{place}", {"a": {"c0": float(place % 2), "c1": float(place // 2 % 2)}})
        for place in range(8)
    ]
    assert analysis(rows)["a", "c0"].discrimination == pytest.approx(0)


def test_partial_credit_counts_as_its_share() -> None:
    assert item([(0.5, 0.1), (1.0, 0.9), (0.0, 0.2)]).difficulty == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([], "nobody has a mark for it"),
        ([(0.0, 0.0), (1.0, 1.0)], "fewer than 3 submissions"),
        ([(0.0, None), (1.0, None), (1.0, None)], "no other check counts"),
        ([(1.0, 0.1), (1.0, 0.5), (1.0, 0.9)], "all have the same points for it"),
        ([(0.0, 0.5), (1.0, 0.5), (1.0, 0.5)], "all have the same points for the rest"),
    ],
)
def test_where_a_correlation_is_not_defined_it_is_said_why(pairs, why) -> None:
    found = item(pairs)
    assert (found.discrimination, found.undefined) == (None, why)
    assert (found.difficulty is None) == (not pairs)


def test_who_handed_nothing_in_for_a_task_is_no_answer_to_it() -> None:
    rows = [row(f"s{n}", {"a": {"c0": n % 2, "c1": 1.0}, "b": {"c0": 1.0}}) for n in range(4)]
    missing = SubmissionGrade("none", "none", "", "roster", "", (absent("none", "a", 2),))
    found = analysis([*rows, missing])
    assert not handed_in(missing.tasks[0])
    assert found["a", "c0"].n == 4
    assert found["a", "c0"].difficulty == pytest.approx(0.5)


def test_a_file_that_breaks_was_handed_in() -> None:
    broken = verdict("a", "c0", 0, status="ERROR", cause=Cause.SYNTAX, before_running=True)
    assert handed_in(TaskGrade("a", "a", "exact", 2.0, (broken,)))


def test_a_check_without_a_mark_is_left_out_of_its_own_figures_and_of_the_rest() -> None:
    """Else whoever waits for a mark would count as weak."""
    shares = [(1.0, 1.0), (0.0, 0.5), (1.0, 1.0), (0.0, 0.5)]
    rows = [
        row(f"s{n}", {"a": {"c0": first, "c1": second, "open": None}})
        for n, (first, second) in enumerate(shares)
    ]
    found = analysis(rows)
    assert found["a", "open"].n == 0
    assert found["a", "c0"].discrimination == pytest.approx(1.0)
    one_open = [*rows[1:], row("s0", {"a": {"c0": 1.0, "c1": 1.0, "open": 0.0}})]
    assert analysis(one_open)["a", "c0"].n == 4
