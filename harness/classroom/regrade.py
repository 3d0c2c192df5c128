"""Whose marks change, by which check and why: two gradebooks of one class compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook, Lateness, SubmissionGrade
from harness.records import Verdict

_PREFIX = "regrades/"
_PENALTIES = "penalties/"
SAME_FILES = "the same files"
OTHER_FILES = "other files were handed in"
OTHER_ATTEMPT = "another attempt counts"


@dataclass(frozen=True)
class Change:
    """The points of one check of one student, before and after.

    Attributes:
        task: empty where it is about lateness.
        before, after: status, cause and points in words; empty where there was or is none.
        gained: negative where points are lost.
        why: what is different.
        moves_mark: whether the mark changes by it; not where an override counts instead.
    """

    student: str
    task: str
    check: str
    before: str
    after: str
    gained: float
    why: str
    moves_mark: bool = True

    def __str__(self) -> str:
        place = f"{self.task}/{self.check}" if self.task else self.check
        former, now = self.before or "none", self.after or "none"
        return f"{self.gained:+.4g} {self.student}: {place}: {former} -> {now} ({self.why})"


def changes(before: Gradebook, after: Gradebook) -> list[Change]:
    """Every check with other points than before, of those who had marks; by student."""
    former = {row.name: row for row in before.submissions}
    return [
        change
        for row in after.submissions
        if row.name in former
        for change in _of_row(former[row.name], row)
    ]


def _of_row(before: SubmissionGrade, after: SubmissionGrade) -> Iterator[Change]:
    why = SAME_FILES if before.sha256 == after.sha256 else OTHER_FILES
    if before.subject != after.subject and before.unit == after.unit and after.attempts:
        why = OTHER_ATTEMPT
    old, new, given = _verdicts(before), _verdicts(after), after.overrides
    for place in dict.fromkeys([*new, *old]):
        was, now = old.get(place), new.get(place)
        gained = _points(now) - _points(was)
        if round(gained, 4):
            text = f"{why}; {_difference(was, now)}"
            moves = not any(
                each.task == place[0] and each.check in ("", place[1]) for each in given
            )
            text += "" if moves else "; the override stays"
            words = (_words(was), _words(now))
            yield Change(after.name, *place, *words, round(gained, 4), text, moves)
    lost = round(before.penalty - after.penalty, 4)
    if lost:
        words = (f"{before.penalty:g} off", f"{after.penalty:g} off")
        yield Change(
            after.name, "", "late", *words, lost, "another time, date, rule or number of points"
        )


def _verdicts(row: SubmissionGrade) -> dict[tuple[str, str], Verdict]:
    return {(task.id, verdict.check): verdict for task in row.tasks for verdict in task.verdicts}


def _points(verdict: Verdict | None) -> float:
    return (verdict.points or 0.0) if verdict else 0.0


def _words(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    cause = f" ({verdict.cause})" if verdict.cause else ""
    points = "no points yet" if verdict.points is None else f"{verdict.points:g}"
    return f"{verdict.status}{cause} {points}"


def _difference(before: Verdict | None, after: Verdict | None) -> str:
    """What is different between two verdicts, in words."""
    if before is None:
        return "the check is new"
    if after is None:
        return "the check is gone"
    if before.max_points != after.max_points:
        return f"worth {after.max_points:g} instead of {before.max_points:g}"
    if (before.status, before.cause) == (after.status, after.cause):
        return "another credit"
    return f"now: {after.message}" if after.message else f"decided {after.status} now"


def keep(
    ledger: Ledger, record: str, made: Collection[Change], units: Collection[str], when: str
) -> None:
    """Stores what changed and the former marks of those whom it concerns, whole, for good.

    Args:
        record: the prefix of the record of the class.
        units: the names under which these marks lie in it.
        when: when that was, as ISO 8601.
    """
    number = len(ledger.document_names(_PREFIX + record)) + 1
    former = {name: ledger.document(record + name) for name in units}
    document: Mapping[str, Any] = {
        "made": when,
        "changes": [asdict(change) for change in made],
        "former": {name: stored for name, stored in former.items() if stored is not None},
    }
    ledger.put_document(f"{_PREFIX}{record}{number:06d}", document)


def keep_penalties(ledger: Ledger, record: str, gradebook: Gradebook) -> None:
    """Stores what lateness takes off, so that another rule is noticed when it takes off more."""
    penalties = {row.name: row.penalty for row in gradebook.submissions if row.penalty}
    ledger.put_document(_PENALTIES + record, penalties)


def with_former_penalties(ledger: Ledger, record: str, before: Gradebook) -> Gradebook:
    """The gradebook with the penalties that were written last, where they are known."""
    penalties = ledger.document(_PENALTIES + record)
    if penalties is None:
        return before
    rows = []
    for row in before.submissions:
        late = row.late or Lateness(row.submitted, "")
        rows.append(replace(row, late=replace(late, penalty=penalties.get(row.name, 0.0))))
    return replace(before, submissions=tuple(rows))


def kept(ledger: Ledger, record: str) -> list[dict[str, Any]]:
    """What :func:`keep` stored about a record, oldest first."""
    return list(ledger.documents(_PREFIX + record).values())
