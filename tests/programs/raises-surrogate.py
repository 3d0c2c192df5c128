def square(x):
    raise ValueError("\ud800 \x1b[31m \u202e" + "long " * 1000)
