# @include:attempt@

import os


def writable(path):
    os.close(os.open(path, os.O_WRONLY))  # opened, and nothing is written
    return claim()


attempt(lambda: writable("/proc/sys/kernel/core_pattern"))
attempt(lambda: writable("/proc/sys/vm/stat_interval"))
attempt(lambda: writable("/proc/sysrq-trigger"))
attempt(lambda: writable("/sys/power/state"))
attempt(lambda: writable("/dev/mem"))
