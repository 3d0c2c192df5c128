"""``list``: the tasks with their checks, points and declared error rates, from the specs alone."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from harness.errors import SpecError
from harness.report.sanitise import SENTENCE_LIMIT, clean
from harness.spec.catalogue import read_catalogue
from harness.spec.checks import Stochastic
from harness.spec.load import LoadedTask
from harness.verbs import options, output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the tasks; returns the exit code."""
    catalogue = read_catalogue(args.tasks, args.reference, with_reference=False)
    tasks = list(catalogue.loaded.values())
    if not tasks:
        raise SpecError(catalogue.all_problems)
    for problem in catalogue.all_problems:
        print(f"fairmark: {problem}", file=sys.stderr)
    exit_code = 2 if catalogue.problems else 0
    if args.json:
        errors = [vars(problem) for problem in catalogue.all_problems]
        output.emit({"tasks": [_task(task) for task in tasks], "errors": errors})
        return exit_code
    width = max(len(task.id) for task in tasks)
    for task in tasks:
        lecture = ", ".join(f"{slide.document} {slide.slide!r}" for slide in task.spec.lecture)
        print(
            f"{task.id:<{width}}  {task.spec.points:>5g} points  {task.spec.tier:<9}  "
            f"{clean(task.spec.title, SENTENCE_LIMIT)}"
        )
        print(f"{'':<{width}}  {len(task.spec.checks)} checks; {lecture}")
    print(f"{len(tasks)} tasks, {sum(task.spec.points for task in tasks):g} points")
    return exit_code


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
                "loss": check.loss_bound,
                "stage_alpha": check.stage_alpha if isinstance(check, Stochastic) else None,
                "min_detectable": getattr(check, "min_detectable", None),
                "beta": getattr(check, "beta", None),
            }
            for check in spec.checks
        ],
    }
