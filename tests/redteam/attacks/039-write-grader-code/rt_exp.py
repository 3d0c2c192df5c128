# @include:attempt@

import os


def writable():
    os.close(os.open("@harness_file@", os.O_RDWR))
    return claim()


attempt(writable)
attempt(lambda: open("@witness_file@", "a").write("1\n"))
attempt(lambda: open("@witness_folder@/new", "w").write("1\n"))
