"""One round of a grading run: what is decided and what is still wanted at one state of the ledger.

It is computed once, when the round begins, for every subject and task that it is about. Planning
reads from it what to run next, feedback what to explain, the gradebook the marks. Once planned
trials were run the ledger has changed, and :meth:`Round.next` gives the round after it; tasks for
which nothing was wanted any more are carried over as they are, since observations are only ever
added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from harness.marking import feedback, shown, verdicts
from harness.marking.gradebook import TaskGrade
from harness.marking.jobs import PlannedTrial
from harness.marking.score import Decision, Waiting, decide_task
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.spec.load import LoadedTask

#: The name of a subject and the id of a task.
Place: TypeAlias = tuple[str, str]
#: A subject and a task that it is marked on.
Pair: TypeAlias = tuple[Subject, LoadedTask]


@dataclass(frozen=True)
class TaskState:
    """One task of one subject.

    Attributes:
        trials: those that decisions still wait for; none where all is decided.
        examples: those that the explanations of failed checks and the pictures still lack.
        grade: the verdicts as far as they are known.
        isolation: the levels under which the observations behind the decisions were made.
    """

    trials: tuple[PlannedTrial, ...]
    examples: tuple[PlannedTrial, ...]
    grade: TaskGrade
    isolation: frozenset[str]

    @property
    def complete(self) -> bool:
        """Whether no observation can change anything any more."""
        return not self.trials and not self.examples


@dataclass(frozen=True)
class Round:
    """Subjects and their tasks at one state of the ledger.

    Attributes:
        pairs: the subjects, each with every task that it is marked on.
        points: what a task is worth where the assignment says something else than its spec.
    """

    pairs: tuple[Pair, ...]
    view: View
    points: Mapping[str, float]
    states: Mapping[Place, TaskState]

    @classmethod
    def first(
        cls,
        tasks: Sequence[LoadedTask],
        subjects: Sequence[Subject],
        view: View,
        points: Mapping[str, float] | None = None,
    ) -> Round:
        """The round of all tasks of all subjects at the present state of the ledger."""
        return cls.of([(subject, task) for subject in subjects for task in tasks], view, points)

    @classmethod
    def of(
        cls, pairs: Sequence[Pair], view: View, points: Mapping[str, float] | None = None
    ) -> Round:
        """The round of certain tasks of certain subjects at the present state of the ledger."""
        return cls(tuple(pairs), view, points or {}, {}).next()

    def next(self) -> Round:
        """The round at the state that the ledger has now."""
        states = {}
        view = self.view.for_one_round()
        for subject, task in self.pairs:
            place = (subject.program.name, task.id)
            before = self.states.get(place)
            if before is not None and before.complete:
                states[place] = before
            else:
                states[place] = self._decided(task, subject, view)
                view.forget_submission()
        return Round(self.pairs, self.view, self.points, states)

    def state(self, subject: Subject, task: LoadedTask) -> TaskState:
        """What is known of one task of one subject."""
        return self.states[subject.program.name, task.id]

    def _decided(self, task: LoadedTask, subject: Subject, view: View) -> TaskState:
        answers = decide_task(task, subject, view)
        waiting = [answer for answer in answers.values() if isinstance(answer, Waiting)]
        points = self.points.get(task.id)
        grade = verdicts.of_task(task, subject.program.name, answers, points)
        explained = feedback.explain(task, subject, view, grade)
        grade, undrawn = shown.with_pictures(task, subject, view, explained.grade)
        isolation = [each.isolation for each in answers.values() if isinstance(each, Decision)]
        return TaskState(
            trials=tuple(trial for answer in waiting for trial in answer.trials),
            examples=(*explained.missing, *undrawn),
            grade=grade,
            isolation=frozenset().union(*isolation),
        )
