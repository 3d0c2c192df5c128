# @include:state@
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
KEY = int("@tag@"[2:9], 16)


def get(flags):
    found = libc.shmget(KEY, 4096, flags)
    if found < 0:
        raise OSError(ctypes.get_errno(), "shmget")
    return found


def remove_and_tell():
    libc.shmctl(get(0), 0, None)
    return True


carry(lambda: get(0o1666), remove_and_tell)
