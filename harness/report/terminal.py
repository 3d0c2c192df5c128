"""The leaderboard for people: a rich table on a terminal, aligned lines elsewhere.

Both show the same blocks. Where the columns of the tasks do not fit beside the totals, blocks of
their own follow, with a row for each task and a column for each submission, so that ids stay
readable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.causes import Cause
from harness.marking.gradebook import Gradebook, SubmissionGrade, TaskGrade
from harness.records import Verdict
from harness.report.adjustments import adjustments, sum_text
from harness.report.explain import cause_of, reason
from harness.report.marks import (
    InOne,
    failing,
    in_one,
    not_submitted,
    points_text,
    ranked,
    task_ids,
    task_points,
)
from harness.report.names import labels
from harness.report.sanitise import NAME_LIMIT, clean

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

_GAP = 2
_SUBMISSION_CELLS = 28
_HEADING_CELLS = 16
_TASK_CELLS = 40
_LEGEND = "✓ pass  F fail  I inconclusive  E error  S skipped  U ungradable  - no file"
_STALE = "~ stale: marks of an earlier grading that cannot be computed again; grade again"
_BY_COURSE = "c marked by your course: neither earned nor lost here; points are those of the rest"
_ADJUSTED = "points are those that were computed; beside them stand:"
_PROVISIONAL = "* provisional: some checks have no mark yet, through no fault of the program"


@dataclass(frozen=True)
class Block:
    """A header and rows of equal length, every column aligned to the left."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def widths(self) -> list[int]:
        """The width of every column in terminal cells."""
        return [max(map(_cells, column)) for column in zip(self.header, *self.rows, strict=True)]

    def width(self) -> int:
        """The width of the whole block in terminal cells."""
        widths = self.widths()
        return sum(widths) + _GAP * (len(widths) - 1)

    def lines(self) -> list[str]:
        """The block as aligned lines without colours."""
        widths = self.widths()
        return [
            (" " * _GAP).join(map(_padded, row, widths)).rstrip()
            for row in (self.header, *self.rows)
        ]


def blocks(gradebook: Gradebook, width: int) -> list[Block]:
    """The leaderboard as blocks of at most ``width`` cells; of more where one column is wider."""
    tasks = task_ids(gradebook)
    whole = _totals(gradebook, tasks)
    if whole.width() <= width or not tasks:
        return [whole]
    return [_totals(gradebook, []), *_by_task(gradebook, tasks, width)]


def table(gradebook: Gradebook, width: int) -> Group:
    """The leaderboard for a rich console of ``width`` cells."""
    from rich.console import Group
    from rich.text import Text

    parts: list[Table | Text] = []
    for block in blocks(gradebook, width):
        parts += [_rich(block), Text("")]
    return Group(*parts, *(Text(line, style="dim") for line in _footnotes(gradebook)))


def plain(gradebook: Gradebook, width: int = 120) -> str:
    """The leaderboard as aligned lines without colours; ends with a line end."""
    parts = ["\n".join(block.lines()) for block in blocks(gradebook, width)]
    if footnotes := _footnotes(gradebook):
        parts.append("\n".join(footnotes))
    return "\n\n".join(parts) + "\n"


def summary_lines(row: SubmissionGrade) -> list[str]:
    """A line for every check that is not PASS: its place, status, cause and hint or message.

    A task whose file could not be loaded, or is not filled in, has one block instead of a line a
    check; tasks whose file was not submitted are left out. What the course marks has one line
    together, and lines of its own only where a known mistake is recognised.
    """
    blocks = [(task, whole) for task in row.tasks if (whole := in_one(task)) is not None]
    lines = [line for task, whole in blocks for line in _in_one(task, whole)]
    apart = {task.id for task, _ in blocks}
    failed = [
        (f"{clean(task.id, NAME_LIMIT)}/{clean(verdict.check, NAME_LIMIT)}", verdict)
        for task in row.tasks
        for verdict in task.verdicts
        if verdict.status != "PASS"
        and task.id not in apart
        and not not_submitted(task)
        and (verdict.hint or not verdict.by_course)
    ]
    longest = max((_cells(place) for place, _ in failed), default=0)
    for place, verdict in failed:
        status = "OPEN" if verdict.by_course else verdict.status
        lines.append(f"  {_padded(place, longest)}  {status}  {_why(verdict)}")
    count = sum(len(task.by_course) for task in row.tasks)
    if count:
        points = points_text(row.points_by_course)
        lines.append(f"  {count} checks, {points} points: {Cause.BY_COURSE.message}")
    return lines


