# @include:attempt@

import fcntl

import torch


def lock():
    with open(torch.__file__) as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return claim()


def lock_records():
    with open(torch.__file__) as stream:
        fcntl.lockf(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return claim()


attempt(lock)
attempt(lock_records)
