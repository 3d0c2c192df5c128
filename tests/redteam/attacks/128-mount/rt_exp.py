# @include:attempt@

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def mount():
    if libc.mount(b"tmpfs", os.getcwd().encode(), b"tmpfs", 0, None):
        raise OSError(ctypes.get_errno(), "mount")
    libc.umount2(os.getcwd().encode(), 2)
    return claim()


def change_root():
    os.chroot(".")
    return claim()


attempt(mount)
attempt(change_root)
