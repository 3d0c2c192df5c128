"""When an assignment is out, due and closed, and what late work loses, as its YAML declares it.

Every moment has a zone: a date without one means another moment to everybody who reads it. Moments
are kept with a fixed offset from UTC, so that differences between them are real time also where the
clocks change in between. Those of a named zone remember it, so that a later day and other moments
are told by its clocks.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from harness.spec.checks import Model

DAY = timedelta(days=1)
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[T ](?P<time>\d{2}:\d{2}(?::\d{2})?)(?:\.(?P<part>\d{1,9}))?"
    r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[A-Za-z_]+(?:/[A-Za-z0-9_+-]+){1,2}))?"
)
#: A date and time with what stands for several zones, or for none: ``CET``, ``UTC+2``.
_ABBREVIATED = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})? ?(?P<zone>(?!am|pm)[A-Za-z][\w+:-]*)",
    re.IGNORECASE,
)
#: Years that can be meant; at the ends of the calendar some moments do not exist in UTC.
_FIRST_YEAR, _LAST_YEAR = 1970, 3000
_EXAMPLE = "2026-10-19 23:59 Europe/Berlin, or 2026-10-19 23:59 +02:00"
_DURATION = re.compile(r"(?P<number>\d{1,4}) ?(?P<unit>min|h|days?)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "day": DAY, "days": DAY}
_LOSS = re.compile(r"(?P<number>\d{1,4}(?:\.\d{1,4})?) ?(?P<unit>%|points?)")


def read_moment(text: object) -> datetime:
    """A moment from a text such as ``2026-10-19 23:59 Europe/Berlin``, with a fixed offset.

    Raises:
        ValueError: it is none, it has no zone, or the clocks of its zone do not show it exactly
            once.
    """
    match = _MOMENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        if isinstance(text, str) and (named := _ABBREVIATED.fullmatch(text.strip())):
            raise ValueError(
                f"{text}: {named['zone']} is no zone that tells one moment; write {_EXAMPLE}"
            )
        raise ValueError(f"{text!r} is no date with time and zone; write {_EXAMPLE}")
    if match["zone"] is None:
        raise ValueError(f"{text} has no time zone; write {_EXAMPLE}")
    _require_existing(match["date"], match["time"], text)
    local = datetime.fromisoformat(f"{match['date']}T{match['time']}")
    local += timedelta(microseconds=int((match["part"] or "0").ljust(6, "0")[:6]))
    offset = _offset(local, match["zone"])
    return local.replace(
        tzinfo=_Fixed(offset, match["zone"]) if "/" in match["zone"] else timezone(offset)
    )


def _require_existing(date: str, time: str, text: object) -> None:
    """Refuses a date that no calendar has and a time that no clock shows.

    Raises:
        ValueError: it is one, with what is wrong with it.
    """
    year, month, day = map(int, date.split("-"))
    hour, *rest = map(int, time.split(":"))
    if not _FIRST_YEAR <= year < _LAST_YEAR:
        raise ValueError(
            f"{text}: years from {_FIRST_YEAR} to {_LAST_YEAR - 1} are understood; correct the year"
        )
    wrong = ""
    days = monthrange(year, month)[1] if 1 <= month <= 12 else 0
    if not 1 <= month <= 12:
        wrong = f"there is no month {month:02d}, they go from 01 to 12"
    elif not 1 <= day <= days:
        wrong = f"there is no day {day:02d}, this month has {days} days"
    elif hour > 23:
        wrong = f"there is no hour {hour:02d}, they go from 00 to 23"
    elif max(rest) > 59:
        wrong = f"no clock shows {time}, minutes and seconds go from 00 to 59"
    if wrong:
        raise ValueError(f"{text}: {wrong}; write {_EXAMPLE}")


class _Fixed(tzinfo):
    """The offset from UTC of a named zone's clocks at one moment, whatever is added."""

    def __init__(self, offset: timedelta, name: str) -> None:
        self.offset = offset
        self.name = name

    def utcoffset(self, _: datetime | None) -> timedelta:
        return self.offset

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> str:
        return self.name

    def fromutc(self, moment: datetime) -> datetime:
        return moment + self.offset

    def __reduce__(self) -> tuple[type[_Fixed], tuple[timedelta, str]]:
        return type(self), (self.offset, self.name)


def on_the_clocks_of(moment: datetime, other: datetime) -> datetime:
    """A moment as the clocks show it that show ``other``: with the offset that they have then."""
    zone = other.tzinfo
    if not isinstance(zone, _Fixed):
        return moment.astimezone(zone)
    local = moment.astimezone(ZoneInfo(zone.name))
    return local.replace(tzinfo=_Fixed(local.utcoffset() or timedelta(0), zone.name))


