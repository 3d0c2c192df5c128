"""What the known mistakes of a task answer on the public example, in short: answers.json.

Hints are found by comparing a program's answers with these, so no mutant has to be run for a
student. ``nox -s verify -- TASK --store`` writes the file, and ``verify`` complains where it is out
of date. Of every array only some entries are kept, each with the error that rounding excuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import Field, ValidationError

from harness.records import Array
from harness.spec.checks import Model

Figure: TypeAlias = "float | Literal['nan', 'inf', '-inf']"


class Kept(Model):
    """Some entries of one array.

    Attributes:
        shape: that of the whole array.
        at: the places of the entries in the flattened array.
        values, tolerances: the entries, and how far another program's may lie from them.
    """

    shape: tuple[int, ...]
    at: tuple[int, ...]
    values: tuple[Figure, ...]
    tolerances: tuple[float, ...]

    def matches(self, array: Array) -> bool:
        """Whether an array has these entries, up to their tolerances; NaN equals NaN."""
        if array.shape != self.shape:
            return False
        own = array.astype(np.float64).ravel()[list(self.at)]
        kept = np.array([float(value) for value in self.values])
        with np.errstate(invalid="ignore"):
            near = (own == kept) | (np.abs(own - kept) <= np.array(self.tolerances))
        return bool((near | (np.isnan(own) & np.isnan(kept))).all())


#: The statistics of a check by name.
Statistics: TypeAlias = dict[str, Kept]


class MistakeAnswers(Model):
    """What one mistake answers.

    Attributes:
        program: the digest of its source; of another source it is out of date.
        checks: check -> statistics; only checks on which it differs from the reference.
    """

    program: str
    checks: dict[str, Statistics]


class Answers(Model):
    """What all mistakes of a task answer.

    Attributes:
        reference: the digest of the solution that they were compared with.
        measurements: measurement -> a digest of all that its answers depend on.
        mistakes: in the order of mistakes.yaml.
    """

    reference: str
    measurements: dict[str, str]
    mistakes: dict[Annotated[str, Field(min_length=1)], MistakeAnswers]

    def matching(
        self,
        check: str,
        statistics: Mapping[str, Array],
        failed: AbstractSet[str],
        leave_out: AbstractSet[str] = frozenset(),
    ) -> str | None:
        """The mistake that answers the same on a check; None if there is none.

        Of several, the one that differs from the reference on the most similar set of checks.

        Args:
            check: its id.
            statistics: a program's, on the public example.
            failed: the checks that the program failed.
            leave_out: names of statistics that are not compared.
        """
        names = [
            name
            for name, mistake in self.mistakes.items()
            if (kept := mistake.checks.get(check))
            and all(
                part in statistics and each.matches(statistics[part])
                for part, each in kept.items()
                if part not in leave_out
            )
        ]
        return min(
            names, key=lambda name: len(failed ^ self.mistakes[name].checks.keys()), default=None
        )


def read(path: Path) -> Answers | None:
    """The stored answers; None if there is no file, or none as this version writes it.

    Without answers hints are missing and nothing else; ``verify`` says so and writes them anew.
    """
    try:
        return Answers.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
