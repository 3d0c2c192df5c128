"""A process that holds secrets and does nothing: what an attack may find beside the grader.

Reads a secret, keeps it in memory and says where; a signal that it gets is a letter on stdout.
Runs by its path under ``python -I -S``, so that it imports nothing of the harness.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PTRACER = 0x59616D61

if __name__ == "__main__":
    if sys.platform == "linux":  # no help from a kernel that lets only parents trace
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    secret = ctypes.create_string_buffer(sys.stdin.readline().strip().encode())
    signal.signal(signal.SIGURG, lambda *_: os.write(1, b"!"))
    os.write(1, f"{ctypes.addressof(secret)}\n".encode())
    while sys.stdin.readline():
        pass
