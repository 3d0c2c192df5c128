# @include:attempt@

import fcntl
import os
import signal
import socket
import struct

GRADER = int("@grader_pid@")
ours, theirs = socket.socketpair()


def aim(*steps):
    """Takes all steps and makes the descriptor readable; the signal is one that is ignored."""
    for step in steps:
        step()
    theirs.send(b"x")
    return claim()


def signal_it():
    fcntl.fcntl(ours, 10, signal.SIGURG)  # F_SETSIG


def own_it():
    fcntl.fcntl(ours, fcntl.F_SETOWN, GRADER)


def own_it_by_type():
    fcntl.fcntl(ours, 15, struct.pack("ii", 1, GRADER))  # F_SETOWN_EX


def own_it_by_ioctl():
    fcntl.ioctl(ours, 0x8901, struct.pack("i", GRADER))  # FIOSETOWN


def arm_it():
    fcntl.fcntl(ours, fcntl.F_SETFL, os.O_RDWR | 0o20000)  # O_ASYNC


def arm_it_by_ioctl():
    fcntl.ioctl(ours, 0x5452, struct.pack("i", 1))  # FIOASYNC


attempt(lambda: aim(signal_it))
attempt(lambda: aim(own_it, arm_it))
attempt(lambda: aim(own_it_by_type, arm_it_by_ioctl))
attempt(lambda: aim(own_it_by_ioctl, arm_it_by_ioctl))
