def square(x, exponent):
    return x**exponent