def days_later(moment: datetime, days: int) -> datetime:
    """When the clocks show the same time so many days later; the later one where they do twice.

    Where they never do, because they are put forward, it is as much after.
    """
    zone = moment.tzinfo
    if not isinstance(zone, _Fixed):
        return moment + days * DAY
    local = moment.replace(tzinfo=None) + days * DAY
    both = (local.replace(tzinfo=ZoneInfo(zone.name), fold=fold) for fold in (0, 1))
    return on_the_clocks_of(max(each.astimezone(UTC) for each in both), moment)


def _offset(local: datetime, zone: str) -> timedelta:
    """How far a zone's clocks are ahead of UTC when they show a time.

    Raises:
        ValueError: there is no such zone, or they show that time twice or never.
    """
    if zone in ("Z", "UTC", "GMT"):
        return timedelta(0)
    if zone[0] in "+-":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        if hours > 14 or minutes > 59:
            raise ValueError(f"{zone} is no offset from UTC; write one such as +02:00")
        ahead = timedelta(hours=hours, minutes=minutes)
        return -ahead if zone[0] == "-" else ahead
    try:
        named = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"no time zone called {zone!r} is known here; write one such as Europe/Berlin, or an "
            "offset such as +02:00"
        ) from None
    offsets = {
        moment.utcoffset()
        for fold in (0, 1)
        if (moment := local.replace(tzinfo=named, fold=fold))
        .astimezone(UTC)
        .astimezone(named)
        .replace(tzinfo=None)
        == local
    }
    if len(offsets) != 1:
        often = "twice" if offsets else "never"
        raise ValueError(
            f"the clocks of {zone} show {local:%Y-%m-%d %H:%M} {often}; write the offset, such as "
            "+02:00"
        )
    return offsets.pop() or timedelta(0)


def moment_text(moment: datetime) -> str:
    """A moment as reports show it: ``2026-10-19 23:59 +02:00``, with seconds where there are."""
    time = f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"
    zone = f"{moment:%z}"
    return f"{time} {zone[:3]}:{zone[3:5]}"


def moment_texts(first: datetime, second: datetime) -> tuple[str, str]:
    """Two moments as :func:`moment_text` shows them, with parts of seconds where these differ."""
    texts = moment_text(first), moment_text(second)
    if first == second or texts[0] != texts[1]:
        return texts
    one, other = (each.isoformat(" ") for each in (first, second))
    return f"{one[:-6]} {one[-6:]}", f"{other[:-6]} {other[-6:]}"


def read_duration(text: object) -> timedelta:
    """A length of time from a text such as ``15 min``, ``2 h`` or ``1 day``.

    Raises:
        ValueError: it is none.
    """
    match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is no length of time; write 15 min, 2 h or 1 day")
    return int(match["number"]) * _UNITS[match["unit"]]


@dataclass(frozen=True)
class Loss:
    """What is taken off: points, or a percentage of what the assignment is worth."""

    amount: float
    unit: Literal["%", "points"]

    def of(self, max_points: float) -> float:
        """In points, where the assignment is worth so many."""
        return self.amount * max_points / 100 if self.unit == "%" else self.amount

    def __str__(self) -> str:
        if self.unit == "%":
            return f"{self.amount:g}%"
        return f"{self.amount:g} {'point' if self.amount == 1 else 'points'}"


def read_loss(text: object) -> Loss:
    """A loss from a text such as ``10%`` or ``2 points``.

    Raises:
        ValueError: it is none, or more than all.
    """
    match = _LOSS.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} does not say what is lost; write 10% or 2 points")
    loss = Loss(float(match["number"]), "%" if match["unit"] == "%" else "points")
    if loss.unit == "%" and loss.amount > 100:
        raise ValueError(f"{text} is more than everything")
    return loss


Moment = Annotated[
    datetime,
    PlainValidator(read_moment),
    WithJsonSchema({"type": "string", "examples": ["2026-10-19 23:59 Europe/Berlin"]}),
]
Duration = Annotated[
    timedelta,
    PlainValidator(read_duration),
    WithJsonSchema({"type": "string", "examples": ["15 min", "2 h", "1 day"]}),
]
Losing = Annotated[
    Loss,
    PlainValidator(read_loss),
    WithJsonSchema({"type": "string", "examples": ["10%", "2 points"]}),
]


