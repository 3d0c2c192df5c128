"""What a program does before it is changed: which functions each measurement reaches, and answers.

A change that survives every check is held against the answers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from harness.collect.bare import BareProgram
from harness.collect.job import measure
from harness.collect.proxy import ProgramProxy
from harness.mutation.answers import Episode, Exchange, Recorder
from harness.mutation.calling import Episodes
from harness.mutation.deciding import Asked, BareObservations, measured_checks
from harness.mutation.source import MODULE, Source
from harness.records import COMMON, Observation, Program
from harness.seeds import PUBLIC_KEY, SeedName
from harness.spec.load import LoadedTask

#: What costs about as much as a call that the program makes: so many numbers in arrays; and how
#: many such calls a request costs.
_NUMBERS_AS_ONE_CALL, _CALLS_OF_A_REQUEST = 8, 20


@dataclass(frozen=True)
class Explored:
    """What is known of a program before it is changed.

    Attributes:
        observations: of the reference, at the first step of every measurement that does not train.
        reached: measurement -> the units that it executes.
        cost: measurement -> a measure of its time that is the same in every run: the calls that
            the program makes, the requests, the numbers that are passed.
        recorded: measurement -> the requests that it makes of the program.
        cpu_s: processor seconds of all measurements, and of what they had to import.
    """

    observations: Mapping[Asked, Observation]
    reached: Mapping[str, frozenset[str]]
    cost: Mapping[str, int]
    recorded: Mapping[str, Sequence[Exchange]]
    cpu_s: float


@dataclass(frozen=True)
class Answers:
    """What a program answers to calls of all that its measurements call.

    Attributes:
        broken: what it raised on arguments that the domain allows.
        drawn: the functions and classes whose arguments came from a declared domain.
    """

    episodes: tuple[Episode, ...]
    broken: tuple[str, ...]
    drawn: frozenset[str]


def explore(task: LoadedTask, program: Program, source: Source) -> Explored:
    """Measures a program; what it raises in a measurement is left to the proof of the task.

    Raises:
        ProgramError: it cannot be loaded.
    """
    observations = _of_reference(task)
    reached, cost, recorded = {}, {}, {}
    with BareProgram(task, program) as running:
        names = list(dict.fromkeys(check.measurement for check in measured_checks(task)))
        started = time.process_time()
        for measurement in names:
            recorder = Recorder(running.channel)
            recorder.renew()
            with _profiled(running, source) as (units, calls):
                _measured(task, measurement, recorder)
            arrays = [array for item in recorder.kept for array in (*item.arrays, *item.answers)]
            size = sum(array.size for array in arrays)
            reached[measurement] = frozenset(units)
            requests = _CALLS_OF_A_REQUEST * len(recorder.kept)
            cost[measurement] = calls[0] + requests + size // _NUMBERS_AS_ONE_CALL
            recorded[measurement] = recorder.kept
        cpu_s = time.process_time() - started
    return Explored(observations, reached, cost, recorded, cpu_s)


def answers_of(
    task: LoadedTask, program: Program, recorded: Mapping[str, Sequence[Exchange]]
) -> Answers:
    """The answers of a program.

    Raises:
        ProgramError: it cannot be loaded.
    """
    with BareProgram(task, program) as running:
        episodes = Episodes(task, running.channel, recorded)
        explored = tuple(episodes.all())
        return Answers(explored, tuple(episodes.broken), frozenset(episodes.drawn))


def _of_reference(task: LoadedTask) -> Mapping[Asked, Observation]:
    assert task.reference is not None
    with BareObservations(task, PUBLIC_KEY) as seen:
        for check in measured_checks(task):
            if check.needs_reference:
                seen.observe(task, task.reference.solution, check.measurement, COMMON)
        return seen.known


def _measured(task: LoadedTask, measurement: str, recorder: Recorder) -> None:
    name = SeedName(task.id, task.spec.draw, measurement, COMMON.stage, COMMON.replicate)
    rng = name.generator(PUBLIC_KEY)
    student = ProgramProxy(recorder, task.contract, rng.spawn(1)[0], material=task.material)
    try:
        measure(task, measurement, student, rng)
    except Exception:  # of the program or of measure.py: the proof of the task complains of both
        return


@contextmanager
def _profiled(running: BareProgram, source: Source) -> Iterator[tuple[set[str], list[int]]]:
    """The units of the program that are executed within the block, and how many calls it makes."""
    units, calls = {MODULE}, [0]
    place = running.file

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if frame.f_code.co_filename == place:
            calls[0] += 1
            if event == "call":
                units.add(source.unit_of_line(frame.f_code.co_firstlineno))

    sys.setprofile(watch)
    try:
        yield units, calls
    finally:
        sys.setprofile(None)
