import sys


class Endless(Exception):
    def __repr__(self):
        return repr(self)

    def __str__(self):
        return f"{self}"


def solve(x):
    raise Endless