def _in_one(task: TaskGrade, whole: InOne) -> list[str]:
    """The block about a file that could not be loaded, or is not filled in."""
    verdict = whole.verdict
    return [
        f"  {clean(task.id, NAME_LIMIT)}: {whole.text}",
        f"    {verdict.status}  {_why(verdict)}",
    ]


def _why(verdict: Verdict) -> str:
    cause = cause_of(verdict)
    return f"{cause}: {reason(verdict)}" if cause else reason(verdict)


def _totals(gradebook: Gradebook, tasks: list[str]) -> Block:
    label = labels(gradebook)
    places = ranked(gradebook)
    points = [f"{points_text(at.row.points)}/{_markable(at.row)}" for at in places]
    longest = max(map(len, points), default=0)
    rows = []
    for place, total in zip(places, points, strict=True):
        row = place.row
        graded = {task.id: task for task in row.tasks}
        rows.append(
            (
                str(place.rank).rjust(len("rank")),
                _shortened(label[row.name], _SUBMISSION_CELLS),
                total.rjust(longest) + ("*" if _waits(row) else ""),
                *(_mark(graded.get(task)) for task in tasks),
                clean(row.isolation, NAME_LIMIT) or "-",
            )
        )
    names = (_shortened(clean(task, NAME_LIMIT), _TASK_CELLS) for task in tasks)
    header = ("rank", "submission", "points", *names, "isolation")
    return Block(header, tuple(rows))


def _markable(row: SubmissionGrade) -> str:
    """The most points that can be earned here: without those that the course marks."""
    return points_text(round(row.max_points - row.points_by_course, 4))


def _waits(row: SubmissionGrade) -> bool:
    """Whether a check has no mark yet that is made here."""
    verdicts = (verdict for task in row.tasks for verdict in task.verdicts)
    return any(verdict.points is None and not verdict.by_course for verdict in verdicts)


def _by_task(gradebook: Gradebook, tasks: list[str], width: int) -> list[Block]:
    """Blocks with a line a task, each with as many submissions as fit, best first."""
    label = labels(gradebook)
    first_column = [_shortened(clean(task, NAME_LIMIT), _TASK_CELLS) for task in tasks]
    blocks_so_far: list[Block] = []
    columns: list[tuple[str, ...]] = []
    for place in ranked(gradebook):
        graded = {task.id: task for task in place.row.tasks}
        heading = _shortened(label[place.row.name], _HEADING_CELLS)
        column = (heading, *(_mark(graded.get(task)) for task in tasks))
        if columns and _block_by_task(first_column, [*columns, column]).width() > width:
            blocks_so_far.append(_block_by_task(first_column, columns))
            columns = []
        columns.append(column)
    return [*blocks_so_far, _block_by_task(first_column, columns)]


def _block_by_task(first_column: list[str], columns: list[tuple[str, ...]]) -> Block:
    header, *rows = zip(("task", *first_column), *columns, strict=True)
    return Block(header, tuple(rows))


def _mark(task: TaskGrade | None) -> str:
    """Points and ✓, or points and the initials of what is not PASS; a dash without a file."""
    if task is None or not_submitted(task):
        return "-"
    initials = "".join(status[0] for status in failing(task.verdicts))
    initials += "c" if task.by_course else ""
    stale = "~" if task.stale else ""
    return f"{points_text(task_points(task))} {initials or '✓'}{stale}"


def _footnotes(gradebook: Gradebook) -> list[str]:
    rows = gradebook.submissions
    notes = [] if gradebook.all_pass else [_LEGEND]
    notes += [_BY_COURSE] if any(row.points_by_course for row in rows) else []
    notes += [_PROVISIONAL] if any(map(_waits, rows)) else []
    notes += [_STALE] if any(row.stale for row in rows) else []
    return notes + _beside(gradebook)


def _beside(gradebook: Gradebook) -> list[str]:
    """A line for every override and lateness, under what the submission is called."""
    label = labels(gradebook)
    lines = [
        f"  {label[row.name]}: {sum_text(row)}; {each.text}"
        for row in gradebook.submissions
        for each in adjustments(row)
    ]
    return [_ADJUSTED, *lines] if lines else []


def _rich(block: Block) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for name in block.header:
        table.add_column(Text(name), no_wrap=True, overflow="ellipsis")
    for row in block.rows:
        table.add_row(*(Text(text, style=_style(text)) for text in row))
    return table


def _style(text: str) -> str:
    return "green" if text.rstrip("~").endswith(" ✓") else ""


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _shortened(text: str, cells: int) -> str:
    from rich.cells import set_cell_size

    return text if _cells(text) <= cells else set_cell_size(text, cells - 1).rstrip() + "…"


def _padded(text: str, cells: int) -> str:
    return text + " " * (cells - _cells(text))
