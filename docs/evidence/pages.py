"""Tables of docs/strength.md and docs/generative.md: ``python docs/evidence/pages.py``.

Everything is read from files of the repository: results/figures, stored runs of references and
known mistakes, and the tables beside this file. Nothing is measured here, and nothing takes longer
than reading. A table stands between ``<!-- name -->`` and ``<!-- /name -->``.
"""

from __future__ import annotations

import csv
import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cheats
import order
import targets

from harness.kinds import seed_success
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import LoadedTask, load_task
from harness.statistics import sequential

ROOT = Path(__file__).resolve().parents[2]
FIGURES, EVIDENCE = ROOT / "results" / "figures", ROOT / "docs" / "evidence"
STRENGTH, GENERATIVE = ROOT / "docs" / "strength.md", ROOT / "docs" / "generative.md"
#: Autoencoders, VAE and pixel models: groups G3 and G4 of the catalogue, and two extensions.
TASKS = (
    *("ae-linear-pca", "vae-loss-step", "vae-2d-gaussian", "vae-digits", "vae-beta-tradeoff"),
    *("vae-sample-interp", "cvae-conditional", "px-mask", "px-chain-nll", "px-rgb-order"),
    *("px-sample-complete", "px-known-entropy", "px-digits", "ae-denoising", "pixelrnn-lstm"),
)
#: Errors of honest work in tolerances: upper ends of the rows of their table.
RATIOS = (0.0, 0.05, 0.1, 0.15, 0.2)
#: Characters in a line of a page.
LONGEST = 130
Row = dict[str, str]
#: The outcome of a program that is wrong and not noticed.
SURVIVES = "survives"


