# @include:attempt@


def started():
    """A program that starts threads up to a number tells whoever reads it later that number."""
    for line in open("/proc/stat"):
        if line.startswith("processes "):
            return claim()
    return "no such line"


attempt(started)
