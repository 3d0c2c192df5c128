"""Whatever a worker sends is an answer or the program's ERROR, from its bytes to the reports.

The frames go the way of real ones: parsed, kept, packed into the next request, put into messages
and a transcript, stored, read back, reported.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness import wire
from harness.collect.proxy import ProgramProxy
from harness.contract import read_contract
from harness.errors import ProgramError
from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook, RunRecord, SubmissionGrade, TaskGrade
from harness.records import Observation, Trial, Verdict
from harness.report import feedback, gradescope, junit
from harness.sandbox.connection import ConnectionLost, WorkerConnection
from harness.spec.models import Limits

CONTRACT = read_contract(Path(__file__).parents[1] / "programs" / "starter.py")
LIMITS = Limits(call_s=5, trial_s=10, result_mib=1)
X = np.arange(6.0).reshape(3, 2)
RUN = RunRecord("a", "feedback", "c" * 64, "0.1.0", "d" * 64, "0123abc")

Reply = dict[str, Any]


class Env:
    num_envs = 2

    def reset(self, *, seed=None):
        return np.zeros((2, 1)), {}

    def step(self, actions):
        ended = np.zeros(2, dtype=bool)
        return np.zeros((2, 1)), np.ones(2), ended, ended, {}


def rename(student):
    """A state that goes from one object to another, by its own names and by others."""
    model = student.new("Model", 1.0)
    other = student.new("Model", 2.0)
    state = model.state()
    other.load(state)
    other.load(dict(list(state.items())[:1]))
    other.predict(X[0])


CONVERSATIONS: dict[str, Callable[[ProgramProxy], object]] = {
    "state": rename,
    "call": lambda s: s.square(s.square(X)),
    "kinds": lambda s: s.kinds(*(np.zeros(2, dtype=name) for name in wire.DTYPES)),
    "numbers": lambda s: s.scalars(*s.scalars(1, 0.5, True, "s"), "s"),
    "gradient": lambda s: s.square(*s.vjp("square", (X,), (0,), X)),
    "draws": lambda s: s.independent("noise", 2, replicates=2),
    "object": lambda s: s.predict(s.new("Model", 1.0), X[0]),
    "environment": lambda s: s.choose(s.serve(Env(), (1,), 2, max_steps=4), 1),
}

words = st.sampled_from(["w", "", "\ud800", "\0\x1b[31m", "é", "|`<b>&]]>", "x" * 65_000, "\n" * 9])
names = st.lists(words | st.text(max_size=9), max_size=4) | st.sampled_from(
    [
        ["x" * 65_400],
        ["x" * 32_000, "y" * 32_000],
        ["\ud800" * 10_800],
        [str(i) for i in range(256)],
    ]
)
numbers = st.sampled_from([0, 1, -1, 2**63 - 1, 2**63, 2**64 - 1, 0.5, 1e308, True])
values = st.none() | numbers | words | st.lists(words | numbers, max_size=3)
causes = st.sampled_from(["exception", "exit", "memory", "bad-output", "syntax", "worker-died"])
kinds = st.lists(st.sampled_from(["tensor", "int", "float", "bool"]) | words, max_size=5)
REPLIES = st.fixed_dictionaries(
    {"ok": st.sampled_from([True, True, True, False])},
    optional={
        "names": names | values,
        "handle": st.integers(0, 3) | values,
        "kinds": kinds | values,
        "graph": st.lists(st.booleans() | values, max_size=2) | values,
        "cause": causes | values,
        "message": words | values,
        "op": st.just("environment") | values,
        "id": st.just(0) | values,
        "verb": st.sampled_from(["reset", "step"]) | values,
    },
)
SHAPES = st.sampled_from([(), (1,), (2,), (3, 2), (0,), (1,) * 8, (0, *(2**39,) * 7), (2, 0, 3)])
ARRAYS = st.lists(st.tuples(st.sampled_from(wire.DTYPES), SHAPES), max_size=5) | st.sampled_from(
    [[("float64", (1,))] * 256, [("bool", (0, *(2**39,) * 7))] * 256, [("float64", (3, 2))]]
)


def frame(reply: Reply, arrays: list[tuple[str, tuple[int, ...]]], nonce: int) -> bytes:
    """A frame as the program's own code might write it: without the checks of ours."""
    described = [[dtype, list(shape)] for dtype, shape in arrays]
    header = json.dumps({"nonce": nonce, **reply, "buffers": described}).encode()
    sizes = (np.dtype(dtype).itemsize * int(np.prod(shape)) for dtype, shape in arrays)
    bodies = b"".join(bytes(size) for size in sizes)
    return struct.pack("<I", len(header)) + header + bodies


