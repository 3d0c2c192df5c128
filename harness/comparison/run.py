"""The side-by-side of grading schemes: from tasks to rows, and to tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness import stored_runs
from harness.collect.bare import BareProgram
from harness.comparison import contests, table
from harness.comparison.contests import Contest, Contestant, Measured, stream
from harness.comparison.gradings import Entrant, Tally, spread, tally
from harness.comparison.pools import RunPool
from harness.comparison.stochasticgrade import NULL_SCORES
from harness.proving import calibration
from harness.records import Program
from harness.spec.checks import SeedSuccessCheck, Stochastic
from harness.spec.load import LoadedTask
from harness.stored_runs import StoredRuns

#: The number of stored references under each of which the reference program is graded.
REFERENCES = 50

Row = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """The result of the side-by-side.

    Attributes:
        rows: one a check, scheme and program; JSON-safe.
        markdown: a table a check.
    """

    rows: tuple[Row, ...]
    markdown: str

    def to_json(self) -> dict[str, Any]:
        return {"rows": list(self.rows)}


def run(
    tasks: Sequence[LoadedTask],
    reference_dir: Path,
    submissions_dir: Path,
    gradings: int,
    seed: int,
    *,
    nulls: int = NULL_SCORES,
) -> Document:
    """Grades the honest programs and the mistakes of every training check and of checks on draws.

    Programs are measured in this process, without a sandbox; training runs are read from
    ``reference_dir/<task>/targets``, and a check whose runs aren't there is left out, as are draws
    of tasks outside :data:`harness.comparison.contests.ONE_LAW`. Honest are
    the reference, its variants and, for draws, ``submissions_dir/complete``; of the mistakes those
    are graded that name the check. About 35 ms a grading and program on draws.

    Args:
        gradings: of every program by every scheme.
        seed: the same one gives the same rows.
        nulls: samples that StochasticGrade's ``msd`` is calibrated with (1,000 as published).

    Raises:
        InfrastructureError: stored runs that are not in their format.
        ValueError: stored runs of another version of a program or of the measurement.
        ProgramError, MeasurementError: a program or a measurement did not deliver.
    """
    rows: list[Row] = []
    for task in tasks:
        for check in task.spec.checks:
            comparable = task.id in contests.ONE_LAW and contests.sampled(check)
            if isinstance(check, Stochastic) and comparable:
                with ExitStack() as stack:
                    programs = [
                        Measured(item.name, item.role, stack.enter_context(BareProgram(task, item)))
                        for item in _programs(task, check.id, submissions_dir)
                    ]
                    contest = contests.on_draws(
                        task.id, check, programs, gradings=gradings, seed=seed, nulls=nulls
                    )
                    rows += rows_of(contest, gradings, seed)
            elif isinstance(check, SeedSuccessCheck):
                stored = _stored(task, check, reference_dir)
                if stored:
                    rows += rows_of(contests.on_runs(task.id, check, stored), gradings, seed)
    return Document(tuple(rows), table.markdown(rows))


def rows_of(contest: Contest, gradings: int, seed: int) -> list[Row]:
    """The rows of one contest: programs by schemes, then the schemes that do not apply.

    Every row has ``task``, ``check``, ``scheme``, ``applies`` and ``note``. Where the scheme
    applies: ``source``, ``program``, ``role``, ``gradings``, ``passed``, ``undecided``; either
    ``false_fail`` (honest programs) or ``power`` (mutants), the rate of failing; ``low`` and
    ``high``, its 95 % bounds; ``exact``, the rate at the stored runs' own success rate where the
    scheme has one; ``nominal``; ``unit``, ``own_most``, ``own_mean``, ``reference``, what a grading
    takes of either; ``disjoint`` (see :class:`harness.comparison.gradings.Tally`); and
    ``by_reference``, for the reference program the rates of failing under single stored
    references: their number, 5th and 95th percentile.

    Raises:
        ValueError: a pool holds less than one grading takes.
    """
    rows = [row for item in contest.contestants for row in _rows(contest, item, gradings, seed)]
    for name, why in contest.excluded.items():
        rows.append({**_head(contest, name), "applies": False, "note": why})
    return rows


def _rows(contest: Contest, contestant: Contestant, gradings: int, seed: int) -> Iterator[Row]:
    entrants = contest.entrants_against(contestant)
    rng = stream(seed, contest.task, contest.check, contestant.name)
    for entrant, result in zip(
        entrants, tally(entrants, contestant.pool, gradings, rng), strict=True
    ):
        yield {
            **_head(contest, entrant.scheme.name),
            "applies": True,
            "note": "",
            **_figures(contest, contestant, entrant, result),
            "by_reference": _by_reference(contestant, entrant, gradings, rng),
        }


def _head(contest: Contest, scheme: str) -> Row:
    return {"task": contest.task, "check": contest.check, "scheme": scheme}


def _figures(contest: Contest, contestant: Contestant, entrant: Entrant, result: Tally) -> Row:
    scheme, pool = entrant.scheme, contestant.pool
    low, high = result.interval
    return {
        "source": scheme.source,
        "program": contestant.name,
        "role": contestant.role,
        "gradings": result.gradings,
        "passed": result.passed,
        "undecided": result.undecided,
        "false_fail": result.failed if contestant.honest else None,
        "power": None if contestant.honest else result.failed,
        "low": low,
        "high": high,
        "exact": scheme.exact(pool.values) if isinstance(pool, RunPool) else None,
        "nominal": scheme.nominal,
        "unit": "seeds" if contest.family == "runs" else "draws",
        "own_most": scheme.own,
        "own_mean": result.used,
        "reference": scheme.reference,
        "disjoint": result.disjoint,
    }


def _by_reference(
    contestant: Contestant, entrant: Entrant, gradings: int, rng: np.random.Generator
) -> Row | None:
    scheme = entrant.scheme
    of_reference = contestant.role == "reference" and scheme.family == "runs"
    if not of_reference or scheme.reference == 0 or scheme.same_seed:
        return None
    failed = spread(entrant, contestant.pool, REFERENCES, gradings, rng)
    low, high = np.quantile(failed, [0.05, 0.95]).tolist()
    return {"references": REFERENCES, "p5": low, "p95": high}


def _programs(task: LoadedTask, check: str, submissions: Path) -> list[Program]:
    """The reference first, then its variants, the complete submission and the check's mistakes."""
    assert task.reference is not None
    mutants = task.reference.mutants
    wrong = [mutant.program for mutant in mutants if mutant.mistake.check == check]
    return calibration.honest(task, submissions) + wrong


def _stored(task: LoadedTask, check: SeedSuccessCheck, reference_dir: Path) -> list[StoredRuns]:
    """The stored runs of a check's programs; none where there is no file."""
    path = reference_dir / task.id / "targets" / check.target
    if task.reference is None or not path.is_file():
        return []
    runs = stored_runs.parse(path.read_bytes(), str(path))
    stale = [item.name for item in runs if not stored_runs.current(task, item)]
    if stale:
        raise ValueError(f"{path}: runs of {stale} are of another version; make them again")
    mistakes = [mutant for mutant in task.reference.mutants if mutant.mistake.check != check.id]
    others = {mutant.program.name for mutant in mistakes}
    return [item for item in runs if item.role != "mutant" or item.name not in others]