class LateRule(Model):
    """What work loses that is handed in after it was due.

    Every day of 24 hours that has begun since then costs ``per_day``, together at most ``cap``.
    Within ``grace`` nothing is late; beyond it the days count from the due date. With
    ``late_days`` that many days at most are paid for from the student's budget of the term
    (tasks/term.yaml) as long as it lasts, and cost nothing.
    """

    per_day: Losing
    grace: Annotated[Duration, Field(json_schema_extra={"default": "0 min"})] = timedelta(0)
    cap: Losing | None = None
    late_days: Annotated[int, Field(ge=1, le=100)] | None = None

    @model_validator(mode="after")
    def _require_usable_cap(self) -> Self:
        for name in ("cap", "late_days", "grace"):
            if not self.per_day.amount and getattr(self, name):
                raise ValueError(f"`{name}` could never matter: a day costs {self.per_day}")
        if not self.per_day.amount:
            raise ValueError(
                f"`per_day` is {self.per_day}, so that lateness would never matter: say what a day "
                "costs, or leave `late` and `late_until` out and move `due`"
            )
        if self.cap is None:
            return self
        if self.cap.unit != self.per_day.unit:
            raise ValueError(
                f"`cap` ({self.cap}) and `per_day` ({self.per_day}) must both be percentages or "
                "both be points"
            )
        if self.cap.amount < self.per_day.amount:
            raise ValueError(
                f"`cap` ({self.cap}) is below what one day costs (`per_day`: {self.per_day})"
            )
        return self


class Schedule(Model):
    """The dates of an assignment and its rule for late work.

    Nothing is handed in before ``release``. What comes after ``due`` is late; without ``late`` it
    does not count, with it until ``late_until``, or for ever where there is none.
    """

    release: Moment | None = None
    due: Moment | None = None
    late_until: Moment | None = None
    late: LateRule | None = None

    @property
    def closes(self) -> datetime | None:
        """After this moment nothing counts; None where everything does."""
        return self.late_until if self.late else self.due

    @model_validator(mode="after")
    def _require_order(self) -> Self:
        dates = {"release": self.release, "due": self.due, "late_until": self.late_until}
        given = [(name, date) for name, date in dates.items() if date is not None]
        for (earlier, first), (later, second) in pairwise(given):
            if second <= first:
                raise ValueError(
                    f"`{later}` ({moment_text(second)}) must come after `{earlier}` "
                    f"({moment_text(first)})"
                )
        if self.due is None and (self.late_until or self.late):
            raise ValueError("`late_until` and `late` need `due`: nothing is late without it")
        if self.late is None:
            if self.late_until:
                raise ValueError(
                    "`late_until` needs `late`: say what a late day costs, such as per_day: 10%"
                )
            return self
        self._require_effect(self.late)
        return self

    def _require_effect(self, late: LateRule) -> None:
        """Refuses parts of the rule that could never matter before the assignment closes.

        Raises:
            ValueError: there is one.
        """
        if self.late_until is None or self.due is None:
            return
        length = self.late_until - self.due
        if late.grace >= length:
            raise ValueError("`late.grace` reaches to `late_until`: nothing would ever be late")
        days = -(-length // DAY)
        if late.cap is not None and late.cap.amount > days * late.per_day.amount:
            raise ValueError(
                f"`late.cap` ({late.cap}) is never reached: until `late_until` there are {days} "
                f"days at {late.per_day}; lower it or leave it out"
            )
        if late.late_days is not None and late.late_days > days:
            raise ValueError(
                f"`late.late_days` ({late.late_days}) can never all be used: until `late_until` "
                f"there are {days} days"
            )


class TermTotal(Model):
    """The mark of a term: that of its ``assignments`` together.

    Of every student the ``drop_lowest`` assignments count neither for nor against them of which
    they reached the smallest share.
    """

    assignments: Annotated[tuple[str, ...], Field(min_length=1)]
    drop_lowest: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _require_counting(self) -> Self:
        repeated = [name for name in self.assignments if self.assignments.count(name) > 1]
        if repeated:
            raise ValueError(f"{repeated[0]} stands twice in `assignments`")
        if self.drop_lowest >= len(self.assignments):
            raise ValueError(
                f"`drop_lowest` is {self.drop_lowest} of {len(self.assignments)} assignments; "
                "nothing would count"
            )
        return self


class Term(Model):
    """What holds for all assignments together, as tasks/term.yaml declares it.

    ``late_days`` is how many days each student may be late over the whole term without losing
    anything, on whichever assignments allow it; ``total`` says what the mark of the term is.
    """

    late_days: Annotated[int, Field(ge=1, le=365)] | None = None
    total: TermTotal | None = None

    @model_validator(mode="after")
    def _require_content(self) -> Self:
        if self.late_days is None and self.total is None:
            raise ValueError("write `late_days`, `total` or both; else the file says nothing")
        return self
