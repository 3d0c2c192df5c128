def square(x):
    return (x**2) + 0j
