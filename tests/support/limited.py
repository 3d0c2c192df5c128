"""A command under limits like those of Gradescope's containers: memory, and a share of a core.

Memory is limited by a control group, page cache included, as a container's is; the kernel ends what
needs more. The share of a core is a quota of the kernel's (100 ms, of which so many), where this
machine lets us set one.

Page cache of files that others had read before is not charged to the group, though a container
would be charged for it. So the processes are looked at, too, ten times a second: their own
pages, and once the files that the largest of them has mapped.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.isolation import cgroup

_PERIOD_US = 100_000
_EVERY_S = 0.1
#: Enters the groups and becomes the command.
_ENTER = """
import os, sys
for handle in map(int, sys.argv[1].split(",")):
    os.write(handle, b"0")
    os.close(handle)
os.execvp(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class Run:
    """How a command ended.

    Attributes:
        cpu_s: processor seconds of all its processes; None where no quota could be set.
        charged_mib: the largest memory charged to the group; None where the kernel does not say.
        own_mib: the largest sum of what the processes held for themselves.
        with_files_mib: the same with the largest mapping of files.
        killed: whether the kernel ended a process for memory.
    """

    code: int
    output: str
    wall_s: float
    cpu_s: float | None
    charged_mib: float | None
    own_mib: float
    with_files_mib: float
    killed: bool


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    mib: int,
    cores: float,
    log: Path,
) -> Run:
    """Runs a command to its end.

    Args:
        mib: the limit of memory, of all its processes together.
        cores: the share of a core.
        log: gets what it says.

    Raises:
        OSError: this process may not make a control group.
    """
    with cgroup.group() as (group, handles), _quota(cores) as quota:
        group.limit_memory(mib)
        (group.folders["pids"] / group.names["pids"]).write_text("max")
        entered = [*handles, *(quota.handles if quota else ())]
        started = time.monotonic()
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-c", _ENTER, ",".join(map(str, entered)), *command],
                cwd=cwd,
                env=dict(environment),
                stdout=stream,
                stderr=stream,
                pass_fds=entered,
            )
            own = with_files = 0.0
            while process.poll() is None:
                held, mapped = _held(process.pid)
                own, with_files = max(own, held), max(with_files, held + mapped)
                time.sleep(_EVERY_S)
        return Run(
            process.returncode,
            log.read_text(encoding="utf-8", errors="replace"),
            time.monotonic() - started,
            quota.spent_s() if quota else None,
            _charged(group),
            own,
            with_files,
            bool(group.killed_for_memory()),
        )


@dataclass(frozen=True)
class _Quota:
    """The groups of the controllers cpu and cpuacct, by which a process enters them."""

    accounted: Path
    handles: tuple[int, ...]

    def spent_s(self) -> float:
        """Processor seconds of all processes that were in it."""
        return int((self.accounted / "cpuacct.usage").read_text(encoding="ascii")) / 1e9


@contextlib.contextmanager
def _quota(cores: float) -> Iterator[_Quota | None]:
    """A group with a share of a core; None where none can be made."""
    name = f"fairmark-{os.getpid()}"
    folders = [Path("/sys/fs/cgroup", each, name) for each in ("cpu", "cpuacct")]
    with contextlib.ExitStack() as stack:
        handles = []
        try:
            for folder in folders:
                folder.mkdir()
                stack.callback(_remove, folder)
                handles.append(os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC))
                stack.callback(os.close, handles[-1])
            (folders[0] / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (folders[0] / "cpu.cfs_quota_us").write_text(str(round(cores * _PERIOD_US)))
        except OSError:
            yield None
            return
        yield _Quota(folders[1], tuple(handles))


def _remove(folder: Path) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.02)


def _charged(group: cgroup.Group) -> float | None:
    for name in ("memory.max_usage_in_bytes", "memory.peak"):
        path = group.folders["memory"] / name
        if path.exists():
            return int(path.read_text()) / 2**20
    return None


def _held(root: int) -> tuple[float, float]:
    """What a process and its descendants hold for themselves, and the largest mapping, in MiB."""
    own = mapped = 0
    for pid in _tree(root):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        figures = {
            line.split(":")[0]: int(line.split()[1])
            for line in text.splitlines()[1:]
            if line.endswith("kB")
        }
        own += figures.get("Pss_Anon", 0) + figures.get("Pss_Shmem", 0)
        mapped = max(mapped, figures.get("Rss", 0) - figures.get("Anonymous", 0))
    return own / 1024, mapped / 1024


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                children = Path(f"/proc/{pid}/task/{task}/children").read_text(encoding="ascii")
                found += map(int, children.split())
    return found


if __name__ == "__main__":
    # LIMITED_MIB=768 LIMITED_CORES=0.5 python -m tests.support.limited LOG COMMAND…
    ended = run(
        sys.argv[2:],
        cwd=Path.cwd(),
        environment=os.environ,
        mib=int(os.environ["LIMITED_MIB"]),
        cores=float(os.environ["LIMITED_CORES"]),
        log=Path(sys.argv[1]),
    )
    print({name: value for name, value in vars(ended).items() if name != "output"})
