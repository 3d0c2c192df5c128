"""Seeds of training of bugs with a number in the catalogue: ``python docs/evidence/power.py``.

A known mistake that an exact check catches is trained as well, and so are the bugs of
training_bugs.yaml: results/figures/detectability-seeds.jsonl has what each came to, from which
docs/detectability.py computes the power of training checks. Seeds are those of stored runs. A
mistake whose first seed comes to the very numbers of the reference has no other seeds and is left
out, since training does not reach it. All takes about an hour on one processor.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from concurrent.futures import Executor
from functools import cache
from typing import Any

import yaml
from pages import EVIDENCE, FIGURES, loaded

from harness import stored_runs
from harness.collect.pool import fresh
from harness.files import write_text
from harness.records import Program
from harness.spec.load import LoadedTask
from harness.stored_runs import StoredRuns
from harness.targets.training import extended, no_runs, trained

SEEDS, BUGS = FIGURES / "detectability-seeds.jsonl", EVIDENCE / "training_bugs.yaml"
#: Tasks with training whose mistakes have numbers of the matrix, and how many seeds each gets.
TASKS = {
    "dqn-probe": 10,
    "dqn-mini-breakout": 6,
    "dqn-cartpole": 10,
    "a2c-cartpole": 10,
    "pg-baseline-cartpole": 10,
    "pg-reinforce-cartpole": 20,
}
#: The name of a program -> its runs.
Runs = dict[str, StoredRuns]


@cache
def programs(name: str) -> Mapping[str, Program]:
    """The mistakes of a task that have a number in the catalogue, as programs by name."""
    reference, file = task_of(name).reference, task_of(name).spec.file
    assert reference is not None
    found = [mutant.program for mutant in reference.mutants if mutant.mistake.bug]
    source = reference.solution.files[file].decode()
    for item in yaml.safe_load(BUGS.read_text(encoding="utf-8")).get(name, ()):
        if source.count(item["find"]) != 1:
            raise ValueError(f"{BUGS.name}: {name}/{item['name']}: `find` does not occur once")
        edited = source.replace(item["find"], item["replace"]).encode()
        files = {**reference.solution.files, file: edited}
        found.append(Program(f"{name}/{item['name']}", "mutant", files))
    return {program.name: program for program in found}


@cache
def task_of(name: str) -> LoadedTask:
    """A task, read once."""
    return loaded(name)


def stored() -> Runs:
    """What the file holds."""
    lines = SEEDS.read_text(encoding="utf-8").splitlines() if SEEDS.is_file() else []
    return {item["name"]: StoredRuns(**item) for item in map(json.loads, lines)}


def current(name: str) -> Runs:
    """The runs of a task that its present programs and its present measurement made.

    Those that are stored with the task's targets are among them.
    """
    protocol = stored_runs.protocol(task_of(name))
    known = [*of_targets(name), *stored().values()]
    return {
        item.name: item
        for item in sorted(known, key=lambda item: item.count)
        if item.name in programs(name)
        and (item.protocol, item.sha256) == (protocol, programs(name)[item.name].sha256)
    }


def of_targets(name: str) -> list[StoredRuns]:
    """The runs that are stored with the targets of a task."""
    task = task_of(name)
    files = {check.target for check in stored_runs.checks(task)}
    return [item for file in sorted(files) for item in stored_runs.read(task, file)]


def main() -> None:
    """Trains what is missing."""
    parser = argparse.ArgumentParser(description="Trains bugs that have a number.")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    for name in args.tasks or TASKS:
        others = {key: item for key, item in stored().items() if not key.startswith(f"{name}/")}
        runs = {key: no_runs(task_of(name), program) for key, program in programs(name).items()}
        runs |= current(name)
        with fresh(args.jobs) as pool:
            for seeds in (1, TASKS[name]):
                _extend(pool, others, runs, seeds)
                runs = {key: item for key, item in runs.items() if not _untouched(name, item)}
        _write(others | runs)


def _extend(pool: Executor, others: Runs, runs: Runs, seeds: int) -> None:
    """Trains what the runs of a task lack of so many seeds; writes them, and the others', often."""
    todo = [
        (key, seed) for seed in range(seeds) for key, item in runs.items() if seed >= item.count
    ]
    for count, (key, seed, record) in enumerate(pool.map(_run, todo), start=1):
        runs[key] = extended(runs[key], {seed: record})
        _write(others | runs)
        print(f"{key}: {count} of {len(todo)} seeds", flush=True)


def _run(item: tuple[str, int]) -> tuple[str, int, dict[str, Any]]:
    key, seed = item
    name = key.split("/", maxsplit=1)[0]
    return key, seed, trained(task_of(name), programs(name)[key], seed)


def _untouched(name: str, runs: StoredRuns) -> bool:
    """Whether a program comes to the numbers of the task's reference, seed by seed."""
    honest = next(item for item in of_targets(name) if item.role == "reference")
    return all(
        list(values) == list(honest.values[metric])[: len(values)]
        for metric, values in runs.values.items()
    )


def _write(known: Runs) -> None:
    made = [known[key] for key in sorted(known) if known[key].count]
    lines = [json.dumps(item.to_json(), allow_nan=False) + "\n" for item in made]
    write_text(SEEDS, "".join(lines))


if __name__ == "__main__":
    main()
