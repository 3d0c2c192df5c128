import os


def square(x):
    line = b"x" * 2**20
    for _ in range(50):
        os.write(1, line)
        os.write(2, line)
    return x**2
