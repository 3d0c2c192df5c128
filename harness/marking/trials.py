"""Which trial is meant: the steps that a check may ask for, and the digests of trials.

A trial's digest covers everything its values depend on: the program's files, measure.py, given.py
and the contract, the seed's name and the commitment to its key, what is stored, the limits, the
pinned packages, and for training the class of machine. Statements, points and thresholds are not
covered: changing them only needs scoring again.
"""

from __future__ import annotations

from functools import lru_cache

from harness import kinds
from harness.machine import environment, machine_class
from harness.marking.jobs import PlannedTrial
from harness.records import (
    COMMON,
    OWN,
    SHOW,
    Program,
    Step,
    Trial,
    canonical,
    sha256,
)
from harness.seeds import Key
from harness.spec.load import LoadedTask

#: Raised whenever the meaning of an observation changes: stored ones are then made anew.
#: 11: from call to call one argument changes (`Instances.replaced`), and arrays end alike.
COLLECT_PROTOCOL = 11
#: Raised whenever an example's transcript holds something else: stored answers are then made anew.
#: 7: from call to call one argument changes.
EXAMPLE_PROTOCOL = 7
#: Raised whenever what is stored of a task's pictures means something else.
SHOW_PROTOCOL = 1


def planned_trial(trial: Trial, task: LoadedTask, program: Program) -> PlannedTrial:
    """The trial with the program's files for the task."""
    places = program.places(task.spec.wanted_files)
    files = {name: program.files[place] for name, place in places.items()}
    return PlannedTrial(trial, task, files)


def steps(task: LoadedTask, measurement: str) -> list[Step]:
    """Every step of a measurement that one of its checks can ask for, in order."""
    checks = task.spec.checks_of(measurement)
    return sorted(
        {
            Step(stage.stage, replicate)
            for check in checks
            for stage in (COMMON, OWN)[: check.stages]
            for replicate in range(check.replicates)
        }
    )


def name_trial(
    task: LoadedTask, program: Program, measurement: str, step: Step, subject: str, key: Key
) -> Trial:
    """The trial of one measurement of one program, with its digest.

    Args:
        subject: the name that is mixed into the seed; empty where the cohort shares it.
    """
    content = [
        _measurement_digest(task, measurement),
        [step.stage, step.replicate, subject],
        key.commitment,
        program.digests(task.spec.wanted_files),
        program.role == "reference",  # only its observations keep scales
    ]
    return Trial(
        task=task.id,
        measurement=measurement,
        program=program.name,
        role=program.role,
        stage=step.stage,
        replicate=step.replicate,
        subject=subject,
        digest=sha256(canonical(content)),
    )


@lru_cache(maxsize=4096)
def _measurement_digest(task: LoadedTask, measurement: str) -> str:
    """A digest of what all trials of a measurement have in common, whatever the program."""
    content = [
        COLLECT_PROTOCOL,
        *_measured(task, measurement),
        task.limits_of(measurement).model_dump(),
        environment(),
        machine_class() if task.spec.tier == "training" else "",
    ]
    return sha256(canonical(content))


@lru_cache(maxsize=4096)
def example_digest(task: LoadedTask, measurement: str) -> str:
    """A digest of all that the numbers of a public example depend on, the program left out.

    Packages and machines are left out too: they change the last digits of a number, if anything.
    """
    return sha256(canonical([EXAMPLE_PROTOCOL, *_measured(task, measurement)]))


def _measured(task: LoadedTask, measurement: str) -> list[object]:
    spec = task.spec
    if measurement == SHOW:
        return [[spec.id, spec.draw, SHOW, SHOW_PROTOCOL], task.show_protocol]
    declared = spec.measurements[measurement]
    return [
        [spec.id, spec.draw, measurement],
        declared.draws,
        declared.own_worker,
        [kinds.signature(check) for check in spec.checks_of(measurement)],
        task.protocol,
    ]
