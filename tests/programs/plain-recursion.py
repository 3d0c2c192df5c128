import sys

sys.setrecursionlimit(2**31 - 1)


def square(x):
    return square(x)
