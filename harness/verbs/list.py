"""``list``: the tasks, their checks, points and declared error rates, from the specs alone."""

from __future__ import annotations

import argparse
from typing import Any

from harness.spec.checks import Stochastic
from harness.spec.load import LoadedTask, load_all
from harness.verbs import options, output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the tasks; returns the exit code."""
    tasks = load_all(args.tasks, args.reference, with_reference=False)
    if args.json:
        output.emit({"tasks": [_task(task) for task in tasks]})
        return 0
    width = max(len(task.id) for task in tasks)
    for task in tasks:
        lecture = ", ".join(f"{slide.document} {slide.slide!r}" for slide in task.spec.lecture)
        print(
            f"{task.id:<{width}}  {task.spec.points:>5g} points  {task.spec.tier:<9}  "
            f"{task.spec.title}"
        )
        print(f"{'':<{width}}  {len(task.spec.checks)} checks; {lecture}")
    print(f"{len(tasks)} tasks, {sum(task.spec.points for task in tasks):g} points")
    return 0


def _task(task: LoadedTask) -> dict[str, Any]:
    spec = task.spec
    return {
        "id": spec.id,
        "title": spec.title,
        "lecture": [slide.model_dump() for slide in spec.lecture],
        "tier": spec.tier,
        "points": spec.points,
        "checks": [
            {
                "id": check.id,
                "kind": check.kind,
                "tier": spec.tier,
                "points": check.points,
                "visibility": check.visibility,
                "alpha": check.alpha_bound,
                "stage_alpha": check.stage_alpha if isinstance(check, Stochastic) else None,
                "min_detectable": getattr(check, "min_detectable", None),
                "beta": getattr(check, "beta", None),
            }
            for check in spec.checks
        ],
    }
