"""The calls of a displayed example, with arguments and results as they are shown to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.arrays import encode_array
from harness.collect.arguments import Given, Seed

_MAX_CALLS = 64
_MAX_ELEMENTS = 4096


class Transcript:
    """A bounded record of calls; empty unless ``record``.

    Attributes:
        entries: one JSON object a call: its name, its named arguments, its results, the arguments
            that a gradient did not reach, those that gradients are by, and the number of the
            instance whose method or constructor it was (None for functions).
    """

    def __init__(self, *, record: bool) -> None:
        self.entries: list[dict[str, Any]] = []
        self._record = record

    def note(
        self,
        call: str,
        arguments: Mapping[str, Any],
        results: Sequence[Any],
        *,
        cut: Sequence[str] = (),
        by: Sequence[str] = (),
        instance: int | None = None,
    ) -> None:
        """Adds a call.

        Args:
            arguments: by name, in the order in which they are shown.
            cut: the arguments without a path in the autograd graph.
            by: of a gradient, the arguments that its results belong to.
            instance: the number of the object that it is a method of, or that it makes.
        """
        if not self._record or len(self.entries) >= _MAX_CALLS:
            return
        self.entries.append(
            {
                "call": call,
                "args": [[label, _shown(value)] for label, value in arguments.items()],
                "results": [_shown(value) for value in results],
                "cut": list(cut),
                "by": list(by),
                "instance": instance,
            }
        )


def _shown(value: Any) -> Any:
    """A value in a transcript: small arrays whole, larger ones by dtype and shape."""
    if isinstance(value, np.ndarray):
        if value.size <= _MAX_ELEMENTS:
            return encode_array(value)
        return f"{value.dtype.name} array of shape {list(value.shape)}"
    if isinstance(value, bool | int | float | str):
        return str(value) if isinstance(value, float) and not np.isfinite(value) else value
    if isinstance(value, Seed):
        return {"seed": value.value}
    if isinstance(value, Given):
        return {
            "given": value.name,
            "parameters": [_shown(np.asarray(p)) for p in value.parameters],
        }
    return f"<{type(value).__name__.lower()}>"
