import sys

sys.setrecursionlimit(2**31 - 1)


def square(x):
    return sorted([1, 2], key=square)  # of all ways into C the one that takes most stack
