"""Bugs 1 to 103 of the catalogue: where each is caught, by ``python docs/bugs.py``.

Nothing is run here. The table of docs/bugs.md is made from the bugs that tasks promise to know
(CATALOGUE in tests/tasks/test_every_task.py), their mistakes.yaml, what `verify` found
(results/figures/verification.csv) and the stored runs of mistakes that train.
"""

import csv
import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from harness.kinds import seed_success
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import load_task

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "bugs.md"
MARKS = "<!-- bugs -->\n", "\n<!-- /bugs -->"


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


#: Each bug in a few words; those of reinforcement learning are the matrix's (detectability.py).
BUGS = {
    1: "ln σ read as ln σ² in the KL",
    2: "KL averaged over the latent dimensions",
    3: "sign of the KL",
    4: "the constant 1 of each dimension forgotten, or counted once",
    5: "arguments of the KL exchanged",
    6: "reconstruction averaged over pixels beside a summed KL",
    7: "KL alone averaged over the latent dimensions",
    8: "η used as a standard deviation",
    9: "½ or 2πη missing from the density",
    10: "squared error and KL without 1/(2η)",
    11: "entropy missing, or half of it",
    12: "log p(z) missing from the joint density",
    13: "gap taken as KL(posterior ‖ q)",
    14: "σ bounded below, so that a point mass has a finite KL",
    15: "mean of logarithms for the logarithm of a mean",
    16: "ln M missing, or logsumexp over the batch",
    17: "weight upside down",
    18: "exponential first, logarithm afterwards",
    19: "one noise for all importance samples",
    20: "z cut from the graph",
    21: "σ from another exponent in sampling",
    22: "one noise for the batch or for all dimensions",
    23: "noise of another law or scale",
    24: "factor σ of the chain rule missing",
    25: "sum in place of the mean over samples",
    26: "gradient through z in the score estimator",
    27: "∇q for ∇ log q",
    28: "straight-through taken for unbiased",
    29: "baseline that depends on the sample",
    30: "the wrong term left out of the path derivative",
    31: "softplus and exp both, or a clamp without gradient",
    32: "PCA without centring",
    33: "axes compared in place of subspaces",
    34: "sigmoid twice, or none",
    35: "samples from q in place of the prior",
    36: "ends of an interpolation exchanged, or pixels interpolated",
    37: "q(z|x,y) at test time",
    38: "β on the reconstruction",
    39: "ELBO of the training set, or in training mode",
    40: "masks A and B exchanged",
    41: "mask A in every layer",
    42: "a wrong part of the mask kept; kernel turned round",
    43: "weights masked once",
    44: "channels of the current pixel all hidden or all visible",
    45: "groups of channels interleaved",
    46: "normalisation that leaks over pixels",
    47: "1×1 layers of type A",
    48: "bits per dimension: number of dimensions, or nats",
    49: "sampling in one pass, by argmax, or with the own pixel",
    50: "observed pixels overwritten",
    51: "diagonal order with a raster likelihood",
    52: "running mean off by one",
    53: "exploring leaves out the greedy arm",
    54: "ε and 1 - ε exchanged",
    55: "the first of equal arms",
    56: "step size from the number of all trials",
    59: "transition matrix transposed",
    60: "value of a terminal state",
    61: "maximum over states",
    62: "sweeps stopped without γ/(1 - γ)",
    63: "discount on another term, or twice",
    64: "one best action demanded",
    65: "prize without the cost of the step",
    66: "policy by the hidden position",
    67: "target of the policy's own next action",
    101: "sign of the exponent of FLOPS",
    102: "numbers of decisions; probabilities of a step",
    103: "generators reseeded or read, targets returned",
} | _module(ROOT / "docs" / "detectability.py").BUGS


@dataclass(frozen=True)
class Row:
    """A bug in one task.

    Attributes:
        mistake, check: a known mistake with this number, and the check that must catch it.
        others: how many more mistakes of the task have the number.
        caught: of all these: how many were caught, of how many that were judged, in words.
        hint: what a student reads who makes the one that is named.
    """

    bug: int
    task: str
    mistake: str
    check: str
    others: int
    caught: str
    hint: str


