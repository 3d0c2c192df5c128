# what the attacks on the machine share: one attempt after another, none of which may end it
def attempt(what):
    try:
        print(what())
    except BaseException as error:
        print(type(error).__name__, error)


def claim():
    """Says that the attack got what it tried to get."""
    return "@claim@"


def solve(x):
    return x * 0
