"""Which attempts of a student count, from the times alone; and what a results folder knows of them.

All attempts that were ever told of are remembered for every assignment: so a limit counts them over
several runs, and a budget of late days is kept over a term.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harness.classroom.times import Attempt
from harness.errors import UsageError
from harness.spec.models import Assignment
from harness.spec.schedule import moment_texts, on_the_clocks_of

_PREFIX = "attempts/"


@dataclass(frozen=True)
class Choice:
    """What counts of one student's attempts.

    Attributes:
        attempts: the one that counts, or all of which the best does, in the order of time; none
            where none is accepted.
        refused: why later ones, or all, do not count, in a sentence; empty where that is not so.
    """

    attempts: tuple[Attempt, ...]
    refused: str = ""

    @property
    def attempt(self) -> Attempt | None:
        """The last of those that count or may count; None where none does."""
        return self.attempts[-1] if self.attempts else None


@dataclass(frozen=True)
class History:
    """Every attempt at one assignment that is known, by student or group, in the order of time."""

    attempts: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict)

    def with_(self, more: Sequence[Attempt]) -> History:
        """The history with further attempts; one at a time that is known is the same attempt.

        What :meth:`corrected` says to have been wrong is left out.
        """
        wrong = {(before.student, before.at) for before, _ in self.corrected(more)}
        known = {
            name: {each.at: each for each in attempts if (name, each.at) not in wrong}
            for name, attempts in self.attempts.items()
        }
        for attempt in more:
            of_student = known.setdefault(attempt.student, {})
            before = of_student.get(attempt.at)
            newer = attempt.sha256 and before and before.submission == attempt.submission
            if before is None or not before.submission or newer:
                of_student[attempt.at] = attempt
        return History(
            {
                name: tuple(sorted(attempts.values(), key=lambda each: each.at))
                for name, attempts in sorted(known.items())
                if attempts
            }
        )

    def corrected(self, more: Sequence[Attempt]) -> list[tuple[Attempt, Attempt]]:
        """What was told wrongly before, and what is told of it now.

        The same files under the same name, of which no time is told now that was told before: they
        are somebody else's, or came in earlier. A table has the last time that something came in,
        so a new one that is earlier says that there was no later one; a later one says nothing of
        that kind (:meth:`again`), nor does a table that was given before.
        """
        return [
            (before, now)
            for before, now in self._told_anew(more)
            if now.student != before.student or (now.at < before.at and not self._knows(now))
        ]

    def again(self, more: Sequence[Attempt]) -> list[tuple[Attempt, Attempt]]:
        """Attempts that are known, and new ones of the same student, later, with the same files.

        They have the same name, as a platform's download of each has, and only the later one's time
        is told now.
        """
        return [
            (before, now)
            for before, now in self._told_anew(more)
            if now.student == before.student and now.at > before.at and not self._knows(now)
        ]

    def _knows(self, attempt: Attempt) -> bool:
        return any(attempt.at == each.at for each in self.attempts.get(attempt.student, ()))

    def _told_anew(self, more: Sequence[Attempt]) -> list[tuple[Attempt, Attempt]]:
        """Known attempts of which no time is told now, with what is told of the same files."""
        told = {(each.submission, each.sha256): each for each in more if each.sha256}
        still = {(each.student, each.at) for each in more}
        return [
            (before, told[before.submission, before.sha256])
            for found in self.attempts.values()
            for before in found
            if (before.submission, before.sha256) in told
            and (before.student, before.at) not in still
        ]

    def of_others(self, names: Container[str]) -> History:
        """The attempts of all but these students or groups."""
        return History({name: each for name, each in self.attempts.items() if name not in names})

    def choose(self, name: str, assignment: Assignment) -> Choice:
        """Which attempt of a student counts under the rules of an assignment.

        Raises:
            UsageError: one was handed in before the assignment was out.
        """
        attempts = self.attempts.get(name, ())
        for attempt in attempts:
            if assignment.release is not None and attempt.at < assignment.release:
                at, release = moment_texts(attempt.at, assignment.release)
                raise UsageError(
                    f"{attempt.place or name}: {name} handed in at {at}, before the "
                    f"release at {release}; is the zone of the time right?"
                )
        allowed = attempts[: assignment.max_submissions]
        closes = assignment.closes
        accepted = [each for each in allowed if closes is None or each.at <= closes]
        reasons = []
        if len(allowed) < len(attempts):
            reasons.append(
                f"handed in {len(attempts)} times, of which the first {len(allowed)} are accepted"
            )
        if closes is not None and len(accepted) < len(allowed):
            at, closed = moment_texts(on_the_clocks_of(allowed[-1].at, closes), closes)
            reasons.append(f"handed in at {at}, after the assignment closed at {closed}")
        refused = "; ".join(reasons)
        if assignment.counts == "first":
            return Choice(tuple(accepted[:1]), refused)
        return Choice(tuple(accepted if assignment.counts == "best" else accepted[-1:]), refused)

    def known(self, digests: Mapping[str, str]) -> list[Attempt]:
        """The attempts that are among these submissions: name -> digest of what is in it now."""
        return [
            attempt
            for attempts in self.attempts.values()
            for attempt in attempts
            if attempt.sha256 and digests.get(attempt.submission) == attempt.sha256
        ]

    def counting(
        self, assignment: Assignment, extended: Mapping[str, Assignment] | None = None
    ) -> dict[str, datetime]:
        """When the attempt of everybody that counts was handed in.

        Args:
            extended: the assignment with the dates of those who have others.
        """
        dates = extended or {}
        chosen = {
            name: self.choose(name, dates.get(name, assignment)).attempt for name in self.attempts
        }
        return {name: attempt.at for name, attempt in chosen.items() if attempt is not None}

    def documents(self, assignment: str) -> dict[str, dict[str, Any]]:
        """Its stored form, by the name of the document."""
        students = {
            name: [[each.at.isoformat(), each.submission, each.sha256] for each in attempts]
            for name, attempts in self.attempts.items()
        }
        return {document_name(assignment): {"students": students}}


def name_of(unit: str, at: datetime) -> str:
    """The name under which one of several attempts is marked; no submission is called so."""
    return f"{unit}/{at.astimezone(UTC).isoformat()}"


def document_name(assignment: str) -> str:
    """The name of the document that keeps an assignment's attempts."""
    return _PREFIX + assignment


def stored(document: Mapping[str, Any] | None) -> History:
    """The history that :meth:`History.documents` stored; an empty one where there is none."""
    if document is None:
        return History()
    return History(
        {
            name: tuple(
                Attempt(name, datetime.fromisoformat(at), submission, sha256=sha256)
                for at, submission, sha256 in attempts
            )
            for name, attempts in document["students"].items()
        }
    )
