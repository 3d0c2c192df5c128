"""Names and keys of trials, and the look-up of their observations.

A trial's key holds a digest of everything its values depend on: the program's files, measure.py,
given.py and the contract, the seed's name and its phase key, what is stored, the limits, the pinned
packages, and for training the kind of machine. Statements, points and thresholds are not in it:
changing them scores again without running anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness import kinds
from harness.ledger import Ledger
from harness.machine import environment, machine_class
from harness.marking.jobs import Run
from harness.records import (
    COMMON,
    EXAMPLE,
    OWN,
    Observation,
    Program,
    Step,
    Trial,
    canonical,
    sha256,
)
from harness.seeds import PUBLIC_KEY, Key
from harness.spec.load import LoadedTask

#: Raised whenever the meaning of an observation changes: stored ones are then made anew.
COLLECT_PROTOCOL = 3


@dataclass(frozen=True)
class Subject:
    """A program to be marked, with what is known to be wrong before anything runs.

    ``problems`` maps a file name, or ``""`` for the submission as a whole, to (cause, message).
    """

    program: Program
    display_name: str
    identity: str = "unverified"
    problems: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def problem(self, task: LoadedTask) -> tuple[str, str] | None:
        """Why the task cannot even be tried, or None."""
        for name in ("", *task.spec.wanted_files):
            if name in self.problems:
                return self.problems[name]
        for name in task.spec.wanted_files:
            if name not in self.program.files:
                return ("missing-file", f"{name} was not submitted")
        return None


@dataclass(frozen=True)
class View:
    """The ledger as one phase sees it.

    What a submission did under weaker isolation than ``isolation`` counts as not observed.
    """

    key: Key
    ledger: Ledger
    isolation: str = "L1"

    def observe(
        self, task: LoadedTask, program: Program, measurement: str, step: Step, owner: str = ""
    ) -> Observation | Run:
        """The observation of a trial, or the run that would make it.

        ``owner`` is whose seeds those of stage two are; those of the others are common.
        """
        trial = name_trial(task, program, measurement, step, step.subject(owner), self.key_of(step))
        weakest = self.isolation if program.role == "submission" else None
        found = self.ledger.get(trial.key, weakest)
        if found is not None:
            return found
        wanted = task.spec.wanted_files
        files = {name: program.files[name] for name in wanted if name in program.files}
        return Run(trial, task, files)

    def seen(self, task: LoadedTask, program: Program) -> Iterator[Observation]:
        """Every stored observation of a program that a mark of its own can rest on."""
        for measurement in task.spec.measurements:
            for step in steps(task, measurement):
                found = self.observe(task, program, measurement, step, program.name)
                if isinstance(found, Observation):
                    yield found

    def key_of(self, step: Step) -> Key:
        """Examples are drawn under the public key, whatever the phase."""
        return PUBLIC_KEY if step.stage == EXAMPLE.stage else self.key


def steps(task: LoadedTask, measurement: str) -> list[Step]:
    """Every step of a measurement that one of its checks can ask for."""
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
    """The trial of one measurement of one program, with its key."""
    spec = task.spec
    declared = spec.measurements[measurement]
    content = [
        COLLECT_PROTOCOL,
        [spec.id, spec.draw, measurement, step.stage, step.replicate, subject],
        declared.draws,
        declared.own_worker,
        spec.limits_of(measurement).model_dump(),
        [kinds.signature(check) for check in spec.checks_of(measurement)],
        key.commitment,
        program.digests(spec.wanted_files),
        task.protocol,
        environment(),
        machine_class() if spec.tier == "training" else "",
    ]
    return Trial(
        task=spec.id,
        measurement=measurement,
        program=program.name,
        role=program.role,
        stage=step.stage,
        replicate=step.replicate,
        subject=subject,
        key=sha256(canonical(content)),
    )
