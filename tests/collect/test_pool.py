"""Processes of trusted work end with the work, and with the process that they work for."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.collect.pool import fresh
from harness.mutation.forks import Bounds, call

ROOT = Path(__file__).parents[2]
LONG = 3600.0


def write_own_number(path):
    """Written whole or not at all, so that who waits for the file finds a number in it."""
    part = Path(f"{path}.part")
    part.write_text(str(os.getpid()))
    part.rename(path)


def sleep_in_a_fork(folder):
    def sleep():
        write_own_number(folder / "fork")
        time.sleep(LONG)

    write_own_number(folder / "process")
    call(sleep, Bounds(cpu_s=LONG))


def numbers_in(folder):
    """Waits for both processes to have begun."""
    files = [folder / "process", folder / "fork"]
    while not all(file.exists() for file in files):
        time.sleep(0.02)
    return [int(file.read_text()) for file in files]


def is_alive(number):
    """Whether a process still runs; one that ended may wait for somebody to ask how."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait_for_the_end_of(numbers):
    while any(map(is_alive, numbers)):
        time.sleep(0.02)


def test_work_that_has_begun_is_ended_where_its_block_is_left_by_an_exception(tmp_path):
    with pytest.raises(KeyboardInterrupt), fresh(1) as pool:
        pool.submit(sleep_in_a_fork, tmp_path)
        pool.submit(sleep_in_a_fork, tmp_path / "never begun")
        numbers = numbers_in(tmp_path)
        raise KeyboardInterrupt
    wait_for_the_end_of(numbers)


def test_work_ends_with_the_process_that_it_is_done_for(tmp_path):
    program = (
        "import sys; from pathlib import Path; from harness.collect.pool import fresh\n"
        "from tests.collect.test_pool import sleep_in_a_fork\n"
        "if __name__ == '__main__':\n"
        "    with fresh(1) as pool: pool.submit(sleep_in_a_fork, Path(sys.argv[1])).result()\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program)
    with subprocess.Popen(
        [sys.executable, script, tmp_path], env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        numbers = numbers_in(tmp_path)
        process.send_signal(signal.SIGKILL)
    wait_for_the_end_of(numbers)


def test_a_block_that_ends_waits_for_its_work():
    with fresh(1) as pool:
        future = pool.submit(sum, [1, 2])
    assert future.result() == 3
