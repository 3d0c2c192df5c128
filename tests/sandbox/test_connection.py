"""The grader's end of the socket, against a peer that says whatever it likes.

Nothing that a worker sends becomes a failure of ours: it is an answer or the program's ERROR.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import wire
from harness.collect.proxy import ProgramProxy
from harness.contract import read_contract
from harness.errors import ProgramError
from harness.sandbox.connection import ConnectionLost, WorkerConnection
from harness.sandbox.monitor import ResourceMonitor
from harness.spec.models import Limits

ROOT = Path(__file__).parents[2]
CONTRACT = read_contract(Path(__file__).parents[1] / "programs" / "starter.py")
LIMITS = Limits(call_s=5, trial_s=10, result_mib=1)
X = np.arange(6.0).reshape(3, 2)
Peer = Callable[[socket.socket, wire.Frame], None]


def read(sock: socket.socket, size: int) -> bytes:
    data = sock.recv(size, socket.MSG_WAITALL) if size else b""
    if len(data) < size:
        raise EOFError
    return data


@contextlib.contextmanager
def connected(
    peer: Peer, limits: Limits = LIMITS, monitor: object = None
) -> Iterator[WorkerConnection]:
    """A connection whose other end answers every request as ``peer`` does."""
    ours, theirs = socket.socketpair()

    def answer() -> None:
        reader = wire.Reader(lambda size: read(theirs, size), 1 << 30)
        with contextlib.suppress(EOFError, OSError):
            while True:
                peer(theirs, reader.decode())

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield WorkerConnection(ours, limits, monitor)
    finally:
        ours.close()
        with contextlib.suppress(OSError):
            theirs.shutdown(socket.SHUT_RDWR)
        thread.join()
        theirs.close()


def replying(message: dict, arrays: tuple | None = None) -> Peer:
    """A peer with one answer to everything; it echoes the arrays where none are given."""

    def peer(sock: socket.socket, request: wire.Frame) -> None:
        reply = {"nonce": request.message["nonce"], **message}
        sock.sendall(b"".join(wire.encode(reply, request.arrays if arrays is None else arrays)))

    return peer


def refused(peer: Peer, call: Callable, limits: Limits = LIMITS) -> ProgramError:
    with pytest.raises(ProgramError) as caught:
        with connected(peer, limits) as connection:
            call(ProgramProxy(connection, CONTRACT, np.random.default_rng(1)))
    return caught.value


class Still:
    num_envs = 1

    def reset(self, *, seed=None):
        return np.zeros((1, 1)), {}


def choose(student):
    student.choose(student.serve(Still(), (1,), 2, max_steps=9), 1)


def square(student):
    return student.square(X)


def vjp(student):
    return student.vjp("square", (X,), (0,), X)


def new(student):
    return student.new("Model", 1.0)


def test_an_answer_is_taken_from_any_peer_that_keeps_the_protocol():
    with connected(replying({"ok": True, "kinds": ["tensor"]})) as connection:
        assert (square(ProgramProxy(connection, CONTRACT, np.random.default_rng(1))) == X).all()


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ({}, square),
        ({"ok": 1}, square),
        ({"ok": "true"}, square),
        ({"ok": True, "nonce": 99}, square),
        ({"ok": True, "nonce": [1]}, square),
        ({"ok": True}, square),
        ({"ok": True, "kinds": 5}, square),
        ({"ok": True, "kinds": []}, square),
        ({"ok": True, "kinds": [["tensor"]]}, square),
        ({"ok": True, "kinds": {"tensor": 1}}, square),
        ({"ok": False}, square),
        ({"ok": False, "cause": [], "message": ""}, square),
        ({"ok": False, "cause": {}, "message": ""}, square),
        ({"ok": False, "cause": "infrastructure", "message": ""}, square),
        ({"ok": False, "cause": "worker-died", "message": ""}, square),
        ({"ok": False, "cause": "exit", "message": 3}, square),
        ({"ok": True}, vjp),
        ({"ok": True, "graph": 5}, vjp),
        ({"ok": True, "graph": []}, vjp),
        ({"ok": True}, new),
        ({"ok": True, "handle": -1}, new),
        ({"ok": True, "handle": True}, new),
        ({"ok": True, "handle": [0]}, new),
        ({"op": "environment"}, square),
        ({"op": "environment", "id": 0, "verb": "reset"}, square),
        ({"op": "environment", "id": 1, "verb": "reset"}, choose),
        ({"op": "environment", "id": -1, "verb": "reset"}, choose),
        ({"op": "environment", "id": [0], "verb": "reset"}, choose),
        ({"op": "environment", "id": 0, "verb": [[]]}, choose),
        ({"op": "environment", "id": 0, "verb": "seed"}, choose),
    ],
)
def test_a_forged_reply_breaks_the_protocol(message, call):
    arrays = () if message.get("op") else (X,)
    error = refused(replying(message, arrays), call)
    assert error.cause == "protocol"
    assert error.message


@pytest.mark.parametrize("names", [None, 3, "ab", [], ["a"], [3, 4], ["a", "a"], [["a"], "b"]])
def test_a_forged_state_breaks_the_protocol(names):
    peer = replying({"ok": True, "handle": 0, "names": names}, (X, X))
    error = refused(peer, lambda student: new(student).state())
    assert (error.cause, error.message) == ("protocol", "a state is named arrays")


@pytest.mark.parametrize("array", [X.astype(np.float32), X.T, X[0], X[:, :1]])
def test_gradients_of_another_dtype_or_shape_break_the_protocol(array):
    assert refused(replying({"ok": True, "graph": [True]}, (array,)), vjp).cause == "protocol"


@pytest.mark.parametrize(
    "arrays",
    [(), (X, X), (X.astype(np.float32),), (X.T,), (X[None],), (X[:0],), (np.array(1.0),)],
)
def test_a_result_that_does_not_fit_is_a_bad_output(arrays):
    assert (
        refused(replying({"ok": True, "kinds": ["tensor"]}, arrays), square).cause == "bad-output"
    )


def test_a_number_in_the_place_of_a_tensor_is_a_bad_output():
    def scaled(student):
        student.scaled(np.array(1.0))

    error = refused(replying({"ok": True, "kinds": ["float"]}, (np.array(1.0),)), scaled)
    assert (error.cause, "expected a tensor, got a float" in error.message) == ("bad-output", True)


@pytest.mark.parametrize("more", [b"x", bytes(4), b"y" * 100_000])
def test_more_than_one_answer_is_seen_at_once(more):
    """What was received behind an answer is not taken for the beginning of the next one."""

    def peer(sock, request):
        reply = {"nonce": request.message["nonce"], "ok": True, "kinds": ["tensor"]}
        sock.sendall(b"".join(wire.encode(reply, [X])) + more)

    error = refused(peer, square)
    assert error.cause == "protocol"
    assert "more than the answer" in error.message


def test_more_than_one_step_of_an_environment_is_seen_at_once():
    def peer(sock, request):
        step = b"".join(wire.encode({"op": "environment", "id": 0, "verb": "reset"}))
        sock.sendall(step + step)

    assert "more than the answer" in refused(peer, choose).message


@pytest.mark.parametrize("first", [True, False])
def test_an_answer_without_a_header_is_the_last_header_or_none(first):
    """After a step a header of no length asks for the same step, and answers nothing."""

    def peer(sock, request):
        if first or "nonce" not in request.message:
            sock.sendall(bytes(4))
        else:
            sock.sendall(b"".join(wire.encode({"op": "environment", "id": 0, "verb": "reset"})))

    error = refused(peer, choose, Limits(call_s=0.5, trial_s=2))
    assert error.cause == ("protocol" if first else "timeout")


def test_a_program_that_steps_without_end_is_watched():
    """The answers come at once, and yet the resources are looked at."""

    def peer(sock, request):
        sock.sendall(b"".join(wire.encode({"op": "environment", "id": 0, "verb": "reset"})))

    looks = []

    class Monitor:
        def waited_s(self):
            return 0.0

        def check(self, limits):
            looks.append(limits)
            if len(looks) == 2:
                raise ProgramError("memory", "too much")

    with (
        connected(peer, monitor=Monitor()) as connection,
        pytest.raises(ProgramError, match="too much"),
    ):
        choose(ProgramProxy(connection, CONTRACT, np.random.default_rng(1)))


def test_a_long_message_is_cut():
    message = {"ok": False, "cause": "exception", "message": "x" * 60_000}
    assert len(refused(replying(message), square).message) == 1000


@given(st.binary(min_size=1, max_size=60))
@settings(max_examples=60)
def test_any_bytes_in_the_place_of_an_answer_are_the_programs(data):
    def peer(sock, request):
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)

    with connected(peer) as connection, pytest.raises((ProgramError, ConnectionLost)) as caught:
        connection.request({"op": "call"}, [])
    if isinstance(caught.value, ProgramError):
        assert caught.value.cause == "protocol"


@pytest.mark.parametrize("first", [True, False])
def test_a_byte_out_of_band_is_more_than_was_asked_for(first):
    def peer(sock, request):
        if first:
            sock.send(b"x", socket.MSG_OOB)
        replying({"ok": True, "kinds": ["tensor"]})(sock, request)
        if not first:
            sock.send(b"x", socket.MSG_OOB)

    limits = Limits(call_s=0.5, trial_s=2, result_mib=1)
    with connected(peer, limits) as connection, pytest.raises(ProgramError) as caught:
        student = ProgramProxy(connection, CONTRACT, np.random.default_rng(1))
        square(student)
        time.sleep(0.05)
        square(student)
    # read as the first byte of a length, it makes the grader wait for bytes that never come
    assert caught.value.cause == ("timeout" if first else "protocol")


def test_a_peer_that_is_gone_is_told_apart_from_one_that_lies():
    with connected(lambda sock, request: sock.shutdown(socket.SHUT_RDWR)) as connection:
        for _ in range(2):
            with pytest.raises(ConnectionLost):
                connection.request({"op": "call"}, [])


def test_a_claim_over_the_limit_is_refused_before_it_is_read():
    def peer(sock, request):
        text = b'{"nonce": 1, "ok": true, "buffers": [["uint8", [2000000]]]}'
        sock.sendall(struct.pack("<I", len(text)) + text)

    error = refused(peer, square)
    assert (error.cause, "at most 1048576" in error.message) == ("protocol", True)


def test_silence_ends_at_the_deadline_of_the_call():
    started = time.monotonic()
    error = refused(lambda sock, request: None, square, Limits(call_s=0.2, trial_s=10))
    assert (error.cause, error.message) == ("timeout", "no answer within 0.2 s")
    assert time.monotonic() - started < 5


def test_one_byte_at_a_time_does_not_move_the_deadline():
    def drip(sock, request):
        for byte in struct.pack("<I", 1000) + b" " * 1000:
            sock.sendall(bytes([byte]))
            time.sleep(0.02)

    started = time.monotonic()
    assert refused(drip, square, Limits(call_s=0.3, trial_s=10)).cause == "timeout"
    assert time.monotonic() - started < 5


def test_a_program_that_does_not_read_ends_at_the_deadline_too():
    def deaf(sock, request):
        sock.recv(1 << 20, socket.MSG_PEEK)
        time.sleep(1)

    with connected(deaf, Limits(call_s=0.3, trial_s=10)) as connection:
        unread = np.zeros(1 << 22)
        with pytest.raises(ProgramError) as caught:
            connection.request({"op": "call"}, [])
            connection.request({"op": "call"}, [unread])
    assert caught.value.cause == "timeout"


def test_many_quick_calls_end_at_the_deadline_of_the_trial():
    with connected(replying({"ok": True}), Limits(call_s=5, trial_s=0.3)) as connection:
        with pytest.raises(ProgramError, match=r"0\.3 s in all") as caught:
            while True:
                connection.request({"op": "call"}, [])
    assert caught.value.cause == "timeout"


def test_steps_of_an_environment_do_not_move_the_deadline():
    peer = replying({"op": "environment", "id": 0, "verb": "reset"}, ())

    def again(sock, request):
        sock.sendall(b"".join(wire.encode({"op": "environment", "id": 0, "verb": "reset"})))

    def stepping(sock, request):
        (again if "nonce" not in request.message else peer)(sock, request)

    error = refused(stepping, choose, Limits(call_s=0.3, trial_s=10))
    assert error.cause == "timeout"


STAND_STILL = """
import os, socket, sys, time
from harness import wire
from harness.sandbox.connection import WorkerConnection
from harness.spec.models import Limits

