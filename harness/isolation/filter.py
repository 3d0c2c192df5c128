"""The seccomp filter of a worker: what no exercise needs and an attack does.

It lists what is refused; a list of what is allowed would have to follow every release of torch.
Refused are: access to other processes' memory, new namespaces and mounts, sockets other than pairs,
memory that escapes the limits, whatever survives a process (System V and POSIX queues, keys), and
the channels by which two sandboxes could communicate over a file that both may only read (locks,
leases, notification, the state of the page cache). libseccomp makes the program, by pyseccomp.
"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from dataclasses import dataclass
from typing import Any

_REFUSED = """
ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp
bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
mount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr
unshare setns open_by_handle_at name_to_handle_at
memfd_create memfd_secret
add_key request_key keyctl
shmget shmat shmctl shmdt semget semop semtimedop semctl msgget msgsnd msgrcv msgctl
mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
flock mincore preadv2 pwritev2 cachestat fadvise64 readahead
inotify_init inotify_init1 fanotify_init fanotify_mark
chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat
setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat
utime utimes futimesat utimensat
sched_setscheduler sched_setparam sched_setattr setpriority ioprio_set
kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff acct
quotactl quotactl_fd syslog sethostname setdomainname settimeofday clock_settime adjtimex
clock_adjtime iopl ioperm vhangup nfsservctl lookup_dcookie personality
""".split()

# for a libseccomp that is older than the call; from 424 on, every architecture has the same numbers
_NUMBERS = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
    "fspick": 433, "clone3": 435, "pidfd_getfd": 438, "process_madvise": 440,
    "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447, "process_mrelease": 448,
    "cachestat": 451, "fchmodat2": 452, "setxattrat": 463, "removexattrat": 466,
}  # fmt: skip

# what a process may do to itself only: the first argument is a process id, 0 is the caller
_OWN_ONLY = ("prlimit64", "sched_setaffinity")

_CLONE_NAMESPACES = (
    0x00020000,  # mount
    0x02000000,  # cgroup
    0x04000000,  # uts
    0x08000000,  # ipc
    0x10000000,  # user
    0x20000000,  # pid
    0x40000000,  # net
)
# F_GETLK… and their open-file forms, F_SETLEASE, F_GETLEASE, F_NOTIFY, the write-life hints
_FCNTL = (5, 6, 7, 36, 37, 38, 1024, 1025, 1026, 1035, 1036, 1037, 1038)
_TERMINAL = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: they put characters into a terminal's input

# refused altogether where Landlock does not keep signals within the sandbox
_UNSCOPED = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal")


@dataclass(frozen=True)
class Filter:
    """A classic BPF program and its digest."""

    program: bytes

    @property
    def sha256(self) -> str:
        """SHA-256 of the program, in hexadecimal."""
        return hashlib.sha256(self.program).hexdigest()


def build(*, scoped: bool) -> Filter:
    """Builds the filter; ``scoped`` where something else keeps signals within the sandbox.

    Raises:
        ImportError: pyseccomp or libseccomp is missing; the text says which.
    """
    try:
        import pyseccomp
    except (ImportError, OSError, RuntimeError) as error:
        raise ImportError(f"pyseccomp or libseccomp is not installed ({error})") from error
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    deny = pyseccomp.ERRNO(errno.EPERM)

    def refuse(name: str, *conditions: Any, action: int = deny) -> None:
        number = name if _known(pyseccomp, name) else _NUMBERS.get(name)
        if number is not None:  # otherwise this architecture has no such call
            rules.add_rule(action, number, *conditions)

    for name in _REFUSED:
        refuse(name)
    for name in _OWN_ONLY:
        refuse(name, pyseccomp.Arg(0, pyseccomp.NE, 0))
    for flag in _CLONE_NAMESPACES:
        refuse("clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # seccomp cannot read clone3's flags, which are behind a pointer; with ENOSYS libc falls back to
    # clone, whose flags are checked above
    refuse("clone3", action=pyseccomp.ERRNO(errno.ENOSYS))
    for command in _FCNTL:
        refuse("fcntl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, command))
    for request in _TERMINAL:
        refuse("ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, request))
    refuse("socket")  # local ones too: by a path they reach the machine's daemons
    # a pair connects a process to itself, but one of datagrams can send to any address
    refuse("socketpair", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xF, socket.SOCK_DGRAM))
    for name in () if scoped else _UNSCOPED:
        refuse(name)
    return Filter(_exported(rules))


def _known(pyseccomp: Any, name: str) -> bool:
    try:
        return bool(pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) >= 0)
    except (OSError, ValueError, RuntimeError):
        return False


def _exported(rules: Any) -> bytes:
    handle = os.memfd_create("filter", os.MFD_CLOEXEC)
    with open(handle, "r+b") as stream:
        rules.export_bpf(stream)
        stream.seek(0)
        return stream.read()
