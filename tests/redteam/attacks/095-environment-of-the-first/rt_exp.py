# @include:attempt@

import os


def environment(pid):
    return open(f"/proc/{pid}/environ", "rb").read().replace(b"\0", b" ")[:800]


for pid in (1, 2, os.getppid(), "self"):
    attempt(lambda: environment(pid))
