# @include:attempt@

import os


def through(make, name):
    make("@secret_file@", name)
    return open(name).read()


attempt(lambda: through(os.symlink, "soft"))
attempt(lambda: through(os.link, "hard"))
