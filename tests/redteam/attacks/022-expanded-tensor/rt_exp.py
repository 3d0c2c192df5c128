def solve(x):
    return x[:1].expand(1 << 40)
