"""What serving an environment costs a training, and whether its disguise costs learning.

    python docs/boundary.py a2c-cartpole --seeds 3                       # CPU, served and beside
    python docs/boundary.py dqn-atari --seeds 2 --first 512 --last 832   # behind its random steps
    python docs/boundary.py a2c-cartpole --seeds 6 --plain               # learning, not disguised
    python docs/boundary.py a2c-cartpole --seeds 3 --plain --variants    # other honest programs

Trains the solution of a task on its environment, in turn as its training check does and in this
process on the environment itself, where nothing is counted, checked or copied. CPU is counted from
one call of ``step`` to a later one, where the training is cut: neither the start of a sandbox nor
the episodes after a training are in it.

``--plain`` trains to the end as stored runs are made, with their seeds, and leaves the disguise out
(physics and rules stay as drawn). It prints what each seed came to, and how far the mean lies from
that of the runs behind a disguise, which are stored in reference/TASK/targets: the difference with
its standard error and 95 % interval, and p of Welch's two-sided test. On equal seeds the two are
not independent, which makes the interval too wide, if anything.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import scipy.stats
import torch

from harness import environments, records, stored_runs
from harness.collect import job
from harness.collect.bare import BareProgram
from harness.collect.job import load_request, measure
from harness.collect.proxy import ProgramProxy
from harness.collect.task_code import module_of
from harness.records import COMMON, Step
from harness.sandbox import choice
from harness.sandbox.sandbox import Sandbox
from harness.seeds import PUBLIC_KEY, SeedName
from harness.spec.load import LoadedTask, load_task
from harness.targets.training import KEY

ROOT = Path(__file__).resolve().parents[1]
#: CPU seconds so far, one number a process.
Clock = Callable[[], np.ndarray]
#: The call of step from which CPU is counted, and the one at which the training is cut.
Span = tuple[int, int]
#: The law of environments as it is.
DRAW = environments.draw


class Cut(Exception):
    """The training has made as many calls as are measured."""


@dataclass
class Metered:
    """An environment that looks at a clock at one call of step and ends the training at another."""

    env: Any
    clock: Clock
    span: Span
    calls: int = 0
    before: Any = None
    spent: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.env, name)

    def step(self, actions: Any) -> Any:
        first, last = self.span
        if self.calls == first:
            self.before = self.clock()
        if self.calls == last:
            self.spent = (self.clock() - self.before) / (last - first)
            raise Cut
        self.calls += 1
        seen, rewards, *rest = self.env.step(actions)
        # float64 as where it is served, whatever the environment has
        return seen, np.asarray(rewards, dtype=np.float64), *rest


class ServedFromHere(ProgramProxy):
    """The program as a measurement sees it, with a metered environment."""

    clock: Clock
    span: Span
    metered: Metered | None = None

    def serve(self, env: Any, *rest: Any, **named: Any) -> Any:
        self.metered = Metered(env, self.clock, self.span)
        return super().serve(self.metered, *rest, **named)


def served(task: LoadedTask, measurement: str, seed: int, span: Span) -> np.ndarray:
    """CPU seconds a call of step, of the grader and of the worker."""
    assert task.reference is not None
    files = {name: task.reference.solution.files[name] for name in task.spec.wanted_files}
    if task.given is not None:
        files["given.py"] = task.given
    limits, rng = task.limits_of(measurement), generator(task, measurement, seed)
    with (
        Sandbox(choice.best()) as sandbox,
        sandbox.session(
            sandbox.place(task.id, files), limits, lambda each: each.request(load_request(task), [])
        ) as session,
    ):
        student = ServedFromHere(session, task.contract, rng.spawn(1)[0], material=task.material)
        student.clock = lambda: np.array([time.process_time(), cpu_s(session.worker_pid)])
        student.span = span
        try:
            with session.trial(limits):
                measure(task, measurement, student, rng)
        except Cut:
            pass
    return spent(student.metered)


def spent(metered: Metered | None) -> np.ndarray:
    """What a training spent a call."""
    if metered is None or metered.spent is None:
        raise SystemExit("the training ended before it had made as many calls; give --last")
    return np.asarray(metered.spent)


def cpu_s(pid: int | None) -> float:
    """Seconds for which the main thread of a process has run, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_bytes().split()[0]) / 1e9


