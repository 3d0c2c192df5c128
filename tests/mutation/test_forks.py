"""Calls in forks: whatever one does costs itself alone, and is said in words."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from harness.mutation.forks import Bounds, call, call_each

BOUNDS = Bounds(cpu_s=0.3, memory_mib=64)


def hang():
    while True:
        pass


def start_a_process():
    os.fork()


def start_a_process_and_go_on():
    try:
        subprocess.run(["true"], check=False)
    except BaseException:
        return "as if nothing had been"


def start_by_multiprocessing():
    multiprocessing.get_context("fork").Process(target=print).start()


def print_a_lot():
    for _ in range(1000):
        print("x" * 99)
    print("y" * 99, file=sys.stderr)
    return 7


def print_without_end():
    while True:
        print("x" * 10_000)


def exhaust_memory():
    return len(bytearray(1 << 30))


def exhaust_memory_of_tensors():
    return torch.zeros(1 << 28)


WORDS = [
    (hang, "hangs: more than 0.3 s of processor time"),
    (start_a_process, "starts a process (os.fork)"),
    (start_a_process_and_go_on, "starts a process (subprocess.Popen)"),
    (start_by_multiprocessing, "starts a process (os.fork)"),
    (exhaust_memory, "asks for more than 64 MiB of memory"),
    (lambda: os._exit(3), "ends its process"),
    (lambda: sys.exit(3), "raises SystemExit: 3"),
    (lambda: os.kill(os.getpid(), signal.SIGSEGV), "is ended by SIGSEGV"),
    (lambda: 1 / 0, "raises ZeroDivisionError: division by zero"),
    (lambda: lambda: 0, "gives what cannot be sent"),
]


@pytest.mark.parametrize(("function", "words"), WORDS)
def test_each_end_has_its_own_words(function, words):
    ended = call(function, BOUNDS)
    assert (ended.value, ended.fault) == (None, words)


def test_tensors_that_do_not_fit_are_a_matter_of_memory():
    ended = call(exhaust_memory_of_tensors, BOUNDS)
    assert ended.fault == "asks for more than 64 MiB of memory"


def test_waiting_ends_as_well():
    started = time.monotonic()
    ended = call(lambda: time.sleep(60), Bounds(cpu_s=0.01))
    assert ended.fault == "hangs: still waiting after 0.2 s"
    assert time.monotonic() - started < 10


def test_what_is_printed_is_counted_and_seen_by_nobody(capfd):
    ended = call(print_a_lot, BOUNDS)
    assert (ended.value, ended.fault) == (7, "")
    assert ended.printed == 1000 * 100 + 100
    assert capfd.readouterr() == ("", "")


def test_printing_without_end_ends():
    assert call(print_without_end, Bounds(cpu_s=2.0)).fault == "writes more than 16 MiB"


def test_what_calls_print_one_after_another_is_no_fault():
    """Forty calls of one fork print 40 MB together, where one may print 16 MiB."""

    def print_a_megabyte():
        print("x" * 1_000_000)
        return 7

    found = list(call_each([print_a_megabyte] * 40, BOUNDS))
    assert [(ended.value, ended.fault, ended.printed) for ended in found] == [
        (7, "", 1_000_001)
    ] * 40


def test_those_after_one_that_hangs_or_dies_are_called():
    functions = [lambda: 1, hang, lambda: 2, lambda: os._exit(0), exhaust_memory, lambda: 3]
    ends = list(call_each(functions, BOUNDS))
    assert [ended.value for ended in ends] == [1, None, 2, None, None, 3]
    assert [bool(ended.fault) for ended in ends] == [False, True, False, True, True, False]


def test_what_a_call_changes_here_is_unchanged():
    before = os.getcwd(), os.environ.get("FAIRMARK_TEST")

    def change():
        os.chdir("/")
        os.environ["FAIRMARK_TEST"] = "1"

    call(change, BOUNDS)
    assert (os.getcwd(), os.environ.get("FAIRMARK_TEST")) == before


def children():
    """The processes that this one has started."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if fields[1] == str(os.getpid()):
            found.add(status.parent.name)
    return found


def test_no_process_is_left():
    before = children()
    for function in (hang, start_a_process):
        call(function, BOUNDS)
    assert children() == before


def test_each_has_the_processor_time_to_itself():
    def work():
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
        return 1

    assert [ended.value for ended in call_each([work] * 4, BOUNDS)] == [1] * 4
