# @include:attempt@

import ctypes


def watch():
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(0)
    if fd < 0 or libc.inotify_add_watch(fd, b"@results_folder@", 0xFFF) < 0:
        raise OSError(ctypes.get_errno(), "inotify")
    return claim()


attempt(watch)
