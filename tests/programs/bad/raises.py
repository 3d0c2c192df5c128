def square(x):
    raise ValueError("no squares today")
