"""Whether the state that a program left is that of the networks which its statement fixes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.errors import ProgramError
from harness.wire import Array


def require(owner: str, state: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuses a state that is not of these names and shapes, in float32 and finite.

    Args:
        owner: the class that the state is of.
        state: name -> array, from a ``state_dict``.
        shapes: name -> shape of every entry that there may be.

    Raises:
        ProgramError: ``bad-output``, with the first entry that is missing, too many, of another
            shape or type, or not finite.
    """
    problem = _problem(state, shapes)
    if problem:
        raise ProgramError("bad-output", f"{problem} in the state of {owner}")


def _problem(state: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    for name in sorted(set(shapes) - set(state)):
        return f"{name} is missing (wanted: {', '.join(shapes)})"
    for name in sorted(set(state) - set(shapes)):
        return f"{name} is an entry too many (wanted: {', '.join(shapes)})"
    for name, shape in shapes.items():
        array = state[name]
        if array.shape != tuple(shape) or array.dtype != np.float32:
            return f"{name} is {array.dtype} {list(array.shape)}, not float32 {list(shape)},"
        if not np.isfinite(array).all():
            return f"{name} holds numbers that are not finite"
    return None