def generator(task: LoadedTask, measurement: str, seed: int) -> np.random.Generator:
    """What the instance of a seed is drawn from."""
    place = task.id, task.spec.draw, measurement, COMMON.stage, seed
    return SeedName(*place, "").generator(PUBLIC_KEY)


class Beside:
    """The solution as measure.py calls it, with nothing between them but tensors made of arrays."""

    def __init__(self, module: dict[str, Any], rng: np.random.Generator, span: Span) -> None:
        self._module, self._rng, self._span = module, rng, span
        self.metered: Metered | None = None

    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(int(self._rng.integers(2**62)))

    def environment(self, name: environments.Name, rng: np.random.Generator) -> Any:
        return environments.draw(name, rng)

    def serve(self, env: Any, *_: object, **__: object) -> Any:
        self.metered = Metered(env, lambda: np.array([time.process_time()]), self._span)
        return self.metered

    def new(self, name: str, *arguments: Any) -> Any:
        return _Instance(self._module[name](*arguments))

    def refuse(self, message: str) -> None:
        raise SystemExit(message)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return _with_tensors(self._module[name])


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


@dataclass
class Program:
    """A task's solution and its measure.py, both loaded in this process."""

    task: LoadedTask
    measurement: str
    module: dict[str, Any]

    @classmethod
    def of(cls, task: LoadedTask, measurement: str) -> Program:
        assert task.reference is not None
        with BareProgram(task, task.reference.solution) as program:
            module: dict[str, Any] = {"__name__": "solution"}
            exec(compile(Path(program.file).read_bytes(), program.file, "exec"), module)
        return cls(task, measurement, module)

    def run(self, seed: int, span: Span) -> Beside:
        """Trains with a seed until it is cut; returns how the program was called."""
        code: dict[str, Any] = {}
        exec(compile(self.task.measure, "measure.py", "exec"), code)
        rng = generator(self.task, self.measurement, seed)
        student = Beside(self.module, rng.spawn(1)[0], span)
        draws = self.task.spec.measurements[self.measurement].draws
        with contextlib.suppress(Cut):
            code[self.measurement](student, rng, *([] if draws is None else [draws]))
        return student


def trained_checks(task: LoadedTask) -> list[Any]:
    """The checks whose measurement trains."""
    return [
        check
        for check in task.spec.checks
        if check.kind == "seed-success" or check.measurement == "learn"
    ]


def compare_cost(program: Program, seeds: int, span: Span) -> None:
    """Prints what a call of step costs through a sandbox, and beside the environment."""
    rows = []
    for seed in range(seeds):
        through = served(program.task, program.measurement, seed, span)
        (near,) = spent(program.run(seed, span).metered)
        rows.append([*through, near])
    grader, worker, near = 1e6 * np.mean(rows, axis=0)
    ratios = [f"{(row[0] + row[1]) / row[2]:.2f}" for row in rows]
    print(
        f"{program.task.id}: {grader:.0f} µs a call in the grader and {worker:.0f} in the worker, "
        f"{near:.0f} beside: {(grader + worker) / near:.2f} ({', '.join(ratios)}; load "
        f"{os.getloadavg()[0]:.1f})",
        flush=True,
    )


def undisguised(instance: Any) -> Any:
    """The instance without rotation, mirror, other colours or other numbers of anything."""
    for name, usual in (
        ("rotation", np.eye),
        ("codes", np.eye),
        ("order", np.arange),
        ("channels", np.arange),
        ("mirrored", lambda _: False),
        ("flipped_rows", lambda _: False),
        ("flipped_columns", lambda _: False),
        ("greys", lambda count: np.arange(count, dtype=np.uint8)),
    ):
        if (drawn := getattr(instance, name, None)) is not None:
            setattr(instance, name, usual(1 if isinstance(drawn, bool) else len(drawn)))
    return instance


def plain_module(task: LoadedTask, file: str, source: bytes) -> Any:
    """A task's measure.py; poles of its own, where it has some, have no disguise."""
    code = module_of(task, file, source)
    if (drawn := getattr(code, "disguise", None)) is not None:
        vars(code)["disguise"] = lambda rng: (np.eye(4), np.arange(2), drawn(rng)[2])
    return code


