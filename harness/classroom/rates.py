"""What a check declares about its errors, as numbers and in a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass

from harness.spec.checks import Check, LikelihoodCheck, ReturnsCheck, SeedSuccessCheck, Stochastic


@dataclass(frozen=True)
class Rate:
    """The declared error rates of one check.

    Attributes:
        fails: bound on the probability that honest work fails; None where none is declared.
        loses: the same of losing points, by FAIL or INCONCLUSIVE.
        misses: bound on the probability that a departure of the declared size passes; None where
            none is declared, and where every departure beyond rounding is found.
        words: all of it in a sentence.
    """

    fails: float | None
    loses: float | None
    misses: float | None
    words: str


def rate(check: Check) -> Rate:
    """What is declared of one check."""
    if isinstance(check, ReturnsCheck):
        words = (
            "no rate is declared: the credit follows the mean return, and other games of the same "
            "program give another one"
        )
        return Rate(None, None, None, words)
    if isinstance(check, SeedSuccessCheck):
        words = (
            f"a program that reaches the threshold with at least {check.success_rate:g} of its "
            f"seeds loses points (FAIL, or INCONCLUSIVE after {check.max_seeds} seeds) with "
            f"probability at most {check.loss:g}; one that reaches it with at most "
            f"{check.min_detectable:g} escapes FAIL with probability at most {check.beta:g}"
        )
        return Rate(check.alpha_bound, check.loss_bound, check.beta, words)
    if isinstance(check, Stochastic):
        words = (
            f"honest work fails with probability at most {check.alpha_bound:.2g}, since two "
            "independent sets of draws must be rejected, each with probability at most "
            f"{check.stage_alpha:g}; a departure of {check.min_detectable:g} (in the unit of the "
            f"kind {check.kind}) is missed with probability at most {check.beta:g}"
        )
        return Rate(check.alpha_bound, check.loss_bound, check.beta, words)
    if isinstance(check, LikelihoodCheck) and check.compare == "mean":
        words = (
            f"a program within {check.margin_nats:g} nats of the reference fails with probability "
            f"at most {check.alpha_bound:.2g}; one that is {check.min_detectable:g} nats an image "
            f"worse is missed with at most {check.beta:g}"
        )
        return Rate(check.alpha_bound, check.loss_bound, check.beta, words)
    words = "chance has no part: answers are held against fixed limits, and rounding is excused"
    return Rate(0.0, 0.0, None, words)
