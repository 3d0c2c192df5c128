def bowl(x, centre, width):
    return ((x - centre) ** 2).sum() / width
