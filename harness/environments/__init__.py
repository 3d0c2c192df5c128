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

#: ``poles``: cart-poles, :mod:`harness.environments.poles`; ``breakout``: a game on ten by ten
#: cells, :mod:`harness.environments.breakout`; ``pong``: Atari's, which needs the extra
#: fairmark[atari], :mod:`harness.environments.pong`; the others are small MDPs that show mistakes
#: in deep Q-learning, :mod:`harness.environments.probes`.
Name = Literal[
    "poles",
    "breakout",
    "pong",
    "time-limit",
    "auto-reset",
    "two-step",
    "chance",
    "action-reward",
    "four-states",
]

#: The module of this room and the function or class in it by which an instance is drawn.
DRAWN_BY: dict[Name, tuple[str, str]] = {
    "poles": ("poles", "Poles"),
    "breakout": ("breakout", "Breakout"),
    "pong": ("pong", "Pong"),
    "time-limit": ("probes", "time_limit"),
    "auto-reset": ("probes", "auto_reset"),
    "two-step": ("probes", "two_step"),
    "chance": ("probes", "chance"),
    "action-reward": ("probes", "action_reward"),
    "four-states": ("probes", "four_states"),
}

#: The version of each law. It is in the digests of trials and of stored runs, and goes up whenever
#: the same generator would give another instance; a test holds trajectories of each against it.
LAWS: dict[Name, int] = {
    "poles": 1,
    "breakout": 1,
    "pong": 1,
    "time-limit": 1,
    "auto-reset": 1,
    "two-step": 1,
    "chance": 1,
    "action-reward": 1,
    "four-states": 1,
}


def draw(name: Name, rng: np.random.Generator) -> Disguised:
    """An instance of an environment, drawn by its law."""
    module, law = DRAWN_BY[name]
    return getattr(import_module(f"{__name__}.{module}"), law)(rng)  # type: ignore[no-any-return]


def signature(names: tuple[Name, ...]) -> list[object]:
    """What instances depend on, but for a generator: for digests of trials."""
    return [[name, LAWS[name]] for name in sorted(names)]