ours, theirs = socket.socketpair()
if os.fork() == 0:
    ours.close()
    read = lambda size: theirs.recv(size, socket.MSG_WAITALL)
    frame = wire.decode(read, 1 << 20)
    time.sleep(0.5)
    theirs.sendall(b"".join(wire.encode({"nonce": frame.message["nonce"], "ok": True})))
    os._exit(0)
theirs.close()
connection = WorkerConnection(ours, Limits(call_s=1, trial_s=1))
print("asked", flush=True)
print(connection.request({"op": "call"}, []).message["ok"])
"""


def test_a_grader_that_stood_still_takes_the_answer_that_came_meanwhile():
    """Ctrl-Z stops the grader and no worker, which cannot help it that nobody reads its answer."""
    command = [sys.executable, "-c", STAND_STILL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as grader:
        assert grader.stdout.readline() == "asked\n"
        grader.send_signal(signal.SIGSTOP)
        time.sleep(3)
        grader.send_signal(signal.SIGCONT)
        assert grader.stdout.read() == "True\n"


def test_time_that_the_grader_takes_for_itself_is_not_the_programs():
    with connected(replying({"ok": True}), Limits(call_s=1, trial_s=1)) as connection:
        connection.request({"op": "call"}, [])
        time.sleep(1.5)
        assert connection.request({"op": "call"}, []).message["ok"]


def test_short_times_of_the_grader_do_not_add_up_against_the_program():
    with connected(replying({"ok": True}), Limits(call_s=1, trial_s=1)) as connection:
        for _ in range(4):
            time.sleep(0.4)
            assert connection.request({"op": "call"}, []).message["ok"]


BUSY = "import os; os.sched_setaffinity(0, {int(os.sys.argv[1])})\nwhile True: pass"
COMPUTE = """
import os, socket, sys, time
from harness import wire

