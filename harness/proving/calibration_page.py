"""The tables of ``calibrate``, for people and for machines.

``calibration.csv`` has a row for every check, rate, learner and power; ``operating.csv`` the curves
of the training checks; ``calibration.md`` shows both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.files import write_csv, write_text
from harness.proving.calibration_rates import CONFIDENCE, CheckRate, Rate, Rejections
from harness.proving.certificate import Certificate, Curve, Learner, Power
from harness.results import Results

_COLUMNS = (
    *("task", "check", "stage", "stage_alpha", "runs", "rejections", "upper", "mutant"),
    *("mutant_runs", "caught", "power_lower95", "beta", "commit", "program", "role", "method"),
    *("nominal", "real", "lower", "family", "standing"),
)


def write(certificate: Certificate, results: Results, commit: str) -> list[Path]:
    """calibration.csv, calibration.md and operating.csv among the figures of a results folder.

    Rows of calibration.csv with the ``role`` ``honest`` are of a check, both stages and all honest
    programs together. ``lower`` and ``upper`` hold with 95 % confidence for all the ``family`` rows
    of their sort at once. Rows with ``method`` ``derived`` are of training checks: ``runs`` counts
    stored seeds, ``rejections`` those that miss the threshold, and ``upper`` is the derived
    probability of FAIL at the success rate that they bear out.
    """
    rows = [*map(_check_row, certificate.checks), *map(_program_row, certificate.rates)]
    rows += map(_learner_row, certificate.learners)
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
    parts = [*_declared(certificate), *_checks(certificate), "", *_programs(certificate), ""]
    return "\n".join([*parts, *_powers(certificate), "", *_learners(certificate)])


def _declared(certificate: Certificate) -> Iterator[str]:
    yield (
        f"Declared for all checks together, a student: honest work fails any with at most "
        f"{certificate.alpha_total:.3g} and loses points with at most {certificate.loss_total:.3g}."
    )
    yield ""


def _checks(certificate: Certificate) -> Iterator[str]:
    """What is certified of all checks at once, and what is not."""
    certified, every = len(certificate.certified), len(certificate.checks)
    if certificate.checks:
        yield (
            f"**Certified: {certified} of {every} checks on draws.** Their stages reject honest "
            f"work no more often than declared; with {CONFIDENCE:.0%} confidence that is true of "
            f"all {certified} at once. A rate is the mean over both stages and the honest programs "
            f"of the check; one of k programs may have up to k times the mean."
        )
        yield ""
    if any(rate.real < rate.runs for rate in certificate.checks):
        yield (
            "Where fewer gradings are real than there are, the others draw from one pool of draws "
            "a program and stage, and the bounds are those of the pool's own law."
        )
        yield ""
    if certificate.uncounted:
        yield f"Not measured by gradings: {', '.join(certificate.uncounted)}."
        yield ""
    yield "| check | declared | run at | programs | gradings (real) | rejections | joint bounds | |"
    yield "|---|---|---|---|---|---|---|---|"
    for rate in certificate.checks:
        far = "; honest work lies far from the limit, so little is tried" if rate.far else ""
        yield (
            f"| {_name(rate)} | {rate.stage_alpha:g} | {rate.nominal:g} | {rate.programs} "
            f"| {_gradings(rate)} | {rate.rejections} | {_bounds(rate)} | {rate.standing}{far} |"
        )


def _programs(certificate: Certificate) -> Iterator[str]:
    """The same program by program, which takes more gradings to certify."""
    certified = sum(rate.standing == "certified" for rate in certificate.rates)
    yield (
        f"By program and stage, jointly over {len(certificate.rates)} rows with {CONFIDENCE:.0%} "
        f"confidence: {certified} certified."
    )
    yield ""
    yield "| check | stage | program | gradings (real) | rejections | joint bounds | |"
    yield "|---|---|---|---|---|---|---|"
    for rate in certificate.rates:
        yield (
            f"| {_name(rate)} | {rate.stage} | {rate.program.split('/')[-1]} | {_gradings(rate)} "
            f"| {rate.rejections} | {_bounds(rate)} | {rate.standing} |"
        )


def _name(rate: Rejections) -> str:
    return f"{rate.task}/{rate.check}"


def _gradings(rate: Rejections) -> str:
    return f"{rate.runs:,} ({rate.real:,})"


def _bounds(rate: Rejections) -> str:
    return f"{rate.lower:.1e} to {rate.upper:.1e}"


def _powers(certificate: Certificate) -> Iterator[str]:
    yield "Power, each mistake by itself (these bounds do not hold jointly):"
    yield ""
    yield "| check | mistake | gradings or seeds | caught | power, lower 95 % bound | declared |"
    yield "|---|---|---|---|---|---|"
    for power in certificate.powers:
        yield (
            f"| {power.task}/{power.check} | {power.mutant} | {power.runs} | {power.caught} "
            f"| {power.power_lower95:.4f} | {1 - power.beta:g} |"
        )


def _learners(certificate: Certificate) -> Iterator[str]:
    yield "Training checks, at the success rate that stored runs bear out, 99.7 % for each learner:"
    yield ""
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


def _check_row(rate: CheckRate) -> dict[str, Any]:
    record = rate.to_json()
    programs = record.pop("programs")
    return {**_measured(record), "program": f"{programs} programs", "role": "honest"}


def _program_row(rate: Rate) -> dict[str, Any]:
    return _measured(rate.to_json())


def _measured(record: dict[str, Any]) -> dict[str, Any]:
    method = "measured" if record["real"] == record["runs"] else "measured, pooled"
    return {**record, "method": method}


def _learner_row(item: Learner) -> dict[str, Any]:
    return {
        "task": item.task,
        "check": item.check,
        "stage": "training",
        "stage_alpha": item.alpha,
        "runs": item.runs,
        "rejections": item.runs - item.successes,
        "upper": item.p_fail,
        "program": item.program,
        "role": item.role,
        "method": "derived",
        "standing": "certified" if item.p_fail <= item.alpha else "over honest variants",
    }


def _power_row(power: Power) -> dict[str, Any]:
    record = asdict(power)
    return {**record, "mutant_runs": record.pop("runs"), "role": "mutant"}
