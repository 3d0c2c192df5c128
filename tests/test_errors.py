"""The errors of the harness come back from another process as they were."""

import pickle

import pytest

from harness.errors import (
    ArchiveError,
    FairmarkError,
    InfrastructureError,
    MeasurementError,
    PlanError,
    Problem,
    ProgramError,
    SpecError,
    UsageError,
)
from harness.sandbox.connection import Overdue

ERRORS = [
    *(kind("words") for kind in (FairmarkError, UsageError, PlanError, InfrastructureError)),
    SpecError([Problem("a.py", 16, 1, "cannot be parsed", "mend it"), Problem("b.py", 1, 2, "no")]),
    ArchiveError("unsafe-archive", "a link"),
    ProgramError("bad-output", "a list", while_loading=True),
    Overdue("timeout", "no answer"),
    MeasurementError("no scale", "return one"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_from_another_process_is_the_same(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))