@contextlib.contextmanager
def connected(frames: list[tuple[Reply, list[Any]]]) -> Iterator[WorkerConnection]:
    """A connection to a peer that sends these frames, one a request, and then the last for ever."""
    ours, theirs = socket.socketpair()
    waiting = list(frames)

    def read(size: int) -> bytes:
        data = theirs.recv(size, socket.MSG_WAITALL) if size else b""
        if len(data) < size:
            raise EOFError
        return data

    def answer() -> None:
        with contextlib.suppress(EOFError, OSError, wire.WireError):
            while True:
                request = wire.decode(read, 1 << 30)
                reply, arrays = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                theirs.sendall(frame(reply, arrays, request.message.get("nonce", 0)))
        with contextlib.suppress(OSError):
            theirs.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield WorkerConnection(ours, LIMITS)
    finally:
        ours.close()
        thread.join()
        theirs.close()


def observed(conversation: str, frames: list[tuple[Reply, list[Any]]]) -> Observation:
    """What a conversation gives; anything but the program's own errors is raised."""
    trial = Trial("t", conversation, "p", "submission", 0, 0, "", uuid.uuid4().hex * 2)
    with connected(frames) as connection:
        student = ProgramProxy(connection, CONTRACT, np.random.default_rng(1), record=True)
        try:
            CONVERSATIONS[conversation](student)
        except ProgramError as error:
            said = (error.cause, error.message)
        except ConnectionLost:
            said = ("exit", "")
        else:
            return Observation(trial, "ok", transcript=tuple(student.transcript))
    return Observation(
        trial, "error", cause=said[0], message=said[1], transcript=tuple(student.transcript)
    )


def report(observation: Observation, folder: Path) -> None:
    """Writes the reports that a student and an instructor get of an observation."""
    status = "PASS" if observation.outcome == "ok" else "ERROR"
    points = 1.0 if observation.outcome == "ok" else 0.0
    text = observation.message
    verdict = Verdict("n", "t", "c", status, observation.cause, points, 1.0, "visible", {}, text)
    row = SubmissionGrade(
        "n", "n", "ab" * 32, "roster", "L3", (TaskGrade("t", "T", "e", 1.0, (verdict,)),)
    )
    book = Gradebook(RUN, (row,), {})
    feedback.render(row, book).encode("utf-8")
    gradescope.write(row, book, folder / "gradescope.json")
    junit.write(book, folder / "junit.xml")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with Ledger(tmp_path_factory.mktemp("frames") / "ledger.sqlite", "run") as opened:
        yield opened


LONG = ({"ok": True, "handle": 0, "names": ["x" * 65_420]}, [("float64", (1,))])


@pytest.mark.parametrize("conversation", CONVERSATIONS)
@given(frames=st.lists(st.tuples(REPLIES, ARRAYS), min_size=1, max_size=5))
@example(frames=[LONG])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_frame_is_an_answer_or_the_programs_error(conversation, frames, ledger, tmp_path):
    observation = observed(conversation, frames)
    assert observation.cause.fault in ("program", "none")
    ledger.put(observation)
    stored = ledger.get(observation.trial.digest)
    assert (stored.cause, stored.message) == (observation.cause, observation.message)
    report(stored, tmp_path)


@pytest.mark.parametrize("length", [100, 65_000, 65_380, 65_420])
def test_a_state_that_is_accepted_can_be_loaded(length):
    frames = [({"ok": True, "handle": 0, "names": ["x" * length]}, [("float64", (1,))])]
    with connected(frames) as connection:
        student = ProgramProxy(connection, CONTRACT, np.random.default_rng(1))
        model = student.new("Model", 1.0)
        try:
            state = model.state()
        except ProgramError as error:
            assert (error.cause, "names and shapes of a state" in error.message) == (
                "bad-output",
                True,
            )
            assert length > 65_000
        else:
            model.load(state)
