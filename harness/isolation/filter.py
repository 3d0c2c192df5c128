"""The seccomp filter of a worker: what no exercise needs and an attack does.

It lists the calls that are refused; a list of calls that are allowed would have to follow every
release of torch. Where one call has many commands (fcntl, ioctl, socketpair), it lists those that
are allowed, since their number grows with every release of the kernel.
Refused are: access to other processes' memory, new namespaces and mounts, sockets other than pairs,
memory that escapes the limits, whatever survives a process (System V and POSIX queues, keys), and
the channels by which two sandboxes could communicate over a file that both may only read (locks,
leases, notification, the state of the page cache). libseccomp makes the program, by pyseccomp.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Collection, Iterator
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
pidfd_open connect bind listen accept accept4
kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff acct
quotactl quotactl_fd syslog sethostname setdomainname settimeofday clock_settime adjtimex
clock_adjtime iopl ioperm vhangup nfsservctl lookup_dcookie personality
""".split()

# for a libseccomp that is older than the call; from 424 on, every architecture has the same numbers
_NUMBERS = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
    "fspick": 433, "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438, "process_madvise": 440,
    "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447, "process_mrelease": 448,
    "cachestat": 451, "fchmodat2": 452, "setxattrat": 463, "removexattrat": 466,
}  # fmt: skip

# what a process may do to, or learn of, itself only: the position of the argument that is a process
# id, of which 0 is the caller
_OWN_ONLY = {
    "prlimit64": 0, "sched_setaffinity": 0,
    "getsid": 0, "getpgid": 0, "get_robust_list": 0, "getpriority": 1, "ioprio_get": 1,
}  # fmt: skip

_CLONE_NAMESPACES = (
    0x00020000,  # mount
    0x02000000,  # cgroup
    0x04000000,  # uts
    0x08000000,  # ipc
    0x10000000,  # user
    0x20000000,  # pid
    0x40000000,  # net
)
# all numbers are Linux's, so that this module can be imported elsewhere
_F_SETFL = 4
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. Refused are, among others, who is
# signalled about a file, locks, leases, notification, sizes of pipes, hints about a file's life
_FCNTL = (0, 1, 2, 3, _F_SETFL, 1030)
# what a program may set of an open file's flags (or get with F_GETFL and set again); not O_ASYNC,
# which sends signals, O_DIRECT and O_NOATIME
_SETTABLE = 0o3 | 0o2000 | 0o4000 | 0o100000  # O_ACCMODE, O_APPEND, O_NONBLOCK, O_LARGEFILE
# is it a terminal and how large, how much waits to be read, close-on-exec, non-blocking, FICLONE
_IOCTL = (0x5401, 0x802C542A, 0x540F, 0x5413, 0x541B, 0x5450, 0x5451, 0x5421, 0x40049409)
# a pair connects a process to itself; one of datagrams (raw ones are) can send to any address
_AF_UNIX = 1
_SOCKETS = (1, 0o4001, 0o2000001, 0o2004001)  # SOCK_STREAM, with SOCK_NONBLOCK and SOCK_CLOEXEC
# flags of what is sent: bytes out of band would pass unseen between the grader's requests
_SENDING = {"sendto": 3, "sendmsg": 2, "sendmmsg": 3}
_MSG_OOB = 1

_WORD = 0xFFFFFFFF  # the kernel reads the lower half of these arguments

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
    for name, position in _OWN_ONLY.items():
        refuse(name, pyseccomp.Arg(position, pyseccomp.NE, 0))
    for flag in _CLONE_NAMESPACES:
        refuse("clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # seccomp cannot read clone3's flags, which are behind a pointer; with ENOSYS libc falls back to
    # clone, whose flags are checked above
    refuse("clone3", action=pyseccomp.ERRNO(errno.ENOSYS))

    def masked(position: int, mask: int, value: int) -> Any:
        return pyseccomp.Arg(position, pyseccomp.MASKED_EQ, mask, value)

    def allow_only(name: str, position: int, allowed: Collection[int]) -> None:
        for mask, value in _all_but(allowed):
            refuse(name, masked(position, mask, value))

    allow_only("fcntl", 1, _FCNTL)
    for bit in (1 << shift for shift in range(32)):
        if not bit & _SETTABLE:
            refuse("fcntl", masked(1, _WORD, _F_SETFL), masked(2, bit, bit))
    allow_only("ioctl", 1, _IOCTL)
    refuse("socket")  # local ones too: by a path they reach the machine's daemons
    allow_only("socketpair", 0, (_AF_UNIX,))
    allow_only("socketpair", 1, _SOCKETS)
    for name, position in _SENDING.items():
        refuse(name, masked(position, _MSG_OOB, _MSG_OOB))
    for name in () if scoped else _UNSCOPED:
        refuse(name)
    return Filter(_exported(rules))


def _all_but(allowed: Collection[int]) -> Iterator[tuple[int, int]]:
    """Masks and values that match every number of 32 bits except those that are allowed.

    A number is followed from its highest bit down; where it leaves all that is allowed, the bits so
    far are a mask and a value.
    """
    prefixes = {0}
    for shift in reversed(range(32)):
        mask = _WORD & ~((1 << shift) - 1)
        kept = {number & mask for number in allowed}
        for prefix in sorted(prefixes):
            for value in (prefix, prefix | 1 << shift):
                if value not in kept:
                    yield mask, value
        prefixes = kept


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
