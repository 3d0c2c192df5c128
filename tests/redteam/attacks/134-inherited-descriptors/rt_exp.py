# @include:attempt@

import os
import stat


def look(fd):
    mode = os.fstat(fd).st_mode
    if stat.S_ISDIR(mode):
        print(os.listdir(fd))
    elif stat.S_ISREG(mode):
        print(os.pread(fd, 100, 0))
    else:
        return f"{fd}: {stat.S_IFMT(mode):o}"
    return claim()


for fd in range(1024):
    try:
        os.fstat(fd)
    except OSError:
        continue
    attempt(lambda: look(fd))
