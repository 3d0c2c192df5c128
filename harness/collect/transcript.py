"""The calls of a displayed example, with arguments and results as they are shown to people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.records import encode_array

_MAX_CALLS = 64
_MAX_ELEMENTS = 4096


class Transcript:
    """A bounded record of calls; empty unless ``record``.

    Attributes:
        entries: one JSON object a call: its name, its named arguments, its results and the
            arguments that a gradient did not reach.
    """

    def __init__(self, *, record: bool) -> None:
        self.entries: list[dict[str, Any]] = []
        self._record = record

    def note(
        self,
        call: str,
        names: Sequence[str],
        args: Sequence[Any],
        results: Sequence[Any],
        cut: Sequence[str] = (),
    ) -> None:
        """Adds a call; ``cut`` names the arguments without a path in the autograd graph."""
        if not self._record or len(self.entries) >= _MAX_CALLS:
            return
        labels = list(names) or [f"argument {i + 1}" for i in range(len(args))]
        self.entries.append(
            {
                "call": call,
                "args": [
                    [label, _shown(value)] for label, value in zip(labels, args, strict=False)
                ],
                "results": [_shown(value) for value in results],
                "cut": list(cut),
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
    return f"<{type(value).__name__.lower()}>"
