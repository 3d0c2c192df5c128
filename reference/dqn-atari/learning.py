"""Train the learners of the task dqn-atari as its check `learns` does, and store what they reach.

    python learning.py --program dqn-atari --seeds 4
    python learning.py --program dqn-atari/functional --seeds 1
    python learning.py --program dqn-atari/budget-of-agent-steps --seeds 1

A program is the solution, a variant or a known mistake of the check. Each seed is one run of the
measurement `learn` in this process: a disguise, a training of the declared budget, 30 games. The
seeds are those of harness.targets.training, which are the seeds of no mark. The result goes into
targets/learn.json; runs of other versions of a program or of the measurement are dropped. A seed
takes three to four minutes on one processor, and is stored as soon as it has ended.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from harness.collect.bare import BareProgram
from harness.files import write_text
from harness.machine import environment, machine_class
from harness.records import COMMON, Program, Step, canonical, sha256
from harness.spec.load import LoadedTask, load_task
from harness.stored_runs import measured_by
from harness.targets.stored import PROVISIONAL_BELOW
from harness.targets.training import KEY

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FILE = HERE / "targets" / "learn.json"
CHECK = "learns"


def programs(task: LoadedTask) -> list[Program]:
    """The solution, the variants, and the known mistakes of the check."""
    assert task.reference is not None
    mistakes = [item.program for item in task.reference.mutants if item.mistake.check == CHECK]
    return [task.reference.solution, *task.reference.variants, *mistakes]


def source(task: LoadedTask, program: Program) -> str:
    """The digest of a program's module: weights that it comes with have no part in a run."""
    return sha256(program.files[task.spec.file])


def protocol(task: LoadedTask) -> str:
    """A digest of what a run depends on besides the program."""
    return sha256(canonical(measured_by(task, [task.spec.check(CHECK).measurement])))


def train(task: LoadedTask, program: Program, seed: int) -> dict[str, Any]:
    """One run of the measurement."""
    start = time.process_time()
    with BareProgram(task, program) as running:
        metrics = running.metrics("learn", Step(COMMON.stage, seed), KEY)
    returns = metrics["return"]
    return {
        "seed": seed,
        "source_sha256": source(task, program),
        "protocol": protocol(task),
        "mean": round(float(returns.mean()), 4),
        "sd": round(float(returns.std(ddof=1)), 4),
        "distinct_trajectories": len(set(metrics["return__trajectory"].tolist())),
        "returns": [int(value) for value in returns],
        "cpu_s": round(time.process_time() - start, 1),
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Over the runs of the solution; fewer than ten are provisional."""
    means = [run["mean"] for run in runs]
    return {
        "runs": len(means),
        "mean": round(float(np.mean(means)), 4) if means else None,
        "sd_between_runs": round(float(np.std(means, ddof=1)), 4) if len(means) > 1 else None,
        "lowest": min(means, default=None),
        "provisional": len(means) < PROVISIONAL_BELOW,
    }


def stored(task: LoadedTask, listed: list[Program]) -> dict[str, list[dict[str, Any]]]:
    """The runs that are still those of today's programs and measurement, by program."""
    runs = json.loads(FILE.read_text(encoding="utf-8"))["programs"] if FILE.is_file() else {}
    current = protocol(task)
    return {
        program.name: [
            run
            for run in runs.get(program.name, [])
            if (run["source_sha256"], run["protocol"]) == (source(task, program), current)
        ]
        for program in listed
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Train learners of dqn-atari and store the runs.")
    parser.add_argument("--program", required=True)
    parser.add_argument("--seeds", type=int, default=1, help="runs that the program shall have")
    args = parser.parse_args()

    task = load_task(ROOT / "tasks" / "dqn-atari", HERE)
    listed = programs(task)
    named = {program.name: program for program in listed}
    if args.program not in named:
        raise SystemExit(f"{args.program} is none of {', '.join(named)}")
    for seed in range(args.seeds):
        runs = stored(task, listed)
        if seed in {run["seed"] for run in runs[args.program]}:
            continue
        run = train(task, named[args.program], seed)
        runs[args.program] = sorted([*runs[args.program], run], key=lambda each: each["seed"])
        reference = runs[listed[0].name]
        record = {
            "format": 1,
            "task": task.id,
            "check": CHECK,
            "source": "solution.py",
            "summary": summary(reference),
            "environment": json.loads(environment()),
            "machine": machine_class(),
            "runs": reference,
            "programs": runs,
        }
        write_text(FILE, json.dumps(record, indent=1) + "\n")
        print({name: run[name] for name in ("seed", "mean", "sd", "cpu_s")}, flush=True)


if __name__ == "__main__":
    main()
