"""Trials that share a worker: what passes from one to the next, what must not, a fresh start."""

from __future__ import annotations

import time

import numpy as np
import pytest

from harness.errors import InfrastructureError, ProgramError
from harness.sandbox import processes
from harness.sandbox.zygote import ZygoteLost
from harness.spec.models import Limits
from tests.sandbox.lab import EVERY_LEVEL, LIMITS

pytestmark = EVERY_LEVEL

X = np.arange(6.0).reshape(3, 2)

COUNTER = """
import os
count = 0
def read(path):
    global count
    count += 1
    return count
def square(x):
    return x**2
"""
NOTES = """
import os
def read(path):
    kept = len(os.listdir('.'))
    open('note', 'w').write('x')
    return kept
"""


def burning(seconds):
    """Lines of a function that use so much processor time."""
    return (
        f"    until = time.process_time() + {seconds}\n"
        "    while time.process_time() < until:\n"
        "        pass\n"
    )


def test_trials_of_a_session_share_one_worker_and_sessions_do_not(lab):
    counts = []
    for _ in range(2):
        with lab.session("probe", source=COUNTER) as session:
            for _ in range(3):
                with session.trial(LIMITS):
                    counts.append(lab.student(session).read(""))
    assert counts == [1, 2, 3, 1, 2, 3]


def test_an_exception_leaves_the_worker_and_its_file_loaded(lab):
    source = COUNTER + "def total(x):\n    raise ValueError('no')\n"
    with lab.session(
        "probe", source=source.replace("def square(x):\n    return x**2", "")
    ) as session:
        with session.trial(LIMITS):
            assert lab.student(session).read("") == 1
        with pytest.raises(ProgramError, match="does not define square"), session.trial(LIMITS):
            lab.student(session).square(X)
        with session.trial(LIMITS):
            assert lab.student(session).read("") == 2


def test_a_file_that_does_not_load_says_so_in_every_trial(lab):
    with lab.session("probe", source="raise RuntimeError('at import')") as session:
        for _ in range(2):
            with pytest.raises(ProgramError, match="RuntimeError: at import"):
                with session.trial(LIMITS):
                    pass


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("time.sleep(60)", "timeout"),
        ("os._exit(3)", "exit"),
        ("os.kill(os.getpid(), 9)", "signal"),
        ("bytearray(900 << 20)", "memory"),
    ],
)
def test_after_a_death_the_next_trial_of_the_session_has_a_new_worker(lab, body, cause):
    source = COUNTER + f"import os, time\ndef square(x):\n    {body}\n    return x\n"
    limits = Limits(call_s=2, trial_s=10, memory_mib=256, result_mib=1)
    with lab.session("probe", source=source, limits=limits) as session:
        with session.trial(limits):
            assert lab.student(session).read("") == 1
        with pytest.raises(ProgramError) as caught, session.trial(limits):
            lab.student(session).square(X)
        assert caught.value.cause == cause
        with session.trial(limits):
            assert lab.student(session).read("") == 1


def test_a_process_left_behind_belongs_to_the_trial_that_left_it(lab):
    source = COUNTER + (
        "import os, time\n"
        "def square(x):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(60)\n"
        "        os._exit(0)\n"
        "    time.sleep(0.2)\n"
        "    return x**2\n"
    )
    with lab.session("probe", source=source) as session:
        with session.trial(LIMITS):
            lab.student(session).read("")
        with pytest.raises(ProgramError) as caught, session.trial(LIMITS):
            lab.student(session).square(X)
        assert caught.value.cause == "leftover-process"
        with session.trial(LIMITS):
            assert lab.student(session).read("") == 1


def test_processes_that_ended_are_no_leftovers(lab):
    source = COUNTER + (
        "import subprocess\n"
        "def square(x):\n"
        "    subprocess.run(['true'], check=True)\n"
        "    subprocess.Popen(['true'])\n"
        "    return x**2\n"
    )
    with lab.session("probe", source=source) as session, session.trial(LIMITS):
        assert (lab.student(session).square(X) == X**2).all()


