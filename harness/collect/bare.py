"""The same measurements in this process, without a sandbox: for benchmarks and simulations.

Only trusted programs are run this way, and no mark ever comes of it. The worker's own code answers,
so what is simulated is what is graded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import wire
from harness.collect import drawing
from harness.collect.calls import Observe
from harness.collect.job import load_request, measure, reduce
from harness.collect.proxy import ProgramProxy
from harness.errors import ProgramError
from harness.records import EXAMPLE, SHOW, Array, Program, Step
from harness.sandbox.connection import Answer
from harness.seeds import PUBLIC_KEY, Key, SeedName
from harness.spec.load import LoadedTask

if TYPE_CHECKING:
    from harness.worker import shim


class LocalTransport:
    """Carries frames between a proxy and a worker of the same process.

    Arrays of a served environment are copied, as the wire does: neither side may change what the
    other holds.

    Attributes:
        answer: answers a step of a served environment during the call under way.
        reply: what the worker sent last in answer to a request.
    """

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.reply: wire.Frame | None = None
        self._served: wire.Frame | None = None

    def send(self, message: Mapping[str, Any], arrays: Sequence[Array]) -> None:
        """Takes what the worker sends: a reply, or a request to a served environment.

        Raises:
            ProgramError: the program was given no environment.
        """
        if message.get("op") != "environment":
            self.reply = wire.Frame(message, tuple(arrays))
            return
        if self.answer is None:
            raise ProgramError("protocol", "no environment was given")
        self._served = self.answer(message, tuple(np.array(array) for array in arrays))

    def receive(self) -> wire.Frame:
        """What the environment answered to the request that was sent last."""
        assert self._served is not None
        arrays = tuple(np.array(array) for array in self._served.arrays)
        return wire.Frame(self._served.message, arrays)


class LocalChannel:
    """Answers a proxy's requests with the worker's operations, called directly.

    ``load`` is the request by which the program is loaded.
    """

    def __init__(
        self, directory: Path, load: Mapping[str, Any], result_bytes: int = 1 << 30
    ) -> None:
        self._directory = directory
        self._load = load
        self._result_bytes = result_bytes
        self._transport = LocalTransport()
        self._worker = self._new_worker()
        self.request(load, [])

    def renew(self, *, sandbox: bool = False) -> None:
        """Loads the file anew; the process stays, so this separates nothing from anything."""
        del sandbox
        self._worker = self._new_worker()
        self.request(self._load, [])

    def request(
        self, message: Mapping[str, Any], arrays: Sequence[Array], answer: Answer | None = None
    ) -> wire.Frame:
        """One request, as :meth:`harness.sandbox.connection.WorkerConnection.request` makes it.

        Raises:
            ProgramError: the program refused or raised.
        """
        from harness.worker.explanation import explain

        self._transport.answer = answer
        self._worker.arrays = tuple(arrays)
        try:
            self._worker.perform({**message, "nonce": 0})
        except (ProgramError, KeyboardInterrupt):
            raise
        except BaseException as error:  # as in the worker: whatever a program raises
            cause, text = explain(error, self._directory)
            raise ProgramError(cause, text) from error
        assert self._transport.reply is not None
        return self._transport.reply

    def _new_worker(self) -> shim.Worker:
        from harness.worker import shim  # here, since it imports torch

        return shim.Worker(self._transport, self._directory, self._result_bytes)


class BareProgram:
    """One trusted program on one task, loaded once and measured any number of times.

    A context manager: its copy of the files is removed at the end of the block.

    Raises:
        ProgramError: the program cannot be loaded.
    """

    def __init__(self, task: LoadedTask, program: Program) -> None:
        self._task = task
        self._folder = tempfile.TemporaryDirectory(prefix="fairmark-bare-")
        folder = Path(self._folder.name)
        for name in task.spec.wanted_files:
            (folder / name).write_bytes(program.files[name])
        if task.given is not None:
            (folder / "given.py").write_bytes(task.given)
        try:
            self._channel = LocalChannel(folder, load_request(task))
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> BareProgram:
        return self

    def __exit__(self, *exception: object) -> None:
        self._folder.cleanup()

    @property
    def file(self) -> str:
        """The path of the program's module, as it is loaded."""
        return str(Path(self._folder.name) / self._task.spec.file)

    @property
    def channel(self) -> LocalChannel:
        """Where requests to the program go, for a proxy of one's own."""
        return self._channel

    def statistics(
        self, measurement: str, step: Step, key: Key, *, subject: str = ""
    ) -> dict[str, dict[str, Array]]:
        """The statistics of one measurement by check, as a trial of the reference keeps them.

        Raises:
            ProgramError: the program did not deliver.
            MeasurementError: the measurement did not.
        """
        metrics = self.metrics(measurement, step, key, subject=subject)
        return reduce(self._task, measurement, metrics)

    def example(self) -> list[bool]:
        """Whether each call of the task's worked example gives what the statement says.

        Raises:
            ProgramError: the program did not deliver.
            MeasurementError: the task has no example.
        """
        rng = np.random.default_rng(0)  # for the global generators; an example does not draw
        task = self._task
        student = ProgramProxy(self._channel, task.contract, rng, material=task.material)
        return [bool(agrees) for agrees in student.example()]

    def pictures(self) -> dict[str, dict[str, Array]]:
        """What the task's show.py draws of the program, as a trial of its pictures keeps it.

        Raises:
            ProgramError: the program did not deliver.
            MeasurementError: show.py did not.
        """
        task = self._task
        name = SeedName(task.id, task.spec.draw, SHOW, EXAMPLE.stage, EXAMPLE.replicate, "")
        rng = name.generator(PUBLIC_KEY)
        student = ProgramProxy(
            self._channel, task.contract, rng.spawn(1)[0], material=task.material
        )
        return drawing.drawn(task, student, rng)

    def metrics(
        self,
        measurement: str,
        step: Step,
        key: Key,
        *,
        subject: str = "",
        draws: int | None = None,
        observe: Observe | None = None,
    ) -> dict[str, Array]:
        """All that a measurement returns, under the seeds of :meth:`statistics`.

        ``draws`` replaces the number of draws that the spec declares; ``observe`` is told of every
        call.

        Raises:
            ProgramError: the program did not deliver.
            MeasurementError: the measurement did not.
        """
        spec = self._task.spec
        name = SeedName(spec.id, spec.draw, measurement, step.stage, step.replicate, subject)
        rng = name.generator(key)
        task = self._task
        student = ProgramProxy(
            self._channel,
            task.contract,
            rng.spawn(1)[0],
            material=task.material,
            observe=observe,
        )
        return measure(self._task, measurement, student, rng, draws)
