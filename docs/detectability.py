"""Which check sees which bug of reinforcement learning: ``python docs/detectability.py``.

Nothing is trained here. results/figures/detectability.csv has a row for every known mistake with a
bug of the catalogue and every check that was tried on it: exact checks from mistakes.yaml and
verification.csv, training checks from detectability-seeds.jsonl (docs/evidence/power.py makes it),
and pilots from detectability-pilots.csv, both in results/figures. From that file alone
docs/detectability.svg and the table of docs/detectability.md are made; ``--draw`` leaves the former
step out.
"""

import argparse
import csv
import html
import io
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from harness import stored_runs
from harness.kinds import seed_success
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import LoadedTask, load_task
from harness.statistics import sequential

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "results" / "figures"
CSV, PILOTS = FIGURES / "detectability.csv", FIGURES / "detectability-pilots.csv"
SEEDS = FIGURES / "detectability-seeds.jsonl"
#: Bugs that are trained though they are no known mistakes.
ALSO_TRAINED = ROOT / "docs" / "evidence" / "training_bugs.yaml"
SVG, PAGE = ROOT / "docs" / "detectability.svg", ROOT / "docs" / "detectability.md"

#: The bugs of deep Q-learning and of policy gradients, by their numbers in the catalogue.
BUGS = {
    57: "sums from the start in place of the return to go",
    58: "returns run on into the next episode",
    68: "total return where the return to go is asked for",
    69: "own reward dropped",
    70: "immediate reward only",
    71: "discount to another power",
    72: "divided by steps or lengths",
    73: "sign of the loss",
    74: "softmax of probabilities, or p for log p",
    75: "column against row",
    76: "returns not detached from the critic",
    77: "baseline depends on the action",
    78: "value of the next state as baseline",
    79: "advantages normalised by trajectory",
    80: "moving average includes the current sample",
    81: "mean return as optimal baseline",
    82: "t - y in place of a - y",
    83: "normalised visits compared with the gradient",
    84: "A2C as it is printed: r_t, ascent on the critic",
    85: "gradient between actor and critic",
    86: "sign of the entropy",
    87: "no terminal mask",
    88: "truncation taken for termination",
    89: "mask inverted, or reward masked too",
    90: "maximum over another axis, or another mean of it",
    91: "gradient through the target",
    92: "value of another action, broadcasting",
    93: "target network an alias, or never copied",
    94: "observation after a reset stored as successor",
    95: "frames in another order or across episodes",
    96: "schedule of epsilon",
    97: "law of the replay memory",
    98: "clipped rewards or lives in the score",
    99: "acts with the epsilon of training",
    100: "normalised with another table of scores",
}
FIRST_OF_Q_LEARNING = 87
EXACT, PROBE, GAME, POLE, MINATAR = COLUMNS = "exact", "probe", "mini-game", "cartpole", "minatar"
TITLES = {
    EXACT: "exact check",
    PROBE: "probe",
    GAME: "mini game",
    POLE: "cart-pole",
    MINATAR: "MinAtar, a pilot",
}
#: The tasks, with the column of their checks that train.
TASKS = {
    "dqn-target-loss": "",
    "dqn-pipeline": "",
    "dqn-probe": PROBE,
    "dqn-mini-breakout": GAME,
    "dqn-atari": "",
    "pg-reinforce-loss": "",
    "pg-theorem": "",
    "pg-classification": "",
    "pg-baseline": "",
    "pg-baseline-cartpole": POLE,
    "pg-reinforce-cartpole": POLE,
    "a2c-cartpole": POLE,
    "dqn-cartpole": POLE,
    "a2c-update": "",
}
#: Confidence of the lower bound of a power.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Row:
    """One mistake under one check.

    Attributes:
        bug: its number in the catalogue.
        runs, failed: seeds that were stored, and those that miss the threshold; of an exact check,
            1 and whether it is caught. ``failed`` is -1 where a pilot stored a mean alone.
        power: the probability that the check does not pass, if as many seeds fail as did.
        power_low: the same at the lower bound of the share that fails, confidence .95.
        cpu_s: processor seconds a seed.
        value, honest: the mean of the metric, and that of the reference.
    """

    bug: int
    column: str
    task: str
    check: str
    mistake: str
    runs: int
    failed: int
    power: float
    power_low: float
    cpu_s: float
    value: float
    honest: float


def rows() -> list[Row]:
    """All rows, from the files of the repository."""
    found = [row for task in TASKS for row in (*_exact(task), *_trained(task))] + list(_pilots())
    return sorted(found, key=lambda row: (row.bug, COLUMNS.index(row.column), row.task))


def _mistakes(task: str) -> Iterator[tuple[int, dict[str, Any]]]:
    path = ROOT / "reference" / task / "mistakes.yaml"
    for mistake in yaml.safe_load(path.read_text(encoding="utf-8"))["mistakes"]:
        yield from ((bug, mistake) for bug in mistake.get("bug", []) if bug in BUGS)