def test_what_is_said_without_being_asked_is_an_error_of_the_protocol(lab):
    source = COUNTER + (
        "import os\n"
        "def square(x):\n"
        "    for fd in range(3, 64):\n"
        "        try:\n"
        "            os.fstat(fd)\n"
        "            import socket\n"
        "            socket.socket(fileno=os.dup(fd)).send(b'ahead of time')\n"
        "        except OSError:\n"
        "            pass\n"
        "    return x**2\n"
    )
    with lab.session("probe", source=source) as session:
        with pytest.raises(ProgramError) as caught, session.trial(LIMITS):
            lab.student(session).square(X)
        assert caught.value.cause == "protocol"


def test_notes_pass_within_a_session_and_never_beyond(lab):
    with lab.session("probe", source=NOTES) as session:
        kept = []
        for _ in range(2):
            with session.trial(LIMITS):
                kept.append(lab.student(session).read(""))
    with lab.session("probe", source=NOTES) as session, session.trial(LIMITS):
        kept.append(lab.student(session).read(""))
    assert kept == [0, 1, 0]


@pytest.mark.parametrize("sandbox", [False, True])
def test_a_renewed_program_remembers_nothing(lab, sandbox):
    before = []
    with lab.session("probe", source=COUNTER + NOTES.replace("read", "square_files")) as session:
        with session.trial(LIMITS):
            program = lab.student(session)
            program.read("")
            assert program.read("") == 2
            before.append((lab.sandbox.zygote_pid, session.worker_pid))
            program.renew(sandbox=sandbox)
            assert program.read("") == 1
            before.append((lab.sandbox.zygote_pid, session.worker_pid))
        with session.trial(LIMITS):
            assert lab.student(session).read("") == 2
    assert before[0][1] != before[1][1]
    assert (before[0][0] != before[1][0]) == sandbox
    old = processes.look(before[0][1])
    assert old is None or not old.alive


def test_renewing_leaves_no_files(lab):
    with lab.session("probe", source=NOTES) as session, session.trial(LIMITS):
        program = lab.student(session)
        assert [program.read(""), program.read("")] == [0, 1]
        program.renew()
        assert program.read("") == 0


def test_the_time_of_a_renewal_is_not_the_programs(lab):
    limits = Limits(call_s=5, trial_s=5, memory_mib=512)
    with lab.session("probe", source=COUNTER, limits=limits) as session, session.trial(limits):
        program = lab.student(session)
        program.read("")
        first = session.deadline
        program.renew(sandbox=True)
        assert session.deadline > first
        assert program.read("") == 1


def test_what_the_grader_took_before_a_renewal_is_not_the_programs(lab):
    limits = Limits(call_s=2, trial_s=2, memory_mib=512)
    with lab.session("probe", source=COUNTER, limits=limits) as session, session.trial(limits):
        program = lab.student(session)
        program.read("")
        time.sleep(2.5)
        program.renew()
        assert program.read("") == 1


@pytest.mark.parametrize("times", [1, 2])
def test_a_zygote_that_is_lost_before_there_is_a_worker_is_our_loss(lab, monkeypatch, times):
    """No submitted code has run by then: another zygote is tried, and then it is said."""
    fork, lost = lab.sandbox.fork, []

    def losing(*args, **named):
        if len(lost) < times:
            lost.append(True)
            raise ZygoteLost
        return fork(*args, **named)

    monkeypatch.setattr(lab.sandbox, "fork", losing)
    with lab.session("probe", source=COUNTER) as session:
        if times == 2:
            with pytest.raises(InfrastructureError, match="lost twice"), session.trial(LIMITS):
                pass
        with session.trial(LIMITS):
            assert lab.student(session).read("") == 1


def test_processor_time_is_that_of_a_trial(lab):
    """Trials that each keep the limit never add up to more than is allowed."""
    source = COUNTER + (f"import time\ndef square(x):\n{burning(0.35)}    return x**2\n")
    limits = Limits(call_s=0.5, trial_s=0.5, memory_mib=512)
    with lab.session("probe", source=source, limits=limits, trials=6) as session:
        for _ in range(6):
            with session.trial(limits):
                lab.student(session).square(X)


