"""A process that holds secrets and does nothing: what an attack may find beside the grader.

It reads a secret from stdin, keeps it in memory and prints the address; when it gets SIGURG it
prints ``!``, and a ``.`` for every further line. It is started by its path under ``python -I -S``,
so that it imports nothing of the harness.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PTRACER = 0x59616D61

if __name__ == "__main__":
    if sys.platform == "linux":  # lets any process trace this one, also where Yama would not
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    secret = ctypes.create_string_buffer(sys.stdin.readline().strip().encode())
    signal.signal(signal.SIGURG, lambda *_: os.write(1, b"!"))
    os.write(1, f"{ctypes.addressof(secret)}\n".encode())
    while sys.stdin.readline():
        os.write(1, b".")
