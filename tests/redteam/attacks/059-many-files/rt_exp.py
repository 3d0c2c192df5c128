def solve(x):
    for index in range(20_000):
        open(str(index), "w").close()
    return x * 0
