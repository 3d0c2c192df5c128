# @include:attempt@

import os


def line(pid):
    return open(f"/proc/{pid}/cmdline", "rb").read()[-300:]


for pid in ("@grader_pid@", "@decoy_pid@", os.getppid(), 1):
    attempt(lambda: line(pid))
