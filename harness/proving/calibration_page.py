"""The tables of ``calibrate``, for people and for machines.

``calibration.csv`` has a row for every rate, learner and power; ``operating.csv`` the curves of the
training checks; ``calibration.md`` shows both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.files import write_csv, write_text
from harness.proving.certificate import Certificate, Curve, Learner, Power, Rate
from harness.results import Results

_COLUMNS = (
    *("task", "check", "stage", "stage_alpha", "runs", "rejections", "upper95", "mutant"),
    *("mutant_runs", "caught", "power_lower95", "beta", "commit", "program", "role", "method"),
    *("nominal", "real", "lower95", "standing"),
)


def write(certificate: Certificate, results: Results, commit: str) -> list[Path]:
    """calibration.csv, calibration.md and operating.csv among the figures of a results folder.

    Rows of calibration.csv with ``method`` ``derived`` are of training checks: ``runs`` counts
    stored seeds, ``rejections`` those that miss the threshold, and ``upper95`` is the derived
    probability of FAIL at the success rate that they bear out.
    """
    rows = [*map(_rate_row, certificate.rates), *map(_learner_row, certificate.learners)]
    rows += map(_power_row, certificate.powers)
    return [
        write_csv(
            results.figure("calibration.csv"),
            _COLUMNS,
            ({**row, "commit": commit} for row in rows),
        ),
        write_csv(
            results.figure("operating.csv"),
            tuple(Curve.__annotations__),
            map(asdict, certificate.curves),
        ),
        write_text(results.figure("calibration.md"), f"# Calibration\n\n{text(certificate)}\n"),
    ]


def text(certificate: Certificate) -> str:
    """The tables in Markdown."""
    parts = [*_rates(certificate), "", *_powers(certificate), "", *_learners(certificate)]
    return "\n".join(parts)


def _rates(certificate: Certificate) -> Iterator[str]:
    yield f"Declared for all checks together: {certificate.alpha_total:.3g} a student."
    yield ""
    yield (
        "| check | stage | declared | run at | program | gradings (real) | rejections "
        "| 95 % bounds | |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for rate in certificate.rates:
        yield (
            f"| {rate.task}/{rate.check} | {rate.stage} | {rate.stage_alpha:g} | {rate.nominal:g} "
            f"| {rate.program.split('/')[-1]} | {rate.runs:,} ({rate.real:,}) "
            f"| {rate.rejections} | {rate.lower95:.1e} to {rate.upper95:.1e} | {rate.standing} |"
        )


def _powers(certificate: Certificate) -> Iterator[str]:
    yield "| check | mistake | gradings or seeds | caught | power, lower 95 % bound | declared |"
    yield "|---|---|---|---|---|---|"
    for power in certificate.powers:
        yield (
            f"| {power.task}/{power.check} | {power.mutant} | {power.runs} | {power.caught} "
            f"| {power.power_lower95:.4f} | {1 - power.beta:g} |"
        )


def _learners(certificate: Certificate) -> Iterator[str]:
    yield (
        "| training check | learner | seeds that succeed | borne out | P(FAIL), derived "
        "| P(INCONCLUSIVE) | seeds used (at the bound) | fixed number |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for item in certificate.learners:
        yield (
            f"| {item.task}/{item.check} | {item.program.split('/')[-1]} "
            f"| {item.successes} of {item.runs} | {item.bound:.3f} | {item.p_fail:.1e} "
            f"| {item.p_undecided:.1e} | {item.seeds_seen:.2f} ({item.seeds:.2f}) | {item.fixed} |"
        )
    for name in dict.fromkeys((item.task, item.check) for item in certificate.learners):
        yield from ("", f"{name[0]}/{name[1]}, by the true success rate of a learner:", "")
        yield "| success rate | PASS | FAIL | INCONCLUSIVE | seeds |"
        yield "|---|---|---|---|---|"
        for at in certificate.curves:
            if (at.task, at.check) == name:
                yield (
                    f"| {at.success_rate:g} | {at.p_pass:.4g} | {at.p_fail:.2g} "
                    f"| {at.p_undecided:.2g} | {at.expected_seeds:.1f} |"
                )


def _rate_row(rate: Rate) -> dict[str, Any]:
    row = {**asdict(rate), "lower95": rate.lower95, "upper95": rate.upper95}
    method = "measured" if rate.real == rate.runs else "measured, pooled"
    return {**row, "method": method, "standing": rate.standing}


def _learner_row(item: Learner) -> dict[str, Any]:
    return {
        "task": item.task,
        "check": item.check,
        "stage": "training",
        "stage_alpha": item.alpha,
        "runs": item.runs,
        "rejections": item.runs - item.successes,
        "upper95": item.p_fail,
        "program": item.program,
        "role": item.role,
        "method": "derived",
        "standing": "certified" if item.p_fail <= item.alpha else "over honest variants",
    }


def _power_row(power: Power) -> dict[str, Any]:
    record = asdict(power)
    return {**record, "mutant_runs": record.pop("runs"), "role": "mutant"}