@pytest.mark.parametrize("sandbox", [False, True])
def test_what_was_used_before_a_renewal_counts(lab, sandbox):
    busy = COUNTER.replace("return x**2", "return burn(x)") + (
        f"import time\ndef burn(x):\n    block = bytearray(100 << 20)\n{burning(0.3)}    return x\n"
    )
    with lab.session("probe", source=busy) as session:
        with session.trial(LIMITS):
            program = lab.student(session)
            program.square(X)
            program.renew(sandbox=sandbox)
            program.square(X)
        assert 0.6 <= lab.sandbox.usage.cpu_s < 5
        assert lab.sandbox.usage.peak_mib >= 100
        with session.trial(LIMITS):
            lab.student(session).read("")
        assert lab.sandbox.usage.cpu_s < 0.3


def test_renewal_meets_what_was_left_running(lab):
    source = COUNTER + (
        "import os, time\n"
        "def square(x):\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(60)\n"
        "    return x\n"
    )
    with lab.session("probe", source=source) as session:
        with pytest.raises(ProgramError) as caught, session.trial(LIMITS):
            program = lab.student(session)
            program.square(X)
            program.renew()
        assert caught.value.cause == "leftover-process"


@pytest.mark.parametrize(
    ("body", "cause", "words"),
    [
        # the limit of one process's address space does not add up over processes: the monitor does
        (
            "[os.fork() for _ in range(2)]\n"
            "    kept = bytearray(b'x') * (100 << 20)\n    time.sleep(20)",
            "memory",
            "MiB of memory",
        ),
        ("while True: pass", "timeout", "processor|within"),
        (
            "for i in range(4):\n        open(str(i), 'wb').write(bytes(30 << 20))\n"
            "    time.sleep(20)",
            ("memory", "exception"),
            "to the disk|No space left",
        ),
    ],
)
def test_what_a_trial_uses_in_all_is_limited(lab, body, cause, words):
    source = f"import os, time\ndef square(x):\n    {body}\n    return x\n"
    seconds = 2 if cause == "timeout" else 8
    limits = Limits(call_s=seconds, trial_s=seconds, memory_mib=256, result_mib=1)
    with lab.session("probe", source=source, limits=limits) as session:
        with pytest.raises(ProgramError, match=words) as caught, session.trial(limits):
            lab.student(session).square(X)
    assert caught.value.cause in ((cause,) if isinstance(cause, str) else cause)


def test_memory_that_forbids_looking_is_seen_all_the_same(lab):
    source = (
        "import ctypes, mmap, time\n"
        "def square(x):\n"
        "    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n"
        "    kept = [mmap.mmap(-1, 200 << 20) for _ in range(2)]\n"
        "    for item in kept:\n"
        "        for place in range(0, len(item), 4096):\n"
        "            item[place] = 1\n"
        "    time.sleep(20)\n"
    )
    limits = Limits(call_s=8, trial_s=8, memory_mib=256, result_mib=1)
    with lab.session("probe", source=source, limits=limits) as session:
        with pytest.raises(ProgramError) as caught, session.trial(limits):
            lab.student(session).square(X)
    assert caught.value.cause in ("memory", "exception")
    assert "memory" in caught.value.message


STDIO = """
import fcntl, os
def state(handle):
    found = [fcntl.fcntl(handle, fcntl.F_GETFL)]
    for command in (9, 11, 1032):  # owner, signal, size of the pipe
        try:
            found.append(fcntl.fcntl(handle, command))
        except OSError as error:
            found.append(-error.errno)
    return found
print([state(handle) for handle in (0, 1, 2)], os.lseek(0, 0, os.SEEK_CUR))
def read(path):
    for handle in (0, 1, 2):
        flags = fcntl.fcntl(handle, fcntl.F_GETFL)
        fcntl.fcntl(handle, fcntl.F_SETFL, flags | os.O_NONBLOCK | os.O_APPEND)
        for command, value in ((8, os.getpid()), (10, 9), (1031, 1 << 18)):
            try:
                fcntl.fcntl(handle, command, value)
            except OSError:
                pass
    return 0
"""


def test_no_worker_finds_what_another_set_on_its_standard_streams(lab):
    printed = []
    for _ in range(2):
        with lab.session("stdio", source=STDIO) as session, session.trial(LIMITS):
            lab.student(session).read("")
        printed.append(lab.sandbox.usage.output)
    assert printed[0]
    assert printed[0] == printed[1]
