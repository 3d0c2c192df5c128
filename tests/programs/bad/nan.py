def square(x):
    return x / 0 * 0
