def square(x):
    result = x**2
    x.zero_()
    return result
