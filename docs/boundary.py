"""What serving an environment costs a training, and whether its disguise costs learning.

    python docs/boundary.py a2c-cartpole --seeds 3             # CPU through a sandbox, and beside
    python docs/boundary.py a2c-cartpole --seeds 6 --plain     # what is learnt without a disguise

Trains the solution of a task on its environment, once as its training check does and once in this
process on the environment itself, where nothing is counted, checked or copied. What a sandbox takes
before it trains is measured with the worked example and subtracted. ``--plain`` leaves the disguise
out (physics and rules stay as drawn) and prints what each seed came to; what the same
learner comes to behind it is stored in reference/TASK/targets/runs.json. dqn-atari has a script of
its own beside its reference, since its training is shortened.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness import environments
from harness.collect.bare import BareProgram
from harness.collect.job import Stop, run_job
from harness.marking.jobs import Job, PlannedTrial
from harness.marking.trials import name_trial
from harness.records import COMMON, Step
from harness.sandbox import choice
from harness.seeds import PUBLIC_KEY, SeedName
from harness.spec.load import LoadedTask, load_task

ROOT = Path(__file__).resolve().parents[1]


def through_a_sandbox(task: LoadedTask, measurement: str, seeds: int) -> float:
    """CPU seconds of the grader and of its sandbox for so many seeds of a measurement."""
    assert task.reference is not None
    program, stop = task.reference.solution, Stop()
    files = {name: program.files[name] for name in task.spec.wanted_files}
    trials = tuple(
        PlannedTrial(
            name_trial(task, program, measurement, Step(COMMON.stage, seed), "", PUBLIC_KEY),
            task,
            files,
        )
        for seed in range(seeds)
    )
    before = time.process_time()
    for observation in run_job(Job("boundary", PUBLIC_KEY, trials), choice.best(), stop=stop):
        if observation.outcome != "ok":
            raise SystemExit(observation.message)
    return time.process_time() - before + sum(sandbox.cpu_s for sandbox in stop.sandboxes)


class Beside:
    """The solution as measure.py calls it, with nothing between them but tensors made of arrays."""

    def __init__(self, module: dict[str, Any], rng: np.random.Generator, *, plain: bool) -> None:
        self._module, self._rng, self._plain = module, rng, plain

    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(int(self._rng.integers(2**62)))

    def environment(self, name: environments.Name, rng: np.random.Generator) -> Any:
        instance = environments.draw(name, rng)
        return undisguised(instance) if self._plain else instance

    def serve(self, env: Any, *_: object, **__: object) -> Any:
        return _Rewards(env)

    def new(self, name: str, *arguments: Any) -> Any:
        return _Instance(self._module[name](*arguments))

    def refuse(self, message: str) -> None:
        raise SystemExit(message)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return _with_tensors(self._module[name])


class _Rewards:
    """An environment whose rewards are float64, as they are where it is served."""

    def __init__(self, env: Any) -> None:
        self._env = env

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def step(self, actions: Any) -> Any:
        seen, rewards, *rest = self._env.step(actions)
        return seen, np.asarray(rewards, dtype=np.float64), *rest


class _Instance:
    def __init__(self, instance: Any) -> None:
        self._instance = instance

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return _with_tensors(getattr(self._instance, name))


def _with_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        result = function(
            *(torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arguments)
        )
        return result.numpy() if isinstance(result, torch.Tensor) else result

    return call


def undisguised(instance: Any) -> Any:
    """The instance without rotation, mirror or other numbers of anything."""
    for name, usual in (
        ("rotation", np.eye),
        ("codes", np.eye),
        ("order", np.arange),
        ("channels", np.arange),
        ("mirrored", lambda _: False),
    ):
        if (drawn := getattr(instance, name, None)) is not None:
            setattr(instance, name, usual(1 if isinstance(drawn, bool) else len(drawn)))
    return instance


def beside(
    task: LoadedTask, measurement: str, seeds: int, *, plain: bool = False
) -> tuple[float, list[float]]:
    """CPU seconds of the same in this process, and what each seed came to."""
    code: dict[str, Any] = {}
    exec(compile(task.measure, "measure.py", "exec"), code)
    if plain and (drawn := code.get("disguise")) is not None:  # one that keeps poles of its own
        code["disguise"] = lambda rng: (np.eye(4), np.arange(2), drawn(rng)[2])
    assert task.reference is not None
    with BareProgram(task, task.reference.solution) as program:
        module: dict[str, Any] = {"__name__": "solution"}
        exec(compile(Path(program.file).read_bytes(), program.file, "exec"), module)
    found, before = [], time.process_time()
    for seed in range(seeds):
        place = task.id, task.spec.draw, measurement, COMMON.stage, seed
        rng = SeedName(*place, "").generator(PUBLIC_KEY)
        student = Beside(module, rng.spawn(1)[0], plain=plain)
        (value,) = code[measurement](student, rng).values()
        found.append(float(value))
    return time.process_time() - before, found


def trainings(task: LoadedTask) -> Sequence[str]:
    """The measurements that train."""
    checks = (check for check in task.spec.checks if check.kind == "seed-success")
    return list(dict.fromkeys(check.measurement for check in checks))


def main() -> None:
    """Prints a row for each task, or for each seed where there is no disguise."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("tasks", nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--plain", action="store_true", help="without a disguise")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.tasks:
        task = load_task(ROOT / "tasks" / name, ROOT / "reference" / name)
        for measurement in trainings(task):
            beside(task, measurement, 1)  # what the first training imports
            if args.plain:
                _, values = beside(task, measurement, args.seeds, plain=True)
                print(name, measurement, " ".join(f"{value:.4g}" for value in values), flush=True)
                continue
            start = through_a_sandbox(task, "example", 1)
            served = through_a_sandbox(task, measurement, args.seeds) - start
            near, _ = beside(task, measurement, args.seeds)
            print(
                f"{name} {measurement}: {served:.2f} s served, {near:.2f} s beside, "
                f"{served / near:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
