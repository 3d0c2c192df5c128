# @include:attempt@

import ctypes
import os


def become(uid):
    os.setresuid(uid, uid, uid)
    return claim() if uid != before else "the same user"


def capable():
    lines = open("/proc/self/status").read().splitlines()
    held = int(next(line for line in lines if line.startswith("CapEff")).split()[1], 16)
    return claim() if held else "no capability"


before = os.getuid()
attempt(lambda: become(0))
attempt(lambda: become(12345))
attempt(capable)