def _exact(name: str) -> Iterator[Row]:
    """The checks that do not train, by what `verify` found."""
    with (FIGURES / "verification.csv").open(encoding="utf-8", newline="") as stream:
        caught = {
            (row["program"], row["check"]): row["caught"] == "yes"
            for row in csv.DictReader(stream)
            if row["task"] == name and row["role"] == "mutant"
        }
    trained = {check.id for check in loaded_task(name).spec.checks if check.kind == "seed-success"}
    for bug, mistake in _mistakes(name):
        place = mistake["name"], mistake["check"]
        if mistake["check"] not in trained and place in caught:
            power = float(caught[place])
            nan = math.nan
            yield Row(
                *(bug, EXACT, name, mistake["check"], mistake["name"], 1, int(power)),
                *(power, power, nan, nan, nan),
            )


def _trained(name: str) -> Iterator[Row]:
    """The checks that train, by the seeds of the mistakes."""
    if not TASKS[name]:
        return
    task = loaded_task(name)
    checks = stored_runs.checks(task)
    runs = stored_runs.read(task, checks[0].target)
    honest = next(item for item in runs if item.role == "reference")
    lines = map(json.loads, SEEDS.read_text(encoding="utf-8").splitlines())
    stored = {item["name"]: item for item in lines}
    also = yaml.safe_load(ALSO_TRAINED.read_text(encoding="utf-8")).get(name, ())
    numbered = [(bug, mistake["name"]) for bug, mistake in _mistakes(name)]
    for bug, mistake in [*numbered, *((bug, item["name"]) for item in also for bug in item["bug"])]:
        item = stored.get(f"{name}/{mistake}")
        if item is None:  # training does not reach it
            continue
        for check in checks:
            values = item["values"][check.metric]
            place = bug, TASKS[name], name, check.id, mistake
            yield _of_runs(place, check, values, item["cpu_s"] / len(values), honest)


def _of_runs(
    place: tuple[int, str, str, str, str],
    check: SeedSuccessCheck,
    values: list[float | None],
    cpu_s: float,
    honest: stored_runs.StoredRuns,
) -> Row:
    numbers = [check.low if value is None else value for value in values]
    failed = sum(not seed_success.succeeds(check, value) for value in numbers)
    most = sequential.upper_bound(len(numbers) - failed, len(numbers), CONFIDENCE)
    return Row(
        *place,
        len(numbers),
        failed,
        power(check, 1 - failed / len(numbers)),
        power(check, most),
        cpu_s,
        math.fsum(numbers) / len(numbers),
        math.fsum(honest.of(check)) / honest.count,
    )


def power(check: SeedSuccessCheck, success_rate: float) -> float:
    """The probability that the check does not pass where seeds succeed at this rate."""
    return 1 - sequential.operating(seed_success.design(check), success_rate).p_pass


def _pilots() -> Iterator[Row]:
    """Means of a few seeds that were printed, not stored."""
    with PILOTS.open(encoding="utf-8", newline="") as stream:
        for item in csv.DictReader(stream):
            nan = math.nan
            yield Row(
                *(int(item["bug"]), item["column"], item["task"], "", item["mistake"]),
                *(int(item["seeds"]), -1, nan, nan, nan),
                *(float(item["value"]), float(item["honest"])),
            )


def loaded_task(name: str) -> LoadedTask:
    """A task of the matrix with its reference."""
    return load_task(ROOT / "tasks" / name, ROOT / "reference" / name)


