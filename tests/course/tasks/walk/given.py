"""What the statement gives: a bowl."""


def bowl(x, centre):
    """|x - centre|²."""
    return ((x - centre) ** 2).sum()
