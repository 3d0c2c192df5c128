"""Two times x."""


def twice(x):
    """2 x."""
    return 2 * x
