"""Want of memory: a program's own limit is its own fault, the machine's memory is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.isolation import cgroup

ROOT = Path(__file__).parents[2]

#: Enters the groups it is handed, then runs a program that may have 4096 MiB.
GRADER = """
import os, sys
for handle in map(int, sys.argv[3:]):
    os.write(handle, b"0")
from harness.errors import FairmarkError
from harness.isolation import Isolation, cgroup, identity
from harness.sandbox.sandbox import Sandbox
from harness.spec.models import Limits

isolation = Isolation("L1", own_user=identity.can_change_user(), cgroup=sys.argv[2] == "+C")
limits = Limits(memory_mib=4096)
with Sandbox(isolation, preload=False) as sandbox:
    folder = sandbox.place("greedy", {"program.py": sys.argv[1].encode()})
    load = {"op": "load", "module": "program", "file": "program.py", "given": False}
    try:
        with sandbox.session(folder, limits, lambda it: it.request(load, [])) as session:
            with session.trial(limits):
                print("done")
    except FairmarkError as error:
        print(type(error).__name__, getattr(error, "cause", ""), error)
"""


@pytest.fixture
def container():
    """A control group around the grader, as a container has one."""
    if not cgroup.available():
        pytest.skip("this process may make no control group with limits")
    with cgroup.group() as made:
        yield made


@pytest.mark.parametrize("own_group", ["+C", "-"])
def test_a_machine_without_memory_is_never_the_programs_error(container, own_group):
    found, handles = container
    found.limit_memory(700)
    greedy = "held = b'x' * (1200 << 20)"
    command = [sys.executable, "-c", GRADER, greedy, own_group, *map(str, handles)]
    done = subprocess.run(
        command, pass_fds=handles, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("InfrastructureError  the kernel killed the program because")


#: Enters the groups it is handed, then wants 200 MiB.
ELSEWHERE = """
import os, sys
for handle in map(int, sys.argv[1:]):
    os.write(handle, b"0")
held = b"x" * (200 << 20)
"""


def test_a_kill_for_memory_elsewhere_says_nothing_of_a_program(container):
    """The machine's count rose, and a program that had ended itself was taken for its victim."""
    found, handles = container
    found.limit_memory(60)
    deadly = "import os, time\ntime.sleep(2)\nos.kill(os.getpid(), 9)"
    grader = subprocess.Popen(
        [sys.executable, "-c", GRADER, deadly, "+C"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    command = [sys.executable, "-c", ELSEWHERE, *map(str, handles)]
    while grader.poll() is None:
        assert subprocess.run(command, pass_fds=handles, check=False).returncode == -9
    assert grader.communicate()[0].startswith("ProgramError signal")
