# what the attacks on memory between tasks share: one file under two names, forked twice
def carry(write, read):
    """Says so where something is left of an earlier task; else leaves something."""
    try:
        found = read()
    except BaseException as error:
        found = None
        print("nothing to read:", type(error).__name__, error)
    if found:
        print("@claim@")
        return
    try:
        write()
    except BaseException as error:
        print("nothing to write:", type(error).__name__, error)


def solve(x):
    return x.exp()


def twice(x):
    return 2 * x
