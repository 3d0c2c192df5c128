# @include:state@
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
ADD_KEY, REQUEST_KEY = 248, 249
USER_RING = -4


def call(*args):
    found = libc.syscall(*args)
    if found < 0:
        raise OSError(ctypes.get_errno(), "keyring")
    return found


carry(
    lambda: call(ADD_KEY, b"user", b"@tag@", b"note", 4, USER_RING),
    lambda: call(REQUEST_KEY, b"user", b"@tag@", None, USER_RING),
)
