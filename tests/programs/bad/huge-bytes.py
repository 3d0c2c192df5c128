def square(x):
    bytearray(10 * 2**30)
    return x**2
