"""The same measurements in this process, without a sandbox: for benchmarks and simulations.

Only trusted programs are run this way, and no mark ever comes of it. The worker's own code answers,
so what is simulated is what is graded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from harness import wire
from harness.collect.job import measure, reduce
from harness.collect.proxy import ProgramProxy
from harness.errors import ProgramError
from harness.records import Array, Program, Step
from harness.sandbox.connection import Answer
from harness.seeds import Key, SeedName
from harness.spec.load import LoadedTask


class LocalChannel:
    """Answers a proxy's requests with the worker's operations, called directly."""

    def __init__(
        self, directory: Path, load: Mapping[str, Any], result_bytes: int = 1 << 30
    ) -> None:
        from harness.worker import shim

        self._shim = shim
        self._directory = directory
        self._load = load
        self._result_bytes = result_bytes
        self._reply: wire.Frame | None = None
        self._served: wire.Frame | None = None
        self._answer: Answer | None = None
        self.renew()

    def renew(self, *, sandbox: bool = False) -> None:
        """Loads the file anew; the process stays, so this separates nothing from anything."""
        del sandbox
        self._worker = self._shim.Worker(cast(Any, None), self._directory, self._result_bytes)
        self._worker.send = self._capture  # type: ignore[method-assign]
        self._worker.receive = self._receive  # type: ignore[method-assign]
        self.request(self._load, [])

    def request(
        self, message: Mapping[str, Any], arrays: Sequence[Array], answer: Answer | None = None
    ) -> wire.Frame:
        """One request, as :meth:`harness.sandbox.connection.Link.request` makes it.

        Raises:
            ProgramError: the program refused or raised.
        """
        self._answer = answer
        self._worker.arrays = tuple(arrays)
        try:
            self._shim.OPERATIONS[message["op"]](self._worker, {**message, "nonce": 0})
        except (ProgramError, KeyboardInterrupt):
            raise
        except BaseException as error:  # as in the worker: whatever a program raises
            cause, text = self._shim.explain(error, self._directory)
            raise ProgramError(cause, text) from error
        assert self._reply is not None
        return self._reply

    def _capture(self, message: Mapping[str, Any], arrays: Sequence[Array] = ()) -> None:
        """Takes what the worker sends: the reply, or a step of an environment that is served."""
        if message.get("op") == "environment":
            if self._answer is None:
                raise ProgramError("protocol", "no environment was given")
            self._served = self._answer(message, tuple(np.array(array) for array in arrays))
        else:
            self._reply = wire.Frame(message, tuple(arrays))

    def _receive(self) -> Mapping[str, Any]:
        assert self._served is not None
        # copied, as the wire does: neither side may change what the other holds
        self._worker.arrays = tuple(np.array(array) for array in self._served.arrays)
        return self._served.message


class BareProgram:
    """One trusted program on one task, loaded once and measured as often as wanted.

    A context manager: its copy of the files goes with the block.

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
        loaded = {"op": "load", "module": task.spec.module, "file": task.spec.file}
        try:
            self._channel = LocalChannel(folder, {**loaded, "given": task.given is not None})
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> BareProgram:
        return self

    def __exit__(self, *exception: object) -> None:
        self._folder.cleanup()

    def statistics(
        self, measurement: str, step: Step, key: Key, *, subject: str = ""
    ) -> dict[str, dict[str, Array]]:
        """The stored statistics of one measurement by check, as a sandboxed trial would give them.

        Raises:
            ProgramError: the program did not deliver.
            MeasurementError: the measurement did not.
        """
        metrics = self.metrics(measurement, step, key, subject=subject)
        return reduce(self._task, measurement, metrics)

    def metrics(
        self,
        measurement: str,
        step: Step,
        key: Key,
        *,
        subject: str = "",
        draws: int | None = None,
    ) -> dict[str, Array]:
        """All that a measurement returns, under the seeds of :meth:`statistics`.

        ``draws`` replaces the number of draws that the spec declares.

        Raises:
            ProgramError: the program did not deliver.
            MeasurementError: the measurement did not.
        """
        spec = self._task.spec
        name = SeedName(spec.id, spec.draw, measurement, step.stage, step.replicate, subject)
        rng = name.generator(key)
        student = ProgramProxy(self._channel, self._task.contract, rng.spawn(1)[0])
        return measure(self._task, measurement, student, rng, draws)
