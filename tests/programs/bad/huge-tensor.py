def square(x):
    return x.new_ones(10 * 2**30 // 8)[: len(x)]
