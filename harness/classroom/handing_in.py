"""Whose a submission is, when it was handed in, and whether it is the one that counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from harness.classroom.attempts import Choice, History, name_of
from harness.classroom.extensions import Extensions
from harness.classroom.roster import Roster, listed, lost_zeros, meant
from harness.classroom.times import THE_ONE, Attempt, Times, require_distinct
from harness.errors import UsageError
from harness.spec.models import Assignment
from harness.spec.schedule import moment_text, moment_texts, on_the_clocks_of
from harness.submissions import display


@dataclass(frozen=True)
class Arrangements:
    """What is known of a class before its submissions are looked at.

    Attributes:
        times: those that this run was given.
        history: every attempt that earlier runs were told of.
        extensions: all that are known, of whichever assignment.
        extended: who hands in -> the assignment with the dates of those who have others.
    """

    roster: Roster = field(default_factory=Roster)
    assignment: Assignment | None = None
    times: Times = field(default_factory=Times)
    history: History = field(default_factory=History)
    extended: Mapping[str, Assignment] = field(default_factory=dict)
    extensions: Extensions = field(default_factory=Extensions)

    def dates(self, who: str, assignment: Assignment) -> Assignment:
        """The assignment with the dates that hold for somebody."""
        return self.extended.get(who, assignment)


@dataclass(frozen=True)
class HandedIn:
    """The submissions that were found, under the names that they are marked under.

    That is the name of who handed in, or of one of their attempts where the best of several counts.

    Attributes:
        counted: name -> the name of the submission that is marked.
        at: name -> when that was handed in, where it is known.
        refused: who -> why nothing of theirs counts.
        limited: who -> why something of theirs counts and other attempts do not, for their page.
        elsewhere: name -> when the attempt was handed in that may count and is not among these.
        units: name -> whose attempt it is, where the best of several counts.
        notices: what whoever grades must know, a sentence each.
    """

    history: History
    counted: Mapping[str, str] = field(default_factory=dict)
    at: Mapping[str, datetime] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    limited: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, datetime] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, set[str]]:
        """Who handed in -> every name under which something of theirs may count."""
        names: dict[str, set[str]] = {}
        for name in (*self.counted, *self.refused, *self.elsewhere):
            names.setdefault(self.units.get(name, name), set()).add(name)
        return names


def sorted_out(digests: Mapping[str, str], known: Arrangements) -> HandedIn:
    """Submissions, each under who handed it in, and which of them count.

    What is as it was when an earlier run was told its time has that time again. Copies of the same
    files, as a platform makes them for each member of a group, are one submission.

    Args:
        digests: the name of each submission -> the digest of what is in it.

    Raises:
        UsageError: somebody has two submissions and nothing says which came first, a time is
            about no submission that can be told, or one lies before the release.
    """
    names = list(digests)
    attempts = _under_units(digests, known)
    told = attempts
    named = {each.submission for each in told}
    attempts += [each for each in known.history.known(digests) if each.submission not in named]
    by_name = {each.submission: each for each in attempts if each.submission}
    by_owner: dict[str, list[str]] = {}
    for name in names:
        attempt = by_name.get(name)
        by_owner.setdefault(attempt.student if attempt else known.roster.unit(name), []).append(
            name
        )
    history = known.history.with_(attempts)
    counted, at, refused, limited, elsewhere, units = {}, {}, {}, {}, {}, {}
    notices = [*known.times.notices]
    notices += [_correction(before, now) for before, now in known.history.corrected(attempts)]
    notices += _again(known.history.again(attempts))
    notices += _disagreeing(told, known.roster)
    for who, together in sorted(by_owner.items()):
        submissions = _without_copies(together, by_name, digests)
        here = [by_name[name] for name in submissions if name in by_name]
        _require_times(who, submissions, here)
        if not here or known.assignment is None:
            _require_no_others(who, submissions[0], history, known.assignment)
            counted[who] = submissions[0]
            continue
        choice = history.choose(who, known.dates(who, known.assignment))
        if choice.attempt is None:
            refused[who] = choice.refused
        of_content = {digests[name]: name for name in submissions}
        for attempt in choice.attempts:
            name = who
            if known.assignment.counts == "best":
                name = name_of(who, attempt.at)
                units[name] = who
            if chosen := [each for each in here if each.at == attempt.at]:
                counted[name], at[name] = chosen[0].submission, chosen[0].at
            elif attempt.sha256 in of_content:  # the same files came in several times
                counted[name], at[name] = of_content[attempt.sha256], attempt.at
            else:
                elsewhere[name] = attempt.at
        if choice.refused:
            said = f"{choice.refused}; {_counts(choice, known.assignment)}"
            notices.append(f"{display(who)}: {said}")
            limited[who] = f"{said[0].upper()}{said[1:]}."
    return HandedIn(history, counted, at, refused, limited, elsewhere, units, tuple(notices))


def without_work(known: Arrangements, who: Collection[str]) -> list[str]:
    """A sentence about those of whom there is a time and nothing else; empty where there are none.

    Args:
        who: who handed in, by the names that their work is marked under.
    """
    timed = {known.roster.unit(each.student) for each in known.times.attempts if each.student}
    absent = sorted(timed - set(who))
    if not absent:
        return []
    others = sorted(set(who) - timed)
    likely = lost_zeros(others, absent) or meant(absent, others)
    return [f"there are times of these, and nothing that they handed in: {listed(absent)}{likely}"]


def _disagreeing(told: Sequence[Attempt], roster: Roster) -> list[str]:
    """A sentence about each submission that is another's by the roster than by the times."""
    return [
        f"{display(each.submission)} is {display(owner)}'s by the roster, and "
        f"{display(each.student)}'s by {each.place or 'the times'}; the times count: put right "
        "whichever is wrong"
        for each in told
        if each.submission
        and (owner := roster.unit(each.submission)) not in (each.submission, each.student)
    ]


