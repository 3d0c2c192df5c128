"""What the sandbox costs a training of dqn-atari: CPU through it, and beside the games.

    python boundary.py --calls 1250 --times 2

Trains the solution's Learner, with a budget of so many calls, once as the check `learns` does and
once in this process on the games themselves, in turn. Both make their games and learn; the games
that count afterwards are cut to 20 steps. What a sandbox takes before it trains
is measured with a budget of no calls and subtracted, on both sides.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from learning import HERE, ROOT

from harness import environments
from harness.collect.job import Stop, run_job
from harness.marking.jobs import Job, PlannedTrial
from harness.marking.trials import name_trial
from harness.records import COMMON
from harness.sandbox import choice
from harness.seeds import PUBLIC_KEY
from harness.spec.load import LoadedTask, load_task


def shortened(task: LoadedTask, calls: int) -> LoadedTask:
    """The task with another budget, and short games after it."""
    code = task.measure.decode()
    games = "envs = hidden.vector(rng, n, LENGTH)", "envs = hidden.vector(rng, n, 20)"
    for old, new in (("STEPS = 9_600", f"STEPS = {calls}"), games):
        if code.count(old) != 1:
            raise SystemExit(f"measure.py has no {old!r}")
        code = code.replace(old, new)
    return replace(task, measure=code.encode())


def served(task: LoadedTask) -> float:
    """CPU seconds of the grader and of its sandbox for the measurement `learn`."""
    assert task.reference is not None
    program = task.reference.solution
    trial = name_trial(task, program, "learn", COMMON, "", PUBLIC_KEY)
    files = {name: program.files[name] for name in task.spec.wanted_files}
    before, stop = time.process_time(), Stop()
    job = Job("boundary", PUBLIC_KEY, (PlannedTrial(trial, task, files),))
    for observation in run_job(job, choice.best(), stop=stop):
        if observation.outcome != "ok":
            raise SystemExit(observation.message)
    return time.process_time() - before + sum(sandbox.cpu_s for sandbox in stop.sandboxes)


def beside(task: LoadedTask) -> float:
    """CPU seconds of the same in this process, without a proxy or a wire."""
    from harness.collect.bare import BareProgram

    code: dict[str, object] = {}
    exec(compile(task.measure, "measure.py", "exec"), code)
    assert task.reference is not None
    with BareProgram(task, task.reference.solution) as program:
        module: dict[str, object] = {"__name__": "solution"}
        exec(compile(Path(program.file).read_bytes(), program.file, "exec"), module)

    class Student:
        """The program as measure.py calls it, without anything between them."""

        @staticmethod
        def generator() -> torch.Generator:
            return torch.Generator().manual_seed(1)

        @staticmethod
        def environment(name: environments.Name, rng: np.random.Generator) -> object:
            return environments.draw(name, rng)

        @staticmethod
        def serve(env: object, *_: object, **__: object) -> object:
            return env

        @staticmethod
        def new(name: str, *arguments: object) -> object:
            instance = module[name](*arguments)  # type: ignore[operator]
            act = instance.act
            instance.act = lambda frames: act(torch.from_numpy(frames)).numpy()
            return instance

    before = time.process_time()
    code["learn"](Student(), np.random.default_rng(1), 30)  # type: ignore[operator]
    return time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU of a training through the sandbox.")
    parser.add_argument("--calls", type=int, default=1250)
    parser.add_argument("--times", type=int, default=2)
    args = parser.parse_args()

    torch.set_num_threads(1)
    task = load_task(ROOT / "tasks" / "dqn-atari", HERE)
    empty, whole = shortened(task, 16), shortened(task, args.calls)
    first = served(empty), beside(empty)
    print(f"before training: {first[0]:.2f} s through the sandbox, {first[1]:.2f} s beside")
    sums = np.zeros(2)
    for _ in range(args.times):
        spent = np.array([served(whole), beside(whole)]) - first
        sums += spent
        print(f"{spent[0]:.2f} s through the sandbox, {spent[1]:.2f} s beside", flush=True)
    print(f"ratio {sums[0] / sums[1]:.3f} over {args.times} times {16 * args.calls} agent steps")


if __name__ == "__main__":
    main()