def promises() -> tuple[dict[str, set[int]], dict[int, str]]:
    """Bugs by the tasks that promise to know them; those that no program can have, with why."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    table = _module(ROOT / "tests" / "tasks" / "test_every_task.py")
    return table.CATALOGUE, table.NO_STUDENTS


def rows() -> list[Row]:
    """All rows, by bug and task."""
    promised, _ = promises()
    found = [row for task, bugs in promised.items() for row in _of_task(task, bugs)]
    return sorted(found, key=lambda row: (row.bug, row.task))


def _of_task(task: str, bugs: set[int]) -> list[Row]:
    path = ROOT / "reference" / task / "mistakes.yaml"
    known = yaml.safe_load(path.read_text(encoding="utf-8"))["mistakes"] if bugs else []
    judged, found = _judged(task) if bugs else {}, []
    for bug in sorted(bugs):
        here = [mistake for mistake in known if bug in mistake.get("bug", [])]
        first = min(here, key=lambda mistake: mistake["name"] not in judged)
        caught = [judged[mistake["name"]] for mistake in here if mistake["name"] in judged]
        found.append(
            Row(
                *(bug, task, first["name"], first["check"], len(here) - 1),
                f"{sum(caught)} of {len(caught)}" if caught else "not judged yet",
                " ".join(first["hint"].split()),
            )
        )
    return found


def _judged(task: str) -> dict[str, bool]:
    """Whether each known mistake is caught by its check, as far as it was tried."""
    path = ROOT / "results" / "figures" / "verification.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        verified = {
            row["program"]: row["caught"] == "yes"
            for row in csv.DictReader(stream)
            if (row["task"], row["role"]) == (task, "mutant") and row["status"] != "UNGRADABLE"
        }
    return by_stored_runs(task) | verified


def by_stored_runs(task: str) -> dict[str, bool]:
    """Of mistakes that train: whether most of their stored seeds miss the threshold."""
    path = ROOT / "reference" / task / "targets" / "runs.json"
    if not path.is_file():
        return {}
    spec = load_task(ROOT / "tasks" / task, ROOT / "reference" / task).spec
    checks = {check.id: check for check in spec.checks if isinstance(check, SeedSuccessCheck)}
    mistakes = yaml.safe_load((path.parents[1] / "mistakes.yaml").read_text(encoding="utf-8"))
    place = {mistake["name"]: mistake["check"] for mistake in mistakes["mistakes"]}
    found: dict[str, bool] = {}
    for program in json.loads(path.read_text(encoding="utf-8"))["programs"]:
        name = program["name"].split("/")[-1]
        check = checks.get(place.get(name, ""))
        values: list[Any] = program["values"].get(check.metric, []) if check else []
        if check is not None and values:
            missed = sum(
                not seed_success.succeeds(check, check.low if value is None else value)
                for value in values
            )
            found[name] = 2 * missed > len(values)
    return found


def table(found: list[Row]) -> str:
    """The table of the page; a row without a task for every bug that no program can have."""
    _, none = promises()
    lines = ["| # | bug | task | known mistake | check | caught | hint |", "|" + "---|" * 7]
    for bug, text in sorted(BUGS.items()):
        for row in found:
            if row.bug == bug:
                more = f" (+{row.others})" if row.others else ""
                cells = row.task, f"{row.mistake}{more}", row.check, row.caught, row.hint
                lines.append(f"| {bug} | {_cell(text)} | " + " | ".join(map(_cell, cells)) + " |")
        if bug in none:
            lines.append(f"| {bug} | {_cell(text)} | – | – | – | – | {none[bug]} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def page(text: str, found: list[Row]) -> str:
    """The page with its table made anew."""
    before, rest = text.split(MARKS[0])
    return before + MARKS[0] + table(found) + MARKS[1] + rest.split(MARKS[1])[1]


def main() -> None:
    """Makes the table anew."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), rows()), encoding="utf-8")


if __name__ == "__main__":
    main()
