"""Whether every known mistake is answered with its hint, and the answers by which that is found.

Every mutant is run on the public examples, without a sandbox, as references are. The hint of a
mistake is reached if a submission that makes it is shown it, or the hint of a mistake that answers
the same on that check; then one text has to fit both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from harness.collect.bare import BareProgram
from harness.errors import FairmarkError
from harness.files import write_text
from harness.marking import hints
from harness.records import EXAMPLE, Array, Program
from harness.seeds import PUBLIC_KEY
from harness.spec.answers import Answers
from harness.spec.load import LoadedTask
from harness.spec.references import ANSWERS

Found = Mapping[str, Mapping[str, Array]]
#: How far rounding in single precision takes an answer from the same in double, relatively.
_SINGLE = 1e-5


def made(task: LoadedTask) -> Answers | None:
    """What the mistakes of a task answer now; None if no check of it has an example.

    A mistake is often written with a tensor of torch's default type, such as the powers
    ``gamma ** torch.arange(n)``, which single precision rounds. Whoever makes it without that gets
    its hint all the same: where answers differ by no more, both are excused.
    """
    assert task.reference is not None
    wanted = list(hints.hinted_checks(task))
    if not wanted:
        return None
    reference = _statistics(task, task.reference.solution, wanted)
    mutants, rounded = {}, {}
    for mutant in task.reference.mutants:
        name = mutant.mistake.name
        mutants[name], rounded[name] = _unrounded(task, mutant.program, list(reference))
    return hints.answers_of(task, reference, mutants, rounded)


def complaints_of(task: LoadedTask) -> Iterator[str]:
    """Hints that nobody would see, hints that would be shown for another mistake, stale answers.

    It reads the stored answers and runs nothing.

    Args:
        task: the task, loaded with its reference.
    """
    assert task.reference is not None
    if why := hints.stale(task):
        yield f"hints are missing, {ANSWERS} is out of date: {why} (verify {task.id} --store)"
        return
    answers = task.reference.answers
    if answers is None:
        return
    texts = {each.mistake.name: each.mistake.hint for each in task.reference.mutants}
    for mutant in task.reference.mutants:
        name, check = mutant.mistake.name, mutant.mistake.check
        if check not in hints.hinted_checks(task):
            continue
        statistics = answers.mistakes[name].checks.get(check)
        if statistics is None:
            yield (
                f"mistake {name} at {check} answers the public example as the reference does, or "
                "breaks there: its hint is never shown"
            )
            continue
        own = answers.mistakes[name].checks
        first = next(
            other
            for other, each in answers.mistakes.items()
            if each.checks.get(check) == statistics and each.checks.keys() == own.keys()
        )
        if texts[first] != texts[name]:
            yield (
                f"mistakes {first} and {name} answer the same at {check}: give both one hint "
                "that fits both"
            )


def store(answers: Answers, reference: Path, task: LoadedTask) -> Path:
    """Writes the answers of a task beside its reference; returns the path."""
    return write_text(reference / task.id / ANSWERS, answers.model_dump_json(indent=None) + "\n")


def _unrounded(task: LoadedTask, program: Program, checks: list[str]) -> tuple[Found, Found]:
    """The statistics of a mistake in double precision where it has only a default type's rounding.

    Returns:
        check -> statistics, and check -> statistic -> how far single precision takes each entry.
    """
    import torch  # costs a second, and only whoever makes answers has it to pay

    found = _statistics(task, program, checks)
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        double = _statistics(task, program, checks)
    finally:
        torch.set_default_dtype(default)
    near = [check for check in found if check in double and _near(found[check], double[check])]
    rounded = {
        check: {name: _distance(array, double[check][name]) for name, array in found[check].items()}
        for check in near
    }
    return {check: double[check] if check in near else found[check] for check in found}, rounded


def _distance(array: Array, other: Array) -> Array:
    """How far entries are apart; 0 where they are not numbers."""
    with np.errstate(invalid="ignore"):
        distance: Array = np.abs(array.astype(np.float64) - other.astype(np.float64))
    return np.where(np.isfinite(distance), distance, 0.0)


def _near(single: Mapping[str, Array], double: Mapping[str, Array]) -> bool:
    """Whether two answers differ by no more than single precision rounds."""
    return single.keys() == double.keys() and all(
        array.shape == double[name].shape and _is_rounded(array, double[name])
        for name, array in single.items()
    )


def _is_rounded(array: Array, other: Array) -> bool:
    a, b = array.astype(np.float64), other.astype(np.float64)
    size = np.abs(b[np.isfinite(b)]).max(initial=0.0)
    return np.allclose(a, b, rtol=_SINGLE, atol=_SINGLE * size, equal_nan=True)


def _statistics(task: LoadedTask, program: Program, checks: list[str]) -> Found:
    """check -> statistics of a program on the public examples; where it breaks, none."""
    by_check: dict[str, Mapping[str, Array]] = {}
    try:
        with BareProgram(task, program) as bare:
            for measurement in dict.fromkeys(task.spec.check(name).measurement for name in checks):
                try:
                    statistics = bare.statistics(measurement, EXAMPLE, PUBLIC_KEY)
                except FairmarkError:  # it breaks on this example: what it says is shown instead
                    continue
                by_check |= {name: each for name, each in statistics.items() if name in checks}
    except FairmarkError:  # it cannot even be loaded
        pass
    return by_check
