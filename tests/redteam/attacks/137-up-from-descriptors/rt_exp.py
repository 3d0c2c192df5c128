# @include:attempt@

import os
import stat


def up(fd):
    above = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
    print(os.listdir(above)[:5])
    return claim()


for fd in range(1024):
    try:
        folder = stat.S_ISDIR(os.fstat(fd).st_mode)
    except OSError:
        continue
    if folder:
        attempt(lambda: up(fd))
