"""Processes as the kernel reports them, and the means to end them."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from harness.sandbox import processes

TREE = (
    "import os, sys, time\n"
    "for _ in range(2):\n"
    "    if os.fork() == 0:\n"
    "        if os.fork() == 0:\n"
    "            time.sleep(60)\n"
    "        time.sleep(60)\n"
    "print('up', flush=True)\n"
    "time.sleep(60)\n"
)


@pytest.fixture
def tree():
    """A process with two children and two grandchildren."""
    command = [sys.executable, "-c", TREE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout.readline() == b"up\n"
        until(lambda: len(list(processes.below(process.pid))) == 4)
        yield process
        processes.kill_group(process.pid)


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_process_is_seen_with_its_state_memory_and_time():
    own = processes.look(os.getpid())
    assert own.alive
    assert own.resident > 1 << 20
    assert 0 < own.cpu_s <= sum(os.times()[:4]) + 1
    assert processes.look(2**22 + 1) is None


def test_a_stopped_process_is_alive_and_halted_from_the_moment_of_the_signal(tree):
    assert not processes.halted(tree.pid)
    os.kill(tree.pid, signal.SIGSTOP)
    assert processes.halted(tree.pid)
    until(lambda: processes.look(tree.pid).state == "T")
    assert processes.look(tree.pid).alive and processes.halted(tree.pid)


def test_no_stop_is_missed_while_a_process_is_taking_it():
    """Pending and state are read one after the other: a stop that moves between them is seen."""
    code = "import time\nprint('up', flush=True)\nwhile True: time.sleep(1e-5)\n"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        missed = 0
        for _ in range(2000):
            process.send_signal(signal.SIGSTOP)
            missed += not processes.halted(process.pid)
            process.send_signal(signal.SIGCONT)
        process.kill()
    assert missed == 0


def test_a_signal_that_a_process_has_not_taken_yet_halts_it():
    code = (
        "import signal, time\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
        "print('up', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"up\n"
        assert not processes.halted(process.pid)
        process.send_signal(signal.SIGUSR1)
        assert processes.look(process.pid).state in "RS"
        assert processes.halted(process.pid)
        process.kill()
    assert processes.halted(process.pid)


def test_everything_below_a_process_is_killed(tree):
    def alive():
        return [process.pid for process in processes.below(tree.pid) if process.alive]

    assert len(alive()) == 4
    processes.kill_all(alive)
    assert alive() == []
    assert processes.look(tree.pid).alive


def test_a_process_that_does_not_end_is_killed_after_its_grace(tree):
    started = time.monotonic()
    assert processes.wait_or_kill(tree, 0.2) >= 0
    assert time.monotonic() - started < 30
    assert tree.returncode == -signal.SIGKILL


def test_a_process_that_ends_in_time_keeps_its_status_and_gives_its_time():
    process = subprocess.Popen([sys.executable, "-c", "sum(range(10**6)); raise SystemExit(3)"])
    assert processes.wait_or_kill(process, 60) > 0
    assert process.returncode == 3
    assert processes.wait_or_kill(process, 60) == 0  # nothing is left to wait for


def test_the_kernel_names_the_sender_of_a_message():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        processes.request_sender(ours)
        theirs.send(b"x")
        _, ancillary, _, _ = ours.recvmsg(1, 256)
    assert processes.sender(ancillary) == processes.Sender(os.getpid(), os.getuid())
    assert processes.sender([]) is None


def test_the_size_of_a_folder_is_counted_up_to_a_number_of_entries(tmp_path):
    (tmp_path / "below").mkdir()
    for index in range(5):
        (tmp_path / "below" / str(index)).write_bytes(bytes(10))
    assert processes.folder_size(tmp_path, 100) == (50, 6)
    assert processes.folder_size(tmp_path, 2)[1] == 3
    assert processes.folder_size(tmp_path / "nowhere", 2) == (0, 0)