os.sched_setaffinity(0, {int(sys.argv[1])})
sock = socket.socket(fileno=int(sys.argv[2]))
sock.sendall(b"!")
frame = wire.decode(lambda size: sock.recv(size, socket.MSG_WAITALL), 1 << 20)
until = time.process_time() + 0.6
while time.process_time() < until:
    pass
if sys.argv[3] == "answers":
    sock.sendall(b"".join(wire.encode({"nonce": frame.message["nonce"], "ok": True})))
time.sleep(30)
"""


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="not counted here")
@pytest.mark.parametrize("ends", ["answers", "hangs"])
def test_waiting_for_a_processor_is_not_the_programs_time(ends):
    """A program of .6 s gets 1 s, shares its processor with four others, and has done nothing."""
    core = str(min(os.sched_getaffinity(0)))
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-c", COMPUTE, core, str(theirs.fileno()), ends]
    busy = [subprocess.Popen([sys.executable, "-c", BUSY, core]) for _ in range(4)]
    worker = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT)
    try:
        monitor = ResourceMonitor(os.getpid(), worker.pid, 0, Path("/nonexistent"))
        monitor.check = lambda limits: None  # our own processes are no worker's
        theirs.close()
        assert ours.recv(1) == b"!"  # it has imported all it needs
        connection = WorkerConnection(ours, Limits(call_s=1, trial_s=1), monitor)
        if ends == "answers":
            assert connection.request({"op": "call"}, []).message["ok"]
        else:
            with pytest.raises(ProgramError, match="1 s"):
                connection.request({"op": "call"}, [])
    finally:
        for process in (*busy, worker):
            process.kill()
            process.wait()
        ours.close()
