"""The sandbox: what programs of every kind leave behind, and what their deaths are called."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from harness.errors import InfrastructureError, ProgramError
from harness.sandbox import processes
from harness.sandbox.sandbox import Sandbox
from harness.spec.models import Limits
from tests.sandbox.lab import EVERY_LEVEL

pytestmark = EVERY_LEVEL

X = np.arange(6.0).reshape(3, 2)


def refused(lab, name="probe", **more):
    with pytest.raises(ProgramError) as caught:
        with lab.trial(name, **more) as student:
            student.square(X)
    return caught.value.cause, caught.value.message


def zygote(lab):
    """The process that trials are forked from."""
    with lab.trial("probe", source="def read(path):\n    return 1\n"):
        return lab.sandbox.zygote_pid


@pytest.mark.parametrize(
    ("name", "cause", "words"),
    [
        ("raises-unnameable", "exception", "cannot be shown"),
        ("raises-surrogate", "exception", "ValueError: \ud800 \x1b[31m"),
        ("returns-list", "bad-output", "a list, expected a torch.Tensor"),
        ("returns-object", "bad-output", "an Anything"),
        ("returns-sparse", "bad-output", "torch.sparse_coo tensor"),
        ("returns-complex", "bad-output", "torch.complex128"),
        ("returns-meta", "exception", "NotImplementedError"),
        ("deep-recursion", "exception", "RecursionError"),
        ("plain-recursion", "exception", "RecursionError"),
        ("sorts-recursively", "exception", "RecursionError"),
    ],
)
def test_a_program_that_does_not_deliver_leaves_the_sandbox_warm(lab, name, cause, words):
    before = zygote(lab)
    found, message = refused(lab, name)
    assert found == cause
    assert words in message
    assert len(message) <= 1000
    assert zygote(lab) == before


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("answers-ahead", "protocol"),
        ("dies-of-a-signal", "signal"),
    ],
)
def test_after_an_anomaly_the_next_trial_has_a_fresh_zygote(lab, name, cause):
    before = zygote(lab)
    with pytest.raises(ProgramError) as caught:
        with lab.trial(name) as student:
            student.square(X)
            student.square(X)
    assert caught.value.cause == cause
    assert zygote(lab) != before


def test_patches_in_the_worker_change_nothing_but_its_own_answers(lab):
    with lab.trial("patches-everything") as student:
        assert (student.square(X) == X**3).all()


def test_a_zygote_can_be_stopped_at_l1_alone_and_is_given_up(lab):
    before = zygote(lab)
    if lab.sandbox.isolation.level == "L1":
        assert refused(lab, "stop-parent")[0] == "worker-died"
        assert zygote(lab) != before
    else:
        assert refused(lab, "stop-parent") == ("exception", mock.ANY)
        assert zygote(lab) == before


def test_what_a_program_prints_is_kept_to_its_end_however_it_ends(lab):
    source = (
        "import os, time\nprint('imported')\n"
        "def square(x):\n    print('called', end='')\n    time.sleep(0.2)\n    os._exit(4)\n"
    )
    assert refused(lab, source=source) == ("exit", "your code ended the process with status 4")
    assert lab.sandbox.usage.output == "imported\ncalled"


def test_output_is_kept_up_to_a_cap_and_belongs_to_its_trial(lab):
    source = "import os\ndef square(x):\n    os.write(1, b'x' * 300_000)\n    return x\n"
    with lab.trial("probe", source=source) as student:
        student.square(X)
        time.sleep(0.3)
    assert 0 < len(lab.sandbox.usage.output) <= 64 * 1024
    with lab.trial("honest") as student:
        student.square(X)
    assert lab.sandbox.usage.output == ""


def test_a_trial_is_measured(lab):
    source = (
        "import time\n"
        "def square(x):\n"
        "    kept = bytearray(b'x') * (100 << 20)\n"
        "    end = time.process_time() + 0.3\n"
        "    while time.process_time() < end: pass\n"
        "    return x\n"
    )
    with lab.trial("probe", source=source) as student:
        student.square(X)
    assert lab.sandbox.usage.cpu_s >= 0.3
    assert lab.sandbox.usage.peak_mib >= 100


@pytest.mark.parametrize(
    "body",
    [
        "torch.ones(1 << 30)",
        "bytearray(1 << 30)",
        "numpy.ones(1 << 30)",
        "mmap.mmap(-1, 1 << 30)",
        "[list(range(10**6)) for _ in range(100)]",
    ],
)
def test_memory_is_bounded_by_the_limit_of_the_task(lab, body):
    head = "import mmap, numpy, torch\n"
    cause, message = refused(lab, source=f"{head}def square(x):\n    kept = {body}\n    return x\n")
    assert cause == "memory" or (cause, "mmap" in body) == ("exception", True)
    assert "annot allocate" in message or "out of memory" in message


def test_every_trial_begins_anew(lab):
    source = (
        "import builtins, os, sys, tempfile\n"
        "fresh = not hasattr(builtins, 'seen') and os.listdir() == []\n"
        "builtins.seen = True\n"
        "open('kept', 'w').write('x')\n"
        "def scalars(i, x, b, s):\n    return len(os.listdir()), 0.0, fresh\n"
    )
    for _ in range(2):
        with lab.trial("probe", source=source) as student:
            assert student.scalars(0, 0.0, True, "") == (1, 0.0, True)


def test_a_program_sees_a_scrubbed_environment_and_no_files_but_its_own(lab, monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "do-not-tell")
    project = str(Path(__file__).parents[2])
    source = (
        "import os, sys\n"
        "folder = os.path.dirname(__file__)\n"
        "def read(path):\n"
        "    if path == 'environment':\n"
        "        return sum('SECRET' in name for name in os.environ)\n"
        "    if path == 'path':\n"
        f"        return sys.path.count({project!r}) + sys.path.count('')\n"
        "    return len(os.listdir(folder))\n"
    )
    with Sandbox(lab.sandbox.isolation, dynamo=False) as sandbox:
        lab = type(lab)(sandbox)
        with lab.trial("probe", source=source) as student:
            assert [student.read(word) for word in ("environment", "path", "files")] == [0, 0, 3]


def test_one_thread_and_one_hash_seed(lab):
    source = "import torch\ndef read(path):\n    return hash(path) + torch.get_num_threads()\n"
    code = "print(hash('square') + 1)"
    wanted = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": "0"}, capture_output=True, check=True
    )
    with lab.trial("probe", source=source) as student:
        assert student.read("square") == int(wanted.stdout)


def test_results_of_complex_arithmetic_cross_though_torch_keeps_their_sign_aside(lab):
    source = "def square(x):\n    return torch.complex(x, x**2).conj().imag\nimport torch\n"
    with lab.trial("probe", source=source) as student:
        assert (student.square(X) == -(X**2)).all()
        assert (student.square(X[:1, :1] + 2) == -4).all()


def test_more_results_than_a_frame_holds_are_an_error_of_the_program(lab):
    source = "def square(x):\n    return (x,) * 300\n"
    cause, message = refused(lab, source=source)
    assert (cause, "at most 256" in message) == ("exception", True)


def test_an_exception_that_lies_about_its_place_is_still_an_exception(lab):
    source = "def square(x):\n    raise SyntaxError('no', (3, 4, 5, 'x'))\n"
    cause, message = refused(lab, source=source)
    assert cause == "exception"
    assert message


def test_a_worker_is_forked_with_the_limits_of_its_trial(lab):
    source = (
        "import resource\n"
        "def scalars(i, x, b, s):\n"
        "    soft, hard = resource.getrlimit(i)\n"
        "    return soft, float(hard - soft), True\n"
    )
    with lab.trial("probe", source=source, limits=Limits(trial_s=10)) as student:
        import resource

        assert student.scalars(resource.RLIMIT_CPU, 0.0, True, "") == (21, 1.0, True)
        assert student.scalars(resource.RLIMIT_CORE, 0.0, True, "")[0] == 0
        assert student.scalars(resource.RLIMIT_NOFILE, 0.0, True, "")[0] == 128
        assert student.scalars(resource.RLIMIT_STACK, 0.0, True, "")[0] == 64 << 20


def test_processor_time_over_the_limit_is_called_by_its_name(lab):
    source = "def square(x):\n    while True:\n        pass\n"
    limits = Limits(call_s=30, trial_s=0.4)  # two of its seconds of CPU are less than one of ours
    cause, message = refused(lab, source=source, limits=limits)
    assert cause == "timeout"
    assert message


def test_nothing_of_a_sandbox_survives_it(lab):
    with Sandbox(lab.sandbox.isolation, preload=False) as sandbox:
        folder = sandbox.place("probe", {"program.py": b""})
        worker = sandbox.fork(folder, Limits(), "probe", baits={})
        pids = [worker.zygote.process.pid, sandbox.zygote_pid, worker.monitor.worker]
        assert all(processes.look(pid).alive for pid in pids)
        home = folder.parents[1]
        assert oct(folder.stat().st_mode & 0o777) == "0o555"
        assert (home / "scratch").exists()
    assert not home.exists()
    worker.sock.close()
    left = [processes.look(pid) for pid in pids]
    assert not any(process.alive for process in left if process is not None)


def test_a_sandbox_that_was_killed_starts_no_other_zygote(lab):
    with Sandbox(lab.sandbox.isolation, dynamo=False) as sandbox:
        other = type(lab)(sandbox)
        with pytest.raises(ProgramError) as caught, other.trial("honest") as student:
            sandbox.kill()
            while True:  # at L3 the worker ends a moment after the process that was killed
                student.square(X)
        assert caught.value.cause in ("worker-died", "signal")
        with pytest.raises(InfrastructureError, match="the sandbox was killed"):
            with other.trial("honest"):
                pass


def test_a_scratch_folder_is_removed_however_deep_it_is(lab):
    source = (
        "import os\n"
        "def square(x):\n"
        "    for _ in range(1500):\n"
        "        os.mkdir('d')\n"
        "        os.chdir('d')\n"
        "    os.mkdir('locked', 0)\n"
        "    return x**2\n"
    )
    with Sandbox(lab.sandbox.isolation, dynamo=False) as sandbox:
        limits = Limits(call_s=60, trial_s=60, memory_mib=512)
        with type(lab)(sandbox).trial("probe", source=source, limits=limits) as student:
            assert (student.square(X) == X**2).all()
        home = sandbox.folders.root
        left = {path.name for path in sandbox.folders.scratch.iterdir()}
        assert left <= {"inductor"}  # an empty folder that torch makes when it is imported
    assert not home.exists()


def test_what_the_sandbox_refuses_is_said_so(lab):
    if lab.sandbox.isolation.level == "L1":
        return
    source = "import socket\ndef square(x):\n    socket.create_connection(('127.0.0.1', 9))\n"
    cause, message = refused(lab, source=source)
    assert cause == "exception"
    assert "one process, its own files and no network" in message


def test_no_count_of_the_machines_processes_can_be_read(lab):
    """It outlives every sandbox: what starts threads up to a number tells it to the next."""
    if lab.sandbox.isolation.level == "L1" or not lab.sandbox.isolation.landlock:
        return
    source = "def square(x):\n    open('/proc/stat').read()\n    return x\n"
    cause, message = refused(lab, source=source)
    assert (cause, "Permission denied" in message) == ("exception", True)


def test_the_programs_are_readable_by_the_workers_user_alone(lab):
    with lab.trial("honest") as student:
        student.square(X)
        root = lab.sandbox.folders.root
        assert root.stat().st_mode & 0o077 in (0, 0o010)
        if os.geteuid() == 0:
            reading = ["/bin/cat", str(lab.sandbox.folders.programs / "program-0" / "program.py")]
            assert subprocess.run(reading, capture_output=True, check=False).returncode == 0
            others = subprocess.run(reading, capture_output=True, check=False, user=65_534)
            assert others.returncode != 0


NOTE = """
import os
def nothing():
    return None
