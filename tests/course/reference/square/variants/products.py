def square(x):
    return x * x


def total(x):
    return x @ x.new_ones(x.shape[1])