def rows_of(path: Path) -> list[Row]:
    """The rows of a table."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def markdown(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    """A table."""
    text = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return "\n".join([*text, *(f"| {' | '.join(map(str, line))} |" for line in lines)])


def all_tasks() -> list[str]:
    """The ids of all tasks."""
    return sorted(path.parent.name for path in ROOT.glob("tasks/*/task.yaml"))


def loaded(name: str) -> LoadedTask:
    """A task with its reference."""
    return load_task(ROOT / "tasks" / name, ROOT / "reference" / name)


# --- strength ----------------------------------------------------------------------------------

SURVIVORS = ("plain", "state", "clamp", "float32")


def mutants() -> str:
    """Every task whose automatic mutants were tried, beside what efa89d5 let pass."""
    before = {row["task"]: row for row in rows_of(EVIDENCE / "strength-before.csv")}
    whole = [row for row in rows_of(FIGURES / "mutation.csv") if not row["check"]]
    lines: list[list[object]] = []
    for row in whole:
        known = before.get(row["task"])
        earlier = "" if known is None else _survivors(known, ("plain", "clamp", "float32"))
        lines.append(_line(row, row["task"], str(earlier)))
    counted = ("mutants", "untried", "crash", "refused", "caught", "equivalent", "excused")
    names = (*counted, *SURVIVORS, "cpu_s")
    total = {name: str(sum(float(row[name]) for row in whole)) for name in names}
    lines.append(_line(total, f"{len(whole)} tasks", ""))
    head = ("task", "mutants", "train only", "crash or refused", "caught", "as the original")
    return markdown((*head, "excused", "survive", "ms each", "survived at efa89d5"), lines)


def _survivors(row: Row, names: Sequence[str]) -> int:
    return sum(int(float(row[name])) for name in names)


def _line(row: Row, name: str, earlier: str) -> list[object]:
    count = _survivors(row, ("mutants",))
    cells = [_survivors(row, names) for names in (("untried",), ("crash", "refused"), ("caught",))]
    rest = [_survivors(row, names) for names in (("equivalent",), ("excused",), SURVIVORS)]
    each = round(1000 * float(row["cpu_s"]) / (count - cells[0]))
    return [name, count, *cells, *rest, each, earlier]


def untried() -> str:
    """The tasks without a row."""
    tried = {row["task"] for row in rows_of(FIGURES / "mutation.csv")}
    names = [name for name in all_tasks() if name not in tried]
    if not names:
        return "Every task has a row."
    text = f"Without a row ({len(names)} of {len(all_tasks())} tasks): {', '.join(names)}."
    return textwrap.fill(text, LONGEST, break_on_hyphens=False)


def written() -> str:
    """The kept-back programs of efa89d5, by task."""
    found = rows_of(EVIDENCE / "strength-before.csv")
    cells = [f"{row['task']} {row['known']} of {row['own']}" for row in found]
    known, own = (sum(int(row[name]) for row in found) for name in ("known", "own"))
    text = f"Caught at efa89d5: {', '.join(cells)}; together {known} of {own}."
    return textwrap.fill(text, LONGEST, break_on_hyphens=False)


def kept() -> str:
    """Programs that keep results by part of their arguments, and how many are noticed."""
    found = rows_of(EVIDENCE / "kept.csv")
    ways = list(dict.fromkeys(row["kept_by"] for row in found))
    lines: list[list[object]] = []
    for task in sorted({row["task"] for row in found}):
        own = [row for row in found if row["task"] == task]
        lines.append([task, *(_noticed(own, "kept_by", way) for way in ways)])
    lines.append([f"{len(lines)} tasks", *(_noticed(found, "kept_by", way) for way in ways)])
    return markdown(("task", *ways), lines)


def special() -> str:
    """Programs that are wrong in special cases alone: a row a case, and what is not noticed."""
    found = rows_of(EVIDENCE / "special.csv")
    lines: list[list[object]] = []
    for way in dict.fromkeys(row["wrong_where"] for row in found):
        own = [row for row in found if row["wrong_where"] == way]
        unseen = [f"{row['task']} `{row['function']}`" for row in own if row["outcome"] == SURVIVES]
        tasks = len({row["task"] for row in own})
        lines.append([way, tasks, _noticed(own, "wrong_where", way), ", ".join(unseen)])
    return markdown(("wrong where", "tasks", "noticed", "not noticed"), lines)


def _noticed(rows: Sequence[Row], column: str, way: str) -> str:
    """How many of those that give a wrong answer have not every mark."""
    outcomes = [row["outcome"] for row in rows if row[column] == way]
    wrong = [outcome for outcome in outcomes if outcome != "equivalent"]
    return f"{sum(outcome != SURVIVES for outcome in wrong)} of {len(wrong)}" if wrong else ""


def margins() -> str:
    """The worst honest error of every check that has a tolerance, counted."""
    worst: dict[tuple[str, str], tuple[float, str]] = {}
    for row in rows_of(FIGURES / "verification.csv"):
        if row["role"] != "mutant" and row["margin"]:
            place = row["task"], row["check"]
            worst[place] = max(worst.get(place, (0.0, "")), (float(row["margin"]), row["program"]))
    lines: list[list[object]] = []
    for low, high in zip((-1.0, *RATIOS), (*RATIOS, float("inf")), strict=True):
        inside = {p: w for p, w in worst.items() if low < w[0] <= high}
        words = f"above {low:g}, at most {high:g}" if low >= 0 else "0: bit for bit"
        words = f"above {low:g}" if high == float("inf") else words
        largest = sorted(inside.items(), key=lambda item: -item[1][0])[:3]
        named = ", ".join(f"{task}/{check} {value:.2g}" for (task, check), (value, _) in largest)
        lines.append([words, len(inside), named if low >= 0 else ""])
    return markdown(("worst honest error, tolerances", "checks", "the largest"), lines)


# --- generative ----------------------------------------------------------------------------------


def reproduced() -> str:
    """Figures of the catalogue on undisguised data."""
    lines = []
    for row in targets.read():
        known = targets.QUANTITIES[row.quantity]
        found = ", ".join(f"{value:.6g}" for value in row.numbers)
        lines.append([known.words, known.said, found, "yes" if row.reproduced else "**no**"])
    return markdown(("quantity", "catalogue", "found", "as said"), lines)


def brought() -> str:
    """Weights from home on marked seeds."""
    lines = [[row.task, *_came_to(row)] for row in cheats.read()]
    return markdown(("task", "weights from", *CAME_TO), lines)


def arranged() -> str:
    """The same, put into the order of the pixels first."""
    lines = [[f"{row.task}/{row.check}", *_came_to(row)] for row in order.read()]
    return markdown(("check", "home", *CAME_TO), lines)


CAME_TO = ("seeds that succeed", "came to", "wanted")


def _came_to(row: cheats.Row) -> list[str]:
    """What home is, and the columns of CAME_TO."""
    both = f"{row.least:.3g}" if row.seeds == 1 else f"{row.least:.3g} to {row.most:.3g}"
    return [row.source, f"{row.succeeded} of {row.seeds}", both, f"{row.threshold:g}"]


def trained() -> Iterator[tuple[str, SeedSuccessCheck, dict[str, Any]]]:
    """The checks that train, with the stored runs of their task."""
    for name in TASKS:
        path = ROOT / "reference" / name / "targets" / "runs.json"
        if path.is_file():
            record = json.loads(path.read_text(encoding="utf-8"))
            for check in loaded(name).spec.checks:
                if isinstance(check, SeedSuccessCheck):
                    yield name, check, record


def runs() -> str:
    """Stored runs of honest programs and of the known mistake that comes nearest."""
    lines = []
    for name, check, record in trained():
        honest = [item for item in record["programs"] if item["role"] != "mutant"]
        values = [value for item in honest for value in item["values"][check.metric]]
        succeeded = sum(_succeeds(check, value) for value in values)
        own = _mistakes(name, check.id)
        shares = {
            item["name"].split("/")[-1]: item["values"][check.metric]
            for item in record["programs"]
            if item["name"].split("/")[-1] in own
        }
        nearest = max(shares, key=lambda key: _best(check, shares[key]))
        counts = " + ".join(str(len(item["values"][check.metric])) for item in honest)
        seconds = sum(item["cpu_s"] for item in honest) / len(values)
        lines.append(
            [
                *(f"{name}/{check.id}", f"{succeeded} of {len(values)}", counts),
                f"{min(values):.3g} to {max(values):.3g}",
                f"{'≥' if check.better == 'higher' else '≤'} {check.threshold:g}",
                f"{_best(check, shares[nearest], signed=False):.3g} ({nearest})",
                f"{seconds:.1f}",
            ]
        )
    head = ("check", "honest seeds that succeed", "reference + variants", "came to", "wanted")
    return markdown((*head, "best seed of its mistakes", "CPU s a seed"), lines)


def _succeeds(check: SeedSuccessCheck, value: float | None) -> bool:
    return value is not None and seed_success.succeeds(check, value)


def _mistakes(name: str, check: str) -> set[str]:
    reference = loaded(name).reference
    assert reference is not None
    return {each.mistake.name for each in reference.mutants if each.mistake.check == check}


def _best(check: SeedSuccessCheck, values: Sequence[float | None], signed: bool = True) -> float:
    """The best value; turned round where lower is better, if it is to be compared."""
    sign = 1 if check.better == "higher" else -1
    found = max((sign * value for value in values if value is not None), default=-1e300)
    return found if signed else sign * found


def derived() -> str:
    """What the one design of all these checks does, exactly."""
    designs = {seed_success.design(check) for _, check, _ in trained()}
    lines = []
    for design in designs:
        for rate in (1.0, 0.99, 0.95, 0.9, 0.7, 0.4, 0.1):
            found = sequential.operating(design, rate)
            lost = found.p_fail + found.p_undecided
            seeds = f"{found.expected_seeds:.1f}"
            lines.append([f"{rate:g}", f"{found.p_pass:.3g}", f"{lost:.2g}", seeds])
    return markdown(("seeds that succeed", "passes", "does not", "seeds needed"), lines)


def times() -> str:
    """Processor seconds of the checks that do not train, of one complete submission."""
    found = rows_of(EVIDENCE / "times.csv")
    total = sum(float(row["cpu_s"]) for row in found)
    lines = [[row["task"], row["cpu_s"], row["most"]] for row in found]
    return markdown(("task", "CPU s", "the dearest"), [*lines, ["all", f"{total:.1f}", ""]])


PAGES = {
    STRENGTH: (mutants, untried, kept, special, written, margins),
    GENERATIVE: (reproduced, brought, arranged, runs, derived, times),
}


def page(path: Path) -> str:
    """A page with its tables made anew."""
    text = path.read_text(encoding="utf-8")
    for table in PAGES[path]:
        name = table.__name__
        first, last = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
        if text.count(first) != 1 or text.count(last) != 1:
            raise ValueError(f"{path.name}: no place for the table {name}")
        before, rest = text.split(first)
        text = before + first + table() + last + rest.split(last)[1]
    return text


def main() -> None:
    """Writes both pages."""
    for path in PAGES:
        path.write_text(page(path), encoding="utf-8")


if __name__ == "__main__":
    main()
