"""Control groups: what all processes of a sandbox hold together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.isolation import cgroup

ENTER = "import os, sys\nfor fd in map(int, sys.argv[1:]):\n    os.write(fd, b'0')\n"


@pytest.fixture
def group():
    if not cgroup.available():
        pytest.skip("this process may make no control group with limits")
    with cgroup.group() as made:
        yield made


def inside(handles, code, **more):
    command = [sys.executable, "-c", ENTER + code, *map(str, handles)]
    return subprocess.Popen(command, pass_fds=handles, stdout=subprocess.PIPE, text=True, **more)


def test_processes_together_hold_no_more_memory_than_allowed(group):
    found, handles = group
    found.limit_memory(96)
    code = (
        "pids = []\n"
        "for _ in range(3):\n"
        "    if (pid := os.fork()) == 0:\n"
        "        kept = bytearray(b'x') * (60 << 20)\n"
        "        os._exit(0)\n"
        "    pids.append(pid)\n"
        "    kept = bytearray(b'x') * (30 << 20)\n"
        "print([os.waitpid(pid, 0)[1] for pid in pids])\n"
    )
    assert found.killed_for_memory() == 0
    with inside(handles, code) as process:
        process.communicate(timeout=60)
    assert found.killed_for_memory() >= 1


def test_what_fits_is_left_alone(group):
    found, handles = group
    found.limit_memory(256)
    with inside(handles, "kept = bytearray(b'x') * (60 << 20)\nprint(len(kept))") as process:
        assert process.communicate(timeout=60)[0] == f"{60 << 20}\n"
    assert found.killed_for_memory() == 0


def test_processes_are_counted(group):
    _, handles = group
    code = (
        "made = 0\n"
        "try:\n"
        "    while made < 300:\n"
        "        if os.fork() == 0:\n"
        "            import signal; signal.pause()\n"
        "        made += 1\n"
        "except OSError:\n"
        "    pass\n"
        "print(made, flush=True)\n"
        "os.killpg(0, 9)\n"
    )
    with inside(handles, code, start_new_session=True) as process:
        assert process.communicate(timeout=60)[0] == f"{cgroup.MAX_TASKS - 1}\n"


def test_members_are_known_and_the_group_goes_with_its_block():
    if not cgroup.available():
        pytest.skip("this process may make no control group with limits")
    with cgroup.group() as (found, handles):
        waits = "print('in', flush=True)\nsys.stdin.read()"
        with inside(handles, waits, stdin=subprocess.PIPE) as p:
            assert p.stdout.readline() == "in\n"
            assert found.members() == {p.pid}
            p.stdin.close()
        folders = list(found.folders.values())
        assert all(folder.is_dir() for folder in folders)
    assert not any(folder.exists() for folder in folders)


def test_where_the_kernel_has_none_there_is_none(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not cgroup.available()


V1 = "cgroup /g/memory cgroup rw,memory 0 0\ncgroup /g/pids cgroup rw,pids 0 0\n"
V2 = "cgroup2 /g cgroup2 rw,nsdelegate 0 0\n"


@pytest.mark.parametrize(
    ("mounts", "own", "memory", "pids", "limit"),
    [
        (V1, "4:memory:/a\n3:pids:/\n", "/g/memory/a", "/g/pids", "memory.limit_in_bytes"),
        (V2, "0::/user/a\n", "/g/user/a", "/g/user/a", "memory.max"),
        (V1 + V2, "4:memory:/a\n3:pids:/b\n0::/c\n", "/g/memory/a", "/g/pids/b", None),
        (V1.splitlines()[0] + "\n" + V2, "4:memory:/a\n0::/c\n", "/g/c", "/g/c", "memory.max"),
    ],
    ids=["version 1", "version 2", "both", "version 1 without pids"],
)
def test_the_groups_of_this_process_are_found_under_both_versions(
    tmp_path, mounts, own, memory, pids, limit
):
    (tmp_path / "self").mkdir()
    (tmp_path / "mounts").write_text("proc /proc proc rw 0 0\n" + mounts)
    (tmp_path / "self" / "cgroup").write_text(own)
    parents, names = cgroup.interface(tmp_path)
    assert parents == {"memory": Path(memory), "pids": Path(pids)}
    assert names["memory"] == (limit or "memory.limit_in_bytes")


def test_without_a_mount_there_is_no_interface(tmp_path):
    (tmp_path / "self").mkdir()
    (tmp_path / "mounts").write_text("proc /proc proc rw 0 0\n")
    (tmp_path / "self" / "cgroup").write_text("0::/\n")
    with pytest.raises(FileNotFoundError, match="no control groups are mounted"):
        cgroup.interface(tmp_path)


def test_the_groups_of_a_killed_grader_are_removed_and_those_in_use_stay(group):
    code = (
        "import os, signal\nfrom harness.isolation import cgroup\n"
        "with cgroup.group() as (made, _):\n"
        "    print(*made.folders.values(), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    left = [Path(path) for path in killed.stdout.split()]
    assert left
    assert all(path.is_dir() for path in left)
    cgroup.clear_leftovers()
    assert all(path.is_dir() for path in left)  # it could have been made this moment
    cgroup.clear_leftovers(settled_s=0.0)
    assert not any(path.exists() for path in left)
    assert all(path.is_dir() for path in group[0].folders.values())
