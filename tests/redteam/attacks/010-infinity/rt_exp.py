def solve(x):
    return x * 0 + float("inf")
