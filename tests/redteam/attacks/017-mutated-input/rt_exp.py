def solve(x):
    x.zero_()
    return x + 1
