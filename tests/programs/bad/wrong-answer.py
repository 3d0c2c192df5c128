def square(x):
    return x**3
