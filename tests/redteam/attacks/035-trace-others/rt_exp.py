# @include:attempt@

import ctypes

SEIZE = 0x4206  # attaches without stopping the other


def seize(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(SEIZE, ctypes.c_long(pid), None, None):
        raise OSError(ctypes.get_errno(), "ptrace")
    return claim()


attempt(lambda: seize(int("@decoy_pid@")))
attempt(lambda: seize(int("@grader_pid@")))
