import sys

sys.setrecursionlimit(2**31 - 1)


class Deep:
    def __getattr__(self, name):
        return getattr(Deep(), name)


def square(x):
    return Deep().x
