"""What is different of a task whose reference is not at hand, as on a student's own machine."""

from __future__ import annotations

from typing import Any

from harness.spec.checks import CheckBase
from harness.spec.load import LoadedTask


def without_leaderboard(check: CheckBase) -> CheckBase:
    """The check as its threshold alone decides it, without what a leaderboard compares.

    That is measured in units of the reference's stored runs.
    """
    fields: dict[str, Any] = {"leaderboard": False}
    if hasattr(check, "leaderboard_seeds"):
        fields["leaderboard_seeds"] = None
    return check.model_copy(update=fields)


def all_at_once(task: LoadedTask) -> bool:
    """Whether all that a task may ask for is run together: it is cheap beside another sandbox.

    On a student's own machine a sandbox takes longer to start than most trials; trainings do not.
    """
    return task.reference is None and task.spec.tier != "training"


def compared_elsewhere(task: LoadedTask, check: CheckBase) -> bool:
    """Whether a check waits for none but those that need the reference, which is not here.

    Unless the program breaks, none of them will keep it from being decided.
    """
    earlier = (task.spec.check(name) for name in check.after)
    return all_at_once(task) and all(each.needs_reference for each in earlier)
