import time


def square(x):
    time.sleep(1000)
    return x**2