def to_csv(found: Iterable[Row]) -> str:
    """The rows as text, four digits a figure; empty where there is none."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.name for column in fields(Row)])
    for row in found:
        writer.writerow([_text(value) for value in asdict(row).values()])
    return stream.getvalue()


def _text(value: object) -> object:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return value


def read(text: str) -> list[Row]:
    """The rows that :func:`to_csv` wrote."""
    kinds = {"bug": int, "runs": int, "failed": int}
    words = {"column", "task", "check", "mistake"}
    found = []
    for item in csv.DictReader(io.StringIO(text)):
        values: dict[str, Any] = {}
        for name, value in item.items():
            if name in words:
                values[name] = value
            else:
                values[name] = kinds[name](value) if name in kinds else float(value or "nan")
        found.append(Row(**values))
    return found


@dataclass(frozen=True)
class Cell:
    """What is shown of a bug in one column.

    Attributes:
        power: of the mistake that the column sees least well, by the check that sees it best; NaN
            where a pilot stored means alone or nothing was measured.
        text: a few characters for the cell.
        pilot: nothing but means of a few seeds is known.
    """

    power: float
    text: str
    pilot: bool = False


NOTHING = Cell(math.nan, "")


def cell(found: Iterable[Row], bug: int, column: str) -> Cell:
    """The cell of a bug in a column."""
    here = [row for row in found if row.bug == bug and row.column == column]
    measured = [row for row in here if row.failed >= 0]
    if column == EXACT and measured:
        caught = sum(row.failed for row in measured)
        return Cell(caught / len(measured), f"{caught} of {len(measured)}")
    if measured:
        names = dict.fromkeys((row.task, row.mistake) for row in measured)
        best = [
            max(
                (row for row in measured if (row.task, row.mistake) == name),
                key=lambda row: (row.power, row.failed / row.runs),
            )
            for name in names
        ]
        failed, runs = sum(row.failed for row in best), sum(row.runs for row in best)
        low, high = min(row.power_low for row in best), min(row.power for row in best)
        return Cell(high, f"{failed}/{runs}: {_share(low)}–{_share(high)}")
    if here:
        shown = ", ".join(f"{row.value:g}" for row in sorted(here, key=lambda row: row.value))
        return Cell(math.nan, f"{shown} ({here[0].honest:g})", pilot=True)
    return NOTHING


def _share(value: float) -> str:
    return f"{value:.2f}".lstrip("0") if value < 0.995 else "1"


def table(found: list[Row]) -> str:
    """The table of the page."""
    lines = [
        "| # | bug | " + " | ".join(TITLES[column] for column in COLUMNS) + " |",
        "|---|---|" + "---|" * len(COLUMNS),
    ]
    for bug, text in BUGS.items():
        cells = [cell(found, bug, column).text for column in COLUMNS]
        lines.append(f"| {bug} | {text} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def costs(found: list[Row]) -> str:
    """A table of what a seed costs, by task."""
    lines = ["| task | column | CPU s a seed, over its mistakes |", "|---|---|---|"]
    for task, column in TASKS.items():
        spent = {row.mistake: row.cpu_s for row in found if row.task == task and row.cpu_s > 0}
        if spent:
            low, high = min(spent.values()), max(spent.values())
            lines.append(f"| {task} | {TITLES[column]} | {low:.2g} to {high:.2g} |")
    return "\n".join(lines)


WIDTH, HEIGHT, LEFT, TOP = 118, 17, 318, 42
#: From not seen (orange) over white to seen (blue), by Okabe and Ito.
LOW, MIDDLE, HIGH = (213, 94, 0), (255, 255, 255), (86, 180, 233)


def _colour(power: float) -> str:
    first, second = (LOW, MIDDLE) if power < 0.5 else (MIDDLE, HIGH)
    share = 2 * power if power < 0.5 else 2 * power - 1
    parts = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)


def draw(found: list[Row]) -> str:
    """The heat map as SVG."""
    bugs = list(BUGS)
    width, height = LEFT + WIDTH * len(COLUMNS) + 8, TOP + HEIGHT * len(bugs) + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'font-family="sans-serif" font-size="10">',
        "<title>Which check sees which bug</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for index, column in enumerate(COLUMNS):
        x = LEFT + WIDTH * (index + 0.5)
        parts.append(f'<text x="{x:g}" y="{TOP - 8}" text-anchor="middle">{TITLES[column]}</text>')
    for line, bug in enumerate(bugs):
        y = TOP + HEIGHT * line
        text = html.escape(f"{bug} {BUGS[bug]}")
        parts.append(f'<text x="{LEFT - 6}" y="{y + 12}" text-anchor="end">{text}</text>')
        for index, column in enumerate(COLUMNS):
            parts += _square(cell(found, bug, column), LEFT + WIDTH * index, y)
    parts.append(
        f'<text x="8" y="{height - 12}">Blue: seen. Orange: not seen. Grey: nothing was measured. '
        "Dashed: means of a few seeds alone, beside that of honest work.</text>"
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _square(shown: Cell, x: int, y: int) -> list[str]:
    fill = "#eeeeee" if shown == NOTHING else "#ffffff" if shown.pilot else _colour(shown.power)
    dashed = ' stroke-dasharray="3 2"' if shown.pilot else ""
    box = f'<rect x="{x + 1}" y="{y + 1}" width="{WIDTH - 2}" height="{HEIGHT - 2}" fill="{fill}"'
    stroke = ' stroke="#bbbbbb"' if shown != NOTHING else ""
    parts = [f"{box}{stroke}{dashed}/>"]
    if shown.text:
        middle = f'x="{x + WIDTH / 2:g}" y="{y + 12}" text-anchor="middle"'
        parts.append(f"<text {middle}>{html.escape(shown.text)}</text>")
    return parts


def page(text: str, found: list[Row]) -> str:
    """The page with its tables made anew."""
    for name, content in (("matrix", table(found)), ("costs", costs(found))):
        first, last = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
        before, rest = text.split(first)
        text = before + first + content + last + rest.split(last)[1]
    return text


def main() -> None:
    """Makes the files."""
    parser = argparse.ArgumentParser(description="Which check sees which bug.")
    parser.add_argument("--draw", action="store_true", help="from the CSV that is there")
    if not parser.parse_args().draw:
        CSV.write_text(to_csv(rows()), encoding="utf-8")
    found = read(CSV.read_text(encoding="utf-8"))
    SVG.write_text(draw(found), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