def learnt(task: LoadedTask, check: Any, program: records.Program, seed: int) -> dict[str, float]:
    """What one training comes to without a disguise, and when it first solved its environment."""
    with (
        mock.patch.object(environments, "draw", lambda *named: undisguised(DRAW(*named))),
        mock.patch.object(job, "module_of", plain_module),
        BareProgram(task, program) as running,
    ):
        found = running.statistics(check.measurement, Step(COMMON.stage, seed), KEY)[check.id]
    numbers = {check.metric: float(np.mean(found["value" if "value" in found else "returns"]))}
    if "first_solved" in found:
        numbers["steps until solved"] = float(found["first_solved"])
    return numbers


def behind(task: LoadedTask, check: Any, program: records.Program) -> dict[str, list[float]]:
    """What is stored of the same program behind a disguise."""
    if check.kind != "seed-success":
        assert task.reference is not None
        runs = json.loads(task.reference.targets[check.target])["runs"]
        return {check.metric: [run["mean"] for run in runs]}
    (runs,) = (
        each
        for each in stored_runs.read(task, check.target)
        if (each.role, each.name) == (program.role, program.name)
    )
    found = {check.metric: runs.of(check)}
    curves = stored_runs.curves(task, check)
    if curves is not None and program.role == "reference":
        found["steps until solved"] = [math.nan if c is None else c for c in curves.first_solved]
    return found


def compared(without: Sequence[float], disguised: Sequence[float]) -> str:
    """Two samples in words, and the difference of their means; what is not finite is left out."""
    pair = [np.array([x for x in each if math.isfinite(x)]) for each in (without, disguised)]
    told = f"without {_told(pair[0])}, behind {_told(pair[1])}"
    errors = [_error(each) for each in pair]
    if not math.hypot(*errors) > 0:  # NaN where one has fewer than two
        return told
    test = scipy.stats.ttest_ind(*pair, equal_var=False)
    low, high = test.confidence_interval()
    return (
        f"{told}: difference {pair[0].mean() - pair[1].mean():.3g} ± {math.hypot(*errors):.2g}, "
        f"95 % interval {low:.3g} to {high:.3g}, t = {test.statistic:.2f}, df = {test.df:.1f}, "
        f"p = {test.pvalue:.2g}"
    )


def _told(sample: np.ndarray) -> str:
    """A mean with its standard error and the number of runs."""
    if not len(sample):
        return "nothing stored"
    error = f" ± {_error(sample):.2g}" if len(sample) > 1 else ""
    return f"{sample.mean():.5g}{error} ({len(sample)})"


def _error(sample: np.ndarray) -> float:
    """The standard error of a mean; NaN of fewer than two numbers."""
    return float(sample.std(ddof=1)) / math.sqrt(len(sample)) if len(sample) > 1 else math.nan


def compare_learning(task: LoadedTask, seeds: int, *, variants: bool) -> None:
    """Prints what each seed of honest programs comes to, and how that differs from stored runs."""
    assert task.reference is not None
    honest = task.reference.variants if variants else (task.reference.solution,)
    for check in trained_checks(task):
        for program in honest:
            found: dict[str, list[float]] = {}
            for seed in range(seeds):
                for name, value in learnt(task, check, program, seed).items():
                    found.setdefault(name, []).append(value)
                    print(f"  {program.name} {check.id} {seed}, {name}: {value:.5g}", flush=True)
            stored = behind(task, check, program)
            for name, values in found.items():
                told = compared(values, stored.get(name, []))
                print(f"{program.name} {check.id}, {name}: {told}", flush=True)


def main() -> None:
    """Prints a row for each task, or for each honest program where there is no disguise."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("tasks", nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=50, help="call from which CPU is counted")
    parser.add_argument("--last", type=int, default=850, help="call at which a training is cut")
    parser.add_argument("--plain", action="store_true", help="without a disguise")
    parser.add_argument("--variants", action="store_true", help="not of the solution")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.tasks:
        task = load_task(ROOT / "tasks" / name, ROOT / "reference" / name)
        if args.plain:
            compare_learning(task, args.seeds, variants=args.variants)
            continue
        for measurement in dict.fromkeys(check.measurement for check in trained_checks(task)):
            compare_cost(Program.of(task, measurement), args.seeds, (args.first, args.last))


if __name__ == "__main__":
    main()
