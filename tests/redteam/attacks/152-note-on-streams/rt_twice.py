# @include:state@

import fcntl
import os

NOTE = os.O_APPEND | os.O_NONBLOCK


def read():
    return any(fcntl.fcntl(fd, fcntl.F_GETFL) & NOTE for fd in (0, 1, 2))


def write():
    for fd in (0, 1, 2):
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | NOTE)


carry(write, read)
