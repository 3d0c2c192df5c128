def twice(x):
    return x.mul(2.0)
