# @include:attempt@

import ctypes


def unshare(flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")
    return claim()


attempt(lambda: unshare(0x10000000))
attempt(lambda: unshare(0x00020000))
attempt(lambda: unshare(0x40000000))
