def square(x):
    x**2
