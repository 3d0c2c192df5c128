"""The mark of a term: assignments added up, for every student without the lowest of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.marking.gradebook import Gradebook, SubmissionGrade


@dataclass(frozen=True)
class Part:
    """One assignment of one student.

    Attributes:
        mark: 0 where the student has none although the class has marks.
        worth: the points that could be reached.
        dropped: whether it counts neither for nor against the student.
    """

    assignment: str
    mark: float
    worth: float
    provisional: bool = False
    dropped: bool = False

    @property
    def share(self) -> float:
        """What was reached of what could be; 1 where nothing could."""
        return round(self.mark / self.worth, 9) if self.worth else 1.0


@dataclass(frozen=True)
class TermRow:
    """The term of one student.

    Attributes:
        row: that of an assignment in which the student has one, for name and group.
    """

    row: SubmissionGrade
    parts: tuple[Part, ...] = field(default_factory=tuple)

    @property
    def mark(self) -> float:
        """The points of all that counts."""
        return round(sum(part.mark for part in self.parts if not part.dropped), 4)

    @property
    def worth(self) -> float:
        """What could be reached in it."""
        return round(sum(part.worth for part in self.parts if not part.dropped), 4)

    @property
    def share(self) -> float:
        """What was reached of it; 0 where it is worth nothing."""
        return round(self.mark / self.worth, 6) if self.worth else 0.0

    @property
    def provisional(self) -> bool:
        """Whether a check has no mark yet in something that counts or might."""
        return any(part.provisional for part in self.parts)


def dropping(parts: Sequence[Part], count: int) -> tuple[Part, ...]:
    """The parts, of which so many with the smallest shares are dropped, but never all.

    Of equal shares the one is dropped that is worth more, then the later one; what is worth nothing
    is never dropped.
    """
    order = sorted(
        (index for index, part in enumerate(parts) if part.worth),
        key=lambda index: (parts[index].share, -parts[index].worth, -index),
    )
    dropped = set(order[: max(0, min(count, len(order) - 1))])
    return tuple(
        Part(each.assignment, each.mark, each.worth, each.provisional, index in dropped)
        for index, each in enumerate(parts)
    )


def rows(gradebooks: Mapping[str, Gradebook], drop_lowest: int) -> list[TermRow]:
    """The term of everybody who has a row in some assignment, by id.

    Args:
        gradebooks: assignment -> its marks, for those that are marked, in the order of the term.
    """
    by_name = {
        assignment: {row.name: row for row in book.submissions}
        for assignment, book in gradebooks.items()
    }
    worth = {
        assignment: max((row.max_points for row in marks.values()), default=0.0)
        for assignment, marks in by_name.items()
    }
    names = sorted({name for marks in by_name.values() for name in marks})
    return [
        TermRow(
            next(marks[name] for marks in reversed(by_name.values()) if name in marks),
            dropping(
                [_part(assignment, marks.get(name), worth[assignment])
                 for assignment, marks in by_name.items()],
                drop_lowest,
            ),
        )
        for name in names
    ]  # fmt: skip


def _part(assignment: str, row: SubmissionGrade | None, worth: float) -> Part:
    if row is None:
        return Part(assignment, 0.0, worth)
    return Part(assignment, row.mark, row.max_points, row.provisional)
