import ctypes


def square(x):
    ctypes.string_at(0)
    return x**2
