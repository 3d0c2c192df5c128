"""Programs that keep a task's contract and know nothing of the task; none of them may earn points.

Each fills every result with one rule: numbers of any size, numbers taken from the arguments
(``last`` is usually the noise, so that what is returned is odd in it and has the mean zero),
numbers that depend on shapes alone and agree with each other. A check that one of them passes
compares answers of a program with themselves, or takes its tolerance from them.
"""

from __future__ import annotations

from types import MappingProxyType

from harness.contract.constant import ignorant_program
from harness.records import Program
from harness.spec.load import LoadedTask

#: What every entry of every result is, by the name under which ``verify`` reports the program.
FILLINGS = MappingProxyType(
    {
        "0": "0.0",
        "1": "1.0",
        "1/2": "0.5",
        "1e9": "1e9",
        "nan": "math.nan",
        "inf": "math.inf",
        "its first argument": "first",
        "its last argument": "last",
        "1e18 times its first argument": "1e18 * first",
        "1e18 times its last argument": "1e18 * last",
        "1e9 and -1e9 in turn": "1e9 * (1 - 2 * (index % 2))",
        "a whole number that it is given, less 1e9": "count - 1e9",
        "1/1, 1/2, 1/3 and so on": "1 / (1 + index)",
        "the logarithm of one over the rows": "-math.log(rows)",
        "a log-softmax of its first argument": "torch.log_softmax(first, 0)",
    }
)


def programs(task: LoadedTask) -> tuple[Program, ...]:
    """One program for each of :data:`FILLINGS`."""
    return tuple(
        Program(
            name, "constant", {task.spec.file: ignorant_program(task.contract, number).encode()}
        )
        for name, number in FILLINGS.items()
    )
