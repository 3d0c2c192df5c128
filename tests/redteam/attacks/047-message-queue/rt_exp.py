# @include:state@
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.msgget.argtypes = [ctypes.c_int, ctypes.c_int]
KEY = int("@tag@"[2:9], 16)


def get(flags):
    found = libc.msgget(KEY, flags)
    if found < 0:
        raise OSError(ctypes.get_errno(), "msgget")
    return found


def remove_and_tell():
    libc.msgctl(get(0), 0, None)
    return True


carry(lambda: get(0o1666), remove_and_tell)
