"""The rows of the side-by-side as Markdown: a table a check, a line a scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_HEADER = (
    "scheme",
    "stated rate",
    "takes (mean of at most)",
    "stored reference",
    "worst false fail, honest",
    "under one reference",
    "least power, mistakes",
)

_LEGEND = (
    "Rates of failing, as shares of gradings with their 95 % bounds (Clopper-Pearson); `exact`: at "
    "the stored runs' own success rate. Under one reference: 5th to 95th percentile over stored "
    "references that are each kept for all gradings of the reference program. Draws are compared "
    "where they have one law whatever instance is drawn; elsewhere stored ones would be of another."
)

Row = Mapping[str, Any]


def markdown(rows: Sequence[Row]) -> str:
    """A table a check: the honest program that fails most, the mistake that is found least."""
    checks = dict.fromkeys((row["task"], row["check"]) for row in rows)
    tables = [
        _check(task, check, [row for row in rows if (row["task"], row["check"]) == (task, check)])
        for task, check in checks
    ]
    return "\n\n".join([_LEGEND, *tables]) + "\n"


def _check(task: str, check: str, rows: Sequence[Row]) -> str:
    graded = [row for row in rows if row["applies"]]
    honest = len({row["program"] for row in graded if row["false_fail"] is not None})
    mistakes = len({row["program"] for row in graded if row["power"] is not None})
    gradings = max((row["gradings"] for row in graded), default=0)
    different = min((row["disjoint"] for row in graded), default=0)
    again = f" There are different units for {different}." if different < gradings else ""
    lines = [
        f"### {task}/{check}",
        "",
        f"Honest programs: {honest}; mistakes: {mistakes}; gradings of each: {gradings}.{again}",
        "",
        _line(_HEADER),
        _line(["---"] * len(_HEADER)),
    ]
    for scheme in dict.fromkeys(row["scheme"] for row in graded):
        lines.append(_line(_scheme([row for row in graded if row["scheme"] == scheme])))
    for row in rows:
        if not row["applies"]:
            note = f"does not apply: {row['note']}"
            lines.append(_line([row["scheme"], *[""] * 3, note, "", ""]))
    return "\n".join(lines)


def _scheme(rows: Sequence[Row]) -> list[str]:
    row = rows[0]
    honest = [item for item in rows if item["false_fail"] is not None]
    mistakes = [item for item in rows if item["power"] is not None]
    worst = max(honest, key=lambda item: (item["false_fail"], item["exact"] or 0), default=None)
    least = min(mistakes, key=lambda item: (item["power"], item["exact"] or 0), default=None)
    mean = sum(item["own_mean"] for item in honest) / max(1, len(honest))
    spread = next((item["by_reference"] for item in rows if item["by_reference"]), None)
    return [
        row["scheme"],
        "none" if row["nominal"] is None else f"{row['nominal']:.2g}",
        f"{_number(mean)} of {row['own_most']} {row['unit']}",
        str(row["reference"] or "none"),
        _rate(worst, "false_fail"),
        "" if spread is None else f"{spread['p5']:.3g} to {spread['p95']:.3g}",
        _rate(least, "power"),
    ]


def _rate(row: Row | None, name: str) -> str:
    if row is None:
        return ""
    exact = "" if row["exact"] is None else f", exact {row['exact']:.2g}"
    program = row["program"].split("/")[-1]
    undecided = f", {row['undecided']} undecided" if row["undecided"] else ""
    return f"{row[name]:.3g} [{row['low']:.2g}, {row['high']:.2g}]{exact}{undecided} ({program})"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
