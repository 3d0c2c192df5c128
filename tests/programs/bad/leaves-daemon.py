import ctypes
import os
import time


def square(x):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, b"fm-left-behind", 0, 0, 0)
            time.sleep(1000)
        os._exit(0)
    return x**2
