"""Seeds of training of bugs with a number in the catalogue: ``python docs/evidence/power.py``.

A known mistake that an exact check catches is trained as well, and so are the bugs of
training_bugs.yaml: results/figures/detectability-seeds.jsonl has what each came to, from which
docs/detectability.py computes the power of training checks. Seeds are those of stored runs. A
mistake whose first seed comes to the very numbers of the reference is left out, since training
does not reach it. All takes about an hour on one processor.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
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
from harness.targets.training import trained

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


def programs(name: str) -> Iterator[tuple[tuple[int, ...], Program]]:
    """(numbers in the catalogue, program) for every mistake of a task that has a number."""
    reference = task_of(name).reference
    assert reference is not None
    for mutant in reference.mutants:
        if mutant.mistake.bug:
            yield mutant.mistake.bug, mutant.program
    file = task_of(name).spec.file
    source = reference.solution.files[file].decode()
    for item in yaml.safe_load(BUGS.read_text(encoding="utf-8")).get(name, ()):
        if source.count(item["find"]) != 1:
            raise ValueError(f"{BUGS.name}: {name}/{item['name']}: `find` does not occur once")
        edited = source.replace(item["find"], item["replace"]).encode()
        files = {**reference.solution.files, file: edited}
        yield tuple(item["bug"]), Program(f"{name}/{item['name']}", "mutant", files)


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
    digests = {program.name: program.sha256 for _, program in programs(name)}
    known = [*of_targets(name), *stored().values()]
    return {
        item.name: item
        for item in sorted(known, key=lambda item: item.count)
        if item.protocol == protocol and digests.get(item.name) == item.sha256
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
        known = {key: item for key, item in stored().items() if not key.startswith(f"{name}/")}
        known |= current(name)
        todo = [
            (program.name, seed)
            for seed in range(TASKS[name])
            for _, program in programs(name)
            if program.name not in known or seed >= known[program.name].count
        ]
        with fresh(args.jobs) as pool:
            records = pool.map(_run, *zip(*todo, strict=True)) if todo else ()
            for count, ((key, _), record) in enumerate(zip(todo, records, strict=True), start=1):
                _extend(known, name, key, record)
                _write(known)
                print(f"{name}: {count} of {len(todo)} seeds", flush=True)
        _write({key: item for key, item in known.items() if not _untouched(name, item)})


def _run(key: str, seed: int) -> dict[str, Any]:
    name = key.split("/", maxsplit=1)[0]
    program = next(program for _, program in programs(name) if program.name == key)
    return trained(task_of(name), program, seed)


def _extend(known: Runs, name: str, key: str, record: dict[str, Any]) -> None:
    """Adds the next seed of a program to its runs."""
    task = task_of(name)
    program = next(program for _, program in programs(name) if program.name == key)
    empty: dict[str, list[float | None]] = {check.metric: [] for check in stored_runs.checks(task)}
    protocol = stored_runs.protocol(task)
    old = known.get(key) or StoredRuns(key, "mutant", program.sha256, protocol, empty, {}, 0.0)
    values = {name: [*seen, record["values"].get(name)] for name, seen in old.values.items()}
    errors = dict(old.errors) | ({str(old.count): record["error"]} if record["error"] else {})
    cpu_s = round(old.cpu_s + record["cpu_s"], 2)
    known[key] = StoredRuns(key, old.role, old.sha256, old.protocol, values, errors, cpu_s)


def _untouched(name: str, runs: StoredRuns) -> bool:
    """Whether a program of this task comes to the numbers of the reference, seed by seed."""
    honest = next(item for item in of_targets(name) if item.role == "reference")
    return runs.name.startswith(f"{name}/") and all(
        list(values) == list(honest.values[metric])[: len(values)]
        for metric, values in runs.values.items()
    )


def _write(known: Runs) -> None:
    lines = [json.dumps(known[key].to_json(), allow_nan=False) + "\n" for key in sorted(known)]
    write_text(SEEDS, "".join(lines))


if __name__ == "__main__":
    main()
