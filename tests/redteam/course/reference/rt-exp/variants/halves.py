def solve(x):
    return (x / 2).exp() * (x / 2).exp()
