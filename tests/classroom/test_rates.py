"""What is said of error rates is what the specs declare."""

from __future__ import annotations

import pytest

from harness.classroom.rates import rate
from harness.spec.checks import LikelihoodCheck, ReturnsCheck, SeedSuccessCheck, Stochastic
from tests.support.programs import TASKS, load

CHECKS = [check for name in TASKS for check in load(name).spec.checks]


def test_there_is_a_check_of_every_sort() -> None:
    for sort in (ReturnsCheck, SeedSuccessCheck, Stochastic):
        assert any(isinstance(check, sort) for check in CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_rate_is_the_one_that_is_declared(check) -> None:
    found = rate(check)
    if isinstance(check, ReturnsCheck):
        assert (found.fails, found.loses) == (None, None)
        assert "no rate is declared" in found.words
        return
    assert (found.fails, found.loses) == (check.alpha_bound, check.loss_bound)
    if isinstance(check, SeedSuccessCheck):
        assert f"at most {check.loss:g};" in found.words
        assert f"at most {check.beta:g}" in found.words
    elif isinstance(check, Stochastic):
        assert f"at most {check.stage_alpha**2:.2g}" in found.words
        assert f"at most {check.beta:g}" in found.words
    elif isinstance(check, LikelihoodCheck) and check.compare == "mean":
        assert f"at most {2 * check.floor_alpha:.2g}" in found.words
    else:
        assert found.loses == 0
        assert found.words.startswith("chance has no part")
