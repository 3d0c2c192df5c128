import sys


def solve(x):
    sys.stdout.write("\x1b]" * 40_000 + "\x9b" * 1000 + "\x1bP")
    raise ValueError("\x1b]" * 300)