def read(path):
    found = 0
    for place in ("..", "../inductor", "../" + path):
        try:
            found += len([name for name in os.listdir(place) if name.startswith("note")])
            open(os.path.join(place, "note"), "w").close()
        except OSError:
            pass
    try:
        os.mkdir("../note" + path)
    except OSError:
        pass
    return found
"""


def test_no_note_is_left_beside_the_scratch_folder_where_landlock_is_missing(lab):
    with Sandbox(replace(lab.sandbox.isolation, landlock=0), dynamo=False) as sandbox:
        for _ in range(2):
            with type(lab)(sandbox).trial("note", source=NOTE) as student:
                assert student.read("x") == 0


READ_ALL = """
from pathlib import Path
def read(path):
    return len(Path(__file__).with_name(path).read_bytes())
"""


def test_a_read_moves_no_time_of_access_where_mounts_are_read_only(lab, tmp_path):
    """What one sandbox reads, the next one could see by `stat`: docs/isolation.md says where."""
    (tmp_path / "data.bin").write_bytes(b"x")
    before = (tmp_path / "data.bin").stat().st_atime_ns
    (tmp_path / "data.bin").read_bytes()
    if lab.sandbox.isolation.level != "L3":
        pytest.skip("open at this level, and said so")
    if (tmp_path / "data.bin").stat().st_atime_ns == before:
        pytest.skip("this file system keeps no times of access")
    with lab.trial("reads", source=READ_ALL) as student:
        file = next(lab.sandbox.folders.programs.glob("*/data.bin"))
        times = {path: path.stat().st_atime_ns for path in file.parent.parent.glob("*/data.bin")}
        assert student.read("data.bin") == 7
        assert {path: path.stat().st_atime_ns for path in times} == times
