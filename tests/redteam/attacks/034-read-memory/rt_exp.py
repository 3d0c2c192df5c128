# @include:attempt@

import os


def memory(pid, address):
    fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    return os.pread(fd, int("@token_bytes@"), address)


attempt(lambda: memory("@grader_pid@", int("@grader_address@")))
attempt(lambda: memory("@decoy_pid@", int("@decoy_address@")))