def _correction(before: Attempt, now: Attempt) -> str:
    if before.student == now.student:
        former, new = moment_texts(before.at, now.at)
        return (
            f"{display(now.student)}: these files had the time {former}, and now have "
            f"{new}; the former is no attempt any more"
        )
    return (
        f"{display(now.submission)} was {display(before.student)}'s, and is now "
        f"{display(now.student)}'s; the attempt of {before.text} is none of "
        f"{display(before.student)}'s any more"
    )


def _again(pairs: Sequence[tuple[Attempt, Attempt]]) -> list[str]:
    """A sentence about the same files that came in later once more; empty where none did."""
    if not pairs:
        return []
    latest = {now.student: (before, now) for before, now in pairs}
    before, now = latest[min(latest)]
    first, second = moment_texts(before.at, now.at)
    several = f", and {len(latest) - 1} more likewise" if len(latest) > 1 else ""
    return [
        f"{display(now.student)} handed in the same files at {first} and at {second}"
        f"{several}: each time is an attempt; where the former was wrong, give --replace-times"
    ]


def _counts(choice: Choice, assignment: Assignment) -> str:
    if choice.attempt is None:
        return "none counts"
    at, due = choice.attempt.at, assignment.due
    shown = moment_text(at if due is None else on_the_clocks_of(at, due))
    if assignment.counts == "best":
        return f"the best of those until {shown} counts"
    return f"that of {shown} counts"


def _require_no_others(
    who: str, submission: str, history: History, assignment: Assignment | None
) -> None:
    """Refuses to put something without a time in place of attempts of which the best counts.

    Raises:
        UsageError: somebody has such attempts.
    """
    if assignment is not None and assignment.counts == "best" and history.attempts.get(who):
        raise UsageError(
            f"{display(who)} handed in before, and nothing says when {display(submission)} came "
            "in; of several attempts the best counts, so give its time with --times"
        )


def _without_copies(
    names: Sequence[str], timed: Mapping[str, Attempt], digests: Mapping[str, str]
) -> list[str]:
    """The submissions of somebody, but for those without a time that are equal to another."""
    kept: dict[str, str] = {}
    for name in sorted(names, key=lambda name: name not in timed):
        if name in timed or digests[name] not in kept:
            kept.setdefault(digests[name], name)
    return [name for name in names if name in timed or kept[digests[name]] == name]


def _under_units(digests: Mapping[str, str], known: Arrangements) -> list[Attempt]:
    """The attempts of this run under the names of those who hand in together.

    Raises:
        UsageError: a file is about one submission and there are several, or a group has two
            attempts with one time.
    """
    names = list(digests)
    attempts: list[Attempt] = []
    seen: set[tuple[str, datetime, str]] = set()
    for each in known.times.attempts:
        student, submission = each.student, each.submission
        if not student:
            if len(names) != 1:
                raise UsageError(
                    f"{each.place} is about one submission, and {len(names)} were found; name that "
                    "one as the only PATH"
                )
            student, submission = names[0], names[0] if submission == THE_ONE else ""
        unit = known.roster.unit(student)
        sha256 = digests.get(submission, "") if submission else ""
        if sha256 and (unit, each.at, sha256) in seen:
            continue
        seen.add((unit, each.at, sha256))
        attempts.append(replace(each, student=unit, submission=submission, sha256=sha256))
    require_distinct(attempts)
    return attempts


def _require_times(who: str, submissions: Sequence[str], timed: Sequence[Attempt]) -> None:
    if len(submissions) > 1 and len(timed) < len(submissions):
        listed = ", ".join(display(name) for name in submissions)
        raise UsageError(
            f"{display(who)} handed in {len(submissions)} times: {listed}; give the times of all "
            "of them with --times, a table with the columns id, time and submission"
        )
