def solve(x):
    return x.exp()
