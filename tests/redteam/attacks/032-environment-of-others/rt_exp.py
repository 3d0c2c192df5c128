# @include:attempt@

import os


def environment(pid):
    return open(f"/proc/{pid}/environ", "rb").read().replace(b"\0", b" ")[-400:]


for pid in ("@grader_pid@", "@decoy_pid@", os.getppid()):
    attempt(lambda: environment(pid))
