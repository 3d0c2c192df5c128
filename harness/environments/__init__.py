"""Environments that the grader serves, and the laws by which they are disguised.

A task asks for one by its name in task.yaml. A policy that is known at home must gain little, so
what a program meets is an instance drawn under the key of the phase: components rotated, actions
renumbered, rules within a range. Gymnasium is imported where an instance is drawn, since most
gradings need none.
"""

from __future__ import annotations

from importlib import import_module
from typing import Literal

import numpy as np

from harness.environments.records import Disguised

__all__ = ["Disguised", "Name", "draw", "signature"]

#: ``breakout``: a Breakout of ten by ten cells; :mod:`harness.environments.breakout`.
#: ``poles``: cart-poles; :mod:`harness.environments.poles`.
Name = Literal["breakout", "poles"]

#: The version of each law. It is in the digests of trials and of stored runs, and goes up whenever
#: the same generator would give another instance; a test holds trajectories of each against it.
LAWS: dict[Name, int] = {"breakout": 1, "poles": 1}


def draw(name: Name, rng: np.random.Generator) -> Disguised:
    """An instance of an environment, drawn by its law."""
    return import_module(f"harness.environments.{name}").draw(rng)  # type: ignore[no-any-return]


def signature(names: tuple[Name, ...]) -> list[object]:
    """What instances depend on, but for a generator: for digests of trials."""
    return [[name, LAWS[name]] for name in sorted(names)]
