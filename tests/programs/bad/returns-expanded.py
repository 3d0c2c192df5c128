def square(x):
    return x[:1, :1].expand(1 << 20, 1 << 20)
